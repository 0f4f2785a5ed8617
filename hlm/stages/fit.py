"""A batch -> its data sets, drawn and fitted: its estimates, fits and tests."""

from __future__ import annotations

from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING

from hlm.fits import fit_batch, has_lanes, warm_up
from hlm.operations.receipts import make_receipt, write_receipt
from hlm.results import KINDS, writing
from hlm.simulate import Memory, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hlm.plan import Plan

__all__ = ["simulate_and_fit"]


def simulate_and_fit(
    plan: Plan, name: str, *, files: Mapping[str, str | Path], receipt: str | Path
) -> None:
    """Draw the data sets of a batch and fit its models to them; one row group for each range.

    Memory holds the cross-products and the results of one range.

    Parameters
    ----------
    plan : Plan
    name : str
        The batch's name.
    files : mapping of str to path
        The file to write for each of `plan.kinds`.
    receipt : path
        Written last: it says that the batch is finished.
    """
    start = monotonic()
    batch = plan.batch(name)
    metadata = plan.metadata()
    warm_up(batch.models, lanes=batch.lanes)
    lanes = has_lanes(batch.models)
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(writing(path, KINDS[kind], metadata))
            for kind, path in files.items()
        }
        memory = Memory()
        for key, first, stop in batch.ranges:
            scenario = plan.scenario(key)
            drawn = simulate(scenario, batch.models, plan.seed, first, stop, memory=memory)
            tables = fit_batch(scenario, batch.models, drawn, seed=plan.seed, lanes=lanes)
            for kind, writer in writers.items():
                writer.append(tables[kind])
    done = make_receipt(name, files, code=plan.code, seconds=monotonic() - start)
    write_receipt(receipt, done)
