"""What is known of a study while its data sets are drawn and fitted in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hlm.measures.scenario_summary import MEASURES, Summary
from hlm.results import KINDS, SUMMARIES, to_table
from hlm.whatif.scenario_tables import summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

    from hlm.scenario import Model, Scenario
    from hlm.study import Study
    from hlm.whatif.pieces import Piece

__all__ = ["Results"]


@dataclass(frozen=True)
class Results:
    """The first replicates of a study's scenarios, with what they say.

    The frames have the columns of the files of the same names in a study's folder of results, and
    the same numbers.

    Attributes
    ----------
    study : Study
    scenarios : tuple of Scenario
        Those that were asked for.
    levels : tuple of dict
        For each of them, the level of each factor of the grid.
    pieces : dict of str to list of Piece
        The key of a scenario -> its replicates so far, one after the other.
    models : tuple of Model
    terms : tuple of str, optional
        The terms and tests that are measured; all of them where none are named.
    """

    study: Study
    scenarios: tuple[Scenario, ...]
    levels: tuple[dict[str, Any], ...]
    pieces: Mapping[str, Sequence[Piece]]
    models: tuple[Model, ...]
    terms: tuple[str, ...] | None = None

    def replicates_of(self, key: str) -> int:
        """Return how many replicates of the scenario with that key there are."""
        there = self.pieces.get(key)
        return there[-1].stop if there else 0

    @property
    def measures(self) -> pd.DataFrame:
        """The measures of performance with their Monte Carlo standard errors."""
        return self._summarized("measures")

    @property
    def differences(self) -> pd.DataFrame:
        """Differences of measures, paired by data set."""
        return self._summarized("differences")

    @property
    def accounting(self) -> pd.DataFrame:
        """How many fits ended how."""
        return self._summarized("accounting")

    @property
    def selection(self) -> pd.DataFrame:
        """How often criteria choose each model."""
        return self._summarized("selection")

    @property
    def estimates(self) -> pd.DataFrame:
        """The estimates of every replicate."""
        return self._replicates("estimates")

    @property
    def fits(self) -> pd.DataFrame:
        """The fits of every replicate."""
        return self._replicates("fits")

    @property
    def tests(self) -> pd.DataFrame:
        """The F tests and likelihood ratio tests of every replicate; empty if there are none."""
        return self._replicates("tests")

    def plot(self, measure: str = "rejection", **options: Any) -> Figure:
        """Draw a measure over the grid.

        Parameters
        ----------
        measure : str
            As in the column `measure` of `measures`.
        **options
            Those of `hlm.figures.measure_against_units`: `term`, `method`, `at`.
        """
        from hlm.figures import measure_against_units
        from hlm.results.shown import with_words

        levels = {model.name: model.level for model in self.models}
        return measure_against_units(
            with_words(self.measures, self.models), measure, **{"level": levels, **options}
        )

    @cached_property
    def _summary(self) -> Summary:
        found = Summary()
        of_study = {scenario.key for scenario in self.study.scenarios}
        for scenario in self.scenarios:
            if there := self.pieces.get(scenario.key):
                nominal = scenario.twin_of if scenario.key in of_study else ""
                found.add(
                    summary_of(
                        there,
                        self.models,
                        policies=self.study.policies,
                        selection=self.study.selection,
                        nominal=self.pieces.get(nominal, ()),
                        terms=self.terms,
                    )
                )
        return found

    def measured(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of `measures`, without the levels, and without importing pandas."""
        return (dict(zip(MEASURES, row, strict=True)) for row in self._summary.measures)

    def levels_of(self, key: str) -> dict[str, Any]:
        """Return the levels of the scenario with that key, none if it is no point of the grid."""
        return self._levels.get(key, {})

    @cached_property
    def _levels(self) -> dict[str, dict[str, Any]]:
        keys = (scenario.key for scenario in self.scenarios)
        return dict(zip(keys, self.levels, strict=True))

    def _summarized(self, kind: str) -> pd.DataFrame:
        import pandas as pd

        schema = SUMMARIES[kind]
        frame = pd.DataFrame(getattr(self._summary, kind), columns=schema.names)
        return self._with_levels(frame)

    def _replicates(self, kind: str) -> pd.DataFrame:
        import pyarrow as pa

        tables = [
            self._in_order([piece.tables[kind] for piece in pieces])
            for pieces in (self.pieces.get(scenario.key, ()) for scenario in self.scenarios)
            if pieces
        ]
        schema = KINDS[kind]
        empty = to_table({name: [] for name in schema.names}, schema)
        together = pa.concat_tables([empty, *tables]).unify_dictionaries()
        return self._with_levels(together.to_pandas())

    @staticmethod
    def _in_order(tables: Sequence[pa.Table]) -> pa.Table:
        """Return tables below each other, their rows by replicate: however they were cut."""
        import pyarrow as pa

        return pa.concat_tables(tables).unify_dictionaries().sort_by("replicate")

    def _with_levels(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put the levels of the grid behind the key of the scenario."""
        keys = frame["scenario"].astype(str)
        for place, name in enumerate(self.levels[0], 1):
            frame.insert(place, name, [self._levels[key][name] for key in keys])
        return frame
