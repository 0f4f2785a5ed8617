"""Predicted coefficients of units: against lmer on rows, brute force, closed forms, whole paths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import hlm
from hlm.cli import main
from hlm.errors import InputError
from hlm.estimands.true_values import targets
from hlm.estimands.unit_coefficients import unit_columns
from hlm.figures.prediction_figures import prediction_errors
from hlm.fits import fit_batch
from hlm.measures import summarize
from hlm.measures.arrays import ERRORS, Contestant, TermArrays
from hlm.measures.predictions import prediction_measures
from hlm.plan import Plan, make_plan
from hlm.plan.cost import replicate_cost
from hlm.results import KINDS, PREDICTIONS, read_frame, to_table
from hlm.scenario import Model
from hlm.simulate import draw, draw_by_row, draw_rows, simulate
from hlm.study import Study
from hlm.tables.writing import write_all
from tests.results import make_results, summarize_results

BASE = """
name: predicted
seed: 7
replicates: {replicates}
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {{(Intercept): 1, x: 0.3, a: 0.2, "x:a": 0.1}}
  random: {{unit: {{sd: {{(Intercept): 0.5, x: {slope}}}, cor: 0.4}}}}
  residual: {{sd: 1}}
design:
  units: 12
  rows: {rows}
  covariates:
    x: {{level: row, {x}}}
    a: {{level: unit, distribution: normal}}
{more}
models:
  full: y ~ x * a + (1 + x | unit)
  intercepts: y ~ x + (1 | unit)
estimation: {{methods: [reml, ml], predictions: true}}
"""
SOME = {"replicates": 8, "slope": 0.1, "rows": 6, "x": "distribution: normal", "more": ""}
NORMAL, GRID = "distribution: normal, mean: 40", "grid: [0, 1, 2, 3, 4, 5]"
UNEQUAL = "{list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 4, 5]}"
MISSING = "  missing: {rows: 0.4}"


def study_of(**changes):
    return Study.from_text(BASE.format(**SOME | changes))


def predictions_of(study, models=None, first=0, stop=None):
    """Return the table of predictions of the first scenario."""
    scenario, models = study.scenarios[0], models or study.models
    drawn = simulate(scenario, models, study.seed, first, stop or study.replicates)
    tables = fit_batch(scenario, models, drawn)
    return to_table(tables["predictions"], PREDICTIONS).to_pandas()


def measures_of(study, models=None):
    """Return the measures of predictions of the first scenario, by measure and predictor."""
    scenario, models = study.scenarios[0], models or study.models
    drawn = simulate(scenario, models, study.seed, 0, study.replicates)
    tables = {
        kind: to_table(columns, KINDS[kind])
        for kind, columns in fit_batch(scenario, models, drawn).items()
        if kind != "tests"
    }
    truth = [
        {"scenario": scenario.key, "model": m.name, "term": t.term, "kind": t.kind, "true": t.true}
        for m in models
        for t in targets(scenario, m)
    ]
    found, _ = summarize(**tables, truth=pd.DataFrame(truth))
    return found[found["kind"] == "unit_coefficient"].set_index(["measure", "inference"])


def true_effects(study, replicate):
    """Return the random effects, units in their own order, (n_units, q)."""
    scenario = study.scenarios[0]
    if not scenario.is_plain:
        return next(draw_by_row(scenario, study.seed, replicate, replicate + 1)).effects[0].T
    draws = next(draw(scenario, study.seed, replicate, replicate + 1))
    order, effects = draws.layout.order, draws.effects[0].T
    if order is None:
        return effects
    return effects[np.argsort(order)]


def brute(study, model, reml, replicate):
    """Return the squared errors of each unit's coefficients by each predictor, from its rows."""
    rows = pd.DataFrame(draw_rows(study.scenarios[0], study.seed, replicate))
    fit, effects = hlm.lmer(model.formula, rows, reml=reml), true_effects(study, replicate)
    beta = dict(zip(fit.frame.names, fit.beta, strict=True))
    b = dict(zip(fit.frame.unit_names, fit.ranef().to_numpy(), strict=True))
    found = []
    for unit, own in rows.groupby("unit"):
        a, X = own["a"].iloc[0], np.column_stack([np.ones(len(own)), own["x"]])
        true = np.array([1 + 0.2 * a, 0.3 + 0.1 * a]) + effects[unit - 1]
        average = np.array([
            beta["(Intercept)"] + beta.get("a", 0.0) * a, beta["x"] + beta.get("x:a", 0.0) * a
        ])  # fmt: skip
        blup = average + np.resize(np.append(b[unit], 0.0), 2)
        apart, determined = np.full(2, np.nan), np.linalg.matrix_rank(X) == 2
        if determined:
            apart = np.linalg.lstsq(X, own["y"].to_numpy(), rcond=None)[0]
        found.append([(value - true) ** 2 for value in (blup, apart, average)])
    return np.array(found), fit


