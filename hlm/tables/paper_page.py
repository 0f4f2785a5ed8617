"""One page of a table that a user asks for, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hlm.tables.latex import escape, latex_of
from hlm.tables.markdown import markdown_of
from hlm.tables.page import MOST_ROWS, page_of

if TYPE_CHECKING:
    import pandas as pd

    from hlm.tables.formatting import FormattedTable

__all__ = ["PaperPage"]


@dataclass(frozen=True)
class PaperPage:
    """One page of a table: its text, what is said below, and its numbers.

    Attributes
    ----------
    name, title, caption : str
    text : FormattedTable
    notes : tuple of str
    numbers : DataFrame
        A row for each number: what tells it apart, `measure`, `estimate`, `mcse` and `n`.
    below : bool
        Whether errors stand below the numbers.
    """

    name: str
    title: str
    caption: str
    text: FormattedTable
    notes: tuple[str, ...]
    numbers: pd.DataFrame
    below: bool

    def csv(self) -> str:
        """Return the numbers, as they are in the results."""
        return self.numbers.to_csv(index=False)

    def tex(self) -> str:
        """Return the page as LaTeX, which needs the packages booktabs and longtable."""
        title = escape(self.title)
        caption = f"{title}. {escape(self.caption)}" if self.caption else title
        return latex_of(
            self.text, self.notes, caption=caption, label=f"tab:{self.name}", below=self.below
        )

    def html(self) -> str:
        """Return the page for a browser."""
        text, rows = self.text, len(self.text.keys)
        shown = replace(
            text,
            keys=text.keys.head(MOST_ROWS),
            cells=text.cells.head(MOST_ROWS),
            again=text.again.head(MOST_ROWS),
        )
        return page_of(shown, self.notes, self.title, caption=self.caption, rows=rows)

    def md(self) -> str:
        """Return the page as Markdown."""
        return markdown_of(self.text, self.notes, title=self.title, caption=self.caption)
