"""Small studies made in memory, and results that are a known function of their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hlm.criteria import USUAL, Selection
from hlm.operations.parts import part_file
from hlm.operations.receipts import make_receipt, receipt_file, write_receipt
from hlm.results import KINDS, writing
from hlm.scenario import Covariate, Model, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.plan import Plan
    from hlm.precision import Precision

BIG = Model("big", "y ~ x * a + (1 + x | unit)", tests=(("both", ("a", "x:a")), ("x", ("x",))))
SMALL = Model("small", "y ~ x + (1 + x | unit)", methods=("reml",), tests=(("x", ("x",)),))


def scenario(units: int, *, rows: int = 5) -> Scenario:
    return Scenario(
        key=f"{units:08x}{rows:08x}",
        n_units=units,
        n_rows=rows,
        covariates=(Covariate("a", "unit"), Covariate("x", "row")),
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
    sources: tuple[Any, ...] = ()
    selection: Selection = USUAL
    policies: tuple[str, ...] = ("all",)
    figures: tuple[object, ...] | None = None
    tables: tuple[object, ...] | None = None
    precision: Precision | None = None

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        return tuple(scenario(units) for units in self.units)

    @property
    def levels(self) -> tuple[dict[str, Any], ...]:
        return tuple({"units": units} for units in self.units)

    def replicates_of(self, key: str) -> int:  # noqa: ARG002
        return self.replicates

    def but(self, **changes: Any) -> FakeStudy:
        return replace(self, **changes)


def labels(kind: str, model: Model) -> list[str]:
    """Return what tells the rows of one fit apart in a table: terms, nothing, F tests."""
    tests = [name for name, _ in model.tests]
    return {"estimates": ["x", "(Intercept)", "sigma"], "fits": [""], "tests": tests}[kind]


def write_parts(plan: Plan, folder: Any, rows: Callable[..., dict[str, Any]] | None = None) -> None:
    """Write for every batch what a fit of it would, where it is not there yet.

    The rows of a range come model by model, as unlike the final order as possible.
    """
    rows = rows or _rows
    for batch in plan.batches:
        files = {kind: part_file(folder, batch.name, kind) for kind in plan.kinds}
        receipt = receipt_file(folder, batch.name)
        if not receipt.exists():
            for kind, path in files.items():
                with writing(path, KINDS[kind]) as file:
                    for part in batch.ranges:
                        file.append(rows(part, batch.models, kind))
            write_receipt(receipt, make_receipt(batch.name, files, code=plan.code, seconds=0.0))


def _rows(part: Any, models: tuple[Model, ...], kind: str) -> dict[str, Any]:
    places = [
        (part.scenario, replicate, model.name, method, label)
        for model in reversed(models)
        for method in reversed(model.methods)
        for replicate in range(part.start, part.stop)
        for label in labels(kind, model)
    ]
    numbers = np.array([hash_number(place) for place in places])
    names = ("scenario", "replicate", "model", "method", "label")
    columns = {name: [place[i] for place in places] for i, name in enumerate(names)}
    return _columns(columns | {"replicate": pa.array(columns["replicate"], pa.int32())}, numbers)


def random_rows(part: Any, models: tuple[Model, ...], kind: str) -> dict[str, Any]:
    """Return many rows in little time: normal numbers, the labels and the models repeated."""
    each = [
        (model.name, method, label)
        for model in models
        for method in model.methods
        for label in labels(kind, model)
    ]
    n = part.stop - part.start
    numbers = np.random.default_rng(part.start).standard_normal(n * len(each))
    columns = {
        name: [row[i] for row in each] * n for i, name in enumerate(("model", "method", "label"))
    }
    replicate = np.repeat(np.arange(part.start, part.stop, dtype=np.int32), len(each))
    scenario = [part.scenario] * (n * len(each))
    return _columns({"scenario": scenario, "replicate": replicate, **columns}, numbers)


def _columns(columns: dict[str, Any], numbers: Any) -> dict[str, Any]:
    """Return all columns of all tables; the same numbers in each that is not an integer."""
    whole = np.ones(len(numbers), dtype=np.int32)
    doubles = {name for schema in KINDS.values() for name in schema.names}
    return dict.fromkeys(doubles, numbers) | {
        **{name: columns[name] for name in ("scenario", "replicate", "model", "method")},
        "term": columns["label"],
        "test": columns["label"],
        "inference": ["satterthwaite"] * len(numbers),
        "df": whole,
        "npar": whole,
        "n_obs": whole,
        "iterations": whole,
        "boundary_rank": whole,
        "singular": whole.astype(bool),
        "status": ["ok"] * len(numbers),
    }


def hash_number(place: tuple[Any, ...]) -> float:
    """Return a number that stands for a place, the same in every run."""
    return float(int.from_bytes(repr(place).encode(), "big") % 1_000_003)
