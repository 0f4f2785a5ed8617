"""Violated assumptions: twins of the nominal scenarios, and their paired differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.linalg import toeplitz

from hlm.errors import InputError
from hlm.figures import robustness
from hlm.figures.gallery import draw
from hlm.measures.arrays import VALUES, Contestant, TermArrays
from hlm.measures.violations import from_nominal
from hlm.plan import Plan, chunking, holdings
from hlm.plan.report import figure_names, table_names
from hlm.plan.rounds import Standing
from hlm.results import SUMMARIES, read_frame
from hlm.results.violated import read_rejections
from hlm.simulate import draw_rows
from hlm.stages import summarize as stage
from hlm.study import Study
from hlm.tables.writing import write_all
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL

from .results import make_results, summarize_results
from .test_figures import drawn_series

VIOLATIONS = ("chisq(1) effects", "ar1 0.4", "missing 0.1")
BASE = """\
name: robust
seed: 5
replicates: 300
truth:
  formula: y ~ x + a + (1 | unit)
  fixed: {(Intercept): 0, x: 0.2, a: 0}
  random: {unit: {sd: {(Intercept): 0.3}}}
  residual: {sd: 1}
design:
  units: 12
  rows: 5
  covariates: {x: {level: row, distribution: normal}, a: {level: unit, balanced: [0, 1]}}
grid: {design.units: [12, 24]}
models: {full: y ~ x + a + (1 | unit), less: y ~ x + (1 | unit)}
estimation: {tests: {both: [x, a]}, predictions: true, lrt: {of_a: [a]}}
selection: {criteria: [aic], estimate: selected}
policies: [all, nonsingular, absent_as_miss]
"""
ROBUST = f"{BASE}robust: [{', '.join(VIOLATIONS)}]\n"
FIT = ["scenario", "model", "method"]


def made(folder, text, *, batch_seconds=30.0):
    """Return the plan, the folder and the summaries of a study."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    results = make_results(folder, study=path, batch_seconds=batch_seconds)
    plan = Plan.read(results / "plan.json")
    return plan, results, summarized(plan, results)


def summarized(plan, results):
    summarize_results(plan, results)
    return {kind: read_frame(results / f"{kind}.parquet") for kind in SUMMARIES}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return made(tmp_path_factory.mktemp("robust"), ROBUST, batch_seconds=0.02)


def of_assumptions(tables, **where):
    """Return differences from the nominal scenario, of the first policy unless one is named."""
    found = tables["differences"]
    found = found[found["factor"] == "assumptions"]
    for name, value in {"policy": "all", **where}.items():
        found = found[found[name] == value]
    return found


def twins(plan):
    """Yield each scenario with a violation beside that without."""
    for scenario in plan.scenarios:
        if scenario.twin_of:
            yield scenario, plan.scenario(scenario.twin_of)


# The arithmetic of pairs, from the files of replicates


def test_every_rate_is_paired_as_by_brute_force_and_none_is_left_out(study):
    plan, results, tables = study
    estimates = read_frame(results / "estimates.parquet")
    own = estimates[estimates["term"].isin(["(Intercept)", "x", "a"])]
    rejects = (own["lower"] > 0) | (own["upper"] < 0)
    known = own["lower"].notna()
    own = own.assign(rejects=np.where(known, rejects.astype(float), np.nan))
    rows = of_assumptions(tables, measure="rejection", kind="coefficient")
    rows = rows[rows["model"].isin(["full", "less"])].set_index([*FIT, "term"])
    count = 0
    for violated, nominal in twins(plan):
        one, two = (
            own[own["scenario"] == each.key]
            .set_index(["model", "method", "term", "replicate"])
            .sort_index()
            for each in (violated, nominal)
        )
        for fit, mine in one.groupby(["model", "method", "term"], observed=True):
            pairs = pd.concat([mine.loc[fit]["rejects"], two.loc[fit]["rejects"]], axis=1).dropna()
            p, q = pairs.to_numpy().T
            n = len(p)
            variance = (np.var(p, ddof=1) + np.var(q, ddof=1) - 2 * np.cov(p, q)[0, 1]) / n
            b, c = np.sum((p == 1) & (q == 0)), np.sum((p == 0) & (q == 1))
            mcnemar = ((b + c) / n - ((b - c) / n) ** 2) / (n - 1)
            assert variance == pytest.approx(mcnemar, rel=1e-9, abs=1e-15)
            row = rows.loc[(violated.key, *fit)]
            assert row["difference"] == pytest.approx((b - c) / n, abs=1e-12)
            assert row["mcse"] == pytest.approx(np.sqrt(mcnemar), rel=1e-9, abs=1e-12)
            assert row["n"] == n == 300
            count += 1
    assert count == len(rows) == 2 * 3 * 2 * (3 + 2)


