"""A study's tables to files, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.disk import write_text
from hlm.estimands.kinds import PARTS
from hlm.measures.chosen import without_reason
from hlm.plan.report import planned_tables
from hlm.results.shown import attempt, read_results
from hlm.results.violated import read_rejections
from hlm.tables.formatting import format_table, notes
from hlm.tables.latex import escape, latex_of
from hlm.tables.markdown import escaped, markdown_of
from hlm.tables.page import sentence_page, study_page, table_page
from hlm.tables.paper import paper_pages
from hlm.tables.robustness_table import robustness_table
from hlm.tables.side_by_side import (
    SIDE_BY_SIDE,
    accounting_table,
    effects_table,
    margin_table,
    policy_table,
)
from hlm.tables.wide import (
    READ,
    SHOWN,
    TOTAL,
    UNBOUNDED,
    scenario_table,
    selection_table,
    wide_table,
)
from hlm.words.criteria_words import REML_NOTE
from hlm.words.notes import NOTES, policies_differ

if TYPE_CHECKING:
    import pandas as pd

    from hlm.plan import Plan
    from hlm.plan.report import PlannedTable
    from hlm.results.shown import Planned
    from hlm.table_spec import TableSpec
    from hlm.tables.paper_page import PaperPage

__all__ = ["write", "write_all", "write_pages"]


def write(table: pd.DataFrame, stem: str | Path, *, caption: str = "") -> tuple[Path, ...]:
    """Write a table as CSV, LaTeX, Markdown and a page for a browser, each whole or not at all.

    Parameters
    ----------
    table : DataFrame
    stem : path
        The files' path without its ending; its folder is made. Its name is the LaTeX label's.
    caption : str

    Returns
    -------
    tuple of Path
        The CSV, the LaTeX, the HTML and the Markdown.
    """
    stem, text, said = Path(stem), format_table(table), notes(table)
    label = f"tab:{stem.name}" if caption else ""
    return _write(
        stem,
        csv=table.to_csv(index=False),
        tex=latex_of(text, said, caption=caption, label=label),
        html=table_page(table, caption or stem.name, text=text, said=said),
        md=markdown_of(text, said, title=caption),
    )


def write_all(study: Planned, folder: str | Path, *, strict: bool = False) -> tuple[Path, ...]:
    """Write a study's tables into the folder `tables` of its results.

    Each stands alone: in the place of one that cannot be made is a sentence that says why, and
    the others are made. Where the reason may be a fault of the program, the standard error has
    its traceback.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results, with `measures.parquet` and `selection.parquet`.
    strict : bool
        Raise what may be a fault of the program.

    Returns
    -------
    tuple of Path
        For each page of `planned_tables(study)`, `tables/PAGE` as .csv, .tex, .html and .md.
    """
    folder = Path(folder)
    asked = {one.name: one for one in study.tables or () if not isinstance(one, str)}
    files: list[Path] = []
    for table in planned_tables(study):
        spec = asked.get(table.name)
        files += (
            _write_one(table, study, folder, strict=strict)
            if spec is None
            else _write_own(table, spec, study, folder, strict=strict)
        )
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
    points = table_page(_with_numbers(scenario_table(plan), plan), "Points of the grid")
    return (
        _replace(folder / "study.html", study_page(plan.text, plan.study)),
        _replace(folder / "scenarios.html", points),
    )


def _with_numbers(points: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the points of the grid with their replicates, where each has a number of its own."""
    if plan.standing is None:
        return points
    words = {True: "yes", False: "no", None: ""}
    keys = [scenario.key for scenario in plan.scenarios]
    return points.assign(
        replicates=[plan.replicates_of(key) for key in keys],
        reached=[words[plan.standing.reached.get(key)] for key in keys],
    )


def _write_one(
    table: PlannedTable, study: Planned, folder: Path, *, strict: bool
) -> tuple[Path, ...]:
    stem, title = folder / "tables" / table.name, table.title
    return attempt(
        lambda: write(_table(table.name, study, folder), stem, caption=title),
        lambda why: _write_sentence(stem, title, f"{why[0].upper()}{why[1:]}"),
        strict=strict,
    )


def _write_own(
    table: PlannedTable, spec: TableSpec, study: Planned, folder: Path, *, strict: bool
) -> tuple[Path, ...]:
    """Write the pages of a table that a user asks for; or on each why there is none."""
    stems = [folder / "tables" / page for page in table.pages]

    def write_pages_of() -> tuple[Path, ...]:
        pages = paper_pages(study, folder, spec)
        return tuple(file for page in pages for file in _write_page(page, folder / "tables"))

    def write_sentences(why: str) -> tuple[Path, ...]:
        said = f"{why[0].upper()}{why[1:]}"
        named = zip(stems, table.titles, strict=True)
        return tuple(file for stem, title in named for file in _write_sentence(stem, title, said))

    return attempt(write_pages_of, write_sentences, strict=strict)


def _write_page(page: PaperPage, folder: Path) -> tuple[Path, ...]:
    return _write(
        folder / page.name, csv=page.csv(), tex=page.tex(), html=page.html(), md=page.md()
    )


def _table(name: str, study: Planned, folder: Path) -> pd.DataFrame:
    if name == "selection":
        numbers = {scenario.key: study.replicates_of(scenario.key) for scenario in study.scenarios}
        table = selection_table(read_results(study, folder, name, {}), numbers)
        if any(without_reason(one, "reml", study.models) for one in study.selection.criteria):
            table.attrs[NOTES] = [*table.attrs.get(NOTES, []), REML_NOTE]
        return table
    if name == "margins":
        return margin_table(read_results(study, folder, name, {}))
    if name == "accounting":
        return accounting_table(read_results(study, folder, name, {}))
    if name == "factor_effects":
        return effects_table(read_results(study, folder, "measures", {"measure": SIDE_BY_SIDE}))
    if name == "robustness":
        return robustness_table(*read_rejections(study, folder))
    if name == "policies":
        wanted = {"measure": [*SIDE_BY_SIDE, TOTAL, UNBOUNDED]}
        measures = read_results(study, folder, "measures", wanted)
        return policy_table(measures, study.policies, _of_policies(study, folder))
    part = name.removeprefix("performance_")
    table = wide_table(read_results(study, folder, "measures", {"measure": READ}), part)
    if part == "predictions":  # each unit has a true value of its own
        return table.drop(columns="true").rename(columns={"inference": "predictor"})
    if len(study.policies) > 1 and part in PARTS:
        own = _of_policies(study, folder)
        own = own[own["kind"].isin(PARTS[part])]
        table.attrs[NOTES] = policies_differ(own, SHOWN[part])
    return table


def _of_policies(study: Planned, folder: Path) -> pd.DataFrame:
    return read_results(study, folder, "differences", {"factor": ["policy"]})


def _write_sentence(stem: Path, title: str, sentence: str) -> tuple[Path, ...]:
    quoted = sentence.replace('"', '""')
    return _write(
        stem,
        csv=f'note\n"{quoted}"\n',
        tex=f"\\par\\noindent {escape(title)}: {escape(sentence)}\\par\n",
        html=sentence_page(sentence, title),
        md=f"{escaped(title)}: {escaped(sentence)}\n",
    )


def _write(stem: Path, **texts: str) -> tuple[Path, ...]:
    """Write texts under the endings that they are named by."""
    return tuple(
        _replace(stem.with_name(f"{stem.name}.{kind}"), text) for kind, text in texts.items()
    )


def _replace(target: Path, text: str) -> Path:
    write_text(target, text)
    return target
