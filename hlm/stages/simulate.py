"""A batch -> its data sets, reduced to cross-products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.fits import warm_up
from hlm.results.crossproducts import write_crossproducts
from hlm.simulate import Drawn, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hlm.plan import Batch, Plan

__all__ = ["simulate_batch"]


def simulate_batch(plan: Plan, name: str, crossproducts: str | Path) -> None:
    """Draw the data sets of a batch and write their cross-products, range by range.

    Parameters
    ----------
    plan : Plan
    name : str
        The batch's name.
    crossproducts : path
        The file to write.
    """
    batch = plan.batch(name)
    warm_up(batch.models)
    write_crossproducts(crossproducts, _draw(plan, batch), plan.metadata())


def _draw(plan: Plan, batch: Batch) -> Iterator[Drawn]:
    for key, start, stop in batch.ranges:
        yield simulate(plan.scenario(key), batch.models, plan.seed, start, stop)