@pytest.mark.parametrize(
    ("measure", "of"),
    [
        ("bias", lambda own: own["estimate"]),
        ("ci_width", lambda own: own["upper"] - own["lower"]),
        ("coverage", lambda own: ((own["lower"] <= 0.2) & (own["upper"] >= 0.2)).astype(float)),
    ],
)
def test_means_are_paired_as_by_brute_force(study, measure, of):
    plan, results, tables = study
    own = read_frame(results / "estimates.parquet")
    own = own[(own["term"] == "x") & (own["model"] == "full") & (own["method"] == "reml")]
    own = own.assign(value=of(own)).set_index(["scenario", "replicate"])["value"]
    rows = of_assumptions(tables, measure=measure, term="x", model="full", method="reml")
    rows = rows.set_index("scenario")
    for violated, nominal in twins(plan):
        gap = own.loc[violated.key] - own.loc[nominal.key]
        assert rows.loc[violated.key, "difference"] == pytest.approx(gap.mean(), abs=1e-12)
        assert rows.loc[violated.key, "mcse"] == pytest.approx(gap.std() / np.sqrt(300), rel=1e-9)
    assert len(rows) == 6


def test_tests_and_shares_of_fits_are_paired_as_by_brute_force(study):
    plan, results, tables = study
    tests = read_frame(results / "tests.parquet").set_index(["scenario", "test", "model", "method"])
    fits = read_frame(results / "fits.parquet").set_index(["scenario", "model", "method"])
    rows = of_assumptions(tables, measure="rejection", term="F(both)").set_index(FIT)
    singular = of_assumptions(tables, measure="singular", policy="").set_index(FIT)
    failed = of_assumptions(tables, measure="failed", policy="").set_index(FIT)
    for violated, nominal in twins(plan):
        for method in ("reml", "ml"):
            p, q = (
                tests.loc[(each.key, "both", "full", method)].set_index("replicate")["p_value"]
                for each in (violated, nominal)
            )
            gap = (p < 0.05).astype(float) - (q < 0.05)
            row = rows.loc[(violated.key, "full", method)]
            assert row["difference"] == pytest.approx(gap.mean(), abs=1e-12)
            assert row["mcse"] == pytest.approx(gap.std() / np.sqrt(300), rel=1e-9, abs=1e-12)
            p, q = (
                fits.loc[(each.key, "less", method)].set_index("replicate")["singular"]
                for each in (violated, nominal)
            )
            gap = p.astype(float) - q.astype(float)
            row = singular.loc[(violated.key, "less", method)]
            assert row["difference"] == pytest.approx(gap.mean(), abs=1e-12)
            assert row["mcse"] == pytest.approx(gap.std() / np.sqrt(300), rel=1e-9, abs=1e-12)
    assert (failed["difference"] == 0).all()
    assert len(failed) == len(singular) == 6 * (2 * 2 + 2)  # the model that AIC chooses has rates
    assert set(of_assumptions(tables, measure="rejection")["term"]) >= {"LRT(of_a)", "F(both)"}


