"""The summaries of a study -> their series, and the true values of its terms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hlm.errors import InputError
from hlm.explorer.series_columns import Series, columns_of
from hlm.results import SUMMARIES, read
from hlm.versions import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "OF_TERM",
    "TABLES",
    "Shown",
    "read_summaries",
    "series_of",
    "true_series",
    "versions_of",
]

OF_TERM = "\t"
"""Between the kind of a term and its name: the name alone may be of two kinds."""


@dataclass(frozen=True)
class Shown:
    """How a table of summaries is shown.

    Attributes
    ----------
    title : str
    keys : tuple of str
        The columns that tell rows of one scenario apart, `measure` first: it is made where the
        table has none, and named as the column of the number.
    value : str
        The column of the number.
    mcse : str
        That of its Monte Carlo standard error, if there is one.
    """

    title: str
    keys: tuple[str, ...]
    value: str
    mcse: str = "mcse"


_OF_FIT = ("model", "method", "inference", "policy")

TABLES = {
    "measures": Shown("Performance", ("measure", "term", *_OF_FIT), "estimate"),
    "differences": Shown(
        "Paired differences", ("measure", "term", "factor", "against", *_OF_FIT), "difference"
    ),
    "selection": Shown("Selection of a model", ("measure", "criterion", "model", "method"), "rate"),
    "margins": Shown(
        "Margins of the criteria",
        ("measure", "criterion", "statistic", "model", "method"),
        "margin",
    ),
    "accounting": Shown(
        "What became of the fits", ("measure", "outcome", "model", "method"), "share", mcse=""
    ),
}
"""The tables of summaries, in the order in which a reader chooses among them."""


def read_summaries(folder: str | Path) -> dict[str, pa.Table]:
    """Read the tables of summaries, with the columns `measure`, and `term` with its kind before it.

    Parameters
    ----------
    folder : path
        The study's folder of results.

    Raises
    ------
    InputError
        A file is missing or damaged, or has other columns: it is of another version.
    """
    return {name: _read(Path(folder) / f"{name}.parquet", name) for name in TABLES}


def series_of(
    tables: Mapping[str, pa.Table], scenarios: Sequence[str], folder: str | Path
) -> dict[str, Series]:
    """Return the series of each table.

    Raises
    ------
    InputError
        A table is not of the plan that has these scenarios.
    """
    found = {}
    for name, shown in TABLES.items():
        numbers = {"value": shown.value, "n": "n"} | ({"mcse": shown.mcse} if shown.mcse else {})
        try:
            found[name] = columns_of(tables[name], shown.keys, numbers, scenarios)
        except InputError as error:
            file = Path(folder) / f"{name}.parquet"
            raise InputError(error.problem, file=file, allowed=error.allowed) from None
    return found


def true_series(measures: pa.Table, scenarios: Sequence[str]) -> Series:
    """Return the true value of each term of each model, which all its measures share.

    Parameters
    ----------
    measures : pyarrow.Table
        As of `read_summaries`.
    scenarios : sequence of str
    """
    keys = ["scenario", "model", "term"]
    known = measures.filter(pc.not_equal(measures["term"], "")).group_by(keys)
    table = known.aggregate([("true", "max"), ("true", "count")])
    numbers = {"value": "true_max", "n": "true_count"}
    return columns_of(table, keys[1:], numbers, scenarios)


def versions_of(table: pa.Table) -> dict[str, str]:
    """Return the versions that made a table, as it says itself."""
    metadata = table.schema.metadata or {}
    versions: dict[str, str] = json.loads(metadata.get(b"versions", b"{}"))
    return versions


def _read(path: Path, name: str) -> pa.Table:
    table, schema = read(path), SUMMARIES[name]
    for field in schema:
        if table.schema.get_field_index(field.name) < 0 or (
            table.schema.field(field.name).type != field.type
        ):
            made_by = versions_of(table).get("hlm", "another version")
            raise InputError(
                f"made by hlm {made_by}: column {field.name!r} is missing or of another type",
                file=path,
                allowed=f"results of hlm {__version__}; run the study again to remake them",
            )
    return _with_term(_with_measure(table, name))


def _with_measure(table: pa.Table, name: str) -> pa.Table:
    if "measure" in table.column_names:
        return table
    value = TABLES[name].value
    if value not in table.column_names:
        share = pc.divide(table["count"].cast(pa.float64()), table["n"].cast(pa.float64()))
        table = table.append_column(value, share)
    return table.append_column("measure", pa.array([value] * table.num_rows, pa.string()))


def _with_term(table: pa.Table) -> pa.Table:
    if "term" not in table.column_names:
        return table
    term, kind = table["term"].fill_null(""), table["kind"].fill_null("")
    whole = pc.if_else(pc.equal(term, ""), "", pc.binary_join_element_wise(kind, term, OF_TERM))
    return table.set_column(table.schema.get_field_index("term"), "term", whole)
