"""Designs that are found: against closed forms written down here, published power, brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import gamma, sqrt
from pathlib import Path

import pytest
from scipy.optimize import brentq
from scipy.stats import nct, t

from hlm.cli import main
from hlm.errors import InputError
from hlm.solver import Tally
from hlm.study import Study
from hlm.study.sought import Wanted
from hlm.whatif.solving import solve

TRIAL = {
    "name": "trial",
    "seed": 20,
    "replicates": 100,
    "truth": {
        "formula": "y ~ arm + (1 | school)",
        "fixed": {"(Intercept)": 0, "arm": 0.4},
        "effect_sizes": {"icc": 0.2, "total_variance": 1},
    },
    "design": {
        "units": 40,
        "rows": 10,
        "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}},
    },
    "models": {"trial": "y ~ arm + (1 | school)"},
    "estimation": {"methods": ["reml"]},
}
GROWTH = {
    "name": "growth",
    "seed": 21,
    "replicates": 100,
    "truth": {
        "formula": "y ~ time * arm + (1 + time | unit)",
        # Half a sd of the pretest at time 10; V1 of powerlmm's vignette, ratio 0.01.
        "fixed": {"(Intercept)": 0, "time": 0, "arm": 0, "time:arm": 0.5 * sqrt(2) / 10},
        "random": {"unit": {"sd": {"(Intercept)": 1, "time": 0.1}, "cor": 0}},
        "residual": {"sd": 1},
    },
    "design": {
        "units": 40,
        "rows": 11,
        "covariates": {
            "arm": {"level": "unit", "balanced": [0, 1]},
            "time": {"level": "row", "grid": {"from": 0, "to": 10}},
        },
    },
    "models": {"slopes": "y ~ time * arm + (1 + time | unit)"},
    "estimation": {"methods": ["reml"]},
}
ICC = 0.2


def study(**changes):
    return Study.of(**{**TRIAL, **changes})


def with_icc(icc):
    return study(
        truth=TRIAL["truth"] | {"effect_sizes": {"icc": icc, "total_variance": 1}},
    )


def se(units, rows, icc=ICC):
    """The standard error of a difference of two arms of means of equal clusters."""
    return sqrt(4.0 * (icc + (1.0 - icc) / rows) / units)


def power(units, rows=10, effect=0.4, icc=ICC):
    df = units - 2
    limit, ncp = t.ppf(0.975, df), effect / se(units, rows, icc)
    return nct.sf(limit, df, ncp) + nct.cdf(-limit, df, ncp)


def mean_width(units, rows=10):
    """Twice the quantile of t times the expected standard error, a root of a chi-square."""
    df = units - 2
    expected = sqrt(2.0 / df) * gamma((df + 1) / 2) / gamma(df / 2)
    return 2.0 * t.ppf(0.975, df) * se(units, rows) * expected


def near(exact, true):
    """Whether a true value is within 3.3 standard errors of what was found: 1 in 1000 is not."""
    value, low, high = exact
    return abs(value - true) <= 3.3 / 1.96 * max(high - value, value - low)


def test_a_size_is_that_of_noncentral_t():
    true = brentq(lambda units: power(units) - 0.8, 10, 400)
    [one] = solve(study(), target={"power": {"arm": 0.8}}, vary="units", precision=0.03).answers
    assert near(one.exact, true)
    assert one.answer.precise
    assert abs(one.point[0] - true) <= 2.0 + (one.exact[2] - one.exact[1])
    assert one.point[0] % 2 == 0
    [smallest] = [n for n in range(4, 400, 2) if power(n) >= 0.8 > power(n - 2)]
    assert one.closed_size == smallest
    # Fresh replicates are judged by the truth, not by the target that led there.
    tally = one.fresh.tallies[0]
    assert abs(tally.mean - power(one.point[0])) < 3.3 * tally.mcse


def test_a_published_size_of_a_growth_study():
    """powerlmm's vignette: 20 an arm have power .35125795."""
    found = solve(
        Study.of(**GROWTH), target={"power": {"time:arm": 0.35125795}}, vary="units", precision=0.04
    )
    assert near(found.answers[0].exact, 40.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_smallest_effect_is_that_of_noncentral_t(sign):
    true = brentq(lambda effect: power(40, effect=effect) - 0.8, 0.1, 2.0)
    span = {"from": 0, "to": 2} if sign > 0 else {"from": -2, "to": 0}
    found = solve(study(), target={"power": {"arm": 0.8}}, vary={"arm": span}, precision=0.03)
    [one] = found.answers
    assert near(one.exact, sign * true)
    assert one.point[0] == pytest.approx(sign * true, rel=0.1)
    assert found.table["arm"].item() == one.point[0]


def test_the_largest_residual_sd_is_that_of_noncentral_t():
    """What shall be small is sought from above."""
    changed = study(
        truth={
            "formula": "y ~ arm + (1 | school)",
            "fixed": {"(Intercept)": 0, "arm": 0.5},
            "random": {"school": {"sd": {"(Intercept)": 0.3}}},
            "residual": {"sd": 1},
        }
    )

    def at(sd):
        df, error = 38, sqrt(4.0 * (0.09 + sd**2 / 10) / 40)
        return nct.sf(t.ppf(0.975, df), df, 0.5 / error)

    true = brentq(lambda sd: at(sd) - 0.8, 0.2, 3.0)
    found = solve(
        changed,
        target={"power": {"arm": 0.8}},
        vary={"residual.sd": {"from": 0.5, "to": 3}},
        precision=0.04,
    )
    assert near(found.answers[0].exact, true)


def test_a_width_is_that_of_the_closed_form():
    true = brentq(lambda units: mean_width(units) - 0.5, 10, 300)
    [one] = solve(study(), target={"width": {"arm": 0.5}}, vary="units").answers
    assert near(one.exact, true)
    assert one.point[0] == min(n for n in range(4, 300, 2) if mean_width(n) <= 0.5)


def test_the_cheapest_design_costs_what_it_costs_by_brute_force():
    def cost(units, rows):
        return 300 * units + 20 * units * rows

    designs = product(range(10, 301, 2), range(2, 61))
    least = min(cost(*one) for one in designs if power(*one) >= 0.8)
    [one] = solve(
        study(),
        target={"power": {"arm": 0.8}},
        vary={"units": {"from": 10, "to": 300}, "rows": {"from": 2, "to": 60}},
        cost="300 * units + 20 * units * rows",
        precision=0.03,
    ).answers
    units, rows = one.point
    assert cost(units, rows) == pytest.approx(least, rel=0.05)
    assert power(units, rows) == pytest.approx(0.8, abs=0.025)
    # sqrt((1 - ICC)/ICC * 300/20) = 7.7; the cost is flat about it.
    assert 5 <= rows <= 12


def test_the_best_design_within_a_budget_is_that_of_brute_force():
    designs = product(range(10, 301, 2), range(2, 61))
    best = max(power(a, b) for a, b in designs if 300 * a + 20 * a * b <= 30000)
    [one] = solve(
        study(),
        target={"power": {"arm": 0.8}},
        vary={"units": {"from": 10, "to": 300}, "rows": {"from": 2, "to": 60}},
        cost="300 * units + 20 * units * rows",
        budget=30000,
        precision=0.02,
    ).answers
    units, rows = one.point
    assert 300 * units + 20 * units * rows <= 30000
    assert power(units, rows) == pytest.approx(best, abs=0.02)


def test_a_plateau_is_said_with_its_height():
    """Ever more rows do not help where units differ: the variance of units stays."""
    found = solve(
        with_icc(0.3),
        target={"power": {"arm": 0.9}},
        vary={"rows": {"from": 2, "to": 100}},
    )
    [one] = found.answers
    height = power(40, rows=1e9, icc=0.3)
    assert height < 0.75
    assert one.point is None
    assert one.answer.unreached.plateau.low <= height <= one.answer.unreached.plateau.high
    assert "levels off" in found.text
    assert not found.table["reached"].item()


def test_each_point_of_the_grid_has_its_answer():
    """The grid's own levels of what varies are left aside."""
    gridded = study(grid={"truth.effect_sizes.icc": [0.1, 0.3], "design.units": [20, 40]})
    found = solve(gridded, target={"power": {"arm": 0.8}}, vary="units", precision=0.05)
    assert list(found.table["icc"]) == [0.1, 0.3]
    for one in found.answers:
        icc = one.levels["icc"]
        assert near(one.exact, brentq(lambda n, icc=icc: power(n, icc=icc) - 0.8, 10, 400))
    assert "icc" in found.text


def test_a_search_sees_the_numbers_of_the_study():
    """Its replicates are those of the same point in the grid; what is not needed is not fitted."""
    from hlm import solver
    from hlm.study.ranges import ranges_of
    from hlm.study.searches import sought_of
    from hlm.whatif.oracle import Oracle, here
    from hlm.whatif.tallies import needed_models

    gridded = study(
        grid={"design.units": [20, 40]},
        estimation={"df": ["satterthwaite", "residual"], "limits": ["wald-variance", "wald"]},
        solve={"target": {"power": {"arm": 0.8}}, "vary": "units", "inference": "residual"},
    )
    sought = sought_of(gridded)
    [model] = models = needed_models(gridded.models, sought.wanted)
    assert (model.methods, model.df, model.limits) == (("reml",), ("residual",), ("wald",))
    ranges = ranges_of(gridded, sought.varied, 0)
    oracle = Oracle(
        gridded, models, sought.wanted, ranges, scenario=0, draw=here(20), told=lambda _: None
    )
    [(first,), (second,)] = oracle([solver.Ask((40.0,), 0, 100), solver.Ask((20.0,), 100, 300)])
    frame = gridded.preview(replicates=300).estimates
    frame = frame[(frame["inference"] == "residual") & (frame["term"] == "arm")]
    frame = frame[frame["method"] == "reml"]
    hits = (frame["lower"] > 0) | (frame["upper"] < 0)
    of_40 = hits[(frame["units"] == 40) & (frame["replicate"] < 100)]
    of_20 = hits[(frame["units"] == 20) & (frame["replicate"] >= 100)]
    assert (first.n, first.mean) == (100, of_40.mean())
    assert (second.n, second.mean) == (200, pytest.approx(of_20.mean()))


def test_sizes_have_ranges_where_the_user_names_none():
    """Where the least of each is looked for, the others are the whole numbers that a study has."""
    from hlm.study.ranges import ranges_of
    from hlm.study.searches import sought_of

    wanted = {"target": {"power": {"arm": 0.8}}, "cost": "units * (20 + rows)", "budget": 3000}
    both = study(solve={"vary": ["units", "rows"], **wanted})
    ranges = ranges_of(both, sought_of(both).varied, 0)
    for one in ranges.variables:
        assert 1 <= one.least < 20
        assert one.most >= 200
    assert all(isinstance(size, int) for size in ranges.values((20.0, 10.0)).values())


def test_points_are_independent_though_the_study_has_common_random_numbers():
    from hlm.study.elsewhere import scenarios_at

    common = study(common_random_numbers=True)
    points = [{"truth.fixed.arm": 0.1}, {"truth.fixed.arm": 0.2}]
    assert all(one.common_random_numbers for one in scenarios_at(common, points))
    assert not any(
        one.common_random_numbers for one in scenarios_at(common, points, independent=True)
    )


def test_data_sets_without_the_measure_are_in_sight():
    found = solve(study(), target={"power": {"arm": 0.8}}, vary="units", precision=0.2)
    [one] = found.answers
    lost = replace(one.fresh, tallies=(Tally.of_share(1600, 2000, 4000),), failed=(2000,))
    text = replace(found, answers=(replace(one, fresh=lost),)).text
    assert "2,000 of 4,000 data sets have no power of arm and do not count" in text
    assert "counted as misses, 0.400" in text
    assert "50 % failed" in text


def test_what_is_simulated_and_the_closed_form_are_held_against_each_other():
    found = solve(study(), target={"power": {"arm": 0.8}}, vary="units", precision=0.2)
    [one] = found.answers
    off = replace(one.fresh, tallies=(Tally.of_share(2800, 4000),))
    assert "standard errors" not in "".join(
        line for line in found.text.splitlines() if "what was simulated" in line
    )
    text = replace(found, answers=(replace(one, fresh=off),)).text
    distance = (power(one.point[0]) - 0.7) / sqrt(0.7 * 0.3 / 4000)
    assert f"what was simulated is {distance:.1f} standard errors below that" in text


MISTAKES = [
    ({"target": {"power": {"arn": 0.8}}, "vary": "units"}, "solve.target.power.arn", "'arm'"),
    ({"target": {"power": {"arm": 0.05}}, "vary": "units"}, "solve.target.power.arm", "above 0.05"),
    ({"target": {"power": {"arm": 80}}, "vary": "units"}, "solve.target.power.arm", "'0.8'"),
    ({"target": {"power": {"(Intercept)": 0.8}}, "vary": "units"}, "(Intercept)", "0 in the truth"),
    ({"target": {"width": {"F": 1.0}}, "vary": "units"}, "solve.target.width.F", "no model has"),
    ({"target": {"power": {"arm": 0.8}}, "vary": "unit"}, "solve.vary.unit", "'units'"),
    ({"target": {"power": {"arm": 0.8}}, "vary": "arm"}, "solve.vary.arm", "from and to"),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": {"units": {"from": 40, "to": 10}}},
        "solve.vary.units.to",
        "is empty",
    ),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": {"arm": {"from": -1, "to": 1}}},
        "solve.vary.arm",
        "both sides of 0",
    ),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": {"units": {"from": 2, "to": 40}}},
        "solve.vary",
        "cannot be identified",
    ),
    ({"target": {"power": {"arm": 0.8}}, "vary": ["units", "rows"]}, "solve.cost", "which design"),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": ["units", "rows"], "cost": "3 * units"},
        "solve.cost",
        "does not grow with 'rows'",
    ),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": "units", "cost": "3 * unit"},
        "solve.cost",
        "'units'",
    ),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": "units", "budget": 3.0},
        "solve.budget",
        "without a cost",
    ),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": "units", "inference": "wald"},
        "solve.inference",
        "satterthwaite",
    ),
    ({"target": {"power": {"arm": 0.8}}, "vary": "units", "model": "x"}, "solve.model", "trial"),
    (
        {"target": {"power": {"arm": 0.8}}, "vary": ["units", "rows", "arm", "icc"]},
        "solve.vary",
        "at most 3",
    ),
    ({"target": {}, "vary": "units"}, "solve.target", "power, width, coverage, selection"),
    (
        {"target": {"selection": {"aic": {"trial": 0.9}}}, "vary": "units"},
        "solve.target.selection.aic.trial",
        "no other model",
    ),
]