def test_policies_count_the_pairs_of_which_both_fits_count(study):
    plan, results, tables = study
    fits = read_frame(results / "fits.parquet").set_index(["scenario", "model", "method"])
    own = read_frame(results / "estimates.parquet").set_index(
        ["scenario", "model", "method", "term"]
    )
    rows = of_assumptions(tables, measure="bias", term="x", policy="nonsingular").set_index(FIT)
    for violated, nominal in twins(plan):
        counted, found = [], []
        for each in (violated, nominal):
            fit = (each.key, "full", "reml")
            of_fit = fits.loc[fit].set_index("replicate")
            counted.append(~of_fit["singular"].astype(bool) & (of_fit["status"] == "ok"))
            found.append(own.loc[(*fit, "x")].set_index("replicate")["estimate"])
        both = counted[0] & counted[1]
        gap = (found[0] - found[1])[both]
        row = rows.loc[(violated.key, "full", "reml")]
        assert row["n"] == both.sum() < 300
        assert row["difference"] == pytest.approx(gap.mean(), abs=1e-12)
    misses = of_assumptions(tables, policy="absent_as_miss")
    assert set(misses["measure"]) == {"coverage", "rejection"}


def test_pairs_have_smaller_errors_than_scenarios_by_themselves(study):
    """A tenth of the rows less leaves nearly the same estimate of a slope within units."""
    plan, _, tables = study
    rows = of_assumptions(tables, measure="bias", term="x", model="full", method="reml")
    own = tables["measures"]
    own = own[(own["measure"] == "bias") & (own["term"] == "x") & (own["policy"] == "all")]
    own = own[(own["model"] == "full") & (own["method"] == "reml")].set_index("scenario")["mcse"]
    for row in rows.itertuples():
        alone = np.hypot(own[row.scenario], own[plan.scenario(row.scenario).twin_of])
        if row.assumptions == "chisq(1) effects":
            assert row.mcse < 0.5 * alone  # it moves the slope only through the weights of units
        if row.assumptions == "missing 0.1":
            # Of a mean of n numbers, 90 % of them kept: var(difference) = var(1/0.9 - 1).
            assert row.mcse / own[row.scenario] == pytest.approx(np.sqrt(0.1), abs=0.12)


def test_a_scenario_with_more_replicates_is_paired_as_far_as_both_go():
    def arrays(estimates):
        values = np.full((1, len(VALUES), len(estimates)), np.nan)
        values[0, 0] = estimates
        return TermArrays(
            "coefficient", "x", (Contestant("m", "ml", "w"),), np.zeros(1), VALUES, values
        )

    one, two = np.array([1.0, 4.0, 2.0, 9.0, 9.0]), np.array([0.0, 1.0, 2.0])
    rows = {row[8]: row[9:] for row in from_nominal(arrays(one), arrays(two))}
    assert rows["bias"][0] == pytest.approx(4 / 3)
    assert rows["bias"][1] == pytest.approx(np.std([1, 3, 0], ddof=1) / np.sqrt(3))
    assert rows["bias"][2] == 3


def test_scenarios_of_which_one_has_more_replicates_are_paired_as_far_as_both_go(study, tmp_path):
    plan, results, _ = study
    numbers = {s.key: 300 if s.twin_of else 200 for s in plan.scenarios}
    grown = replace(plan, standing=Standing(numbers, dict.fromkeys(numbers, True)))
    summarize_results(grown, tmp_path, results / "parts")
    differences = read_frame(tmp_path / "differences.parquet")
    of_pairs = differences[differences["factor"] == ASSUMPTIONS]
    assert of_pairs[of_pairs["measure"] == "failed"]["n"].eq(200).all()
    own = read_frame(results / "estimates.parquet")
    own = own[(own["term"] == "x") & (own["model"] == "full") & (own["method"] == "reml")]
    own = own[own["replicate"] < 200].set_index(["scenario", "replicate"])["estimate"]
    rows = of_pairs[of_pairs["measure"] == "bias"].set_index([*FIT, "term", "policy"])["difference"]
    for violated, nominal in twins(plan):
        wanted = (own.loc[violated.key] - own.loc[nominal.key]).mean()
        assert rows[violated.key, "full", "reml", "x", "all"] == pytest.approx(wanted, abs=1e-12)


# Twins


def assert_same(one, other):
    """Compare two tables to the last bit."""
    for each in (one, other):
        labels = each.select_dtypes("category").columns
        each[labels] = each[labels].astype(str)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), other.reset_index(drop=True), check_exact=True
    )


