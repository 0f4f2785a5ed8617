"""A data set that a study names: found, read, and its columns as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.datasets import NAMES
from hlm.datasets import path as path_of
from hlm.errors import InputError, Mistakes, nearest
from hlm.formula.cells import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    Codes = Mapping[str, Mapping[str, float]]

__all__ = ["PilotData", "read_pilot"]

MOST_LABELS = 8
"""So many labels of a column are named."""


@dataclass(frozen=True, eq=False)
class PilotData:
    """A table that a study names.

    Attributes
    ----------
    name : str
        As the study has it.
    place : str
        The path of the name in the study file.
    blake2b : str
        Checksum of its file, of 32 bytes.
    table : DataFrame
        Columns with codes, and those of true and false, as numbers.
    """

    name: str
    place: str
    blake2b: str
    table: pd.DataFrame

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        from pandas.api import types

        dtype = self.table[name].dtype
        return types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype)

    def check_columns(self, names: Iterable[str], *, group: str) -> None:
        """Refuse names of which there is no column, or one that is no numbers and not the group.

        Raises
        ------
        InputError
            For each of them, at the name of the data.
        """
        known = [str(name) for name in self.table]
        with Mistakes() as mistakes:
            for name in dict.fromkeys((group, *names)):
                if name not in known:
                    mistakes.add(self._no_column(name, known))
                elif name != group and not self.is_number(name):
                    mistakes.add(self._no_numbers(name))

    def _no_column(self, name: str, known: list[str]) -> InputError:
        return InputError(
            f"{self.name} has no column '{name}'",
            path=self.place,
            allowed=", ".join(known),
            suggestion=nearest(name, known),
        )

    def _no_numbers(self, name: str) -> InputError:
        labels = _labels(self.table[name])
        example = ", ".join(f"{text}: {k}" for k, text in enumerate(labels[:2]))
        found = ", ".join(labels[:MOST_LABELS]) + (", ..." if labels[MOST_LABELS:] else "")
        return InputError(
            f"column '{name}' of {self.name} holds {found}, and all covariates of a study are "
            "numbers",
            path=self.place,
            allowed=f"a column of numbers, or codes: {{{name}: {{{example}, ...}}}}"
            if labels[2:]
            else f"a column of numbers, or codes: {{{name}: {{{example}}}}}",
        )


def read_pilot(name: str, codes: Codes, *, folder: Path, place: str) -> PilotData:
    """Read a data set that a study names.

    Parameters
    ----------
    name : str
        A file, relative to the folder, or a data set that comes with `hlm`.
    codes : mapping of str to mapping of str to float
        For columns of text, the number that each label stands for.
    folder : Path
        That of the study file.
    place : str
        The path in the study file of the key that has `data` and `codes`, or of the name alone.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, or the codes are not those of its columns.
    """
    from hlm.datasets.table_files import read_table

    file = _file_of(name, folder, place)
    try:
        table, content = read_table(str(file)), file.read_bytes()
    except InputError as error:
        where = f", {error.path}" if error.path else ""
        raise InputError(
            f"{name}{where}: {error.problem}", path=place, allowed=error.allowed
        ) from None
    twice = [column for column in dict.fromkeys(table) if list(table).count(column) > 1]
    if twice:
        problem = f"{name} has two columns '{twice[0]}'"
        raise InputError(problem, path=place, allowed="one column of each name")
    table = table.astype({k: float for k in table if table[k].dtype == bool})
    checksum = blake2b(content, digest_size=32).hexdigest()
    return PilotData(name, place, checksum, _coded(table, codes, _codes_of(place), name))


def _codes_of(place: str) -> str:
    """Return the path of the codes, beside the name of the data."""
    return f"{place.rpartition('.')[0]}.codes"


def _file_of(name: str, folder: Path, place: str) -> Path:
    """Find a file beside the study, or else a data set of that name."""
    file = folder / name
    try:
        there = file.is_file()
    except (OSError, ValueError):  # no file can have this name
        there = False
    if there or name in NAMES:
        return file if there else path_of(name)
    beside = [p.name for p in file.parent.glob("*.*")] if file.parent.is_dir() else []
    near = nearest(file.name, [*NAMES, *beside])
    if near is not None and near not in NAMES:
        near = str(Path(name).parent / near)
    raise InputError(
        f"there is no file '{name}', seen from the folder of the study",
        path=place,
        allowed=f"a CSV or Parquet file, or one of the data sets {', '.join(NAMES)}",
        suggestion=near,
    )


def _labels(column: pd.Series) -> list[str]:
    return sorted({label(value) for value in column.dropna().unique().tolist()})


def _coded(table: pd.DataFrame, codes: Codes, place: str, name: str) -> pd.DataFrame:
    """Replace labels by their numbers."""
    known = [str(column) for column in table]
    coded = {}
    with Mistakes() as mistakes:
        for column, numbers in codes.items():
            if column not in known:
                mistakes.add(
                    InputError(
                        f"{name} has no column '{column}'",
                        path=f"{place}.{column}",
                        allowed=", ".join(known),
                        suggestion=nearest(column, known),
                    )
                )
                continue
            mistakes.keep(_check_codes, numbers, _labels(table[column]), f"{place}.{column}")
            texts = table[column].map(label, na_action="ignore")
            coded[column] = texts.map(dict(numbers)).astype(float)
    return table.assign(**coded)


def _check_codes(numbers: Mapping[str, float], labels: list[str], place: str) -> None:
    """Refuse codes of labels that there are not, and labels without a code."""
    allowed = ", ".join(labels[:MOST_LABELS]) + (", ..." if labels[MOST_LABELS:] else "")
    meant = set()
    with Mistakes() as mistakes:
        for one in [one for one in numbers if one not in labels]:
            near = nearest(one, [text for text in labels if text not in numbers])
            meant.add(near)
            problem, where = f"no row has the label '{one}'", f"{place}.{one}"
            mistakes.add(InputError(problem, path=where, allowed=allowed, suggestion=near))
        missing = [text for text in labels if text not in numbers and text not in meant]
        if missing:
            problem = f"there is no code for '{missing[0]}'"
            mistakes.add(InputError(problem, path=place, allowed=allowed))