@pytest.mark.parametrize(
    ("changes", "slope"),
    [
        ({"x": NORMAL}, 0.1),
        ({"x": GRID}, 0.1),
        ({"rows": UNEQUAL}, 0.4),
        ({"more": MISSING, "rows": 4}, 0.4),
    ],
    ids=["far", "shared", "unequal", "missing"],
)
def test_errors_are_those_of_lmer_and_of_least_squares_on_the_rows(changes, slope):
    """Singular fits among them; units that do not determine a line are left out and counted."""
    study = study_of(slope=slope, **changes)
    keys = ["replicate", "model", "method", "term", "predictor"]
    found = predictions_of(study).astype(dict.fromkeys(keys[1:], object))
    found = found.set_index(keys).sort_index()
    singular = 0
    for model in study.models:
        for method in ("reml", "ml"):
            for replicate in range(study.replicates):
                squares, fit = brute(study, model, method == "reml", replicate)
                singular += fit.singular
                paired = squares[np.isfinite(squares[:, 1, 0])]
                for place, effect in enumerate(fit.ranef().columns):
                    own = found.loc[replicate, model.name, method, f"coef_{effect}|unit"]
                    own = own.loc[["blup", "least_squares", "average"]]
                    np.testing.assert_allclose(
                        own["mse"], np.nanmean(squares[:, :, place], axis=0), rtol=2e-6
                    )
                    np.testing.assert_allclose(
                        own["mse_paired"], paired[:, :, place].mean(axis=0), rtol=2e-6
                    )
                    assert own["n_units"].tolist() == [len(squares), len(paired), len(squares)]
                    assert set(own["n_paired"]) == {len(paired)}
    assert singular or slope > 0.1


def test_no_number_depends_on_what_else_is_drawn_or_fitted():
    study = study_of(rows=UNEQUAL)
    whole = predictions_of(study)
    (alone,) = (model for model in study.models if model.name == "full")
    part = predictions_of(study, (alone,), 3, 5)
    own = whole[(whole["model"] == "full") & whole["replicate"].isin([3, 4])]
    for name in ("mse", "n_units", "mse_paired", "n_paired"):
        np.testing.assert_array_equal(part[name], own[name])


def test_other_results_are_those_of_a_study_that_does_not_ask():
    study = study_of()
    scenario = study.scenarios[0]
    silent = [replace(model, predictions=False) for model in study.models]
    with_them, without = (
        fit_batch(scenario, models, simulate(scenario, models, study.seed, 0, 8))
        for models in (study.models, silent)
    )
    assert set(with_them) - set(without) == {"predictions"}
    for name in ("estimate", "se", "df", "lower", "upper"):
        np.testing.assert_array_equal(with_them["estimates"][name], without["estimates"][name])
    assert "predictions" not in silent[0].definition()
    assert study.models[0].definition()["predictions"] is True


def test_a_model_in_other_terms_predicts_the_truth_in_these():
    """The intercept where x is 40 is that where it is 0, and 40 times the slope."""
    study = study_of(x=NORMAL, slope=0.4)
    scenario = study.scenarios[0]
    model = replace(study.models[0], formula="y ~ I(x - 40) * a + (1 + I(x - 40) | unit)")
    model = replace(model, terms=None, name="moved")
    found = predictions_of(study, (study.models[0], model))
    found = found.set_index(["model", "replicate", "method", "predictor", "term"])["mse"]
    slopes = found.xs("coef_x|unit", level="term")["full"]
    moved = found.xs("coef_I(x - 40)|unit", level="term")["moved"]
    np.testing.assert_allclose(moved, slopes, rtol=1e-6)
    columns = unit_columns(scenario, model)
    assert columns.change.tolist() == [[1.0, 40.0], [0.0, 1.0]]
    # Near the rows' mean an intercept is known far better than 40 away from it
    found = found.drop("average", level="predictor").xs("coef_(Intercept)|unit", level="term")
    assert found["moved"].max() < 1.0 < found["full"].min()


