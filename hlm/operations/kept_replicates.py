"""Single data sets of a study's sorted files, whatever the size of these."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hlm.errors import InputError
from hlm.plan import Plan
from hlm.results import open_parquet
from hlm.results.windows import WINDOW, scenarios_together

if TYPE_CHECKING:
    import numpy as np

__all__ = ["KeptReplicates"]


class KeptReplicates:
    """The estimates, fits and F tests in the folder of a study.

    They are sorted by scenario key and replicate, a row group for each window of replicates, or
    for several scenarios that have fewer, so little is read for one window.

    Parameters
    ----------
    folder : path
    allow_code : bool
        Whether generators of the study may run, as for `Plan.read`.

    Attributes
    ----------
    folder : Path
    plan : Plan

    Raises
    ------
    InputError
        There are no results in the folder, or not those of its plan.
    """

    def __init__(self, folder: str | Path, *, allow_code: bool = False) -> None:
        self.folder = Path(folder)
        self.plan = _read_plan(self.folder, allow_code=allow_code)
        self._first, groups = self._row_groups()
        self._files = {
            kind: open_parquet(self.folder / f"{kind}.parquet") for kind in self.plan.kinds
        }
        for kind, file in self._files.items():
            if file.num_row_groups != groups:
                raise _unlike(self.folder, kind)

    def _row_groups(self) -> tuple[dict[str, int], int]:
        """Return the first row group of each scenario, and the number of row groups."""
        keys = sorted(scenario.key for scenario in self.plan.scenarios)
        together = scenarios_together(self.plan.replicates)
        if together > 1:  # of one window each
            return {key: place // together for place, key in enumerate(keys)}, -(
                -len(keys) // together
            )
        ends = list(accumulate(map(self.windows_of, keys)))
        return dict(zip(keys, [0, *ends], strict=False)), ends[-1]

    def windows_of(self, scenario: str) -> int:
        """Return the number of windows of a scenario."""
        return -(-self.plan.replicates_of(scenario) // WINDOW)

    def window(self, kind: str, scenario: str, number: int) -> pa.Table:
        """Return one window of a scenario.

        Parameters
        ----------
        kind : {'estimates', 'fits', 'tests', 'predictions'}
        scenario : str
            Its key.
        number : int
        """
        table = self._files[kind].read_row_group(self._first[scenario] + number)
        table = table.filter(pc.equal(table["scenario"], scenario))
        if not table.num_rows or table["replicate"][0].as_py() != number * WINDOW:
            raise _unlike(self.folder, kind)
        return table

    def replicates(self, kind: str, scenario: str, replicates: np.ndarray) -> pa.Table:
        """Return the rows of some replicates of a scenario, in the order of the file."""
        numbers = sorted({int(replicate) // WINDOW for replicate in replicates})
        wanted = pa.array(replicates, pa.int32())
        tables = [self.window(kind, scenario, number) for number in numbers]
        parts = [table.filter(pc.is_in(table["replicate"], wanted)) for table in tables]
        return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _read_plan(folder: Path, *, allow_code: bool) -> Plan:
    path = folder / "plan.json"
    if not path.exists():
        raise InputError(
            "no results of a study",
            file=folder,
            allowed="the folder of a study, such as results/ogorek2012",
        )
    return Plan.read(path, allow_code=allow_code)


def _unlike(folder: Path, kind: str) -> InputError:
    return InputError(
        "does not hold what the plan says",
        file=folder / f"{kind}.parquet",
        allowed="the files of one run; run the study again",
    )
