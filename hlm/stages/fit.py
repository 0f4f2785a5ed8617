"""The cross-products of a batch -> its estimates and fits."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from hlm.engine import fit_batch, warm_up
from hlm.simulate import CrossProducts
from hlm.store import ESTIMATES, FITS, read_crossproducts, writing
from hlm.store.receipts import make_receipt, write_receipt

if TYPE_CHECKING:
    from pathlib import Path

    from hlm.plan import Plan

__all__ = ["fit_models"]


def fit_models(
    plan: Plan,
    name: str,
    crossproducts: str | Path,
    *,
    estimates: str | Path,
    fits: str | Path,
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
    estimates, fits : path
        The files to write.
    receipt : path
        Written last: it says that the batch is finished.
    """
    start = monotonic()
    batch = plan.batch(name)
    metadata = plan.metadata()
    warm_up(batch.models)
    with (
        writing(estimates, ESTIMATES, metadata) as estimates_file,
        writing(fits, FITS, metadata) as fits_file,
    ):
        for key, first, last, arrays in read_crossproducts(crossproducts):
            drawn = CrossProducts.from_arrays(key, first, last, arrays)
            rows, summaries = fit_batch(plan.scenario(key), batch.models, drawn)
            estimates_file.append(rows)
            fits_file.append(summaries)
    files = {"estimates": estimates, "fits": fits}
    done = make_receipt(name, files, code=plan.code, seconds=monotonic() - start)
    write_receipt(receipt, done)