@pytest.mark.parametrize(
    ("formula", "reasons"),
    [
        ("y ~ x + (1 | unit)", ("",)),
        ("y ~ 1 + (1 | unit)", ("",)),  # the truth less some terms
        ("y ~ x + (1 + x:a | unit)", ("", "in a unit a does not vary")),
        (
            "y ~ I(x^2) + (1 | unit)",
            ("x of the truth is no combination of (Intercept) and I(x^2)",),
        ),
    ],
    ids=["intercepts", "less", "product", "none"],
)
def test_what_has_a_true_coefficient(formula, reasons):
    assert unit_columns(study_of().scenarios[0], Model("m", formula)).reasons == reasons


ONE_WAY = """
name: one_way
seed: 11
replicates: 3000
truth:
  formula: y ~ 1 + (1 | unit)
  fixed: {(Intercept): 2}
  random: {unit: {sd: {(Intercept): 1.2}}}
  residual: {sd: 1}
design: {units: 12, rows: 3}
models: {one: y ~ 1 + (1 | unit)}
estimation: {methods: [reml], predictions: true}
"""


def test_the_errors_of_means_of_units_are_those_of_theory():
    """Balanced random intercepts: m units of n rows, s = sigma^2 / n, v = tau^2 + s, f = m(n - 1).

    Least squares is a unit's mean, with the error s. The fixed part alone is the mean of all, with
    tau^2 + v/m - 2 tau^2/m. REML's prediction moves the unit's mean to that of all by the share
    (m - 1) s^ / S, S the sum of squares of means and s^ = MSW / n, independent: by Stein's lemma
    its error is

        s + (s^2 / v) [(m - 1)^2 (1 + 2/f) - 2 (m - 1)(m - 3)] / (m (m - 3)),

    but for the data sets, here 1 of 500, whose share would be more than 1. With known variances it
    would be s - (s^2 / v)(m - 1) / m, which is tau^2 (1 - lambda) + (1 - lambda)^2 v / m.
    """
    m, n, tau2 = 12, 3, 1.44
    s, f = 1 / n, m * (n - 1)
    v = tau2 + s
    lost = ((m - 1) ** 2 * (1 + 2 / f) - 2 * (m - 1) * (m - 3)) / (m * (m - 3))
    expected = {
        "least_squares": s,
        "average": tau2 + v / m - 2 * tau2 / m,
        "blup": s + s**2 / v * lost,
    }
    known = s - s**2 / v * (m - 1) / m
    assert known == pytest.approx(tau2 * s / v + (s / v) ** 2 * v / m)
    found = measures_of(Study.from_text(ONE_WAY))
    for predictor, value in expected.items():
        row = found.loc["prediction_mse", predictor]
        assert abs(row["estimate"] - value) < 4 * row["mcse"], predictor
    row = found.loc["prediction_mse", "blup"]
    assert row["estimate"] - known > 5 * row["mcse"]
    row = found.loc["prediction_ratio", "blup"]
    assert abs(row["estimate"] - expected["blup"] / s) < 4 * row["mcse"]
    assert row["mcse"] < 0.01


def test_with_many_units_the_error_of_a_prediction_is_that_of_known_variances():
    """tau^2 (1 - lambda), the conditional variance; lambda = tau^2 / (tau^2 + sigma^2 / n)."""
    text = ONE_WAY.replace("units: 12", "units: 4000").replace("3000", "60")
    row = measures_of(Study.from_text(text)).loc["prediction_mse", "blup"]
    assert abs(row["estimate"] - 1.44 / (1 + 3 * 1.44)) < 4 * row["mcse"]
    assert row["mcse"] < 0.002


