"""Selection through the whole path: exact rates, and estimates after it by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f

from hlm.operations.lock import run_lock
from hlm.operations.prepare import prepare
from hlm.results import read_frame
from hlm.study import Study
from tests.results import make_results, summarize_results

UNITS, ROWS, N = 20, 5, 4000

TEXT = f"""
name: chosen
seed: 11
replicates: {N}
truth:
  formula: y ~ a + (1 | unit)
  fixed: {{(Intercept): 0, a: 0}}
  random: {{unit: {{sd: {{(Intercept): 2}}}}}}
  residual: {{sd: 1}}
design:
  units: {UNITS}
  rows: {ROWS}
  covariates: {{a: {{level: unit, distribution: normal}}}}
models: {{without: y ~ 1 + (1 | unit), with: y ~ a + (1 | unit)}}
estimation: {{methods: [ml], tests: {{a: [a]}}}}
selection: {{criteria: [aic, aicc, bic, lrt], estimate: selected}}
policies: [all, absent_as_miss]
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chosen")
    path = folder / "study.yaml"
    path.write_text(TEXT, encoding="utf-8")
    results = make_results(folder, study=path)
    with run_lock(results):
        plan = prepare(Study.load(path), folder)
    summarize_results(plan, results)
    names = ("measures", "selection", "margins", "accounting", "estimates", "fits", "tests")
    return {name: read_frame(results / f"{name}.parquet") for name in names}


N_OBS = UNITS * ROWS
PENALTIES = {
    "aic": 2.0,
    # AICc of 3 and 4 parameters
    "aicc": 2.0 + 2 * 4 * 5 / (N_OBS - 5) - 2 * 3 * 4 / (N_OBS - 4),
    "bic": np.log(N_OBS),
    "lrt": 3.841458820694124,
}


@pytest.mark.parametrize("criterion", PENALTIES)
def test_rates_are_those_of_the_exact_distribution(tables, criterion):
    """Balanced, and variances far from 0: the statistic is m log(1 + F/(m - 2)), F on 1, m - 2."""
    m = UNITS
    exact = f.sf((m - 2) * np.expm1(PENALTIES[criterion] / m), 1, m - 2)
    rates = tables["selection"].set_index(["criterion", "model"])
    found, mcse, n = rates.loc[(criterion, "with"), ["rate", "mcse", "n"]]
    assert n == N
    assert mcse == pytest.approx(np.sqrt(found * (1 - found) / N))
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / N)


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_measures_after_selection_are_those_of_the_chosen_estimates(tables, criterion):
    wide = tables["fits"].pivot_table(index="replicate", columns="model", values=criterion,
                                      observed=True)  # fmt: skip
    chosen = wide["with"] < wide["without"]
    own = tables["estimates"]
    own = own[(own["term"] == "a") & (own["model"] == "with")].set_index("replicate")
    estimate = own["estimate"].where(chosen, 0.0)
    holds = (own["lower"] <= 0) & (own["upper"] >= 0) | ~chosen
    measures = tables["measures"]
    name = f"selected ({criterion.upper()})"
    found = measures[(measures["model"] == name) & (measures["term"] == "a")]
    found = found[found["policy"] == "all"].set_index("measure")["estimate"]
    assert found["bias"] == pytest.approx(estimate.mean())
    assert found["rmse"] == pytest.approx(np.sqrt((estimate**2).mean()))
    assert found["coverage"] == pytest.approx(holds.mean())
    assert found["rejection"] == pytest.approx(1 - holds.mean())
    # Standard errors are those of the data sets whose chosen model has the term.
    se = own["se"][chosen]
    assert found["model_se"] == pytest.approx(np.sqrt((se**2).mean()))


def test_a_test_of_what_the_chosen_model_lacks_does_not_reject(tables):
    measures = tables["measures"]
    own = measures[(measures["term"] == "F(a)") & (measures["measure"] == "rejection")]
    own = own[own["policy"] == "all"].set_index("model")["estimate"]
    coefficient = measures[(measures["term"] == "a") & (measures["measure"] == "rejection")]
    coefficient = coefficient[coefficient["policy"] == "all"].set_index("model")["estimate"]
    assert own["selected (AIC)"] == pytest.approx(coefficient["selected (AIC)"])
    assert own["selected (AIC)"] <= own["with"]


def test_margins_are_differences_of_criteria(tables):
    wide = tables["fits"].pivot_table(index="replicate", columns="model", values="aic",
                                      observed=True)  # fmt: skip
    margin = wide["with"] - wide["without"]
    own = tables["margins"]
    own = own[(own["criterion"] == "aic") & (own["model"] == "with")].set_index("statistic")
    assert own.loc["mean", "margin"] == pytest.approx(margin.mean())
    assert own.loc["q75", "margin"] == pytest.approx(np.quantile(margin, 0.75))
    assert set(tables["margins"]["criterion"]) == {"aic", "aicc", "bic"}


def test_chosen_models_are_accounted_for(tables):
    own = tables["accounting"]
    own = own[own["model"] == "selected (LRT)"].set_index("outcome")["count"]
    assert own["ok"] == N
    assert own["no_choice"] == 0