def test_the_nominal_numbers_are_those_of_the_study_without_violations(study, tmp_path):
    plan, results, tables = study
    alone, other, others = made(tmp_path, BASE)
    nominal = [s.key for s in plan.scenarios if not s.twin_of]
    assert [s.key for s in alone.scenarios] == nominal
    for kind in ("estimates", "fits", "tests", "predictions"):
        mine = read_frame(results / f"{kind}.parquet")
        assert_same(mine[mine["scenario"].isin(nominal)], read_frame(other / f"{kind}.parquet"))
    for kind in SUMMARIES:
        mine = tables[kind]
        mine = mine[mine["scenario"].isin(nominal)]
        assert_same(mine.drop(columns=ASSUMPTIONS), others[kind])
    assert plan.levels[plan.example] == {"units": 12, ASSUMPTIONS: NOMINAL}


def test_a_twin_has_a_key_of_its_own_and_the_streams_of_the_nominal_scenario():
    robust, plain = Study.from_text(ROBUST), Study.from_text(BASE)
    alone = Study.from_text(BASE.replace("residual: {sd: 1}", "residual: {sd: 1, ar1: 0.4}"))
    assert [level[ASSUMPTIONS] for level in robust.levels] == 2 * [NOMINAL, *VIOLATIONS]
    for place, nominal in enumerate(plain.scenarios):
        first, *violated = robust.scenarios[4 * place : 4 * place + 4]
        assert first == nominal
        assert {s.streams for s in violated} == {nominal.key}
        assert len({nominal.key, *(s.key for s in violated)}) == 4
        twin, same = violated[1], alone.scenarios[place]
        assert twin.key != same.key
        assert replace(twin, key=same.key, twin_of="") == same


def test_with_common_random_numbers_twins_have_those_of_all():
    study = Study.from_text(f"{ROBUST}common_random_numbers: true\n")
    assert {s.streams for s in study.scenarios} == {"0" * 16}
    assert [bool(s.twin_of) for s in study.scenarios] == 2 * [False, True, True, True]


def rows_of(violation, **changes):
    """Return a replicate with and without a violation, of the same random numbers."""
    text = BASE
    for old, new in changes.values():
        text = text.replace(old, new)
    nominal, violated = Study.from_text(f"{text}robust: [{violation}]\n").scenarios[:2]
    return [pd.DataFrame(draw_rows(each, 5, 7)) for each in (nominal, violated)]


TINY_RESIDUALS = ("residual: {sd: 1}", "residual: {sd: 1e-9}")
TINY_EFFECTS = ("(Intercept): 0.3", "(Intercept): 1e-9")


def test_what_is_not_violated_is_the_same_number():
    for violation in VIOLATIONS[:2]:
        nominal, violated = rows_of(violation)
        pd.testing.assert_frame_equal(nominal[["unit", "x", "a"]], violated[["unit", "x", "a"]])
    nominal, violated = rows_of("chisq(1) effects")
    gap = (violated["y"] - nominal["y"]).groupby(nominal["unit"])
    assert (gap.max() - gap.min()).max() < 1e-12  # the residuals
    assert gap.first().abs().min() > 1e-6
    for violation in ("t(5) residuals", "ar1 0.4", "variance by unit cv 0.5"):
        nominal, violated = rows_of(violation, without=TINY_RESIDUALS)
        assert np.abs(violated["y"] - nominal["y"]).max() < 1e-6  # the effects
        nominal, violated = rows_of(violation, without=TINY_EFFECTS)
        assert np.abs(violated["y"] - nominal["y"]).max() > 0.1
    first = nominal.groupby("unit").cumcount() == 0
    nominal, violated = rows_of("ar1 0.4")
    assert np.abs(violated["y"] - nominal["y"])[first].max() < 1e-12
    nominal, violated = rows_of("missing 0.1")
    both = nominal.merge(violated, on=["unit", "x", "a"], suffixes=("_all", "_left"))
    assert 0 < len(both) == len(violated) < len(nominal)
    assert (both["y_all"] == both["y_left"]).all()
    nominal, violated = rows_of("sizes cv 0.5", without=TINY_RESIDUALS, slope=("x: 0.2", "x: 0"))
    unit = nominal.groupby("unit")[["a", "y"]].first(), violated.groupby("unit")[["a", "y"]].first()
    pd.testing.assert_frame_equal(*unit, atol=1e-6, rtol=0)