def test_the_error_of_least_squares_is_its_variance():
    """sigma^2 (Z'Z)^{-1}, whatever the random effects are."""
    study = study_of(x=GRID, replicates=1500)
    full = [model for model in study.models if model.name == "full"]
    own = measures_of(study, full).loc[[("prediction_mse", "least_squares")]]
    Z = np.column_stack([np.ones(6), np.arange(6)])
    for term, value in zip(
        ("coef_(Intercept)|unit", "coef_x|unit"), np.diag(np.linalg.inv(Z.T @ Z)), strict=True
    ):
        for _, row in own[own["term"] == term].iterrows():
            assert abs(row["estimate"] - value) < 4 * row["mcse"]


def test_measures_are_those_of_the_formulas():
    rng = np.random.default_rng(5)
    n = 50
    blup, apart = rng.gamma(3, size=n), rng.gamma(4, size=n)
    paired = blup * rng.uniform(0.9, 1.1, n)
    blup[3] = paired[3] = np.nan
    contestants = tuple(Contestant("m", "ml", name) for name in ("blup", "least_squares"))
    values = np.array([[blup, paired], [apart, apart]])
    arrays = TermArrays(
        "unit_coefficient", "coef_x|g", contestants, np.full(2, np.nan), ERRORS, values
    )
    some = rng.uniform(size=n) < 0.7
    masks = {"all": None, "converged": some, "absent_as_miss": None}
    found, least = (prediction_measures(arrays, place, masks) for place in (0, 1))
    for policy, mask in (("all", np.ones(n, dtype=bool)), ("converged", some)):
        known = mask & np.isfinite(blup)
        s, a, b = blup[known], paired[known], apart[known]
        error, ratio = s.std(ddof=1) / np.sqrt(len(s)), a.mean() / b.mean()
        expected = {
            "prediction_mse": (s.mean(), error),
            "prediction_rmse": (np.sqrt(s.mean()), error / (2 * np.sqrt(s.mean()))),
            "prediction_ratio": (ratio, (a - ratio * b).std(ddof=1) / np.sqrt(len(s)) / b.mean()),
            "prediction_difference": ((a - b).mean(), (a - b).std(ddof=1) / np.sqrt(len(s))),
        }
        for measure, of_formula in expected.items():
            value = found[policy][measure]
            np.testing.assert_allclose([value.estimate, value.mcse], of_formula, rtol=1e-10)
            assert value.robust == value.mcse
            assert value.n == len(s)
        assert least[policy]["prediction_mse"].n == mask.sum()
        assert found[policy]["n_total"].estimate == n
        assert "prediction_ratio" not in least[policy]
    assert list(found["absent_as_miss"]) == ["n_total"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictions")
    path = folder / "study.yaml"
    grid = "grid: {design.rows: [4, 8]}"
    policies = "policies: [all, nonsingular]"
    text = BASE.format(**SOME | {"replicates": 150, "more": f"{grid}\n{policies}", "rows": 4})
    path.write_text(text)
    found = make_results(folder, study=path)
    plan = Plan.read(found / "plan.json")
    summarize_results(plan, found)
    return plan, found


def test_the_whole_path_to_the_table(results):
    plan, folder = results
    kept = read_frame(folder / "predictions.parquet")
    measures = read_frame(folder / "measures.parquet")
    write_all(plan, folder, strict=True)
    table = pd.read_csv(folder / "tables" / "performance_predictions.csv")
    assert len(table) == 2 * 2 * 3 * (2 + 1)  # rows, methods, predictors, coefficients
    names = {s.key: level["rows"] for s, level in zip(plan.scenarios, plan.levels, strict=True)}
    for row in table.to_dict("records"):
        own = kept[
            (kept["scenario"].map(names) == row["rows"])
            & (kept["model"] == row["model"])
            & (kept["method"] == row["method"])
            & (kept["term"] == row["term"])
        ]
        mse = own[own["predictor"] == row["predictor"]]["mse"].to_numpy()
        apart = own[own["predictor"] == "least_squares"]["mse"].to_numpy()
        assert row["prediction_mse"] == pytest.approx(mse.mean(), rel=1e-12)
        assert row["prediction_rmse"] == pytest.approx(np.sqrt(mse.mean()), rel=1e-12)
        assert row["n_total"] == row["prediction_mse_n"] == 150
        if row["predictor"] != "least_squares":
            assert row["prediction_ratio"] == pytest.approx(mse.mean() / apart.mean(), rel=1e-12)
    page = (folder / "tables" / "performance_predictions.html").read_text()
    assert "Predicted (BLUP)" in page
    assert "(Intercept) of units" in page
    of_units = measures[measures["kind"] == "unit_coefficient"]
    assert of_units["true"].isna().all()
    assert set(of_units["term"]) == {"coef_(Intercept)|unit", "coef_x|unit"}


def test_policies_choose_the_fits_whose_predictions_count(results):
    _, folder = results
    keys = ["scenario", "model", "method", "replicate"]
    fits = read_frame(folder / "fits.parquet").astype(dict.fromkeys(keys[:3], object))
    kept = read_frame(folder / "predictions.parquet").astype(dict.fromkeys(keys[:3], object))
    kept = kept.merge(fits[[*keys, "singular"]], on=keys)
    measures = read_frame(folder / "measures.parquet")
    own = measures[measures["measure"] == "prediction_mse"]
    assert set(own["policy"]) == {"all", "nonsingular"}
    some = kept[~kept["singular"].astype(bool)]
    assert 0 < len(some) < len(kept)
    by = ["scenario", "model", "method", "term", "predictor"]
    expected = some.astype({"term": object, "predictor": object}).groupby(by)["mse"].mean()
    found = own[own["policy"] == "nonsingular"].set_index([*by[:4], "inference"])["estimate"]
    found.index.names = by
    pd.testing.assert_series_equal(found.sort_index(), expected, check_names=False, rtol=1e-12)


def test_the_figure_has_a_row_for_each_coefficient_and_a_mark_for_each_predictor(results):
    _, folder = results
    figure = prediction_errors(read_frame(folder / "measures.parquet"))
    assert len(figure.axes) == 3
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown[:3] == ["Predicted (BLUP)", "Least squares of the unit", "Fixed part alone"]
    with pytest.raises(InputError, match="no measure of predictions"):
        prediction_errors(read_frame(folder / "measures.parquet"), "bias")


def test_check_says_what_is_predicted(tmp_path, capsys):
    path = tmp_path / "study.yaml"
    other = "  odd: y ~ I(x^2) + (1 | unit)\nestimation"
    path.write_text(BASE.format(**SOME).replace("estimation", other))
    assert main(["check", str(path), "--no-pilot"]) == 0
    said = capsys.readouterr().out
    assert "each unit has its own" in said
    assert "odd: no true value of " in said


def test_where_nothing_is_true_predictions_are_refused(tmp_path):
    text = BASE.format(**SOME)
    start, stop = text.index("  full:"), text.index("estimation:")
    with pytest.raises(InputError, match="no model has a coefficient of units") as caught:
        Study.from_text(text[:start] + "  odd: y ~ I(x^2) + (1 | unit)\n" + text[stop:])
    assert caught.value.path == "estimation.predictions"
    (tmp_path / "own.py").write_text(
        "def draw(rng, values, first, last):\n"
        "    shape = (last - first + 1, values['units'], values['rows'])\n"
        "    return {'y': rng.normal(size=shape)}\n"
    )
    text = ONE_WAY.replace("rows: 3}", "rows: 3, generator: 'own.py:draw'}")
    with pytest.raises(InputError, match="draws the response") as caught:
        Study.from_text(text, file=tmp_path / "study.yaml", allow_code=True)
    assert caught.value.path == "estimation.predictions"


def test_the_plan_knows_what_predictions_cost():
    study = study_of()
    silent = [replace(model, predictions=False) for model in study.models]
    scenario = study.scenarios[0]
    asked, plain = (replicate_cost(scenario, models) for models in (study.models, silent))
    assert asked.seconds > plain.seconds
    assert asked.kept_bytes > plain.kept_bytes
    assert make_plan(study).kinds == ("estimates", "fits", "predictions")


@pytest.mark.parametrize("name", ["blup", "ranef", "predict", "predicted"])
def test_other_names_of_the_key_find_it(name):
    with pytest.raises(InputError) as caught:
        Study.from_text(BASE.format(**SOME).replace("predictions:", f"{name}:"))
    assert caught.value.suggestion == "predictions"
