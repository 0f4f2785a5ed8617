"""Where results come from, and whether they are still what they were."""

from hlm.provenance.manifest import make_manifest, read_manifest, write_manifest
from hlm.provenance.results import Results
from hlm.provenance.verify import Difference, check_files, redraw

__all__ = [
    "Difference",
    "Results",
    "check_files",
    "make_manifest",
    "read_manifest",
    "redraw",
    "write_manifest",
]
