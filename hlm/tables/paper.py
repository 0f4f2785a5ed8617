"""A table that a user asks for: measures by rows and groups of columns, on one page or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from hlm.errors import InputError
from hlm.estimands.kinds import PARTS
from hlm.results.grid_columns import factors
from hlm.results.shown import read_results, with_inference
from hlm.table_layout import Known, Layout
from hlm.tables.formatting import (
    HEADINGS,
    MISSING,
    FormattedTable,
    decimals_of,
    key_texts,
    number_text,
    repeats,
)
from hlm.tables.paper_notes import paper_notes
from hlm.tables.paper_page import PaperPage
from hlm.tables.wide import COUNT, MCSE, TOTAL, UNBOUNDED, factors_apart, laid_out
from hlm.words.measures import OF_HYPOTHESES, OF_TERMS, RATES, TEST_KINDS
from hlm.words.predictors import PREDICTORS
from hlm.words.table_words import DIMENSIONS, column_words, heading_of, short_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hlm.results.shown import Planned
    from hlm.table_layout import Page
    from hlm.table_spec import TableSpec

__all__ = ["paper_pages"]

REJECTION = "rejection"
_TIDY = ("measure", "estimate", "mcse", "n")


@dataclass(frozen=True)
class _Columns:
    """Where the columns of numbers come from.

    Attributes
    ----------
    groups : tuple of tuple
        The levels of what goes across, for each group of columns.
    measures : tuple of str
    """

    across: tuple[str, ...]
    groups: tuple[tuple[Any, ...], ...]
    measures: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        return ((group, measure) for group in self.groups for measure in self.measures)


def paper_pages(study: Planned, folder: str | Path, spec: TableSpec) -> tuple[PaperPage, ...]:
    """Make the pages of a table from a study's results.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    spec : TableSpec

    Raises
    ------
    InputError
        If the results have none of its numbers.
    """
    layout = Layout.of(spec, Known.of(study))
    wanted = {"measure": [*spec.measures, REJECTION, TOTAL, UNBOUNDED]}
    rows = read_results(study, folder, "measures", wanted)
    rows = _chosen(_of_hypotheses(rows, spec.measures), layout)
    table = _side_by_side(rows, spec)
    places = _decimals(table, spec)
    renamed = factors_apart(rows, spec.measures)
    return tuple(
        _page(page, layout, table, places, renamed, _numbers(rows, spec, page.where))
        for page in layout.pages
    )


def _of_hypotheses(rows: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Return the rates of rejection as power and as size too, by whether the hypothesis is true."""
    rate = rows[rows["measure"] == REJECTION]
    # A test of several coefficients has no one true value where its hypothesis is false.
    known = rate["true"].notna() | rate["kind"].isin(TEST_KINDS)
    there = {"power": known & (rate["true"] != 0), "size": rate["true"] == 0}
    own = [rate[there[name]].assign(measure=name) for name in OF_HYPOTHESES if name in measures]
    others = rows if REJECTION in measures else rows[rows["measure"] != REJECTION]
    return pd.concat([others, *own], ignore_index=True)


