"""A study's tables to files, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hlm.tables.catalogue import TITLES, names
from hlm.tables.latex import to_latex
from hlm.tables.wide import selection_table, wide_table

if TYPE_CHECKING:
    from hlm.figures.catalogue import Planned

__all__ = ["write", "write_all"]


def write(table: pd.DataFrame, stem: str | Path, *, caption: str = "") -> tuple[Path, Path]:
    """Write a table as CSV and as LaTeX, each whole or not at all.

    Parameters
    ----------
    table : DataFrame
    stem : path
        The files' path without its ending; its folder is made. Its name is the LaTeX label's.
    caption : str

    Returns
    -------
    tuple of Path
        The CSV and the LaTeX.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    latex = to_latex(table, caption=caption, label=f"tab:{stem.name}" if caption else "")
    return (
        _replace(stem.with_name(f"{stem.name}.csv"), table.to_csv(index=False)),
        _replace(stem.with_name(f"{stem.name}.tex"), latex),
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
        For each table of `names(study)`, `tables/NAME.csv` and `tables/NAME.tex`.
    """
    folder = Path(folder)
    order = {model.name: place for place, model in enumerate(study.models)}
    files: list[Path] = []
    for name in names(study):
        kind, _, part = name.partition("_")
        source = "selection" if kind == "selection" else "measures"
        frame = pd.read_parquet(folder / f"{source}.parquet")
        frame = frame.sort_values("model", key=lambda m: m.map(order), kind="stable")
        table = selection_table(frame) if kind == "selection" else wide_table(frame, part)
        files += write(table, folder / "tables" / name, caption=TITLES[name])
    return tuple(files)


def _replace(target: Path, text: str) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target
