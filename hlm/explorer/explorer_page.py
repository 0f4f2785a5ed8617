"""What an explorer holds -> one page that needs no network, nor a server.

The libraries, the scripts and the style are put into the page, and the data as text: JSON, and
the numbers packed by gzip and written in base64, which a browser unpacks by itself.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from hlm.disk import write_text
from hlm.explorer import browser, vendor
from hlm.explorer.contents import MOST_BYTES, contents_of_study
from hlm.plan.report import EXPLORER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.explorer.contents import Contents
    from hlm.plan.plan import Plan

__all__ = ["explorer_page", "write_explorer"]


def write_explorer(
    plan: Plan, folder: str | Path, *, measures: Sequence[str] = (), most_bytes: int = MOST_BYTES
) -> Path:
    """Write the explorer of a study into its folder of results, and return its path.

    The same results give the same bytes.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    measures : sequence of str
        The only ones of performance and of differences to be held; all by default.
    most_bytes : int
        Of numbers; see `contents_of_study`.

    Raises
    ------
    InputError
        A file is missing, damaged or of another version, or there is no such measure.
    """
    contents = contents_of_study(plan, folder, measures=measures, most_bytes=most_bytes)
    path = Path(folder) / EXPLORER
    write_text(path, explorer_page(contents))
    return path


def explorer_page(contents: Contents) -> str:
    """Put a page together.

    Parameters
    ----------
    contents : Contents
    """
    head = json.dumps(contents.head, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = gzip.compress(contents.numbers, compresslevel=6, mtime=0)
    return Template(browser.template()).substitute(
        title=escape(f"{contents.head['study']}: explorer"),
        style=browser.style(),
        libraries="\n".join(f"<script>{text}</script>" for text in vendor.scripts()),
        head=in_script(head),
        numbers=b64encode(packed).decode(),
        script=browser.script(),
    )


def in_script(text: str) -> str:
    r"""Write JSON so that no text in it can end the element of a page that it stands in.

    Examples
    --------
    >>> in_script('"</script><!--"')
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