def test_sizes_have_the_mean_of_each_point_of_the_grid():
    text = ROBUST.replace("design.units: [12, 24]", "design.rows: [4, 8]")
    study = Study.from_text(text.replace("missing 0.1", "sizes cv 0.5"))
    pairs = zip(study.scenarios, study.levels, strict=True)
    sizes = [scenario.n_rows for scenario, level in pairs if "sizes" in level[ASSUMPTIONS]]
    assert [(one.mean, one.cv) for one in sizes] == [(4, 0.5), (8, 0.5)]


def test_phrases_say_what_paths_say():
    phrases = Study.from_text(
        f"{BASE}robust: [t(5) residuals, variance by unit cv 0.5, dropout 0.3, sizes cv 0.5]\n"
    )
    paths = Study.from_text(
        f"""{BASE}robust:
  heavy tails: {{truth.residual.distribution: t(5)}}
  variances: {{truth.residual.variance: {{by: unit, cv: 0.5}}}}
  who leaves: {{design.missing.dropout: {{weibull: {{share: 0.3}}}}}}
  sizes: {{design.rows: {{mean: 5, cv: 0.5}}}}
"""
    )
    assert phrases.scenarios == paths.scenarios
    assert paths.levels[1] == {"units": 12, ASSUMPTIONS: "heavy tails"}
    several = Study.from_text(f"{BASE}robust: {{both: [t(5) residuals, ar1 0.4]}}\n").scenarios[1]
    assert str(several.residuals) == "StudentT(df=5.0)"
    assert several.autocorrelation.cor == 0.4


def test_fractions_of_the_grid_keep_violations_where_they_keep_what_these_violate():
    some = f"{ROBUST}leave_out: [{{units: 24, assumptions: [ar1 0.4, missing 0.1]}}]\n"
    study = Study.from_text(some)
    assert len(study.scenarios) == 6
    assert [s.twin_of == study.scenarios[4].key for s in study.scenarios] == [*5 * [False], True]
    kept = Study.from_text(f"{ROBUST}keep: [{{units: 12}}]\n")
    assert len(kept.scenarios) == 4


def test_a_study_that_reaches_a_precision_has_twins_too():
    text = ROBUST.replace("replicates: 300", "replicates: {until: {bias: 0.05}, at_least: 200}")
    assert sum(bool(s.twin_of) for s in Study.from_text(text).scenarios) == 6


# Chunks


def test_a_chunk_has_the_batches_of_the_nominal_scenario(study, tmp_path, monkeypatch):
    plan, results, tables = study
    monkeypatch.setattr(chunking, "CHUNK_SECONDS", 1e-9)
    cut = chunking.chunks(plan)
    assert [len(chunk) for chunk in cut] == 8 * [1]
    for chunk, held in zip(cut, holdings(plan), strict=True):
        needed = {chunk[0].key, chunk[0].twin_of}
        wanted = [b.name for b in plan.batches if {part.scenario for part in b.ranges} & needed]
        assert held == wanted
    assert any(set(held) < {b.name for b in plan.batches} for held in holdings(plan))
    summarize_results(plan, tmp_path, results / "parts")
    for kind, table in tables.items():
        pd.testing.assert_frame_equal(read_frame(tmp_path / f"{kind}.parquet"), table)


def test_terms_one_at_a_time_give_the_same(study, tmp_path, monkeypatch):
    plan, results, tables = study
    monkeypatch.setattr(stage, "ROWS", 0)
    summarize_results(plan, tmp_path, results / "parts")
    for kind, table in tables.items():
        pd.testing.assert_frame_equal(read_frame(tmp_path / f"{kind}.parquet"), table)


# Known sizes


def reject_rate(folder, text, term):
    """Return rates of rejection and their differences, by the level of the assumptions."""
    _, _, tables = made(folder, text)
    own = tables["measures"]
    own = own[(own["measure"] == "rejection") & (own["term"] == term)].set_index(ASSUMPTIONS)
    gap = of_assumptions(tables, measure="rejection", term=term).set_index(ASSUMPTIONS)
    return own, gap


