"""A study's tables to files, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.figures.results import read_results
from hlm.tables.catalogue import TITLES, names
from hlm.tables.latex import to_latex
from hlm.tables.page import study_page, table_page
from hlm.tables.wide import MEASURES, scenario_table, selection_table, wide_table

if TYPE_CHECKING:
    import pandas as pd

    from hlm.figures.catalogue import Planned
    from hlm.plan import Plan

__all__ = ["write", "write_all", "write_pages"]


def write(table: pd.DataFrame, stem: str | Path, *, caption: str = "") -> tuple[Path, Path, Path]:
    """Write a table as CSV, as LaTeX and as a page for a browser, each whole or not at all.

    Parameters
    ----------
    table : DataFrame
    stem : path
        The files' path without its ending; its folder is made. Its name is the LaTeX label's.
    caption : str

    Returns
    -------
    tuple of Path
        The CSV, the LaTeX and the HTML.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    latex = to_latex(table, caption=caption, label=f"tab:{stem.name}" if caption else "")
    return (
        _replace(stem.with_name(f"{stem.name}.csv"), table.to_csv(index=False)),
        _replace(stem.with_name(f"{stem.name}.tex"), latex),
        _replace(stem.with_name(f"{stem.name}.html"), table_page(table, caption or stem.name)),
    )


def write_all(study: Planned, folder: str | Path) -> tuple[Path, ...]:
    """Write a study's tables into the folder `tables` of its results.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results, with `measures.parquet` and `selection.parquet`.

    Returns
    -------
    tuple of Path
        For each table of `names(study)`, `tables/NAME` as .csv, .tex and .html.
    """
    folder = Path(folder)
    methods = {method for model in study.models for method in model.methods}
    wanted = {"measure": MEASURES, "method": ["reml" if "reml" in methods else "ml"]}
    files: list[Path] = []
    for name in names(study):
        kind, _, part = name.partition("_")
        if kind == "selection":
            table = selection_table(read_results(study, folder, "selection", {}))
        else:
            table = wide_table(read_results(study, folder, "measures", wanted), part)
        files += write(table, folder / "tables" / name, caption=TITLES[name])
    return tuple(files)


def write_pages(plan: Plan, folder: str | Path) -> tuple[Path, Path]:
    """Write the study file and the points of the grid as pages into the folder of results.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.

    Returns
    -------
    tuple of Path
        `study.html` and `scenarios.html`.
    """
    folder = Path(folder)
    points = table_page(scenario_table(plan), "Points of the grid")
    return (
        _replace(folder / "study.html", study_page(plan.text, plan.study)),
        _replace(folder / "scenarios.html", points),
    )


def _replace(target: Path, text: str) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target
