"""Fifty odd studies: the shapes of study that an author of figures and tables does not think of."""

from __future__ import annotations

from typing import Any

X = {"x": {"level": "row"}}
A = {"a": {"level": "unit"}}
GRID = {"x": {"level": "row", "grid": {"from": -1, "to": 1}}}
LINE = "y ~ x + (1 + x | unit)"
TINY, HUGE = 1e-9, 1e9
LONG = "a_name_of_sixty_four_characters_which_is_as_long_as_a_name_may_be"[:64]


def study(
    formula: str = LINE,
    fixed: Any = (0.5, 1.0),
    sd: Any = (0.5, 0.5),
    *,
    cor: Any = 0,
    sigma: float = 1.0,
    units: int = 8,
    rows: int = 4,
    covariates: Any = X,
    models: Any = LINE,
    replicates: int = 12,
    grid: Any = None,
    **estimation: Any,
) -> dict[str, Any]:
    """Return a study file's content; values without names are those of (Intercept) and x."""
    names = ("(Intercept)", "x")
    fixed, sd = (
        v if isinstance(v, dict) else dict(zip(names, v, strict=False)) for v in (fixed, sd)
    )
    content = {
        "name": "odd",
        "seed": 1,
        "replicates": replicates,
        "truth": {
            "formula": formula,
            "fixed": fixed,
            "random": {"unit": {"sd": sd, "cor": cor}},
            "residual": {"sd": sigma},
        },
        "design": {"units": units, "rows": rows, "covariates": covariates},
        "models": models if isinstance(models, dict) else {"m": models},
        "estimation": estimation,
    }
    return content if grid is None else content | {"grid": grid}


def _named(name: str) -> dict[str, Any]:
    """Return a study whose covariate has this name."""
    formula = f"y ~ {name} + (1 + {name} | unit)"
    return study(
        formula,
        {"(Intercept)": 0.0, name: 1.0},
        {"(Intercept)": 0.5, name: 0.5},
        covariates={name: {"level": "row"}},
        models=formula,
        grid={f"truth.fixed.{name}": [0, 1]},
    )


def _grouped(name: str) -> dict[str, Any]:
    """Return a study whose group has this name."""
    content = study(models=f"y ~ x + (1 + x | `{name}`)")
    sd = {"(Intercept)": 1, "x": 1}
    content["truth"] |= {"formula": f"y ~ x + (1 + x | `{name}`)", "random": {name: {"sd": sd}}}
    return content


MEAN: dict[str, Any] = {
    "formula": "y ~ 1 + (1 | unit)", "fixed": (0.0,), "sd": (0.5,), "covariates": {},
    "models": "y ~ 1 + (1 | unit)",
}  # fmt: skip
TWO = {"one": LINE, "two": "y ~ x + (1 | unit)"}