def test_the_size_with_ignored_autocorrelation_is_that_of_least_squares_algebra(tmp_path):
    """Of a trend in balanced data, least squares within units: var(b) = t'Vt/(m S^2).

    The model takes it for s^2/(m S), with s^2 the mean square within units, without the trend.
    """
    m, n, rho = 150, 6, 0.5
    text = f"""\
name: ar1
seed: 3
replicates: 2000
truth:
  formula: y ~ t + (1 | unit)
  fixed: {{(Intercept): 0, t: 0}}
  random: {{unit: {{sd: {{(Intercept): 1}}}}}}
  residual: {{sd: 1}}
design:
  units: {m}
  rows: {n}
  covariates: {{t: {{level: row, grid: {{from: 0, to: {n - 1}}}}}}}
models: {{intercepts: y ~ t + (1 | unit)}}
estimation: {{methods: [reml], df: infinite}}
robust: [ar1 {rho}]
"""
    own, gap = reject_rate(tmp_path, text, "t")
    t = np.arange(n) - (n - 1) / 2
    S, V = t @ t, toeplitz(rho ** np.arange(n))
    true = t @ V @ t / S**2 / m
    within = np.trace((np.eye(n) - 1 / n) @ V) * m - true * m * S  # expected squares, slope fitted
    model = within / (m * (n - 1) - 1) / (m * S)
    z = stats.norm.isf(0.025)
    size = {NOMINAL: 0.05, "ar1 0.5": 2 * stats.norm.sf(z * np.sqrt(model / true))}
    assert size["ar1 0.5"] > 0.1
    for name, expected in size.items():
        error = np.sqrt(expected * (1 - expected) / 2000)
        assert abs(own.loc[name, "estimate"] - expected) < 4 * error
    (row,) = gap.itertuples()
    assert abs(row.difference - (size["ar1 0.5"] - 0.05)) < 4 * row.mcse
    assert row.mcse < 0.9 * np.hypot(*own["mcse"])


def test_skewed_effects_leave_the_size_of_a_test_between_many_units(tmp_path):
    """Of two groups of 60 means each t is near enough: its error is of the order of 1/60."""
    text = (
        BASE.replace("replicates: 300", "replicates: 2000")
        .replace("grid: {design.units: [12, 24]}", "")
        .replace("units: 12", "units: 120")
        .replace("models: {full: y ~ x + a + (1 | unit), less: y ~ x + (1 | unit)}", MODEL)
        .split("estimation")[0]
    )
    own, gap = reject_rate(tmp_path, f"{text}{REML}robust: [chisq(1) effects]\n", "a")
    for row in own.itertuples():
        assert abs(row.estimate - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 2000)
    (row,) = gap.itertuples()
    assert abs(row.difference) < 4 * row.mcse


MODEL = "models: {full: y ~ x + a + (1 | unit)}"
REML = "estimation: {methods: [reml]}\n"


# The table and the figure


def test_the_table_has_all_rates_and_their_differences(study):
    plan, results, tables = study
    write_all(plan, results, strict=True)
    table = pd.read_csv(results / "tables" / "robustness.csv")
    assert list(table["assumptions"].unique()) == list(VIOLATIONS)
    of_models = {"full": 3 + 2, "less": 2, "aic": 3 + 2}  # coefficients and tests
    rows = of_assumptions(tables, measure="rejection")
    rows = rows[rows["kind"].isin(["coefficient", "test", "ratio_test"])]
    assert len(table) == len(rows) >= 2 * 3 * 2 * (of_models["full"] + of_models["less"])
    measures = tables["measures"]
    measures = measures[(measures["measure"] == "rejection") & (measures["policy"] == "all")]
    keys = ["term", "units", "model", "method", "assumptions"]
    by_key = measures.set_index(keys).sort_index()
    both = [name for name in ("inference",) if name in table]
    gaps = rows.set_index([*keys, *both])
    for row in table.to_dict("records"):
        of_nominal = by_key.loc[tuple({**row, "assumptions": NOMINAL}[key] for key in keys)]
        of_violated = by_key.loc[tuple(row[key] for key in keys)]
        if both:
            of_nominal, of_violated = (
                pd.DataFrame(one[one["inference"] == row["inference"]])
                for one in (of_nominal, of_violated)
            )
        for name, one in (("nominal", of_nominal), ("violated", of_violated)):
            assert row[name] == pytest.approx(one["estimate"].squeeze(), rel=1e-12)
            assert row[f"{name}_mcse"] == pytest.approx(one["mcse"].squeeze(), rel=1e-12)
        assert row["difference"] == pytest.approx(row["violated"] - row["nominal"], abs=1e-12)
        gap = gaps.loc[tuple(row[key] for key in [*keys, *both])]
        assert row["difference_mcse"] == pytest.approx(gap["mcse"], rel=1e-12)
        known = not np.isnan(row["true"])
        assert row["rate"] == ({0.0: "size", 0.2: "power"}[row["true"]] if known else "rejection")


