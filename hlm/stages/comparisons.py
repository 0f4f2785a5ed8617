"""What is estimated over two models, put beside the estimates of each: paired by data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.estimands.explained import Explained
from hlm.estimands.model_estimands import estimands_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.scenario import Model

__all__ = ["with_comparisons"]

NUMBERS = ("se", "df", "lower", "upper")
"""What a comparison does not have."""


def with_comparisons(estimates: pa.Table, models: Sequence[Model]) -> pa.Table:
    """Return estimates of some replicates, then the comparisons of models for each of these.

    Parameters
    ----------
    estimates : pyarrow.Table
        All rows of these replicates, sorted by replicate.
    models : sequence of Model
    """
    found = [table for model in models for table in _of_model(estimates, model)]
    return pa.concat_tables([estimates, *found]).unify_dictionaries() if found else estimates


def _of_model(estimates: pa.Table, model: Model) -> Iterator[pa.Table]:
    """Yield the rows of each comparison and method: those of the larger model's sd, changed."""
    for one in estimands_of(model):
        if not isinstance(one, Explained):
            continue
        for method in (m for m in model.methods if m in one.less.methods):
            more, less = (_sds(estimates, m, method, one.sd) for m in (model, one.less))
            if not more.num_rows:
                continue
            share = one.share(less["estimate"].to_numpy(), more["estimate"].to_numpy())
            columns = {name: more[name] for name in more.column_names}
            columns |= {name: pa.array(np.full(len(share), np.nan)) for name in NUMBERS}
            columns |= {"estimate": pa.array(share), "term": _one_name(one.name, len(share))}
            yield pa.table(columns).cast(estimates.schema)


def _sds(estimates: pa.Table, model: Model, method: str, sd: str) -> pa.Table:
    """Return the rows of a model's sd by the first of its inferences: one for each replicate."""
    wanted = {"model": model.name, "method": method, "term": sd, "inference": model.limits[0]}
    is_it = [pc.equal(estimates[name].cast(pa.string()), value) for name, value in wanted.items()]
    mask = is_it[0]
    for more in is_it[1:]:
        mask = pc.and_(mask, more)
    return estimates.filter(mask)


def _one_name(name: str, n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array([name]))
