"""Small studies made in memory, and results that are a known function of their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hlm.scenario import Model, Scenario
from hlm.store import ESTIMATES, FITS, writing
from hlm.store.parts import KINDS, part_file
from hlm.store.receipts import make_receipt, receipt_file, write_receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.plan import Plan

BIG = Model("big", "y ~ x * a + (1 + x | unit)")
SMALL = Model("small", "y ~ x + (1 + x | unit)", methods=("reml",))


def scenario(units: int, *, rows: int = 5) -> Scenario:
    return Scenario(
        key=f"{units:08x}{rows:08x}",
        n_units=units,
        n_rows=rows,
        covariates=(),
        formula="y ~ x * a + (1 + x | unit)",
        fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
        sd=(0.2, 0.5),
        cor=((1.0, 0.9), (0.9, 1.0)),
        sigma=0.75,
    )


@dataclass(frozen=True)
class FakeStudy:
    """What planning reads of a study."""

    units: tuple[int, ...] = (10, 30)
    replicates: int = 250
    models: tuple[Model, ...] = (SMALL, BIG)
    seed: int = 1
    name: str = "fake"
    text: str = "name: fake"
    hash: str = "0"
    example: int = 0

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        return tuple(scenario(units) for units in self.units)

    @property
    def levels(self) -> tuple[dict[str, Any], ...]:
        return tuple({"units": units} for units in self.units)

    def but(self, **changes: Any) -> FakeStudy:
        return replace(self, **changes)


def write_parts(plan: Plan, folder: Any, rows: Callable[..., dict[str, Any]] | None = None) -> None:
    """Write for every batch what a fit of it would, where it is not there yet.

    The rows of a range come model by model, as unlike the final order as possible.
    """
    rows = rows or _rows
    for batch in plan.batches:
        files = {kind: part_file(folder, batch.name, kind) for kind in KINDS}
        receipt = receipt_file(folder, batch.name)
        if not receipt.exists():
            with (
                writing(files["estimates"], ESTIMATES) as estimates,
                writing(files["fits"], FITS) as fits,
            ):
                for part in batch.ranges:
                    estimates.append(rows(part, batch.models, ["x", "(Intercept)", "sigma"]))
                    fits.append(rows(part, batch.models, [""]))
            write_receipt(receipt, make_receipt(batch.name, files, code=plan.code, seconds=0.0))


def _rows(part: Any, models: tuple[Model, ...], terms: list[str]) -> dict[str, Any]:
    places = [
        (part.scenario, replicate, model.name, method, term)
        for model in reversed(models)
        for method in reversed(model.methods)
        for replicate in range(part.start, part.stop)
        for term in terms
    ]
    scenario, replicate, model, method, term = (
        list(column) for column in zip(*places, strict=True)
    )
    numbers = np.array([hash_number(place) for place in places])
    columns: dict[str, Any] = dict.fromkeys([*ESTIMATES.names, *FITS.names], numbers)
    whole = np.ones(len(places), dtype=np.int32)
    return columns | {
        "scenario": scenario,
        "replicate": pa.array(replicate, pa.int32()),
        "model": model,
        "method": method,
        "term": term,
        "npar": whole,
        "iterations": whole,
        "singular": whole.astype(bool),
        "status": ["ok"] * len(places),
    }


def random_rows(part: Any, models: tuple[Model, ...], terms: list[str]) -> dict[str, Any]:
    """Return many rows in little time: normal numbers, the terms and the models repeated."""
    fits = [(model.name, method) for model in models for method in model.methods]
    each = [(*fit, term) for fit in fits for term in terms]
    n = part.stop - part.start
    rng = np.random.default_rng(part.start)
    numbers = {name: rng.standard_normal(n * len(each)) for name in (*ESTIMATES.names, *FITS.names)}
    labels = zip(("model", "method", "term"), zip(*each, strict=True), strict=True)
    return numbers | {
        "scenario": [part.scenario] * (n * len(each)),
        "replicate": np.repeat(np.arange(part.start, part.stop, dtype=np.int32), len(each)),
        **{name: list(values) * n for name, values in labels},
        "npar": np.ones(n * len(each), dtype=np.int32),
        "iterations": np.ones(n * len(each), dtype=np.int32),
        "boundary_rank": np.zeros(n * len(each), dtype=np.int32),
        "singular": np.zeros(n * len(each), dtype=bool),
        "status": ["ok"] * (n * len(each)),
    }


def hash_number(place: tuple[Any, ...]) -> float:
    """Return a number that stands for a place, the same in every run."""
    return float(int.from_bytes(repr(place).encode(), "big") % 1_000_003)