def test_the_figure_has_a_panel_for_each_term_and_violation(study):
    plan, results, tables = study
    figure = draw("robustness", plan, results)
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in panels[:3]] == list(VIOLATIONS)
    rows = of_assumptions(tables, term="(Intercept)", measure="rejection", method="reml")
    for ax, name in zip(panels, VIOLATIONS, strict=False):
        own = rows[(rows["assumptions"] == name) & (rows["model"] == "full")].sort_values("units")
        _, heights, bars = drawn_series(ax)["full"]
        assert heights == pytest.approx(own["difference"])
        assert bars == pytest.approx(1.959963984540054 * own["mcse"])
        assert any(np.allclose(line.get_ydata(), 0.0) for line in ax.lines)


def test_power_and_size_of_a_term_have_a_row_each(study):
    plan, results, _ = study
    measures, differences = read_rejections(plan, results)
    measures, differences = (
        one[(one["term"] == "x") & (one["model"] == "full")] for one in (measures, differences)
    )
    true = np.where(measures["units"] == 24, 0.2, 0.0)  # as if units decided
    figure = robustness(measures.assign(true=true), differences, method="reml")
    panels = [ax for ax in figure.axes if ax.axison]
    names = ["x\npower, true: 0.2\n24 units", "x\nsize, true: 0\n12 units"]
    assert [ax.get_title() for ax in panels] == names
    first = differences[(differences["policy"] == "all") & (differences["method"] == "reml")]
    for ax, units in zip(panels, (24, 12), strict=True):
        own = first[first["units"] == units].set_index("assumptions")["difference"]
        assert drawn_series(ax)["full"][1] == pytest.approx(own[list(VIOLATIONS)])


def test_one_violation_is_named_at_the_axis(study):
    plan, results, _ = study
    measures, differences = read_rejections(plan, results)
    few = differences[differences["assumptions"] == "ar1 0.4"]
    assert "(ar1 0.4)" in robustness(measures, few).get_supylabel()
    with pytest.raises(InputError, match="no rate of rejection"):
        robustness(measures, differences[:0])


def test_only_studies_with_violations_have_them(study):
    plan, *_ = study
    assert "robustness" in figure_names(plan)
    assert "robustness" in table_names(plan)
    plain = Study.from_text(BASE)
    assert "robustness" not in (*figure_names(plain), *table_names(plain))


# Mistakes

PHRASES = (
    "chisq(1) effects, t(5) residuals, ar1 0.3, variance by unit cv 0.5, sizes cv 0.5, missing 0.1"
)


