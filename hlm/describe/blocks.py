"""What a description is made of: sections of paragraphs, equations, lists and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Block", "Equation", "Grid", "Items", "Paragraph", "Record", "Section"]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of marked text, see `hlm.describe.marked`."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of marked texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Equation:
    """One or several equations in LaTeX, each with `&` before what stands below one another."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table of marked texts.

    Attributes
    ----------
    headings : tuple of str
    rows : tuple of tuple of str
    caption : str
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


Block: TypeAlias = Paragraph | Items | Equation | Grid


@dataclass(frozen=True)
class Section:
    """A section with its title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Record:
    """The description of a study.

    Attributes
    ----------
    title : str
    authors : tuple of str
    date : str
        Empty if the study file has none.
    sections : tuple of Section
        Aims, data-generating mechanism, estimands, methods, performance measures, and so on.
    methods : Paragraph
        All of it in one paragraph, as a paper's section on methods has it.
    """

    title: str
    authors: tuple[str, ...]
    date: str
    sections: tuple[Section, ...]
    methods: Paragraph

    def section(self, title: str) -> Section:
        """Return the section of that title."""
        return next(one for one in self.sections if one.title == title)