STUDIES: dict[str, dict[str, Any]] = {
    # Of what there is to draw.
    "one model": study(models="y ~ x + (1 | unit)"),
    "a unit covariate alone": study(
        covariates={"x": {"level": "unit"}}, models="y ~ x + (1 | unit)"
    ),
    "a sparse binary covariate": study(
        rows=2, covariates={"x": {"level": "row", "distribution": "binary", "p": 0.25}},
        models="y ~ x + (1 | unit)",
    ),
    "heteroscedastic by a dummy": study(
        "y ~ x + w + (1 + w | unit)", {"(Intercept)": 0, "x": 0, "w": 0},
        {"(Intercept)": 0.5, "w": 1.0}, units=8, rows=5,
        covariates={**GRID, "w": {"level": "unit", "grid": [0, 0, 0, 1]}},
        models="y ~ x + w + (1 | unit)", df="kenward-roger",
        grid={"truth.random.unit.sd.w": [0, 2]},
    ),
    "no covariates": study(**MEAN),
    "no covariates, many units": study(**MEAN, grid={"design.units": [5, 40]}),
    "a covariate that no model has": study(models="y ~ 1 + (1 | unit)"),
    "a truth without the covariate": study(
        "y ~ 1 + (1 | unit)", (0.0,), (0.5,), models=LINE
    ),
    "a curve": study(
        "y ~ x + I(x^2) + (1 + x | unit)", {"(Intercept)": 0, "x": 1, "I(x^2)": 0.5},
        models={"curve": "y ~ x + I(x^2) + (1 + x | unit)", "line": LINE},
    ),
    "two row covariates, two rows": study(
        "y ~ x + z + (1 | unit)", {"(Intercept)": 0, "x": 1, "z": 1}, (0.5,), rows=2,
        covariates={**X, "z": {"level": "row"}}, models="y ~ x + z + (1 | unit)",
    ),
    # Of sizes.
    "two rows": study(rows=2, models="y ~ x + (1 | unit)"),
    "few units": study(units=3, models="y ~ x + (1 | unit)"),
    "one replicate": study(replicates=1, models=TWO),
    "two replicates": study(replicates=2),
    "one scenario in a grid": study(grid={"design.units": [6]}),
    # Of values.
    "an sd of zero": study(sd=(0.5, 0.0), grid={"truth.random.unit.sd.x": [0, 0.5]}),
    "no random effects": study(sd=(0.0, 0.0), models=TWO),
    "tiny values": study(fixed=(TINY, -TINY), sd=(TINY, TINY), sigma=TINY),
    "huge values": study(fixed=(HUGE, -HUGE), sd=(HUGE, HUGE), sigma=HUGE),
    "tiny and huge levels": study(grid={"truth.fixed.x": [TINY, 1.0, HUGE]}),
    "negative levels": study(
        grid={"truth.fixed.x": [-1, 0, 1], "truth.random.unit.cor": [-0.5, 0]}
    ),
    "perfect correlation": study(cor=1.0, grid={"truth.random.unit.cor": [-1, 0, 1]}),
    "a true value of zero": study(fixed=(0.0, 0.0)),
    "a response without noise": study(sd=(0.0, 0.0), fixed=(1.0, 0.0), sigma=1e-12),
    # Of grids.
    "six factors": study(
        grid={
            "design.units": [6, 9], "design.rows": [3, 5], "truth.fixed.x": [0, 1],
            "truth.random.unit.sd.x": [0.1, 1], "truth.residual.sd": [1, 2],
            "truth.random.unit.cor": [0, 0.5],
        },
        models="y ~ x + (1 | unit)", replicates=3, methods=["ml"],
    ),
    "many levels": study(grid={"design.units": list(range(4, 24)), "design.rows": [3, 4, 5]},
                         models="y ~ x + (1 | unit)", replicates=3),
    "texts": study(grid={"design.covariates.x.distribution": ["normal", "uniform"]}),
    "truths and falsehoods": study(
        covariates={"x": {"level": "row", "grid": {"from": 0, "to": 1, "endpoint": True}}},
        grid={"design.covariates.x.grid.endpoint": [True, False]},
    ),
    "matrices": study(grid={"truth.random.unit.cor": [[[1, 0], [0, 1]], [[1, 0.5], [0.5, 1]]]}),
    "mappings": study(
        grid={"design.covariates.x": [X["x"], {"level": "row", "distribution": "uniform"}]}
    ),
    "lists": study(covariates={"x": {"level": "row", "grid": [0, 1, 2, 3]}},
                   grid={"design.covariates.x.grid": [[0, 1, 2, 3], [0, 0, 1, 1]]}),
    # Of names.
    "dots": _named("a.b.c"),
    "parentheses": study(
        "y ~ I((x + 1)^2) + (1 + I((x + 1)^2) | unit)", {"(Intercept)": 0, "I((x + 1)^2)": 1},
        {"(Intercept)": 0.5, "I((x + 1)^2)": 0.5},
        models="y ~ I((x + 1)^2) + (1 + I((x + 1)^2) | unit)",
        grid={"truth.fixed.I((x + 1)^2)": [0, 1]},
    ),
    "underscores": _named("sd_x_"),
    "sixty-four characters": _named(LONG),
    "letters of other scripts": _named("größe"),
    "a covariate called bias": _named("bias"),
    "a covariate called sd_": _named("sd_"),
    "a covariate called true": _named("true"),
    "a covariate called n": _named("n"),
    "long models": study(models={LONG: LINE, f"_{LONG[1:]}": "y ~ x + (1 | unit)"}),
    "models called as columns": study(
        models={"m": LINE, "m_n": LINE, "m_mcse": LINE, "criterion": "y ~ x + (1 | unit)",
                "units": LINE, "_m": LINE},
        grid={"design.units": [6, 9]},
    ),
    "a group with an odd name": _grouped("the | \"unit\" of 50% $x^2$ {&} #1 ~ <b>\\x</b>"),
    # Of models.
    "ten models": study(models={f"model_{k}": LINE for k in range(10)},
                        grid={"design.units": [6, 9]}, replicates=4),
    "eight terms": study(
        "y ~ x + I(x^2) + I(x^3) + I(x^4) + I(x^5) + I(x^6) + I(x^7) + (1 | unit)",
        {"(Intercept)": 0, "x": 1, **{f"I(x^{k})": 0 for k in range(2, 8)}}, (0.5,),
        rows=6, units=12,
        models="y ~ x + I(x^2) + I(x^3) + I(x^4) + I(x^5) + I(x^6) + I(x^7) + (1 | unit)",
    ),
    "three random effects": study(
        "y ~ x + z + (1 + x + z | unit)", {"(Intercept)": 0, "x": 1, "z": 1},
        {"(Intercept)": 1, "x": 1, "z": 1}, rows=6, units=12,
        covariates={**X, "z": {"level": "row"}}, models="y ~ x + z + (1 + x + z | unit)",
    ),
    "uncorrelated random effects": study("y ~ x + (x || unit)", models="y ~ x + (x || unit)"),
    "no fixed intercept": study("y ~ 0 + x + (1 | unit)", {"x": 1.0}, (0.5,),
                                models="y ~ 0 + x + (1 | unit)"),
    "a slope without an intercept": study("y ~ x + (0 + x | unit)", sd={"x": 0.5},
                                          models="y ~ x + (0 + x | unit)"),
    "a term with no true value": study(
        models={"line": LINE, "total": "y ~ I(x + a) + (1 | unit)"}, covariates={**X, **A}
    ),
    "no true value at all": study(models="y ~ 0 + I(exp(x)) + (1 | unit)"),
    "an interaction the other way round": study(
        "y ~ x * a + (1 + x | unit)", {"(Intercept)": 0, "x": 1, "a": 1, "x:a": 0.3},
        covariates={**A, **X}, models={"right": "y ~ a * x + (1 + x | unit)", "left": LINE},
    ),
    # Of estimation.
    "ML only": study(methods=["ml"], models=TWO),
    "REML only": study(methods=["reml"], models=TWO),
    "a method each": study(
        models={name: {"formula": LINE, "methods": [name]} for name in ("ml", "reml")}
    ),
    "F tests": study(
        tests={"all": ["(Intercept)", "x"], "more_than.50": ["x"]}, df="kenward-roger"
    ),
    "Kenward and Roger, no denominator": study(units=2, rows=3, df="kenward-roger",
                                               models="y ~ x + (1 | unit)", tests={"x": ["x"]}),
    "profile limits": study(limits="profile", methods=["ml"], sd=(0.2, 0.2)),
    "limits of variances": study(limits="wald-variance", sd=(0.2, 0.2)),
    "a level of half": study(level=0.5, grid={"design.units": [6, 9]}),
}  # fmt: skip
