"""The designs that are timed: the article's, more general ones, small and large ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from hlm.distributions import SHAPES, LogNormal, Normal, Points, Span, read_call
from hlm.kernels.data import CrossProducts
from hlm.rows.missing import Logistic, LogisticDropout, Missing
from hlm.rows.origins import UnitMean
from hlm.rows.residual import AutoRegressive, ByExponential, ByUnit
from hlm.rows.sizes import Clustered, Poisson
from hlm.scenario import Covariate, Dependence, Model, Scenario
from hlm.simulate import Drawn, Memory, simulate

__all__ = [
    "SEED",
    "Case",
    "by_row",
    "cases",
    "design",
    "growth",
    "hard_case",
    "normals_of",
    "shaped",
    "simulate_case",
    "unequal",
]

SEED = 2345

NORMALS_AT_ONCE = 1_000_000
"""Normals of all data sets of one timing together: some hundredths of a second with the fits."""


@dataclass(frozen=True)
class Case:
    """A design and the model that is fitted to its data.

    Attributes
    ----------
    label : str
    scenario : Scenario
    model : Model
        Fitted by REML and ML; its formula is the truth.
    sizes : tuple of int
        Rows of two units each, where units are unequal; their mean is `scenario.n_rows`.
    budget : float or None
        What (simulate + REML) / normals should at most be.
    """

    label: str
    scenario: Scenario
    model: Model
    sizes: tuple[int, ...] = ()
    budget: float | None = None

    @property
    def n(self) -> int:
        """Data sets of one timing."""
        return max(20, min(5000, NORMALS_AT_ONCE // normals_of(self.scenario)))


def design(
    units: int,
    rows: int,
    *,
    shared: bool = False,
    sd: tuple[float, ...] = (0.2, 0.5),
    sigma: float = 0.75,
    correlation: float = 0.9,
) -> Scenario:
    """Return the founding study's truth; x is the same in all units, or drawn for each row."""
    grid = tuple(-4.0 + 8.0 * j / rows for j in range(rows))
    x = Covariate("x", "row", Points(grid)) if shared else Covariate("x", "row")
    return Scenario(
        key=f"{units:08x}{rows:07x}{int(shared)}",
        n_units=units,
        n_rows=rows,
        covariates=(Covariate("a", "unit"), x),
        formula="y ~ x * a + (1 + x | unit)",
        fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
        sd=sd,
        cor=((1.0, correlation), (correlation, 1.0)),
        sigma=sigma,
    )


def slopes_design(units: int, rows: int, p: int, q: int) -> Scenario:
    """Return a truth with p - 1 covariates drawn per row, of which q - 1 have random slopes."""
    names = [f"x{k}" for k in range(1, p)]
    random = " + ".join(["1", *names[: q - 1]])
    return Scenario(
        key=f"{units:04x}{rows:04x}{p:04x}{q:04x}",
        n_units=units,
        n_rows=rows,
        covariates=tuple(Covariate(name, "row") for name in names),
        formula=f"y ~ {' + '.join(['1', *names])} + ({random} | unit)",
        fixed=tuple((name, 1.0) for name in ["(Intercept)", *names]),
        sd=(0.5,) * q,
        cor=tuple(tuple(1.0 if a == b else 0.3 for a in range(q)) for b in range(q)),
        sigma=0.75,
    )


def _case(label: str, scenario: Scenario, budget: float | None = None) -> Case:
    return Case(label, scenario, Model("truth", scenario.formula), budget=budget)


def cases() -> list[Case]:
    """Return the designs of the table."""
    general = _case("b  30 x 30, x drawn per row", design(30, 30), 4.0)
    many = _case("c  100 x 10, x drawn per row", design(100, 10))
    return [
        _case("a  30 x 30, one x for all units", design(30, 30, shared=True), 2.0),
        general,
        _unbalanced(general, "   as b, 16 to 44 rows", tuple(range(16, 45, 2))),
        many,
        _unbalanced(many, "   as c, 4 to 16 rows", (*range(4, 17),) * 3 + (*range(5, 16),)),
        _case("d  10 x 5, one x for all units", design(10, 5, shared=True)),
        _case("e  1000 x 20, one x for all units", design(1000, 20, shared=True)),
        _case("f  30 x 30, two random slopes", slopes_design(30, 30, 3, 3)),
    ]


def _unbalanced(case: Case, label: str, sizes: tuple[int, ...]) -> Case:
    return replace(case, label=label, sizes=sizes, budget=None)


def hard_case() -> Case:
    """Return weak random effects in small units: many optima lie on or near the boundary."""
    weak = design(30, 5, sd=(0.22, 0.10), sigma=1.0, correlation=0.0)
    return _case("30 x 5, weak random effects", replace(weak, key="77" * 8))


