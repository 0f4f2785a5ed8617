"""The cross-products of a batch -> its estimates, fits and F tests."""

from __future__ import annotations

from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING

from hlm.fits import fit_batch, warm_up
from hlm.operations.receipts import make_receipt, write_receipt
from hlm.results import KINDS, writing
from hlm.results.crossproducts import read_crossproducts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hlm.plan import Plan

__all__ = ["fit_models"]


def fit_models(
    plan: Plan,
    name: str,
    crossproducts: str | Path,
    *,
    files: Mapping[str, str | Path],
    receipt: str | Path,
) -> None:
    """Fit every model of a batch to every data set of it; one row group for each range.

    Parameters
    ----------
    plan : Plan
    name : str
        The batch's name.
    crossproducts : path
        What `simulate_batch` wrote.
    files : mapping of str to path
        The file to write for each of `plan.kinds`.
    receipt : path
        Written last: it says that the batch is finished.
    """
    start = monotonic()
    batch = plan.batch(name)
    metadata = plan.metadata()
    warm_up(batch.models)
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(writing(path, KINDS[kind], metadata))
            for kind, path in files.items()
        }
        for drawn in read_crossproducts(crossproducts):
            tables = fit_batch(plan.scenario(drawn.key), batch.models, drawn, seed=plan.seed)
            for kind, writer in writers.items():
                writer.append(tables[kind])
    done = make_receipt(name, files, code=plan.code, seconds=monotonic() - start)
    write_receipt(receipt, done)
