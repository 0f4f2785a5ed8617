"""Rows of results as lines over the grid, or in another layout, which is not imported before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from hlm.figures.multiples import Look, small_multiples

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from hlm.figures.facets import Places

__all__ = ["laid_out"]


def laid_out(
    frame: pd.DataFrame,
    look: Look,
    layout: str,
    *,
    row: str | None = None,
    models: Sequence[str] | None = None,
    **places: Unpack[Places],
) -> Figure:
    """Draw estimates in a layout of `hlm.figure_choice.LAYOUTS` that shows measures.

    In a nested loop and a heat map the factors of `panels` and `x` come in this order, outermost
    first; all scenarios have one page.

    Parameters
    ----------
    frame, look, row, models
        As for `hlm.figures.multiples.small_multiples`.
    layout : str
    **places
        Where factors go: see `hlm.figures.facets.Places`.
    """
    own: dict[str, Any] = {"row": row, "models": models}
    if layout == "lines":
        return small_multiples(frame, look, **own, **places)
    if layout == "lollipop":
        from hlm.figures.lollipop import lollipop

        return lollipop(frame, look, **own, **places)
    x = places.get("x")
    order = [*(places.get("panels") or ()), *([x] if x else [])]
    own |= {"at": places.get("at"), "order": order or None}
    if layout == "heat":
        from hlm.figures.heat import heat

        return heat(frame, look, **own)
    from hlm.figures.nested_loop import nested_loop

    return nested_loop(frame, look, **own)