@pytest.mark.parametrize(("part", "path", "words"), MISTAKES, ids=[one[1] for one in MISTAKES])
def test_mistakes_are_said_where_the_study_is_read(part, path, words):
    with pytest.raises(InputError) as caught:
        study(solve=part)
    assert path in str(caught.value)
    assert words in str(caught.value)


def test_all_mistakes_at_once():
    part = {"target": {"power": {"arn": 0.8}}, "vary": {"unit": {}}, "method": "ml"}
    with pytest.raises(InputError) as caught:
        study(solve=part)
    paths = {one.path for one in caught.value.errors}
    assert paths == {"solve.target.power.arn", "solve.vary.unit", "solve.method"}


def test_the_key_changes_no_scenario():
    part = {"target": {"power": {"arm": 0.8}}, "vary": "units"}
    assert study(solve=part).scenarios == study().scenarios


def test_options_stand_for_the_key(tmp_path, capsys):
    file, figure = tmp_path / "trial.yaml", tmp_path / "trial.png"
    file.write_text(study().text, encoding="utf-8")
    options = ["--term", "arm", "--power", "0.7", "--vary", "units=10:100", "--precision", "0.2"]
    assert main(["solve", str(file), *options, "--cores", "1", "--figure", str(figure)]) == 0
    out = capsys.readouterr().out
    assert "trial: power of arm at least 0.7 (model trial, REML, satterthwaite)" in out
    assert "units from 10 to 100, in steps of 2" in out
    assert "To report it:" in out
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nothing of a design"),
        (["--from", "3", "--term", "arm"], "--from without --vary"),
        (["--vary", "units=a:b", "--term", "arm"], "'a:b' is no range"),
        (["--vary", "units", "--term", "arm", "--figure", "a.gif"], "a.gif"),
    ],
)
def test_mistakes_in_options(tmp_path, capsys, options, words):
    file = tmp_path / "trial.yaml"
    file.write_text(study().text, encoding="utf-8")
    assert main(["solve", str(file), *options]) == 2
    assert words in capsys.readouterr().err


