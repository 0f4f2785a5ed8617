"""What a plan will take: core seconds, wall seconds, jobs, files, disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.plan.chunking import chunks
from hlm.plan.cost import (
    Cost,
    estimates_of,
    predictions_of,
    replicate_cost,
    summary_seconds,
    tests_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan.plan import Plan
    from hlm.scenario import Model

__all__ = ["Forecast", "batch_seconds", "forecast"]

JOB_SECONDS, KERNEL_SECONDS = 0.5, 0.2
"""Seconds of one core to start and end a job, by Snakemake and in the job; and to load kernels."""

ITEM_SECONDS = 3.0e-3
"""Seconds for each scenario of a batch, however few its replicates: streams, columns, tables."""

SETUP_SECONDS = 1.8
"""Seconds of one core before the first job: the plan, the start of Snakemake, its graph of jobs."""

COMPACT_ROW_SECONDS, COMPACT_SCENARIO_SECONDS = 0.3e-6, 1.8e-3
"""Seconds to gather one row of any table in the sorted files, and for each scenario."""

DRAWING_SECONDS, DRAWING_PANEL_SECONDS, DRAWING_SCENARIO_SECONDS = 4.0, 0.03, 0.001
"""Seconds for figures and tables: for any study, per scenario up to `PANELS`, and per scenario."""

PANELS = 200

SIDE_BY_SIDE = 0.65
"""The share of these seconds that passes by the clock, where there is a core for each process."""

REPORT_SECONDS = 0.6
"""Seconds for report and manifest."""

FILES, FILES_PER_BATCH, FILES_PER_CHUNK = 81, 5, 2
"""Files of a study: tables, figures, logs, benchmarks; those of a batch, with receipt."""

FILES_OF_TESTS = FILES_OF_PREDICTIONS = 6
"""Files of a study for its F tests, for its predictions; in each batch one more."""

BYTES, BYTES_PER_BATCH = 9e6, 45e3
"""Bytes of figures and report, and of the heads of a batch's files."""

SUMMARY_BYTES = 40.0
"""Bytes of the temporary file of a summary for each estimate of a scenario."""

MEASURES, MEASURE_BYTES = 38, 160.0
"""Measures of a term and their differences, and the bytes of each in Parquet and CSV together."""


