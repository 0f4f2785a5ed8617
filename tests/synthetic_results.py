"""Made-up tables of results, of the shape of a study's files, to test what shows them."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hlm.criteria import USUAL
from hlm.distributions import Points
from hlm.scenario import Covariate, Model, Scenario
from hlm.words.levels import ORDER, WORDS
from hlm.words.measures import MEASURES

FIXED = {"(Intercept)": 1.0, "a": -0.15, "x": 3.0, "x:a": 0.3}
RANDOM = {
    "cor_x.(Intercept)|unit": 0.9,
    "sd_(Intercept)|unit": 0.2,
    "sd_x|unit": 0.5,
    "sigma": 0.75,
}
KINDS = {
    **dict.fromkeys(FIXED, "coefficient"),
    "cor_x.(Intercept)|unit": "cor",
    "sd_(Intercept)|unit": "sd",
    "sd_x|unit": "sd",
    "sigma": "sigma",
}
ORDER_OF = {"(Intercept)": 0, "a": 1, "x": 1, "x:a": 2}
WORDS_OF = {
    "cor_x.(Intercept)|unit": "cor x.(Intercept)",
    "sd_(Intercept)|unit": "sd (Intercept)",
    "sd_x|unit": "sd x",
    "sigma": "residual sd",
    "F(a_matters)": "F test: a_matters",
}
F_TEST = "F(a_matters)"
"""A test that some models have, whose hypothesis is false."""

MODELS = ("slopes_on_a", "ignoring_a", "intercepts_only")
FULL = "y ~ x * a + (1 + x | unit)"
FORMULAS = {
    "ignoring_a": "y ~ x + (1 + x | unit)",
    "intercepts_only": "y ~ x * a + (1 | unit)",
}
GRID = {"units": (10, 30, 100), "rows": (5, 15, 30), "cor": (0.0, 0.9)}
REPLICATES = 2000


def made_results(grid=GRID, models=MODELS):
    """Return measures and selection over a grid: every point, model, method, term and measure."""
    rng = np.random.default_rng(20)
    measures, selection = [], []
    for place, levels in enumerate(product(*grid.values())):
        point = {"scenario": f"{place:016x}", **dict(zip(grid, levels, strict=True))}
        for model, method in product(models, ("ml", "reml")):
            fit = {**point, "model": model, "method": method, "n": REPLICATES}
            measures += [row for term in _terms(model) for row in _term_rows(rng, fit, term)]
            test = {"term": F_TEST, "kind": "test", "true": np.nan, "measure": "rejection"}
            measures += [{**fit, **test, **_share(0.3)} for _ in _tests(model)]
            none = {"term": "", "kind": "", "true": np.nan}
            measures += [
                {**fit, **none, "measure": name, **_share(rng.uniform(0, 0.2))}
                for name in ("singular", "failed")
            ]
        for criterion, method in product(("aic", "bic"), ("ml", "reml")):
            shares = rng.dirichlet(np.ones(len(models)))
            for model, share in zip(models, shares, strict=True):
                rate = _share(share)
                selection.append(
                    {
                        **point,
                        "criterion": criterion,
                        "method": method,
                        "model": model,
                        "rate": rate["estimate"],
                        "mcse": rate["mcse"],
                        "n": REPLICATES,
                    }
                )
    frame = pd.DataFrame(measures)
    words = frame["term"].map(lambda term: WORDS_OF.get(term, term))
    order = frame["term"].map(lambda term: ORDER_OF.get(term, 0))
    return frame.assign(**{WORDS: words, ORDER: order}), pd.DataFrame(selection)


def made_accounting(measures):
    """Return the outcomes of the fits of `made_results`: a tenth is singular, one has failed."""
    counts = {"converged": REPLICATES - 1, "singular": REPLICATES // 10, "cor_boundary": 0}
    counts |= {"ok": REPLICATES - 1, "not_converged": 1, "unidentified": 0}
    keys = ["scenario", *(name for name in GRID if name in measures), "model", "method"]
    fits = measures[keys].drop_duplicates().assign(n=REPLICATES)
    return pd.concat([fits.assign(outcome=name, count=n) for name, n in counts.items()])


def made_margins(selection):
    """Return margins of every model that is chosen among others, at random."""
    rng = np.random.default_rng(3)
    rows = selection.drop(columns=["rate", "mcse", "n"])
    parts = [
        rows.assign(statistic=name, margin=rng.normal(size=len(rows)), mcse=0.1, n=1000)
        for name in ("mean", "median")
    ]
    return pd.concat(parts, ignore_index=True)


def with_inferences(measures, names=("satterthwaite", "kenward-roger", "infinite")):
    """Give coefficients and tests several inferences, whose measures differ by 0.01 each."""
    inferred = measures["measure"].isin([name for name in MEASURES if MEASURES[name].is_inferred])
    several = inferred & measures["kind"].isin(["coefficient", "test"])
    wald = measures[~several].assign(inference=np.where(inferred[~several], "wald", ""))
    own = [
        measures[several].assign(
            inference=name, estimate=measures.loc[several, "estimate"] - 0.01 * place
        )
        for place, name in enumerate(names)
    ]
    return pd.concat([wald, *own])


def _terms(model):
    terms = FIXED | RANDOM
    lacking = {
        "ignoring_a": {"a", "x:a"},
        "intercepts_only": {"sd_x|unit", "cor_x.(Intercept)|unit"},
    }
    return {name: true for name, true in terms.items() if name not in lacking.get(model, set())}


def _tests(model):
    return () if model == "ignoring_a" else (("a_matters", ("a", "x:a")),)


def _term_rows(rng, fit, term):
    base = {**fit, "term": term, "kind": KINDS[term], "true": (FIXED | RANDOM)[term]}
    sd = rng.uniform(0.05, 0.3)
    values = {
        "n_total": {"estimate": float(REPLICATES), "mcse": np.nan},
        "bias": {"estimate": rng.normal(0, 0.01), "mcse": sd / np.sqrt(REPLICATES)},
        "empirical_se": {"estimate": sd, "mcse": sd / np.sqrt(2 * REPLICATES)},
        "rmse": {"estimate": sd, "mcse": sd / np.sqrt(2 * REPLICATES)},
        "relative_error_se": {"estimate": rng.normal(-0.02, 0.02), "mcse": 0.016},
        "coverage": _share(rng.uniform(0.88, 0.97)),
        "rejection": _share(rng.uniform(0.05, 0.99)),
        "median_ci_width": {"estimate": 4 * sd, "mcse": sd / np.sqrt(REPLICATES)},
        "unbounded": _share(0.0),
    }
    if KINDS[term] in ("sd", "sigma"):  # no sd is tested
        del values["rejection"]
    return [{**base, "measure": name, **value} for name, value in values.items()]


def _share(p):
    return {"estimate": p, "mcse": np.sqrt(p * (1 - p) / REPLICATES)}


def made_scenario(n_units=30, n_rows=30):
    """Return the founding example's scenario."""
    x = tuple(-4 + 8 / n_rows * np.arange(n_rows))
    return Scenario(
        key="0" * 16,
        n_units=n_units,
        n_rows=n_rows,
        covariates=(Covariate("a", "unit"), Covariate("x", "row", Points(x))),
        formula="y ~ x * a + (1 + x | unit)",
        fixed=tuple(FIXED.items()),
        sd=(0.2, 0.5),
        cor=((1.0, 0.9), (0.9, 1.0)),
        sigma=0.75,
    )


def made_study(grid=GRID, models=MODELS):
    """Return what figures and tables need of a study."""
    levels = tuple(dict(zip(grid, point, strict=True)) for point in product(*grid.values()))
    sizes = [(level.get("units", 30), level.get("rows", 30)) for level in levels]
    return SimpleNamespace(
        seed=2345,
        replicates_of=lambda _: REPLICATES,
        standing=None,
        scenarios=tuple(made_scenario(*size) for size in sizes),
        levels=levels,
        example=len(levels) // 2,
        models=tuple(Model(n, FORMULAS.get(n, FULL), tests=_tests(n)) for n in models),
        policies=("all",),
        selection=USUAL,
        precision=None,
        figures=None,
    )
