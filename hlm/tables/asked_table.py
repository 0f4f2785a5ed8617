"""A table of a study's results as a user asks for it, here and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.study.asked_tables import check_fits, table_from
from hlm.table_layout import Known
from hlm.tables.page import fragment_of
from hlm.tables.paper import paper_pages

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from hlm.results.shown import Planned
    from hlm.tables.paper_page import PaperPage

__all__ = ["AskedTable", "asked_table"]


@dataclass(frozen=True)
class AskedTable:
    """A table, as notebooks show it and as text for papers.

    Attributes
    ----------
    pages : tuple of PaperPage
    """

    pages: tuple[PaperPage, ...]

    @property
    def numbers(self) -> pd.DataFrame:
        """A row for each number, unrounded: what tells it apart, its error and replicates."""
        import pandas as pd

        return pd.concat([page.numbers for page in self.pages], ignore_index=True)

    def md(self) -> str:
        """Return it as Markdown."""
        return "\n".join(page.md() for page in self.pages)

    def tex(self) -> str:
        """Return it as LaTeX, which needs the packages booktabs and longtable."""
        return "\n".join(page.tex() for page in self.pages)

    def csv(self) -> str:
        """Return its numbers."""
        return self.numbers.to_csv(index=False)

    def html(self) -> str:
        """Return it as a page for a browser; of several, one after the other."""
        return "\n".join(page.html() for page in self.pages)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return "\n".join(fragment_of(page.html()) for page in self.pages)

    def __str__(self) -> str:
        """Return it as Markdown."""
        return self.md()


def asked_table(study: Planned, folder: str | Path, *measures: str, **asked: Any) -> AskedTable:
    """Make a table of a study's results.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    *measures : str
        The columns, such as ``'coverage'``; those of the usual table where none is named.
    **asked
        What a study file says of a table under `tables`: `part` or `terms`, `models`, `methods`,
        `inferences`, `policies`, `scenarios`, `across`, `split`, `mcse`, `digits`, `n`, `title`.

    Raises
    ------
    InputError
        For all that the study does not have, at once.
    """
    known = Known.of(study)
    written = {"split": "none", **asked, **({"measures": [*measures]} if measures else {})}
    named = {key: list(v) if isinstance(v, tuple) else v for key, v in written.items()}
    spec = table_from({key: v for key, v in named.items() if v is not None}, known)
    check_fits(spec, known, wide=True)
    return AskedTable(paper_pages(study, folder, spec))
