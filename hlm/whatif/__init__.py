"""Questions answered at once: data sets of a study drawn, fitted and measured in memory."""

from hlm.whatif.preview import preview
from hlm.whatif.preview_results import Results

__all__ = ["Results", "preview"]
