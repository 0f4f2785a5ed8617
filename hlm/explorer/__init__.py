"""The explorer: one page in which a reader chooses what to see of a study's results.

It holds the summaries of the study, the libraries that draw, and all else that it needs.
"""

from hlm.explorer.contents import FORM, MOST_BYTES, Contents, contents_of_study
from hlm.explorer.explorer_page import explorer_page, write_explorer

__all__ = [
    "FORM",
    "MOST_BYTES",
    "Contents",
    "contents_of_study",
    "explorer_page",
    "write_explorer",
]
