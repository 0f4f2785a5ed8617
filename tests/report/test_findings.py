"""Findings against frames whose answers are known, and against a real study by brute force."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from hlm.criteria import USUAL
from hlm.plan import Plan
from hlm.report.band_finding import coverage_findings, size_findings
from hlm.report.bias_finding import bias_findings
from hlm.report.choice_finding import choice_findings
from hlm.report.fit_finding import fit_findings
from hlm.report.found import findings
from hlm.report.power_finding import power_findings
from hlm.report.violation_finding import violation_findings
from hlm.results import read_frame
from hlm.results.shown import with_words
from hlm.scenario import Model
from tests.results import make_results, summarize_results
from tests.synthetic_results import MODELS, made_accounting, made_results, made_study

MINUS = "\N{MINUS SIGN}"
ONE = (Model("m", "y ~ x + (1 | g)"),)


def rows(measure, values, **columns):
    """Return rows of one measure over numbers of units, one for each value."""
    n = len(values)
    base = {
        "scenario": [f"{k:016x}" for k in range(n)],
        "units": [10 * (k + 1) for k in range(n)],
        "model": "m",
        "method": "reml",
        "term": "x",
        "kind": "coefficient",
        "true": 0.5,
        "inference": "satterthwaite",
        "measure": measure,
        "estimate": values,
        "mcse": 0.01,
        "n": 400,
    }
    return with_words(pd.DataFrame(base | columns))


def test_bias_is_counted_and_the_furthest_is_named():
    (found,) = bias_findings(rows("bias", [0.01, -0.03, 0.0196, 0.0], inference=""))
    assert found.sentence == (
        "1 of 4 estimates of the bias of fixed effects is further than 1.96 MCSEs from 0; by "
        "chance alone about 0.2 would be."
    )
    assert found.details == (
        (
            f"Furthest, by 3.0 MCSEs: x, 20 units: bias {MINUS}0.030 (MCSE 0.010), {MINUS}6.0% of "
            "the true value 0.5."
        ),
    )


def test_no_bias_is_never_claimed():
    (found,) = bias_findings(rows("bias", [0.01, -0.01]))
    assert found.sentence.startswith("None of 2 estimates of the bias of fixed effects are further")
    assert "by chance alone about 0.1 would be" in found.sentence
    assert found.details == ()
    assert "no bias" not in found.sentence


def test_the_largest_bias_against_its_true_value_is_named_if_it_is_another():
    frame = rows("bias", [0.05, 0.03], true=[5.0, 0.1])
    (found,) = bias_findings(frame)
    (line,) = found.details
    assert "Furthest, by 5.0 MCSEs: x, 10 units: bias 0.050 (MCSE 0.010), 1.0% of" in line
    assert "largest of these against its true value: x, 20 units" in line
    assert "30.0% of the true value 0.1" in line


def test_a_bias_of_which_all_data_sets_have_the_same_is_seen():
    (found,) = bias_findings(rows("bias", [-0.5, 0.0], mcse=0.0))
    assert found.sentence.startswith("1 of 2")
    assert "in all data sets alike" in found.details[0]


def test_models_are_told_apart():
    frame = pd.concat([rows("bias", [0.05, 0.0]), rows("bias", [0.0, 0.0], model="other")])
    (found,) = bias_findings(frame)
    assert "x, 10 units, model m" in found.details[0]
    assert [line[:10] for line in found.by_model] == ["m: 1 of 2;"]


def test_both_parts_have_a_finding():
    frame = pd.concat([rows("bias", [0.0]), rows("bias", [0.0], kind="sigma", term="sigma")])
    assert [one.title for one in bias_findings(frame)] == [
        "Bias, fixed effects",
        "Bias, random part",
    ]


def test_coverage_leaves_its_band_by_the_error_at_the_nominal_level():
    """With n = 400 the band is .95 ± 1.96 sqrt(.95 * .05/400) = .92864 to .97136."""
    values = [0.928, 0.929, 0.971, 0.972]
    (found,) = coverage_findings(rows("coverage", values), ONE)
    assert found.sentence == (
        "2 of 4 coverages of intervals of fixed effects lie outside 95% ± 1.96 MCSEs (92.9% to "
        "97.1%), 1 too low and 1 too high; by chance alone about 0.2 would. They go from 92.8% to "
        "97.2%."
    )
    assert found.details == (
        "Lowest: x, 10 units: 92.8% (MCSE 1). Highest: x, 40 units: 97.2% (MCSE 1).",
    )


def test_the_band_is_of_the_replicates_that_count():
    (found,) = coverage_findings(rows("coverage", [0.90, 0.90], n=[400, 40]), ONE)
    assert found.sentence.startswith("1 of 2 coverages")
    assert "95% ± 1.96 MCSEs, too low;" in found.sentence


def test_the_level_is_the_models_own():
    model = (Model("m", "y ~ x + (1 | g)", level=0.9),)
    (found,) = coverage_findings(rows("coverage", [0.90, 0.95]), model)
    assert "1 of 2 coverages of intervals of fixed effects lies outside 90% ±" in found.sentence


def test_where_coverage_is_low_is_said_by_the_levels_of_the_grid():
    frame = rows("coverage", [0.8, 0.85, 0.95, 0.95])
    (found,) = coverage_findings(frame, ONE)
    assert "(all too low have 10 or 20 units)" in found.details[0]


def test_size_is_of_true_hypotheses_alone():
    frame = rows("rejection", [0.05, 0.09, 0.7], true=[0.0, 0.0, 0.5])
    (found,) = size_findings(frame, ONE)
    assert found.sentence == (
        "1 of 2 rejection rates of true hypotheses lies outside 5% ± 1.96 MCSEs (2.9% to 7.1%), "
        "too high; by chance alone about 0.1 would. They go from 5.0% to 9.0%."
    )


def test_without_a_true_hypothesis_nothing_is_said_of_size():
    (found,) = size_findings(rows("rejection", [0.5, 0.9]), ONE)
    assert "nothing is seen of the size" in found.sentence
    assert not list(size_findings(rows("bias", [0.5]), ONE))


def test_power_crosses_the_goal_between_two_levels():
    (found,) = power_findings(rows("rejection", [0.3, 0.79, 0.81, 0.9], mcse=0.02))
    assert found.sentence == (
        "Power is 80% or more in 2 of 4 cases (a test in a scenario by one way to fit), and 2 are "
        "within 1.96 MCSEs of it."
    )
    assert found.details == (
        (
            "x: 30.0% (MCSE 2; 10 units) to 90.0% (MCSE 2; 40 units); reaches 80% between 20 and "
            "30 units."
        ),
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.9, 0.95], "is 80% or more from 10 to 20 units"),
        ([0.1, 0.2], "stays below 80% from 10 to 20 units"),
        ([0.9, 0.7], "falls below 80% between 10 and 20 units"),
        ([0.9, 0.7, 0.9], "crosses 80% more than once from 10 to 30 units"),
    ],
)
def test_power_is_followed_along_a_size(values, words):
    (found,) = power_findings(rows("rejection", values))
    assert words in found.details[0]


def test_power_is_followed_for_each_combination_of_the_other_factors():
    parts = [
        rows("rejection", values, cor=cor)
        for cor, values in ((0.0, [0.5, 0.9]), (0.5, [0.5, 0.6]), (0.9, [0.85, 0.9]))
    ]
    (found,) = power_findings(pd.concat(parts))
    assert (
        "reaches 80% between 10 and 20 units in 1 of 3 combinations of the other factors "
        "(correlation 0); stays below 80% from 10 to 20 units in 1 of 3 combinations of the other "
        "factors (correlation 0.5); is 80% or more from 10 to 20 units in 1 of 3"
    ) in found.details[0]


def test_power_is_not_of_true_hypotheses_nor_of_the_intercept():
    frame = pd.concat(
        [
            rows("rejection", [0.05], true=0.0),
            rows("rejection", [1.0], term="(Intercept)"),
            rows("rejection", [0.4], term="z"),
        ]
    )
    (found,) = power_findings(frame)
    assert found.sentence.startswith("Power is 80% or more in 0 of 1 case ")
    assert [line[:2] for line in found.details] == ["z:"]
    (asked,) = power_findings(frame, ["(Intercept)"])
    assert [line[:12] for line in asked.details] == ["(Intercept):"]


def test_a_test_whose_hypothesis_is_false_has_power_and_one_of_unknown_value_has_none():
    test = rows("rejection", [0.7], kind="test", term="F(t)", true=np.nan)
    unknown = rows("rejection", [0.7], true=np.nan)
    (found,) = power_findings(pd.concat([test, unknown]))
    assert [line[:5] for line in found.details] == ["F(t):"]


def selection_rows(rates, **columns):
    """Return how often `MODELS` are chosen at numbers of units, a row of rates for each."""
    frames = [
        pd.DataFrame(
            {"scenario": f"{k:016x}", "units": units, "criterion": "aic", "method": "ml",
             "model": MODELS, "rate": of, "mcse": 0.01, "n": 500} | columns
        )
        for k, (units, of) in enumerate(rates.items())
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def made_choices(rates):
    study = made_study({"units": tuple(rates)})
    formulas = ("y ~ x * a + (1 + x | unit)", "y ~ x + (1 + x | unit)", "y ~ x * a + (1 | unit)")
    study.models = tuple(Model(n, f) for n, f in zip(MODELS, formulas, strict=True))
    study.selection = USUAL
    return study


def test_the_model_that_is_chosen_most_often_is_named_with_where():
    rates = {10: (0.3, 0.6, 0.1), 30: (0.7, 0.2, 0.1), 100: (0.9, 0.1, 0.0)}
    (found,) = choice_findings(selection_rows(rates), made_choices(rates))
    assert found.sentence.startswith("The formula of slopes_on_a is that of the truth.")
    assert found.details == (
        (
            "AIC, ML: slopes_on_a in 2 of 3 scenarios (70.0% to 90.0%; 30 or 100 units); "
            "ignoring_a in 1 of 3 scenarios (60.0%; 10 units)."
        ),
    )


def test_the_true_model_is_named_also_where_it_is_never_first():
    rates = {10: (0.3, 0.6, 0.1), 30: (0.2, 0.7, 0.1)}
    (found,) = choice_findings(selection_rows(rates), made_choices(rates))
    assert found.details[0].endswith("slopes_on_a nowhere (20.0% to 30.0%).")


def test_reml_of_other_fixed_parts_is_noted():
    rates = {10: (0.3, 0.6, 0.1), 30: (0.2, 0.7, 0.1)}
    reml = selection_rows(rates, method="reml")
    (found,) = choice_findings(reml, made_choices(rates))
    assert "REML criteria" in found.details[-1]


def accounts(failed, singular):
    """Return the outcomes of 100 fits at each number of units."""
    frames = []
    for k, (bad, zero) in enumerate(zip(failed, singular, strict=True)):
        counts = {"converged": 100 - bad, "singular": zero, "ok": 100 - bad, "not_converged": bad}
        frames.append(
            pd.DataFrame(
                {"scenario": f"{k:016x}", "units": 10 * (k + 1), "model": "m", "method": "ml",
                 "outcome": list(counts), "count": list(counts.values()), "n": 100}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_fits_that_fail_and_fits_that_are_singular_are_counted():
    (found,) = fit_findings(accounts([0, 3], [20, 0]))
    assert found.sentence.startswith("Of 200 fits 3 (1.5%) failed, and 20 (10.0%) are singular")
    assert found.details == (
        "How they failed: not converged 3.",
        "Most failures: 3.0% (20 units).",
        "Most singular fits: 20.0% (10 units).",
    )
    (none,) = fit_findings(accounts([0, 0], [0, 0]))
    assert none.sentence.startswith("Of 200 fits none failed, and none are singular")
    assert none.details == ()


def violated_rows():
    """Return rates of rejection of two twins, with their differences."""
    nominal = rows("rejection", [0.05, 0.8], true=[0.0, 0.5], assumptions="nominal")
    twins = rows("rejection", [0.09, 0.6], true=[0.0, 0.5], assumptions="heavy tails")
    measures = pd.concat([nominal, twins], ignore_index=True)
    differences = twins.assign(
        factor="assumptions", against="nominal", difference=[0.04, -0.2], mcse=[0.01, 0.01]
    ).drop(columns=["estimate", "true"])
    return measures, differences


def test_what_a_violation_changes_is_said_with_both_rates():
    (found,) = violation_findings(*violated_rows())
    assert found.sentence.startswith("1 of 1 difference of size is further than 1.96 MCSEs from 0")
    assert found.details == (
        (
            "Size, heavy tails: most by +4.0 percentage points (MCSE 1), from 5.0% to 9.0% (x, 10 "
            "units)."
        ),
        (
            f"Power, heavy tails: most by {MINUS}20.0 percentage points (MCSE 1), from 80.0% to "
            "60.0% (x, 20 units)."
        ),
    )


def test_without_violations_there_is_no_finding_on_them():
    measures, differences = violated_rows()
    assert not list(violation_findings(measures, differences.assign(factor="method")))


def test_a_finding_that_fails_costs_no_other(tmp_path, monkeypatch, capsys):
    folder = written(tmp_path)

    def fail(*_):
        raise ZeroDivisionError("why")

    monkeypatch.setattr("hlm.report.found.power_findings", fail)
    found = {one.title: one for one in findings(made_study(), folder)}
    assert "ZeroDivisionError: why" in found["Power"].sentence
    assert "Bias, fixed effects" in found
    assert "ZeroDivisionError" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        findings(made_study(), folder, strict=True)


def written(folder):
    """Write made-up results into a folder."""
    measures, selection = made_results()
    measures["inference"] = ""
    measures.to_parquet(folder / "measures.parquet")
    selection.to_parquet(folder / "selection.parquet")
    made_accounting(measures).to_parquet(folder / "accounting.parquet")
    measures.iloc[:0].assign(factor="").to_parquet(folder / "differences.parquet")
    return folder


def test_counts_of_a_made_study_by_brute_force(tmp_path):
    folder = written(tmp_path)
    found = {one.title: one for one in findings(made_study(), folder, strict=True)}
    frame = pd.read_parquet(folder / "measures.parquet")
    fixed = frame[frame["kind"] == "coefficient"]
    bias = fixed[fixed["measure"] == "bias"]
    outside = sum(abs(b) > 1.96 * e for b, e in zip(bias["estimate"], bias["mcse"], strict=True))
    assert found["Bias, fixed effects"].sentence.startswith(f"{outside} of {len(bias)} ")
    covered = fixed.loc[fixed["measure"] == "coverage", "estimate"]
    half = 1.96 * (0.95 * 0.05 / 2000) ** 0.5
    low, high = (covered < 0.95 - half).sum(), (covered > 0.95 + half).sum()
    sentence = found["Coverage, fixed effects"].sentence
    assert sentence.startswith(f"{low + high} of {len(covered)} ")
    assert f"{low} too low and {high} too high" in sentence
    assert f"from {100 * covered.min():.1f}% to {100 * covered.max():.1f}%" in sentence


def test_findings_of_a_real_study_are_what_its_files_say(tmp_path):
    folder = make_results(tmp_path)
    plan = Plan.read(folder / "plan.json")
    summarize_results(plan, folder)
    found = {one.title: one for one in findings(plan, folder, strict=True)}
    measures = read_frame(folder / "measures.parquet")
    bias = measures[(measures["measure"] == "bias") & (measures["kind"] == "coefficient")]
    z = (bias["estimate"] / bias["mcse"]).abs()
    count = found["Bias, fixed effects"].sentence.split(" ")[0]
    assert (0 if count == "None" else int(count)) == (z > 1.96).sum()
    accounting = read_frame(folder / "accounting.parquet")
    singular = accounting.loc[accounting["outcome"] == "singular", "count"].sum()
    fits = len(read_frame(folder / "fits.parquet"))
    assert found["Fits"].sentence.startswith(f"Of {fits} fits none failed, and {singular} (")
    best = read_frame(folder / "selection.parquet").query("criterion == 'bic' and method == 'ml'")
    first = best.loc[best.groupby("scenario")["rate"].idxmax(), "model"].value_counts().index[0]
    (line,) = [one for one in found["Selection"].details if one.startswith("BIC, ML: ")]
    assert re.match(f"BIC, ML: {first} in ", line)