def _chosen(measures: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return the rows of the terms, fits and points that a table shows, in its order."""
    spec = layout.spec
    rows = with_inference(measures)
    if "policy" not in rows:  # results of before there was a choice
        rows = rows.assign(policy="")
    keep = rows["policy"].isin(["", *layout.policies])
    keep &= (rows["kind"] == "") == _of_fits(spec)
    if spec.part:
        keep &= rows["kind"].isin(PARTS[spec.part])
    for column, names in (
        ("term", spec.terms),
        ("model", spec.models),
        ("method", spec.methods),
        ("inference", (*spec.inferences, "") if spec.inferences else ()),
        *spec.scenarios,
    ):
        if names:
            keep &= rows[column].isin(names)
    rows = rows[keep]
    # A term that has none of the measures has its number of replicates nonetheless.
    has = rows.loc[rows["measure"].isin(spec.measures), ["kind", "term", "model"]]
    rows = rows.merge(has.drop_duplicates(), on=["kind", "term", "model"])
    if rows.empty:
        raise InputError("the results have none of the numbers that the table asks for")
    return rows


def _side_by_side(rows: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Lay the measures of each term, or the rates of fits, side by side."""
    table = laid_out(rows, spec.measures, by=["policy"])
    if not any(is_inferred(name) for name in spec.measures):
        table = table.drop(columns="inference", errors="ignore")
    if _of_fits(spec):  # which rest on all data sets
        first = next(name for name in spec.measures if name in table)
        return table.drop(columns=["term", "true"]).assign(**{TOTAL: table[first + COUNT]})
    return table


def _of_fits(spec: TableSpec) -> bool:
    """Tell whether a table is of rates of fits, which are of no term."""
    return set(spec.measures) <= {*RATES}


def is_inferred(measure: str) -> bool:
    """Tell whether a measure depends on the inference, or on the predictor."""
    return measure not in RATES and (measure not in OF_TERMS or OF_TERMS[measure].is_inferred)


def _decimals(table: pd.DataFrame, spec: TableSpec) -> dict[str, pd.Series]:
    """Return the decimals of each number: those that the largest error of its term allows."""
    shown = [name for name in spec.measures if name in table]
    if spec.digits is not None:
        return {name: pd.Series(spec.digits, table.index) for name in shown}
    terms = table["term"] if "term" in table else pd.Series("", table.index)
    of_terms = {name: table[name + MCSE].groupby(terms.to_numpy()) for name in shown}
    return {name: own.transform(decimals_of).astype(int) for name, own in of_terms.items()}


def _page(
    page: Page,
    layout: Layout,
    table: pd.DataFrame,
    places: dict[str, pd.Series],
    renamed: dict[str, str],
    numbers: pd.DataFrame,
) -> PaperPage:
    spec = layout.spec
    own = table
    for name, level in page.where.items():
        own = own[own[renamed.get(name, name)] == level] if name in own else own
    if own.empty:
        raise InputError("the results have none of the numbers that the table asks for")
    across = tuple(renamed.get(name, name) for name in spec.across)
    away = {*across, *(renamed.get(name, name) for name in page.where)}
    columns = _Columns(across, _groups(own, across, layout), _present(own, spec))
    keys = [name for name in _keys(own, spec) if name not in away and _varies(table[name])]
    left, cells = _body(own, keys, columns, places, spec)
    shown = [*keys]
    shown += ["true"] if _has_true(own, keys, spec) else []
    shown += [TOTAL] if TOTAL in own and _varies(own[TOTAL]) and _is_of(own, TOTAL, keys) else []
    texts = {name: _texts(left, name) for name in shown}
    text = FormattedTable(
        headings=(*(_heading(left, name) for name in shown), *_leaves(columns, spec)),
        keys=pd.DataFrame(texts, left.index, dtype=object),
        cells=_written_once(cells, left[keys], columns, spec),
        again=repeats(left[shown]),
        spans=_spans(columns, spec, {new: old for old, new in renamed.items()}),
    )
    said = paper_notes(own, layout, keys=[*shown, *away], where=page.where)
    return PaperPage(
        page.name, page.title, spec.caption, text, said, numbers, below=spec.mcse == "below"
    )


def _keys(table: pd.DataFrame, spec: TableSpec) -> list[str]:
    """Return the columns that tell rows apart."""
    beside = {name + end for name in spec.measures for end in ("", MCSE, COUNT)}
    others = {"kind", "true", TOTAL, UNBOUNDED}
    return [str(name) for name in table if name not in {*beside, *others}]


def _present(table: pd.DataFrame, spec: TableSpec) -> tuple[str, ...]:
    return tuple(name for name in spec.measures if name in table)


def _groups(
    table: pd.DataFrame, across: Sequence[str], layout: Layout
) -> tuple[tuple[Any, ...], ...]:
    """Return the combinations of levels that go across, as the plan has them in order."""
    there = set(table[list(across)].itertuples(index=False, name=None)) if across else {()}
    return tuple(group for group in layout.groups if group in there)


def _body(
    table: pd.DataFrame,
    keys: list[str],
    columns: _Columns,
    places: dict[str, pd.Series],
    spec: TableSpec,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is at the left of each row, and its cells."""
    of = ["kind", *keys] if "kind" in table else keys
    marks = list(table[of].itertuples(index=False, name=None)) if of else [()] * len(table)
    marks = [tuple("" if value != value else value for value in mark) for mark in marks]
    groups = list(table[list(columns.across)].itertuples(index=False, name=None))
    groups = groups if columns.across else [()] * len(table)
    first: dict[tuple[Any, ...], int] = {}
    found: dict[tuple[Any, ...], list[str]] = {}
    for place, (mark, group) in enumerate(zip(marks, groups, strict=True)):
        first.setdefault(mark, place)
        for measure in columns.measures:
            row = table.iloc[place]
            found[mark, group, measure] = _cells(row, measure, places[measure].iloc[place], spec)
    nothing = [MISSING] * (2 if spec.mcse == "columns" else 1)
    body = [
        [cell for group, name in columns for cell in found.get((mark, group, name), nothing)]
        for mark in first
    ]
    left = table.iloc[list(first.values())].reset_index(drop=True)
    left.attrs = table.attrs
    return left, pd.DataFrame(body, left.index, dtype=object)


def _cells(row: pd.Series, measure: str, places: int, spec: TableSpec) -> list[str]:
    """Write a number, its error, and the replicates that it rests on where these are to be said."""
    value, error = float(row[measure]), float(row[measure + MCSE])
    if value != value:
        return [MISSING] * (2 if spec.mcse == "columns" else 1)
    number, brackets = number_text(value, places), number_text(error, places)
    n, total = row[measure + COUNT], row.get(TOTAL)
    fewer = not pd.isna(n) and not pd.isna(total) and n < total
    counted = spec.n == "always" or (spec.n == "auto" and fewer)
    count = f" [{int(n)}]" if counted and not pd.isna(n) else ""
    if spec.mcse == "columns":
        return [number + count, brackets]
    said = "" if spec.mcse == "none" or error != error else f" ({brackets})"
    return [number + said + count]


def _written_once(
    cells: pd.DataFrame, keys: pd.DataFrame, columns: _Columns, spec: TableSpec
) -> pd.DataFrame:
    """Leave out what rests on no inference where the row above has it already."""
    if "inference" not in keys:
        return cells
    others = keys.drop(columns="inference")
    same = (others == others.shift()).all(axis=1)
    of_each = 2 if spec.mcse == "columns" else 1
    alike = [
        place
        for place in range(cells.shape[1])
        if not is_inferred(columns.measures[place // of_each % len(columns.measures)])
    ]
    cells = cells.copy()
    cells.loc[same, alike] = ""
    return cells


def _leaves(columns: _Columns, spec: TableSpec) -> list[str]:
    """Return the headings of the columns of numbers."""
    single = len(columns.measures) == 1 and columns.across
    leaves = []
    for group, measure in columns:
        name = column_words(columns.across[-1], group[-1]) if single else heading_of(measure)
        leaves += [name, "MCSE"] if spec.mcse == "columns" else [name]
    return leaves


def _spans(
    columns: _Columns, spec: TableSpec, named: dict[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Return the headings above groups of columns, from the top."""
    if not columns.across:
        return ()
    single = len(columns.measures) == 1
    paths = []
    for group, measure in columns:
        words = [
            column_words(named.get(name, name), level)
            for name, level in zip(columns.across, group, strict=True)
        ]
        path = [heading_of(measure), *words[:-1]] if single else words
        paths += [path] * (2 if spec.mcse == "columns" else 1)
    return tuple(zip(*paths, strict=True))


def _has_true(table: pd.DataFrame, keys: list[str], spec: TableSpec) -> bool:
    """Tell whether rows have true values that differ, each one of its own."""
    known = "true" in table and spec.part != "predictions" and table["true"].notna().any()
    return bool(known and _varies(table["true"]) and _is_of(table, "true", keys))


def _is_of(table: pd.DataFrame, name: str, keys: list[str]) -> bool:
    """Tell whether a column has one value for each row that the keys tell apart."""
    of = [*(["kind"] if "kind" in table else []), *keys]
    if not of:
        return False
    different = table[[*of, name]].drop_duplicates()
    return not different.duplicated(of).any()


def _varies(column: pd.Series) -> bool:
    return len(column.drop_duplicates()) > 1


def _texts(table: pd.DataFrame, name: str) -> list[str]:
    if name == "inference":  # some may be predictors
        return [short_words(name, level) for level in table[name]]
    return key_texts(table, name)


def _heading(table: pd.DataFrame, name: str) -> str:
    if name == "inference" and set(table[name]) <= {*PREDICTORS}:
        return HEADINGS["predictor"]
    return "Replicates" if name == TOTAL else HEADINGS.get(name, name)


def _numbers(rows: pd.DataFrame, spec: TableSpec, where: dict[str, Any]) -> pd.DataFrame:
    """Return the numbers of a page, one in each row, as the results have them."""
    total = rows[rows["measure"] == TOTAL]
    keys = ["scenario", "model", "method", "kind", "term", "policy"]
    totals = total.set_index(keys)["n"]
    rows = rows[rows["measure"].isin(spec.measures)]
    for name, level in where.items():
        rows = rows[rows[name].isin([level, ""] if name in DIMENSIONS else [level])]
    order = {name: place for place, name in enumerate(spec.measures)}
    rows = rows.sort_values("measure", key=lambda names: names.map(order), kind="stable")
    grid = factors(rows)
    named = ["scenario", *grid, "term", "kind", "model", "method", "inference", "policy", "true"]
    numbers = rows[[*named, *_TIDY]].reset_index(drop=True)
    if len(totals):
        found = pd.MultiIndex.from_frame(numbers[keys])
        numbers[TOTAL] = totals.reindex(found).astype("Int64").to_numpy()
    return numbers