def growth() -> dict[str, list[tuple[int, Case]]]:
    """Return designs that grow in one number: units, rows, p or q."""
    return {
        "units": [(m, _case("", design(m, 30))) for m in (10, 30, 100, 300, 1000)],
        "rows": [(n, _case("", design(30, n))) for n in (5, 10, 30, 100, 300)],
        "p": [(p, _case("", slopes_design(30, 30, p, 2))) for p in (2, 4, 8, 16)],
        "q": [(q, _case("", slopes_design(30, 30, 4, q))) for q in (1, 2, 3, 4)],
    }


def shaped(case: Case) -> dict[str, Case]:
    """Return a design with random effects and residuals of each family, first of the normal one.

    Then the same with the effects by a copula.
    """
    calls = [*(family.call_example for family in SHAPES.values()), "chisq(3)"]
    found = {}
    for dependence in get_args(Dependence):
        for call in calls:
            shape = read_call(call)
            scenario = replace(case.scenario, effects=shape, residuals=shape, dependence=dependence)
            label = call if dependence == "mixing" else f"{call}, {dependence}"
            found[label] = replace(case, label=label, scenario=scenario)
    return found


def unequal(case: Case, cv: float) -> Case:
    """Return a design of as many rows with units that differ: lognormal quantiles, rounded.

    The coefficient of variation is that of the distribution; the largest unit takes up what
    rounding leaves. A fixed x goes from its lowest to its highest value in each unit.
    """
    m, total = case.scenario.n_units, case.scenario.n_obs
    sd = np.sqrt(np.log1p(cv**2))
    quantiles = LogNormal(float(sd)).quantile((np.arange(m) + 0.5) / m)
    mean = total / m
    rows = np.maximum(1, np.round(mean * (1.0 + cv * quantiles))).astype(int)
    rows[-1] += total - rows.sum()
    covariates = tuple(
        replace(c, distribution=Span(min(c.distribution.values), max(c.distribution.values)))
        if c.level == "row" and c.distribution.values
        else c
        for c in case.scenario.covariates
    )
    scenario = replace(case.scenario, n_rows=tuple(rows.tolist()), covariates=covariates)
    return replace(case, scenario=scenario)


def by_row(case: Case) -> dict[str, Case]:
    """Return a design with rows that are not all alike, drawn row by row."""
    x = next(c for c in case.scenario.covariates if c.level == "row")
    hazard = LogisticDropout(Logistic(-4.0, (("previous", 0.5),)))
    changes: dict[str, dict[str, Any]] = {
        "sizes drawn, cv 0.6": {"n_rows": Clustered(case.scenario.mean_rows, 0.6)},
        "sizes drawn, Poisson": {"n_rows": Poisson(case.scenario.mean_rows)},
        "residual variance by unit": {"variance": ByUnit("lognormal", 0.5)},
        "residual variance by x": {"variance": ByExponential(x.name, 0.1)},
        "AR(1)": {"autocorrelation": AutoRegressive(0.4)},
        "a tenth of the rows missing": {"missing": Missing(rows=0.1)},
        "dropout by the response before": {"missing": Missing(dropout=hazard)},
    }
    if not x.distribution.is_fixed:
        shared = replace(x, icc=0.3)
        others = tuple(c for c in case.scenario.covariates if c is not x)
        mean = Covariate("xm", "unit", x.distribution, origin=UnitMean(x.name))
        changes["x with an icc, and its means"] = {"covariates": (*others, shared, mean)}
    return {
        label: replace(case, scenario=replace(case.scenario, **change))
        for label, change in changes.items()
    }


def normals_of(scenario: Scenario) -> int:
    """Count the normals of one data set: residuals, random effects, covariates."""
    units, rows = scenario.n_units, scenario.n_obs
    drawn = [c for c in scenario.covariates if isinstance(c.distribution, Normal)]
    return rows + units * len(scenario.sd) + sum(rows if c.level == "row" else units for c in drawn)


def simulate_case(case: Case, n: int, memory: Memory | None = None) -> Drawn:
    """Draw n data sets, into memory that is used again if there is some.

    Unequal units are put together from scenarios of two units each.
    """
    if not case.sizes:
        return simulate(case.scenario, [case.model], SEED, 0, n, memory=memory)
    parts = [
        simulate(
            replace(case.scenario, key=f"{k:08x}{size:08x}", n_units=2, n_rows=size),
            [case.model], SEED, 0, n,
        )
        for k, size in enumerate(case.sizes)
    ]  # fmt: skip
    crosses = [part.cross for part in parts]
    whole = CrossProducts(
        gram=np.concatenate([cross.gram for cross in crosses], axis=2),
        response=np.concatenate([cross.response for cross in crosses], axis=2),
        sum_squares=np.sum([cross.sum_squares for cross in crosses], axis=0),
        multipliers=np.concatenate([cross.multipliers for cross in crosses], axis=2),
        n_obs=np.sum([cross.n_obs for cross in crosses], axis=0),
    )
    return Drawn(case.scenario.key, 0, n, whole, parts[0].columns)