@dataclass(frozen=True)
class Forecast:
    """A prediction from the cost model.

    Attributes
    ----------
    fit_seconds : float
        Simulating and fitting, on one core.
    core_seconds : float
        All, with the start of jobs, summaries, figures and report.
    batches, jobs, files : int
    kept_bytes : float
        Results: the files of the batches, the sorted files of all, measures, figures, report.
    temporary_bytes : float
        The estimates of a scenario while it is summarized; each core holds one such file at a time.
    gather_seconds, summary_seconds, chunk_seconds, drawing_seconds : float
        Core seconds of the sorted files, of all summaries and of one chunk, and of the figures.
    rounds : int
        Calls of Snakemake: several where replicates are added until a precision is reached.
    """

    fit_seconds: float
    batches: int
    jobs: int
    files: int
    kept_bytes: float
    temporary_bytes: float
    gather_seconds: float
    summary_seconds: float
    chunk_seconds: float
    drawing_seconds: float
    rounds: int = 1

    @property
    def core_seconds(self) -> float:
        """Return the seconds of one core for all."""
        jobs = JOB_SECONDS * self.jobs + KERNEL_SECONDS * self.batches
        return (
            SETUP_SECONDS * self.rounds
            + REPORT_SECONDS
            + jobs
            + self.fit_seconds
            + self.gather_seconds
            + self.summary_seconds
            + self.drawing_seconds
        )

    def rest_seconds(self, cores: int) -> float:
        """Return the wall time from the last fit to the report."""
        shared = (self.gather_seconds + self.summary_seconds) / cores
        longest = max(self.gather_seconds, self.chunk_seconds, shared)
        drawing = self.drawing_seconds * (SIDE_BY_SIDE if cores > 1 else 1.0)
        return longest + drawing + 2.0 * JOB_SECONDS + REPORT_SECONDS

    def wall_seconds(self, cores: int) -> float:
        """Return the wall time on so many cores."""
        rounds = -(-self.batches // cores)
        work = self.fit_seconds + (JOB_SECONDS + KERNEL_SECONDS) * self.batches
        fits = max(work / cores, rounds * work / max(1, self.batches))
        starts = (SETUP_SECONDS + JOB_SECONDS) * self.rounds
        return starts + fits + self.rest_seconds(cores)


def forecast(plan: Plan, ratio: float = 1.0, *, rounds: int = 1) -> Forecast:
    """Predict what it takes to run all batches of a plan.

    Parameters
    ----------
    plan : Plan
    ratio : float
        How many times as long as predicted a data set takes; `pilot.cost_ratio` measures it.
    rounds : int
        In which the plan is computed.

    Examples
    --------
    >>> from hlm.plan import make_plan
    >>> from hlm.study import Study
    >>> study = Study.load("config/ogorek2012.yaml")
    >>> cost = forecast(make_plan(study))
    >>> cost.core_seconds > cost.fit_seconds > 0, cost.jobs > cost.batches
    (True, True)
    """
    batches = list(_costs(plan))
    flat = [item for batch in batches for item in batch]
    kept = sum(n * cost.kept_bytes for n, cost in flat)
    n_chunks, n_scenarios = len(chunks(plan)), len(plan.scenarios)
    estimates, fits = estimates_of(plan.models), sum(len(m.methods) for m in plan.models)
    rows = plan.all_replicates * (
        estimates + fits + tests_of(plan.models) + predictions_of(plan.models)
    )
    summaries = sum(summary_seconds(plan.models, plan.replicates_of(s.key)) for s in plan.scenarios)
    return Forecast(
        fit_seconds=ITEM_SECONDS * len(flat)
        + sum(n * (ratio * c.compute_seconds + c.writing_seconds) for n, c in flat),
        batches=len(batches),
        jobs=len(batches) + (n_chunks if n_chunks > 1 else 0) + 4,
        files=FILES
        + FILES_PER_BATCH * len(batches)
        + FILES_PER_CHUNK * n_chunks
        + ("tests" in plan.kinds) * (FILES_OF_TESTS + len(batches))
        + ("predictions" in plan.kinds) * (FILES_OF_PREDICTIONS + len(batches)),
        kept_bytes=2.0 * kept
        + BYTES
        + BYTES_PER_BATCH * len(batches)
        + n_scenarios * estimates * MEASURES * MEASURE_BYTES,
        temporary_bytes=SUMMARY_BYTES * plan.replicates * estimates,
        gather_seconds=n_scenarios * COMPACT_SCENARIO_SECONDS + rows * COMPACT_ROW_SECONDS,
        summary_seconds=summaries,
        chunk_seconds=summaries / n_chunks,
        drawing_seconds=DRAWING_SECONDS
        + DRAWING_PANEL_SECONDS * min(n_scenarios, PANELS)
        + DRAWING_SCENARIO_SECONDS * n_scenarios,
        rounds=rounds,
    )


def batch_seconds(plan: Plan) -> dict[str, float]:
    """Predict the core seconds of each batch, by name."""
    seconds = [sum(ITEM_SECONDS + n * cost.seconds for n, cost in costs) for costs in _costs(plan)]
    return dict(zip([batch.name for batch in plan.batches], seconds, strict=True))


def _costs(plan: Plan) -> Iterator[list[tuple[int, Cost]]]:
    """Yield for each batch the replicates of its ranges and the cost of one."""
    scenarios = {scenario.key: scenario for scenario in (*plan.scenarios, *plan.retired)}
    known: dict[tuple[str, tuple[Model, ...], bool], Cost] = {}
    for batch in plan.batches:
        kind = batch.models, batch.lanes
        for part in batch.ranges:
            if (part.scenario, *kind) not in known:
                cost = replicate_cost(scenarios[part.scenario], batch.models, lanes=batch.lanes)
                known[part.scenario, *kind] = cost
        yield [(p.stop - p.start, known[p.scenario, *kind]) for p in batch.ranges]