@pytest.mark.parametrize(
    ("robust", "path", "fragments"),
    [
        ("[ar(1) 0.3]", "robust[0]", ("'ar(1) 0.3' is no", PHRASES, "'ar1 0.3'?")),
        ("[chisq(1)]", "robust[0]", ("did you mean 'chisq(1) effects'?",)),
        ("[t(5) random effects]", "robust[0]", ("did you mean 't(5) effects'?",)),
        ("[chisqq(2) residuals]", "robust[0]", ("no distribution", "'chisq(1) residuals'?")),
        ("[t(5) errors]", "robust[0]", ("did you mean 't(5) residuals'?",)),
        ("[sizes 0.4]", "robust[0]", ("did you mean 'sizes cv 0.4'?",)),
        ("[attrition 20%]", "robust[0]", ("did you mean 'dropout 0.2'?",)),
        ("[heteroscedasticity]", "robust[0]", ("'variance by unit cv 0.5'?",)),
        ("{a: [ar1 0.2, foo]}", "robust.a[1]", ("'foo' is no violated assumption", "a list under")),
        ("ar1 0.3", "robust", ("a list of violations", "did you mean '[ar1 0.3]'?")),
        ("[]", "robust", ("there is nothing in it",)),
        ("{a: 5}", "robust.a", ("5 is not allowed", "a mapping of paths to values")),
        ("{nominal: ar1 0.3}", "robust.nominal", ("the study itself", "other names")),
        ("[normal effects]", "robust[0]", ("nothing is violated", "assumptions = normal effects")),
        ("{same: {design.rows: 5}}", "robust.same.design.rows", ("nothing is violated",)),
        ("[t(5) effects, t(5.0)  effects]", "robust[1]", ("is 't(5) effects' once more",)),
        ("{a: ar1 0.3, b: {truth.residual.ar1: 0.3}}", "robust.b", ("'b' is 'a' once more",)),
        ("{a: [t(5) effects, t(4) effects]}", "robust.a[1]", ("violated twice",)),
        ("{a: {design.units: 40}}", "robust.a.design.units", ("is on the grid",)),
        ("{a: {truth.residual.arr: 0}}", "robust.a.truth.residual.arr", ("'truth.residual.ar1'?",)),
        ("[ar1 1.5]", "robust[0]", ("1.5 is not allowed", "below 1")),
        ("{a: {truth.residual.ar1: 1.5}}", "robust.a.truth.residual.ar1", ("below 1",)),
        ("[missing 1.2, dropout 3]", "robust[0]", ("1.2 is not allowed",)),
    ],
)
def test_mistakes_are_said_with_what_is_right(robust, path, fragments):
    with pytest.raises(InputError) as caught:
        Study.from_text(f"{BASE}robust: {robust}\n")
    first = caught.value.errors[0]
    assert first.path.startswith(path)
    assert all(fragment in str(caught.value) for fragment in fragments)
    assert "line " in str(first.file)


def test_all_mistakes_are_said_at_once():
    text = BASE.replace("seed: 5", "seed: five") + "robust: [foo, ar1 2, ar2 0.3]\n"
    with pytest.raises(InputError) as caught:
        Study.from_text(text)
    paths = [error.path for error in caught.value.errors]
    assert paths == ["seed", "robust[0]", "robust[2]"]


@pytest.mark.parametrize(
    ("more", "path", "fragment"),
    [
        ("keep: [{units: 12, assumptions: ar1 0.4}]", "keep", "has no scenario without violation"),
        ("leave_out: [{units: 24, assumptions: nominal}]", "leave_out", "assumptions: nominal"),
        ("keep: [{units: 12, assumptions: ar1 0.5}]", "keep[0].assumptions", "'ar1 0.4'?"),
    ],
)
def test_a_violation_without_what_it_violates_is_refused(more, path, fragment):
    with pytest.raises(InputError) as caught:
        Study.from_text(f"{ROBUST}{more}\n")
    assert caught.value.path == path
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("grid: {design.units: [12, 24]}", "grid: {assumptions: {b: {design.units: 24}}}"),
        ("x: {level: row,", "assumptions: {level: row, distribution: normal}, x: {level: row,"),
    ],
)
def test_nothing_else_is_called_assumptions(old, new):
    with pytest.raises(InputError, match="'assumptions' is the factor of the violations"):
        Study.from_text(ROBUST.replace(old, new))


def test_unequal_sizes_need_a_mean_to_keep():
    with pytest.raises(InputError, match="no unequal sizes can be made of") as caught:
        Study.from_text(f"{BASE}robust: [sizes cv 0.5]\n".replace("rows: 5", "rows: {poisson: 5}"))
    assert caught.value.path == "robust[0]"
