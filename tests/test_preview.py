"""`hlm preview` and `Study.preview`: the replicates of a run, in memory, growing on the screen."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import nct, t

from hlm import InputError, Study
from hlm.cli import live_table, main
from hlm.fits import warm_up
from hlm.plan import Plan
from hlm.results import read_frame
from hlm.simulate import draw_rows
from hlm.study.elsewhere import find_value, numeric_values, scenarios_at
from hlm.whatif import pieces
from tests.results import TINY, make_results, summarize_results

PREVIEW = import_module("hlm.whatif.preview")  # the package has a function of that name
CONFIG = Path(__file__).parents[1] / "config"
EVERYTHING = Path(__file__).parent / "everything.yaml"
SUMMARIES = ("measures", "differences", "accounting", "selection")
REPLICATES = ("estimates", "fits", "tests")


@pytest.fixture(scope="module")
def tiny():
    return Study.load(TINY)


def in_order(frame, names):
    """Return rows in an order of their own, names as text."""
    frame = frame[names].copy()
    words = [name for name in names if not pd.api.types.is_numeric_dtype(frame[name])]
    for name in words:
        frame[name] = frame[name].astype(str)
    by = [*words, *(name for name in ("replicate",) if name in names)]
    return frame.sort_values(by).reset_index(drop=True)


def test_the_numbers_are_those_that_a_run_keeps(tiny, tmp_path):
    results = make_results(tmp_path)
    summarize_results(Plan.read(results / "plan.json"), results)
    found = tiny.preview(replicates=tiny.replicates)
    for kind in (*REPLICATES, *SUMMARIES):
        ours, kept = getattr(found, kind), read_frame(results / f"{kind}.parquet")
        names = [name for name in ours if name in kept]
        assert {*kept} - {"units"} <= {*names}, kind
        assert len(kept) > 0
        one, other = in_order(ours, names), in_order(kept, names)
        pd.testing.assert_frame_equal(one, other, check_exact=True, check_dtype=False, obj=kind)


def test_neither_cores_nor_pieces_change_a_number(tiny, monkeypatch):
    alone = tiny.preview(replicates=1150, cores=1)
    monkeypatch.setattr(pieces, "SECONDS", 0.0)
    cut = tiny.preview(replicates=1150, cores=3)
    assert [*map(len, alone.pieces.values())] == [2, 2]
    assert [*map(len, cut.pieces.values())] == [6, 6]
    for kind in (*REPLICATES, *SUMMARIES):
        one, other = getattr(alone, kind), getattr(cut, kind)
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_some_terms_are_what_they_are_among_all(tiny):
    every, some = tiny.preview(replicates=100), tiny.preview(replicates=100, terms=["x:a", "line"])
    wanted = every.measures[every.measures["term"].isin(["x:a", "F(line)", ""])]
    pd.testing.assert_frame_equal(
        some.measures, wanted.reset_index(drop=True), check_exact=True, check_dtype=False
    )
    pd.testing.assert_frame_equal(some.estimates, every.estimates)


TRIAL = {
    "name": "trial",
    "seed": 11,
    "replicates": 100,
    "truth": {
        "formula": "y ~ arm + (1 | school)",
        "fixed": {"(Intercept)": 0, "arm": 0.6},
        "random": {"school": {"sd": {"(Intercept)": 0.5}}},
        "residual": {"sd": 1},
    },
    "design": {
        "units": 20,
        "rows": 25,
        "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}},
    },
    "models": {"trial": "y ~ arm + (1 | school)"},
    "estimation": {"methods": ["reml"]},
}


def test_power_is_that_of_the_t_test_of_cluster_means():
    """In a balanced trial the test is the t test of the 20 means, of variance 0.25 + 1/25 each."""
    ncp, df = 0.6 / np.sqrt(4.0 * (0.25 + 1.0 / 25.0) / 20.0), 18
    critical = t.ppf(0.975, df)
    true = nct.sf(critical, df, ncp) + nct.cdf(-critical, df, ncp)
    measures = Study.of(**TRIAL).preview(replicates=4000, terms="arm").measures
    (row,) = measures[measures["measure"] == "rejection"].to_dict("records")
    assert row["n"] == 4000
    assert abs(row["estimate"] - true) < 4.0 * np.sqrt(true * (1.0 - true) / 4000)


@pytest.mark.parametrize("mcse", [0.015, 0.01])
def test_it_stops_at_the_error_that_is_asked_for(tiny, mcse):
    found = tiny.preview(replicates=50_000, mcse=mcse, measure="power", terms="x:a")
    estimates = found.estimates[found.estimates["term"] == "x:a"]
    by_fit = estimates.groupby(["units", "method"], observed=True)
    outside = by_fit.apply(lambda fit: ((fit["lower"] > 0) | (fit["upper"] < 0)).mean())
    for units, scenario in zip((8, 12), tiny.scenarios, strict=True):
        n, shares = found.replicates_of(scenario.key), outside[units]
        variance = (shares * (1.0 - shares)).max()
        assert np.sqrt(variance / n) <= mcse
        assert n <= 1.15 * variance / mcse**2 + 100


def test_no_error_is_looked_at_before_some_hundred_replicates(tiny):
    found = tiny.preview(replicates=50_000, mcse=0.4, terms="x:a")
    assert {found.replicates_of(scenario.key) for scenario in tiny.scenarios} == {500}
    few = tiny.preview(replicates=300, mcse=1e-9, terms="x:a")
    assert {few.replicates_of(scenario.key) for scenario in tiny.scenarios} == {300}


def test_a_figure_is_drawn(tiny):
    found = tiny.preview(replicates=50)
    assert isinstance(found.plot(), Figure)
    assert isinstance(found.plot("bias", term="x:a", method="reml"), Figure)


def test_before_the_first_replicate_the_frames_are_empty(tiny):
    nothing = next(PREVIEW.growing(tiny))
    for kind in (*REPLICATES, *SUMMARIES):
        frame = getattr(nothing, kind)
        assert len(frame) == 0
        assert "units" in frame


@pytest.mark.slow
def test_everything_that_a_study_asks_for_is_there():
    study = Study.load(EVERYTHING)
    found = study.preview(replicates=10, scenarios=study.scenarios[:1])
    measures = found.measures
    assert {"bootstrap", "profile", "cr2"} <= {*measures["inference"]}
    for term in ("F(slopes)", "LRT(slope)", "LRT(cross)", "icc_unit", "explained"):
        assert (measures["term"] == term).any(), term
    rates = found.selection.groupby(["criterion", "method"], observed=True)["rate"].sum()
    assert len(rates) > 4
    np.testing.assert_allclose(rates, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"terms": ["x:b"]}, "no model has a term 'x:b'"),
        ({"terms": "a_mattes"}, "no model has a term 'a_mattes'"),
        ({"measure": "powr"}, "'powr' is no measure"),
        ({"replicates": 0}, "0 replicates"),
        ({"cores": 0}, "0 cores"),
        ({"mcse": -0.1}, "-0.1 is not allowed"),
        ({"mcse": float("nan")}, "nan is not allowed"),
    ],
)
def test_mistakes_in_python(tiny, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        tiny.preview(**{"replicates": 100, **options})


# The command


def said(capsys, *arguments, status=0):
    """Return the lines of a preview of the tiny study."""
    assert main(["preview", str(TINY), *arguments]) == status
    captured = capsys.readouterr()
    return (captured.err if status else captured.out).splitlines()


def test_only_the_last_table_is_printed_where_nobody_looks(tiny, capsys, monkeypatch):
    monkeypatch.setattr(pieces, "SECONDS", 0.0)
    head, common, heads, *rows = said(capsys, "2", "--term", "x:a", "--replicates", "400")
    assert head.startswith("tiny: 400 data sets in ")
    assert common == "units 12, model slopes_on_a, x:a, satterthwaite, power"
    assert heads.split() == ["method", "power", "MCSE", "replicates", "failed", "singular"]
    assert [row.split()[0] for row in rows] == ["REML", "ML"]
    estimates = tiny.preview(replicates=400, scenarios=tiny.scenarios[1:]).estimates
    estimates = estimates[(estimates["term"] == "x:a") & (estimates["method"] == "reml")]
    share = ((estimates["lower"] > 0) | (estimates["upper"] < 0)).mean()
    assert rows[0].split()[1] == f"{share:.3f}"
    assert rows[0].split()[2] == f"{np.sqrt(share * (1 - share) / 400):.3f}"


def test_words_for_a_scenario(tiny, capsys):
    key = tiny.scenarios[1].key
    asked = ("--replicates", "60", "--term", "a_matters")
    tables = [said(capsys, word, *asked)[1:] for word in ("2", key, key[:6], "units=12")]
    assert all(table == tables[0] for table in tables)
    assert tables[0][0].startswith("units 12, model slopes_on_a, F(a_matters)")
    both = said(capsys, *asked)[1:]
    assert [row.split()[0] for row in both[2:]] == ["8", "8", "12", "12"]


def test_what_is_tested_is_shown_unless_terms_are_named(capsys):
    text = "\n".join(said(capsys, "1", "--replicates", "60"))
    assert {"x:a", "a", "x", "F(a_matters)", "F(line)"} <= {*text.split()}
    assert "(Intercept)" not in text
    assert "sigma" not in text
    text = "\n".join(said(capsys, "1", "--replicates", "60", "--term", "sigma", "--term", "x"))
    assert "there is no power of sigma" in text


def test_tests_are_terms(tmp_path, capsys):
    """An F test by its degrees of freedom and a ratio test, each with its own p-values."""
    own = {"tests": {"any": ["arm"]}, "lrt": {"without": ["arm"]}, "methods": ["ml"]}
    study = Study.of(**TRIAL | {"estimation": own})
    tests = study.preview(replicates=500).tests
    rejected = (tests["p_value"] < 0.05).groupby(tests["test"].astype(str)).mean()
    file = tmp_path / "trial.yaml"
    file.write_text(study.text)
    words = ("--term", "F(any)", "--term", "without", "--replicates", "500")
    assert main(["preview", str(file), *words]) == 0
    *_, one, other = capsys.readouterr().out.splitlines()
    assert one.split()[:1] == ["F(any)"]
    assert other.split()[:1] == ["LRT(without)"]
    for row, name in ((one, "any"), (other, "without")):
        assert f"{rejected[name]:.3f}" in row.split()
    assert rejected["without"] > rejected["any"]  # a chi-square is too quick with 20 schools


def test_measures_by_their_names(capsys):
    asked = ("1", "--replicates", "80", "--term", "x", "--measure", "width", "--measure", "bias")
    text = "\n".join(said(capsys, *asked))
    assert "ci_width" in text
    assert "bias" in text


def test_the_command_stops_at_an_error(capsys):
    head, *_ = said(capsys, "1", "--term", "x:a", "--mcse", "0.3")
    assert head.startswith("tiny: 500 data sets")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--term", "x:A"], ["no model has a term 'x:A'", "did you mean 'x:a'?"]),
        (["--measure", "powre"], ["'powre' is no measure", "did you mean 'power'?"]),
        (["3"], ["no scenario '3'"]),
        (["units=9"], ["no level '9'", "8, 12"]),
        (["--replicates", "0"], ["0 replicates", "1 or more"]),
        (["--cores", "-1"], ["-1 cores", "1 or more"]),
        (["--mcse", "-1"], ["-1.0 is not allowed", "above 0"]),
        (["--mcse", "0"], ["0.0 is not allowed", "above 0"]),
    ],
)
def test_mistakes_at_the_prompt(capsys, arguments, message):
    text = "\n".join(said(capsys, *arguments, status=2))
    assert all(part in text for part in message), text


def test_a_folder_is_no_study(tmp_path, capsys):
    results = make_results(tmp_path)
    assert main(["preview", str(results)]) == 2
    assert "a folder of results" in capsys.readouterr().err


def test_a_study_that_tests_nothing_says_so(tmp_path, capsys):
    file = tmp_path / "mean.yaml"

    file.write_text(Study.of(**TRIAL | {"models": {"m": "y ~ 1 + (1 | school)"}}).text)
    assert main(["preview", str(file)]) == 2
    assert "no model tests anything but its constant" in capsys.readouterr().err
    assert main(["preview", str(file), "--replicates", "50", "--term", "sigma", "--measure",
                 "mean"]) == 0  # fmt: skip


HALF = TRIAL | {
    "name": "half",
    "truth": TRIAL["truth"] | {"fixed": {"(Intercept)": 0, "arm": 6.0}},
    "design": {
        "units": 6,
        "rows": 4,
        "covariates": {"arm": {"level": "unit", "distribution": "binary", "p": 0.11}},
    },
}


def test_data_sets_without_a_test_are_said_and_no_misses(tmp_path, capsys):
    """Where all six units are in one arm, with chance 0.89^6 + 0.11^6, there is nothing to test."""
    study = Study.of(**HALF)
    (scenario,) = study.scenarios
    arms = [draw_rows(scenario, study.seed, r)["arm"] for r in range(300)]
    there = sum(len(np.unique(arm)) == 2 for arm in arms)
    chance = 0.89**6 + 0.11**6
    assert abs(300 - there - 300 * chance) < 4.0 * np.sqrt(300 * chance * (1.0 - chance))
    file = tmp_path / "half.yaml"
    file.write_text(study.text)
    assert main(["preview", str(file), "--term", "arm", "--replicates", "300"]) == 0
    _, _, heads, row, left_out = capsys.readouterr().out.splitlines()
    assert "of which count" in heads
    power, _, drawn, counted, failed = row.split()[:5]
    assert (int(drawn), int(counted)) == (300, there)
    assert float(power) > 0.95  # an effect of 6 where the standard error is some 0.7
    assert float(failed) == round(100 * (1 - there / 300))
    assert f"{300 - there} of 300 replicates have no test and do not count" in left_out
    assert left_out.endswith(f"counted as no rejections, {float(power) * there / 300:.3f}")


# The screen


class Screen(io.StringIO):
    """A terminal: what is on it after cursor movements, and the longest line that it was given."""

    def __init__(self):
        super().__init__()
        self.lines: list[str] = []
        self.frames: list[list[str]] = []

    def isatty(self):
        return True

    def write(self, text):
        for up, line in re.findall(r"\x1b\[(\d+)F\x1b\[J|([^\x1b\n]*)\n", text):
            if up:
                assert int(up) <= len(self.lines)
                del self.lines[len(self.lines) - int(up) :]
            else:
                self.lines.append(line)
        self.frames.append(list(self.lines))
        return len(text)


@pytest.fixture
def screen(monkeypatch):
    """Return a small terminal, on which every piece of two hundred replicates is shown."""
    monkeypatch.setattr(pieces, "SECONDS", 0.0)
    monkeypatch.setattr(live_table, "PAUSE", 0.0)
    monkeypatch.setattr(live_table, "SHARE", 0)
    monkeypatch.setenv("COLUMNS", "46")
    monkeypatch.setenv("LINES", "12")
    return Screen()


def watched(screen, monkeypatch, *arguments):
    """Preview the tiny study on a screen."""
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["preview", str(TINY), *arguments]) == 0


def test_the_table_grows_in_its_place(screen, monkeypatch):
    watched(screen, monkeypatch, "1", "--term", "x:a", "--replicates", "400")
    heads = [frame[0] for frame in screen.frames]
    assert [int(head.split()[1]) for head in heads] == [0, 200, 400, 400]
    assert [len(frame) for frame in screen.frames] == [1, 5, 5, 5]
    assert all(len(line) < 46 for frame in screen.frames[:-1] for line in frame)
    assert max(map(len, screen.lines)) > 46  # what stays is whole


def test_a_table_longer_than_the_screen_is_cut_while_it_grows(screen, monkeypatch):
    monkeypatch.setenv("LINES", "6")
    watched(screen, monkeypatch, "--replicates", "200")
    *growing, last = screen.frames
    assert all(len(frame) < 6 for frame in growing)
    assert growing[-1][-1] == "..."
    assert len(last) > 12


@pytest.mark.parametrize("rows", ["1", "2"])
def test_a_screen_of_hardly_a_line(screen, monkeypatch, rows):
    monkeypatch.setenv("LINES", rows)
    watched(screen, monkeypatch, "1", "--replicates", "100")
    assert {len(frame) for frame in screen.frames[:-1]} == {1}


def test_ctrl_c_leaves_the_last_table(capsys, monkeypatch):
    def stopped(*arguments, **options):
        yield next(pieces.drawn_and_fitted(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(pieces, "SECONDS", 0.0)
    monkeypatch.setattr(PREVIEW, "drawn_and_fitted", stopped)
    assert main(["preview", str(TINY), "1", "--term", "x:a"]) == 130
    captured = capsys.readouterr()
    assert captured.out.startswith("tiny: 200 data sets")
    assert "REML" in captured.out
    assert captured.err == "stopped\n"


def test_what_is_not_needed_is_not_imported(tiny):
    """Each takes a fifth of a second or more: pandas, matplotlib, what Numba compiles with."""
    warm_up(tiny.models)
    program = (
        "import sys; from hlm.cli import main;"
        f"main(['preview', {str(TINY)!r}, '--term', 'x:a', '--replicates', '20']);"
        "heavy = ('pandas', 'matplotlib', 'scipy.stats', 'scipy.linalg', 'numba.np.arraymath');"
        "sys.exit(' '.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# Scenarios at other values


def of_grid(study, **levels):
    """Return the scenario of a study with these levels."""
    (found,) = (
        scenario
        for scenario, own in zip(study.scenarios, study.levels, strict=True)
        if own == levels
    )
    return found


def test_scenarios_elsewhere_are_those_of_a_grid_that_has_them():
    study = Study.load(CONFIG / "ogorek2012.yaml")
    here = study.scenarios.index(of_grid(study, units=10, rows=15, cor=0.9))
    points = [{"design.units": 30, "design.rows": 5}, {"design.units": 100, "design.rows": 15}]
    found = scenarios_at(study, points, scenario=here)
    assert found[0] == of_grid(study, units=30, rows=5, cor=0.9)
    assert found[1] == of_grid(study, units=100, rows=15, cor=0.9)
    wider = Study.from_text(study.text.replace("design.units: [10, 30, 100]", "design.units: [47]"))
    (other,) = scenarios_at(study, [{"design.units": 47}], scenario=here)
    assert other == of_grid(wider, units=47, rows=15, cor=0.9)
    assert other.n_units == 47


def test_a_number_that_the_grid_does_not_have():
    study = Study.load(CONFIG / "ogorek2012.yaml")
    value = find_value(study, "x:a", place="--vary")
    assert (value.path, value.value, value.gridded) == ("truth.fixed.x:a", 0.3, ())
    (found,) = scenarios_at(study, [{value.path: 0.1}])
    fewer = Study.from_text(study.text.replace('"x:a": 0.3', '"x:a": 0.1'))
    assert found == fewer.scenarios[0]


SIZES = TRIAL | {
    "truth": {
        "formula": "y ~ arm + (1 | school)",
        "fixed": {"(Intercept)": 0},
        "random": {"school": {}},
        "residual": {},
        "effect_sizes": {"icc": 0.2, "total_variance": 4.0, "d": {"arm": 0.4}},
    },
}


def test_effect_sizes_hold_elsewhere():
    """Of a total variance of 4, an ICC of 0.1 is between units, and d is over its root."""
    study = Study.of(**SIZES)
    paths = {one.path for one in numeric_values(study)}
    assert {"design.units", "truth.effect_sizes.icc", "truth.effect_sizes.d.arm"} <= paths
    low, high = scenarios_at(study, [{"truth.effect_sizes.icc": icc} for icc in (0.1, 0.2)])
    assert high == study.scenarios[0]
    assert (low.sd[0] ** 2, low.sigma**2) == pytest.approx((0.4, 3.6))
    assert dict(low.fixed)["arm"] == pytest.approx(0.8)


def test_a_fit_to_a_pilot_holds_elsewhere():
    study = Study.load(CONFIG / "mathachieve_pilot.yaml")
    values = {one.path: one for one in numeric_values(study)}
    here = study.scenarios[0]
    (found,) = scenarios_at(study, [{"design.units": 77}])
    assert found.n_units == 77
    assert (found.fixed, found.sd, found.sigma) == (here.fixed, here.sd, here.sigma)
    assert values["truth.residual.sd"].value == pytest.approx(here.sigma)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"design.units": 0}, "with design.units from 0 to 0"),
        ({"design.units": 2.5}, "2.5 is not allowed"),
        ({"truth.residual.sd": -1.0}, "-1.0 is not allowed"),
    ],
)
def test_values_that_a_study_cannot_have(tiny, point, message):
    with pytest.raises(InputError, match=re.escape(message)):
        scenarios_at(tiny, [point])


@pytest.mark.parametrize(
    ("word", "message"),
    [("unit", "'unit' is no number of the study"), ("x:A", "did you mean 'x:a'?")],
)
def test_words_for_no_number(tiny, word, message):
    with pytest.raises(InputError, match=re.escape(message)):
        find_value(tiny, word, place="--vary")


def test_a_bare_term_is_its_coefficient(tiny):
    """There is a standard deviation of that name too."""
    paths = [one.path for one in numeric_values(tiny) if one.path.endswith(".x")]
    assert paths == ["truth.fixed.x", "truth.random.unit.sd.x"]
    assert find_value(tiny, "x", place="--vary").path == "truth.fixed.x"
    assert find_value(tiny, "sd.x", place="--vary").path == "truth.random.unit.sd.x"