def test_what_is_wanted_has_a_name():
    one = Wanted("ci_width", "x", 0.4, "m", "reml", "wald")
    assert (one.label, one.at_least, one.is_share) == ("width of x", False, False)


@pytest.mark.slow
def test_the_workflow_gives_the_same_and_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    """A search that is stopped after a round repeats nothing that is there."""
    from argparse import Namespace

    from hlm.cli import solve_rounds
    from hlm.operations.lock import run_lock

    file = tmp_path / "trial.yaml"
    asked = study(
        solve={"target": {"power": {"arm": 0.8}}, "vary": "units", "precision": 0.05},
        grid={"design.rows": [5, 10]},
    )
    file.write_text(asked.text, encoding="utf-8")
    asked = Study.load(file)
    options = Namespace(
        study=str(file), results=str(tmp_path), profile=None, batch_seconds=None, verbose=False,
        cores=2, allow_code=False, passed_on=[],
    )  # fmt: skip
    folder = solve_rounds.folder_of(asked, tmp_path)
    run_once, rounds = solve_rounds.run_once, []

    def stops(*args, **kwargs):
        if rounds:
            raise KeyboardInterrupt
        rounds.append(1)
        return run_once(*args, **kwargs)

    monkeypatch.setattr(solve_rounds, "run_once", stops)
    with run_lock(folder), pytest.raises(KeyboardInterrupt):
        solve(asked, draw=solve_rounds.Rounds(asked, options))
    monkeypatch.setattr(solve_rounds, "run_once", run_once)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("parts/*.json")}
    assert before
    with run_lock(folder):
        found = solve(asked, draw=solve_rounds.Rounds(asked, options))
    here = solve(asked)
    assert found.table.equals(here.table)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # Asked once more, nothing is computed at all.
    monkeypatch.setattr(solve_rounds, "run_once", lambda *_, **__: pytest.fail("a round"))
    with run_lock(folder):
        again = solve(asked, draw=solve_rounds.Rounds(asked, options))
    assert again.table.equals(found.table)


CONFIG = Path(__file__).parents[1] / "config"


def test_check_says_what_is_sought(capsys):
    assert main(["check", str(CONFIG / "cluster_trial.yaml"), "--no-pilot"]) == 0
    printed = capsys.readouterr().out
    assert (
        "sought: power of arm at least 0.8\n"
        "by units from 10 to 400, rows from 2 to 60\n"
        "cost: 300 * units + 20 * units * rows\n"
    ) in printed
    assert main(["check", str(CONFIG / "few_units.yaml"), "--no-pilot"]) == 0
    assert "sought" not in capsys.readouterr().out
