"""How Sphinx makes the site: `make docs`.

The root of the source is the repository's, so that every page is also one that a reader of the
repository sees, with the same links.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "sphinx"), str(DOCS.parent)]

from hlm.versions import __version__  # noqa: E402 - found by the line above

project = "hlm"
author = "The hlm authors"
release = version = __version__
project_copyright = author

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "navigation",
    "generated",
    "math_as_mathml",
    "accessible",
]

root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "config/README.md", "docs/**"]
exclude_patterns = ["docs/sphinx", "site", "results", ".*"]

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_ivar = True

smartquotes = False  # options begin with two hyphens

toc_object_entries = False

html_theme = "furo"
html_title = f"hlm {__version__}"
html_static_path = ["sphinx/static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "to_root.html"}
templates_path = ["sphinx/templates"]
html_copy_source = False
html_show_sphinx = False
# A summary of each result is fetched, which no browser allows a page that is a file.
html_show_search_summary = False
html_math_renderer = "mathml"
html_theme_options = {"footer_icons": []}
