"""The letters that a PDF brings along: their outlines and widths, and nothing else of a font.

A PDF has the number of each glyph and its place on the page, so that its reader looks at outlines,
widths and hints only. Matplotlib has fontTools cut the tables that lay out text down to the letters
of each figure as well: ligatures, kerning, formulas, names. That was most of the time of a PDF.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from inspect import signature
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["outlines_only"]

READ = ("GlyphOrder", "head", "hhea", "hmtx", "maxp", "loca", "glyf", "cvt ", "fpgm", "prep")
"""The tables of a TrueType font that a reader of PDF needs (ISO 32000, 9.9)."""

AS_IT_IS: dict[str, bool] = {"lazy": True, "recalcBBoxes": False, "recalcTimestamp": False}
"""How a font is read: with the time at which it was made, so that each PDF has the same bytes."""

TAKES = ["fontfile", "glyphs"]
"""What Matplotlib's own function takes, in the versions whose function is replaced here."""


def outlines_only() -> AbstractContextManager[Any]:
    """Return a context in which Matplotlib embeds no other tables of fonts.

    Where a version of Matplotlib has no such function, it works as ever.
    """
    try:
        from matplotlib.backends import _backend_pdf_ps as backend

        own = backend.get_glyphs_subset
    except (ImportError, AttributeError):
        return nullcontext()
    if list(signature(own).parameters) != TAKES:
        return nullcontext()

    @contextmanager
    def subset(fontfile: Any, glyphs: Iterable[int]) -> Iterator[Any]:
        """Yield a font of these glyphs, and their numbers in it, as Matplotlib's own does."""
        if (outlines := _outlines(fontfile)) is None:
            with own(fontfile, set(glyphs)) as found:
                yield found
            return
        with TTFont(BytesIO(outlines), **AS_IT_IS) as font:
            yield backend.SubsetResults(font, _cut(font, glyphs))

    return patch.object(backend, "get_glyphs_subset", subset)


def _cut(font: TTFont, glyphs: Iterable[int]) -> dict[int, int]:
    """Leave a font no glyphs but these; return number before -> number now."""
    subsetter = Subsetter(Options(glyph_names=False, recommended_glyphs=True, layout_features=[]))
    subsetter.populate(gids=glyphs)
    subsetter.subset(font)
    numbers: dict[int, int] = subsetter.glyph_index_map
    return numbers


@cache
def _outlines(fontfile: Any) -> bytes | None:
    """Return a font without the tables that no reader of PDF needs, None if it is not TrueType."""
    with TTFont(fontfile, fontNumber=fontfile.face_index, **AS_IT_IS) as font:
        if "glyf" not in font:
            return None
        for table in [name for name in font.keys() if name not in READ]:  # noqa: SIM118
            del font[table]
        data = BytesIO()
        font.save(data, reorderTables=False)
    return data.getvalue()
