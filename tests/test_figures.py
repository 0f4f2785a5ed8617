"""Tests of the figures: what is drawn is what the tables say, on every kind of grid."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Ellipse

from hlm import datasets, figures, tables
from hlm.errors import InputError
from hlm.figures import chosen_figure, example_units, gallery
from hlm.figures.departures import ellipse_axes
from hlm.figures.facets import arrange
from hlm.figures.lines import lines_of_fit
from hlm.measures import share_limits
from hlm.model import lmer
from hlm.operations.leftovers import remove_leftovers
from hlm.pictures.arrangement import arrangements
from hlm.pictures.figure_catalogue import EXAMPLES, LAYOUT_OF, SECTIONS, SPECIAL
from hlm.plan.report import CAPTIONED, figure_names, figure_pages, planned_figures
from hlm.scenario import Covariate, Model, Scenario
from hlm.words.levels import WORDS
from tests.synthetic_results import (
    FIXED,
    MODELS,
    WORDS_OF,
    made_accounting,
    made_results,
    made_scenario,
    made_study,
    with_inferences,
)

MODEL = (Model("m", "y ~ 1 + (1 | unit)"),)
REFERENCE = Path(__file__).parent / "reference"
CAPTIONS = Path(__file__).parents[1] / "workflow" / "report"
NOMINAL = "nominal level, 95%, ±1.96 Monte Carlo SE"
FIXED_IN_ORDER = ("(Intercept)", "a", "x")
EIGHT = tuple(f"model_number_{k}" for k in range(8))
GRIDS = {
    "none": {},
    "units": {"units": (10, 20, 30)},
    "one category": {"shape": ("normal", "t", "skewed")},
    "two": {"units": (10, 30, 100), "rows": (5, 30)},
    "no units": {"rows": (5, 15), "skew": (0, 1)},
    "four": {"units": (10, 30, 2000), "rows": (5, 15), "cor": (0.0, 0.5, 0.9), "sd.x_1": (1, 2)},
    "many levels": {"units": (10, 30), "rows": tuple(range(5, 50, 5)), "cor": (-0.5, 0.0, 0.9)},
}


def drawn_series(ax, method="REML"):
    """Return model -> (x, y, half-lengths of the bars) of the series of a panel, of one method."""
    found = {}
    for container in ax.containers:
        line, _, (bars,) = container
        model, fitted_by = container.get_label().split(", ")
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        halves = (ends[:, 1] - ends[:, 0]) / 2
        if fitted_by == method:
            found[model] = (line.get_xdata(), line.get_ydata(), halves)
    return found


def drawn_units(figure):
    """Return the ends of the units' lines in a picture of them, (n_units, 2, 2)."""
    (lines,) = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    return np.array(lines.get_segments())


def legend_texts(figure):
    (legend,) = figure.legends
    return [legend.get_title().get_text(), *(text.get_text() for text in legend.get_texts())]


def texts(figure):
    found = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    return [text for text in found if text]


def overlaps(figure):
    """Return the pairs of written texts whose boxes overlap, and texts that leave the figure."""
    figure.draw_without_rendering()
    shown = [
        (text.get_text(), _written(text))
        for text in figure.findobj(mpl.text.Text)
        if text.get_text().strip() and text.get_visible() and not _is_hidden_tick(figure, text)
    ]
    whole = figure.bbox
    faults = [t for t, box in shown if box.x0 < -1 or box.y0 < -1 or box.x1 > whole.x1 + 1]
    faults += [t for t, box in shown if box.y1 > whole.y1 + 1]
    for k, (one, box) in enumerate(shown):
        faults += [(one, two) for two, other in shown[k + 1 :] if _inner(box).overlaps(other)]
    return faults


def _written(text):
    """Return the box of a text without the blank lines above it."""
    box, words = text.get_window_extent(), text.get_text()
    share = (words.strip().count("\n") + 1) / (words.count("\n") + 1)
    return mpl.transforms.Bbox.from_extents(box.x0, box.y0, box.x1, box.y0 + share * box.height)


def _inner(box):
    return mpl.transforms.Bbox.from_extents(box.x0 + 1, box.y0 + 1, box.x1 - 1, box.y1 - 1)


def _is_hidden_tick(figure, text):
    for ax in figure.axes:
        if not ax.axison and text in ax.findobj(mpl.text.Text):
            return True
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if text in (tick.label1, tick.label2):
                    inside = low <= tick.get_loc() <= high
                    return not (text.get_visible() and inside)
    return False


@pytest.fixture(scope="module")
def results():
    return made_results()


@pytest.mark.parametrize("measure", ["bias", "coverage"])
def test_a_panel_shows_the_estimates_with_bars_of_1_96_errors_or_limits(results, measure):
    measures, _ = results
    figure = figures.measure_against_units(measures, measure, term="x:a")
    assert len(figure.axes) == 6, "three levels of rows by two of the correlation"
    ax = figure.axes[4]  # second row, second column
    wanted = measures.query("measure == @measure and term == 'x:a' and rows == 15 and cor == 0.9")
    for method in ("REML", "ML"):
        series = drawn_series(ax, method)
        assert list(series) == ["slopes_on_a", "intercepts_only"]
        for model, (x, y, halves) in series.items():
            kept = (wanted["model"] == model) & (wanted["method"] == method.lower())
            own = wanted[kept].sort_values("units")
            np.testing.assert_allclose(y, own["estimate"])
            half = 1.959964 * own["mcse"]
            if measure == "coverage":
                lower, upper = share_limits(own["estimate"], own["n"])
                half = (upper - lower) / 2
            np.testing.assert_allclose(halves, half, rtol=1e-5)
            np.testing.assert_allclose(x, own["units"], rtol=0.4)


def test_colour_and_marker_tell_the_model_and_filling_and_line_the_method(results):
    measures, _ = results
    figure = figures.measure_against_units(measures, "bias", term="x")
    lines = {c.get_label(): c[0] for c in figure.axes[0].containers}
    assert len(lines) == 2 * len(MODELS)
    for model in MODELS:
        reml, ml = lines[f"{model}, REML"], lines[f"{model}, ML"]
        assert (reml.get_color(), reml.get_marker()) == (ml.get_color(), ml.get_marker())
        assert (reml.get_linestyle(), reml.get_markerfacecolor()) == ("-", reml.get_color())
        assert ml.get_linestyle() == "--", "Matplotlib's word for any dashes of one's own"
        assert ml.get_markerfacecolor() == "white"
    assert len({(line.get_color(), line.get_marker()) for line in lines.values()}) == len(MODELS)
    title = "Model and method; bars: ±1.96 Monte Carlo SE"
    assert legend_texts(figure) == [title, *MODELS, "REML", "ML"]


def test_the_legend_says_which_method_where_there_is_one(results):
    measures, selection = results
    limits = "95% limits"
    for figure, bars in (
        (figures.measure_against_units(measures, term="x", method="ml"), "±1.96 Monte Carlo SE"),
        (figures.failure_rates(measures[measures["method"] == "ml"]), limits),
        (figures.selection_rates(selection[selection["method"] == "ml"]), limits),
    ):
        assert legend_texts(figure) == [f"Model (ML); bars: {bars}", *MODELS]
        assert {c[0].get_markerfacecolor() for c in figure.axes[0].containers} == {"white"}


def test_a_line_below_says_where_a_measure_does_not_rest_on_all_replicates(results):
    measures = results[0].copy()
    assert not [text for text in texts(figures.measure_against_units(measures)) if "rest" in text]
    sd = (measures["term"] == "sd_x|unit") & (measures["units"] == 10)
    measures.loc[sd & (measures["measure"] == "coverage"), "n"] = 1450
    measures.loc[sd & (measures["measure"] == "unbounded"), "estimate"] = 0.031
    figure = figures.measure_against_units(measures, "coverage", term="random")
    foot = (
        "Coverage rests on 1,450 to 2,000 of 2,000 replicates: the others have no limits.\n"
        "In up to 3% of the replicates the interval is unbounded: it covers whatever is above "
        "its lower limit."
    )
    assert foot in texts(figure)
    assert overlaps(figure) == []
    held = figures.measure_against_units(measures, "coverage", term="sd_x|unit", at={"units": 30})
    assert not [text for text in texts(held) if "rests on" in text], "of what is shown"
    singular = measures["measure"] == "singular"
    measures.loc[singular, "n"] = 1999
    foot = "The share of singular fits rests on 1,999 of 2,000 fits: the others failed."
    assert foot in texts(figures.failure_rates(measures))
    foot = "The rates rest on 2,000 of 2,100 data sets: on the others a fit fails."
    assert foot in texts(figures.selection_rates(results[1], replicates=2100))


def test_a_term_without_a_true_value_has_no_bias_and_the_figure_says_so(results):
    unknown = (results[0]["model"] == "ignoring_a") & (results[0]["term"] == "x")
    measures = results[0].assign(true=results[0]["true"].mask(unknown))
    measures = measures[~(unknown & measures["measure"].isin(["bias", "rmse", "coverage"]))]
    figure = figures.measure_against_units(measures, "bias", term=["x", "(Intercept)"])
    assert "No true value, so no bias: model ignoring_a, term x." in texts(figure)
    first = drawn_series(figure.axes[0])
    assert list(first) == ["slopes_on_a", "intercepts_only"]
    assert list(drawn_series(figure.axes[6])) == list(MODELS)
    nothing = measures[measures["model"] == "ignoring_a"]
    figure = figures.measure_against_units(nothing, "coverage", term="x")
    (text,) = texts(figure)
    assert " ".join(text.split()) == (
        "No value of coverage in this study. "
        "No true value, so no coverage: model ignoring_a, term x."
    )
    figure = figures.measure_against_units(nothing, "rejection", term="x")
    assert drawn_series(figure.axes[0]).keys() == {"ignoring_a"}
    assert not [text for text in texts(figure) if "nominal" in text]


def test_a_term_without_a_true_value_in_places_is_said_to_be_so(results):
    unknown = (results[0]["term"] == "x") & (results[0]["units"] == 10)
    measures = results[0].assign(true=results[0]["true"].mask(unknown))
    measures = measures[~(unknown & (measures["measure"] == "rmse"))]
    figure = figures.measure_against_units(measures, "rmse", term="x")
    (foot,) = [text for text in texts(figure) if text.startswith("No true value")]
    assert " ".join(foot.split()) == (
        "No true value at some points of the grid: model slopes_on_a, term x; "
        "model ignoring_a, term x; model intercepts_only, term x."
    )


def test_each_level_has_its_nominal_line(results):
    measures, _ = results
    levels = {"slopes_on_a": 0.95, "ignoring_a": 0.95, "intercepts_only": 0.9}
    figure = figures.measure_against_units(measures, "coverage", term="x", level=levels)
    flat = [line for line in figure.axes[0].lines if list(line.get_xdata()) == [0, 1]]
    assert [line.get_ydata()[0] for line in flat] == [0.95, 0.9]
    assert "Coverage of the 95% or 90% interval" in texts(figure)
    assert legend_texts(figure)[1:] == [
        "slopes_on_a (95%)", "ignoring_a (95%)", "intercepts_only (90%)", "REML", "ML",
        "nominal level, 95% or 90%, ±1.96 Monte Carlo SE",
    ]  # fmt: skip


def test_inferences_of_one_model_are_series(results):
    alone = results[0][results[0]["model"] == MODELS[0]]
    figure = figures.measure_against_units(with_inferences(alone), "coverage", term="x")
    names = ["Satterthwaite", "Kenward-Roger", "Normal (z)"]
    title = "Inference and method; bars: 95% limits"
    assert legend_texts(figure) == [title, *names, "REML", "ML", NOMINAL]
    series = drawn_series(figure.axes[0])
    assert list(series) == names
    plain = drawn_series(figures.measure_against_units(alone, "coverage", term="x").axes[0])
    for place, name in enumerate(names):
        np.testing.assert_allclose(series[name][1], plain[MODELS[0]][1] - 0.01 * place)
    bias = figures.measure_against_units(with_inferences(alone), "bias", term="x")
    assert legend_texts(bias)[0].startswith("Model and method")


@pytest.mark.slow
def test_inferences_of_several_models_are_rows_of_panels_on_one_scale(results):
    measures = with_inferences(results[0])
    figure = figures.measure_against_units(measures, "coverage", term=["x", "x:a"])
    assert len(figure.axes) == 2 * 3 * 6
    rows = [text for text in texts(figure) if text.endswith(("true: 3", "true: 0.3"))]
    names = ["Satterthwaite", "Kenward-Roger", "Normal (z)"]
    assert [row.splitlines()[:2] for row in rows] == [[t, n] for t in ("x", "x:a") for n in names]
    plain = figures.measure_against_units(results[0], "coverage", term=["x", "x:a"])
    for place in range(3):
        for model, (_, y, _) in drawn_series(plain.axes[6]).items():
            own = drawn_series(figure.axes[(3 + place) * 6])[model][1]
            np.testing.assert_allclose(own, y - 0.01 * place)
    limits = [figure.axes[6 * row].get_ylim() for row in range(3)]
    np.testing.assert_allclose(limits, [limits[0]] * 3)
    assert overlaps(figure) == []
    every = [f"x{k}" for k in range(5)]
    x = measures[measures["term"] == "x"]
    many = pd.concat([x.assign(**{"term": name, WORDS: name}) for name in every])
    figure = figures.measure_against_units(many, "coverage")
    foot = "Not shown, for want of room: x4; measures.csv has it."
    assert foot in texts(figure)


@pytest.mark.slow
def test_one_inference_is_drawn_as_none(results):
    alone = with_inferences(results[0], ("kenward-roger",))
    for measure, part in (("coverage", "fixed"), ("coverage", "random"), ("bias", "fixed")):
        one, plain = (
            figures.measure_against_units(table, measure, term=part)
            for table in (alone, results[0])
        )
        assert texts(one) == texts(plain)
        assert [ax.get_ylim() for ax in one.axes] == [ax.get_ylim() for ax in plain.axes]


def test_a_covariate_called_as_another_term_is_no_other_term(results):
    """A coefficient `sigma` and the residual sd are two terms of one name."""
    other = results[0][results[0]["term"] == "x"].assign(term="sigma")
    measures = pd.concat([results[0], other])
    random = figures.measure_against_units(measures, "bias", term="random")
    fixed = figures.measure_against_units(measures, "bias")
    assert len(random.axes) == 4 * 6
    assert len(fixed.axes) == 5 * 6
    wanted = results[0].query(
        "measure == 'bias' and term == 'sigma' and method == 'reml' and rows == 5 and cor == 0"
    )
    wanted = wanted[wanted["model"] == MODELS[0]]
    np.testing.assert_allclose(drawn_series(random.axes[18])[MODELS[0]][1], wanted["estimate"])
    table = tables.wide_table(measures)
    assert table["term"].drop_duplicates().tolist() == [*FIXED_IN_ORDER, "sigma", "x:a"]


def rows_of_panels(figure):
    """Return the names of the rows of panels, at their right."""
    written = [t for ax in figure.axes for t in ax.texts]
    return [text.get_text().partition("\n")[0] for text in written]


@pytest.mark.slow
def test_terms_beyond_six_are_named_with_the_place_where_they_are(results):
    x = results[0][results[0]["term"] == "x"]
    measures = pd.concat([x.assign(**{"term": f"x{k}", WORDS: f"x{k}"}) for k in range(8)])
    figure = figures.measure_against_units(measures, "bias")
    assert "Not shown, for want of room: x6 and x7; measures.csv has them." in texts(figure)
    assert rows_of_panels(figure) == [f"x{k}" for k in range(6)]
    named = [f"x{k}" for k in reversed(range(8))]
    figure = figures.measure_against_units(measures, "bias", term=named)
    assert "Not shown, for want of room: x1 and x0; measures.csv has them." in texts(figure)
    many = pd.concat([x.assign(**{"term": f"x{k}", WORDS: f"x{k}"}) for k in range(60)])
    figure = figures.measure_against_units(many, "bias")
    (foot,) = [text for text in texts(figure) if text.startswith("Not shown")]
    foot = " ".join(foot.split())
    assert "x6, x7, " in foot
    assert foot.endswith("x45 and 14 more; measures.csv has them.")
    assert overlaps(figure) == []


def with_further(measures, kinds):
    """Return measures with further terms, (kind, term), whose bias is 0.1 apart."""
    sigma = measures[measures["term"] == "sigma"]
    bias = sigma["measure"] == "bias"
    more = [
        sigma.assign(
            **{"kind": kind, "term": name, WORDS: name},
            estimate=sigma["estimate"] + 0.1 * place * bias,
        )
        for place, (kind, name) in enumerate(kinds, start=1)
    ]
    return pd.concat([measures, *more])


@pytest.mark.parametrize(
    ("further", "shown", "left_out"),
    [
        (
            [("variance", "v1"), ("variance", "v2"), ("variance", "v3"), ("icc", "ICC")],
            ["sd (Intercept)", "sd x", "v1", "v2", "v3", "ICC"],
            "cor x.(Intercept) and residual sd",
        ),
        (
            [*(("variance", f"v{k}") for k in range(1, 8)), ("icc", "ICC")],
            ["v1", "v2", "v3", "v4", "v5", "ICC"],
            "sd (Intercept), sd x, cor x.(Intercept), residual sd, v6 and v7",
        ),
    ],
)
def test_what_a_study_has_to_ask_for_is_drawn_before_what_it_has_anyway(
    tmp_path, results, further, shown, left_out
):
    measures = with_further(results[0], further)
    measures.to_parquet(tmp_path / "measures.parquet")
    figure = figures.draw("bias_random", made_study(), tmp_path)
    assert rows_of_panels(figure) == shown
    (foot,) = [text for text in texts(figure) if text.startswith("Not shown")]
    assert " ".join(foot.split()) == (
        f"Not shown, for want of room: {left_out}; measures.csv has them."
    )
    assert overlaps(figure) == []
    table = tables.wide_table(measures, "random")
    for row, name in enumerate(shown):
        wanted = table[(table["term"].map(WORDS_OF).fillna(table["term"]) == name)]
        wanted = wanted.query("method == 'reml' and rows == 5 and cor == 0")
        for model, (_, y, _) in drawn_series(figure.axes[6 * row]).items():
            own = wanted[wanted["model"] == model].sort_values("units")
            np.testing.assert_allclose(y, own["bias"])


def test_names_are_no_mathematics(results):
    name = "`50% of $x^2$ {&} \\x`"
    measures = results[0].replace({"term": {"x": name}, "model": {"ignoring_a": "_ignoring_$a$"}})
    figure = figures.measure_against_units(measures, "bias", term=name)
    assert "_ignoring_$a$" in legend_texts(figure)
    assert overlaps(figure) == []


def test_a_share_has_no_axis_beyond_0_and_1(results):
    measures, _ = results
    few = measures.assign(estimate=measures["estimate"].clip(upper=5e-4), mcse=5e-4)
    bottom, top = figures.failure_rates(few).axes[0].get_ylim()
    assert -2e-4 < bottom < 0
    assert top < 4e-3


def test_models_stand_beside_each_other_around_their_level(results):
    measures, _ = results
    ax = figures.measure_against_units(measures, "bias", term="x").axes[0]
    both = zip(*(drawn_series(ax, method).values() for method in ("REML", "ML")), strict=True)
    x = np.array([series[0] for model in both for series in model])
    assert ax.get_xscale() == "log"
    assert (np.diff(x, axis=0) > 0).all()
    np.testing.assert_allclose(np.exp(np.log(x).mean(axis=0)), [10, 30, 100])
    gap = np.diff(np.log([10, 30]))[0]
    assert np.ptp(np.log(x[:, 0])) < gap / 2
    near = measures[measures["units"].isin([10, 30])]
    assert figures.measure_against_units(near, "bias", term="x").axes[0].get_xscale() == "linear"


@pytest.mark.parametrize(
    ("measure", "height"),
    [("bias", 0), ("relative_error_se", 0), ("coverage", 0.9), ("rmse", None), ("rejection", None)],
)
def test_the_reference_line_is_no_error_or_the_nominal_level(results, measure, height):
    measures, _ = results
    figure = figures.measure_against_units(measures, measure, level=0.9)
    for ax in figure.axes:
        flat = [line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1
                and list(line.get_xdata()) == [0, 1]]  # fmt: skip
        assert flat == ([] if height is None else [height])
    named = "nominal level, 90%, ±1.96 Monte Carlo SE" in texts(figure)
    assert named == (measure == "coverage")


def test_rejection_is_compared_with_the_level_only_where_the_hypothesis_is_true(results):
    measures, _ = results
    measures = measures.assign(true=measures["true"].where(measures["term"] != "a", 0.0))
    figure = figures.measure_against_units(measures, "rejection", term=["x", "a"])
    flat = [any(list(line.get_xdata()) == [0, 1] for line in ax.lines) for ax in figure.axes]
    assert flat == [False] * 6 + [True] * 6


@pytest.mark.parametrize(("true", "top"), [(0.0, 0.12), (0.3, 1.04)])
def test_rates_of_false_alarms_alone_have_an_axis_of_their_own(results, true, top):
    """From 0 to a little above the highest; beside a power the axis goes up to 1."""
    measures, _ = results
    measures = measures[measures["term"].isin(["x", "a"])]
    measures = measures.assign(true=measures["true"].where(measures["term"] != "a", 0.0))
    measures["true"] = measures["true"].where(measures["term"] != "x", true)
    rates = measures["measure"] == "rejection"
    measures["estimate"] = measures["estimate"].where(~rates, 0.06)
    measures["mcse"] = measures["mcse"].where(~rates, 0.01)
    for ax in figures.measure_against_units(measures, "rejection", term=["x", "a"]).axes:
        low, high = ax.get_ylim()
        assert low <= 0.0 < high <= top


def test_terms_make_rows_and_factors_make_columns(results):
    measures, _ = results
    figure = figures.measure_against_units(measures, "bias")
    assert len(figure.axes) == 4 * 6
    names = [text for text in texts(figure) if text.split("\n")[0] in FIXED]
    assert names == ["(Intercept)\ntrue: 1", "a\ntrue: −0.15", "x\ntrue: 3", "x:a\ntrue: 0.3"]  # noqa: RUF001
    assert texts(figure).count("correlation 0.9") == 1
    assert sum(text.strip() == "15 rows per unit" for text in texts(figure)) == 2
    random = figures.measure_against_units(measures, "rmse", term="random")
    rows = [text for text in texts(random) if text.startswith(("sd ", "cor ", "residual"))]
    assert [row.split("\n")[0] for row in rows] == [
        "sd (Intercept)", "sd x", "cor x.(Intercept)", "residual sd",
    ]  # fmt: skip


def test_selection_shows_each_method_and_the_whole_range_of_rates(results):
    _, selection = results
    figure = figures.selection_rates(selection, "bic")
    assert len(figure.axes) == 2 * 6
    assert [t for t in texts(figure) if t.startswith("fitted")] == [
        "fitted by REML",
        "fitted by ML",
    ]
    for place, ax in enumerate(figure.axes):
        assert ax.get_ylim()[0] < 0
        assert ax.get_ylim()[1] > 1
        total = sum(y for _, y, _ in drawn_series(ax, ("REML", "ML")[place // 6]).values())
        np.testing.assert_allclose(total, 1)
    first = drawn_series(figure.axes[0])
    wanted = selection.query("criterion == 'bic' and method == 'reml' and rows == 5 and cor == 0")
    for model, (_, y, _) in first.items():
        np.testing.assert_allclose(y, wanted[wanted["model"] == model]["rate"])


def test_failures_show_singular_and_failed_fits(results):
    measures, _ = results
    figure = figures.failure_rates(measures)
    assert {"Singular fits", "Failed fits"} <= set(texts(figure))
    wanted = measures.query("measure == 'failed' and method == 'reml' and rows == 5 and cor == 0")
    wanted = wanted[wanted["model"] == MODELS[0]]
    np.testing.assert_allclose(drawn_series(figure.axes[6])[MODELS[0]][1], wanted["estimate"])


def test_a_model_keeps_its_mark_whatever_else_is_drawn(results):
    measures, _ = results
    whole = figures.measure_against_units(measures, "bias", term="x")
    without = figures.measure_against_units(measures, "bias", term="x:a")
    lines = [
        next(c for c in figure.axes[0].containers if c.get_label() == "intercepts_only, REML")[0]
        for figure in (whole, without)
    ]
    assert lines[0].get_marker() == lines[1].get_marker()
    assert lines[0].get_color() == lines[1].get_color()


@pytest.mark.parametrize(
    ("grid", "models"),
    [
        *((grid, MODELS) for grid in GRIDS if grid != "many levels"),
        *(("none", EIGHT), ("two", EIGHT)),
        pytest.param("many levels", MODELS, marks=pytest.mark.slow),
        pytest.param("four", EIGHT, marks=pytest.mark.slow),
    ],
)
def test_every_grid_gives_figures_without_overlapping_text(grid, models):
    measures, selection = made_results(GRIDS[grid], models)
    for figure in (
        figures.measure_against_units(measures, "coverage"),
        figures.measure_against_units(measures, "bias", term="x"),
        figures.selection_rates(selection),
    ):
        assert overlaps(figure) == []
        drawn = [ax for ax in figure.axes if ax.axison]
        assert all(len(ax.containers) >= 1 for ax in drawn)
        assert len(drawn) <= 36


def test_levels_that_are_text_are_all_named_below_every_panel():
    """Where they would touch each other they are slanted; numbers between others are left out."""
    kinds = ["a mean and a cv", "Poisson", "negative binomial", "uniform", "a total", "held"]
    measures, _ = made_results({"sizes": kinds}, ("m",))
    figure = figures.measure_against_units(measures, "bias")
    figure.canvas.draw()
    panels = [ax for ax in figure.axes if ax.axison and ax.containers]
    assert len(panels) > 1
    for ax in panels:
        labels = ax.get_xticklabels()
        if any(label.get_visible() for label in labels):
            assert [label.get_text() for label in labels] == kinds
            assert {label.get_rotation() for label in labels} == {45.0}


def test_what_has_no_panel_has_pages_and_no_scenario_is_left_out():
    measures, _ = made_results(GRIDS["four"], ("m",))
    wanted = measures.query("measure == 'bias' and term == 'x' and method == 'reml'")
    pages = [
        figures.measure_against_units(measures, "bias", term="x", page=page) for page in (1, 2)
    ]
    drawn = np.concatenate(
        [drawn_series(ax)["m"][1] for page in pages for ax in page.axes if ax.containers]
    )
    np.testing.assert_allclose(np.sort(drawn), np.sort(wanted["estimate"]))
    for place, page in enumerate(pages, start=1):
        title = legend_texts(page)[0].splitlines()[0]
        assert title == f"sd.x_1 = {place}; page {place} of 2"
        own = wanted[(wanted["sd.x_1"] == place) & (wanted["rows"] == 5) & (wanted["cor"] == 0)]
        np.testing.assert_allclose(drawn_series(page.axes[0])["m"][1], own["estimate"])
        assert overlaps(page) == []
    with pytest.raises(InputError, match="no page 3"):
        figures.measure_against_units(measures, "bias", term="x", page=3)


def test_a_level_that_is_shown_alone_is_named():
    measures, _ = made_results(GRIDS["four"], ("m",))
    figure = figures.measure_against_units(measures, "bias", term="x", at={"sd.x_1": 1})
    assert legend_texts(figure)[0].splitlines()[0] == "sd.x_1 = 1"
    wanted = measures.query(
        "measure == 'bias' and term == 'x' and method == 'reml' and rows == 5 and cor == 0"
    )
    wanted = wanted[wanted["sd.x_1"] == 1]
    np.testing.assert_allclose(drawn_series(figure.axes[0])["m"][1], wanted["estimate"])


def test_levels_beyond_six_go_on_to_further_pages():
    measures, _ = made_results(GRIDS["many levels"], ("m",))
    grids = [arrange(measures, page=page) for page in (1, 2)]
    assert [[column["rows"] for column in grid.columns] for grid in grids] == [
        [5, 10, 15, 20, 25], [30, 35, 40, 45],
    ]  # fmt: skip
    assert [grid.title for grid in grids] == ["page 1 of 2", "page 2 of 2"]


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_every_scenario_is_in_one_panel_of_one_page(grid, stacked):
    """By brute force, of whole grids and of fractions of them."""
    whole = made_study(GRIDS[grid]).levels
    for points in (whole, whole[::3]):
        found = [
            point
            for page in arrangements(points, stacked=stacked)
            for panel in page.panels
            for point in points
            if {**page.held, **panel.where}.items() <= point.items()
        ]
        assert sorted(map(str, found)) == sorted(map(str, points))


def test_pages_are_known_before_there_is_a_result(tmp_path):
    study = made_study(GRIDS["many levels"])
    measures, _ = made_results(GRIDS["many levels"])
    measures.to_parquet(tmp_path / "measures.parquet")
    planned = next(one for one in planned_figures(study) if one.name == "bias_fixed")
    assert planned.pages == tuple(f"bias_fixed_{k}" for k in range(1, 7))
    titles = [legend_texts(figures.draw(page, study, tmp_path))[0] for page in planned.pages]
    assert titles[-1].startswith("correlation 0.9; page 6 of 6")
    assert {*planned.pages} <= {*figure_pages(study)}


def test_a_wrong_name_is_an_input_error_with_the_right_one(results):
    measures, selection = results
    with pytest.raises(InputError, match="did you mean 'coverage'"):
        figures.measure_against_units(measures, "covrage")
    with pytest.raises(InputError, match="unknown term 'x:b'"):
        figures.measure_against_units(measures, "bias", term="x:b")
    with pytest.raises(InputError, match="unknown criterion"):
        figures.selection_rates(selection, "dic")


def test_nothing_to_show_is_a_figure_that_says_so(results):
    measures, _ = results
    nothing = measures.assign(estimate=np.nan)
    figure = figures.measure_against_units(nothing, "bias")
    assert texts(figure) == ["No value of bias in this study."]


@pytest.fixture(scope="module")
def ogorek():
    return datasets.load_ogorek2012()


def test_units_are_drawn_by_their_own_least_squares_and_the_true_line(ogorek):
    figure = figures.units_against_attribute(ogorek, made_scenario())
    left, right = figure.axes
    points = np.array([ax.collections[0].get_offsets() for ax in (left, right)])
    for unit in (1, 17, 30):
        own = ogorek[ogorek["unit"] == unit]
        slope, intercept = np.polyfit(own["x"], own["y"], 1)
        np.testing.assert_allclose(points[0, unit - 1], [own["a"].iloc[0], intercept])
        np.testing.assert_allclose(points[1, unit - 1], [own["a"].iloc[0], slope])
    for ax, (start, change) in zip((left, right), [(1, -0.15), (3, 0.3)], strict=True):
        a, line = ax.lines[0].get_data()
        np.testing.assert_allclose(line, start + change * a)
    assert overlaps(figure) == []


def test_lines_of_units_are_least_squares_lines_under_the_population_line(ogorek):
    figure = figures.unit_lines(ogorek, made_scenario())
    lines, ends = figure.axes[0].lines, drawn_units(figure)
    assert (len(lines), len(ends)) == (2, 30), "the population's on a white ground"
    mean = ogorek.groupby("unit")["a"].first().mean()
    np.testing.assert_allclose(
        lines[-1].get_ydata(),
        [1 - 0.15 * mean + (3 + 0.3 * mean) * x for x in ogorek["x"][[0, 29]]],
    )
    for unit, drawn in zip(ogorek["unit"].unique(), ends, strict=True):
        own = ogorek[ogorek["unit"] == unit]
        x = [own["x"].min(), own["x"].max()]
        fitted = np.polyval(np.polyfit(own["x"], own["y"], 1), x)
        np.testing.assert_allclose(drawn, np.column_stack([x, fitted]))
    coloured = figure.axes[0].collections[0].get_array()
    np.testing.assert_array_equal(coloured, ogorek.groupby("unit")["a"].first())
    assert overlaps(figure) == []


def test_the_unit_has_the_name_that_the_formula_gives_it(ogorek):
    scenario = replace(made_scenario(), formula="y ~ x * a + (1 + x | school)")
    figure = figures.unit_lines(ogorek.rename(columns={"unit": "school"}), scenario)
    same = figures.unit_lines(ogorek, made_scenario())
    for line, other in zip(figure.axes[0].lines, same.axes[0].lines, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())
    np.testing.assert_array_equal(drawn_units(figure), drawn_units(same))


def test_a_scenario_without_covariates_has_no_pictures_of_units(ogorek):
    bare = Scenario("", 3, 3, (), "y ~ 1 + (1 | unit)", (("(Intercept)", 1.0),), (1,), ((1,),), 1)
    with pytest.raises(InputError, match="needs a row covariate"):
        figures.unit_lines(ogorek, bare)
    study = made_study({}, ())
    study.scenarios, study.models = (bare,), MODEL
    assert not {*EXAMPLES} & {*figure_names(study)}
    assert "selection_aic" not in figure_names(study)
    with_x = Scenario(
        "", 3, 3, (Covariate("x", "row"),), "y ~ x + (1 | unit)",
        (("(Intercept)", 1.0), ("x", 1.0)), (1,), ((1,),), 1,
    )  # fmt: skip
    study.scenarios = (with_x,)
    assert figure_names(study)[-1] == "unit_lines", "what is no result comes last"
    curved = replace(with_x, formula="y ~ x + I(x^2) + (1 + x | unit)")
    study.scenarios = (curved,)
    assert "unit_lines" not in figure_names(study), "no lines where the truth is a curve"
    assert len(figures.unit_lines(ogorek, with_x).axes) == 1, "no colour bar without an attribute"


def test_a_unit_that_does_not_determine_its_line_is_left_out(ogorek):
    short = ogorek[(ogorek["unit"] != 1) | (ogorek["x"] == -4)]
    lines = figures.least_squares_lines(short, "y", "x")
    assert lines.loc[1].isna().all()
    assert lines.loc[2:].notna().all().all()


def test_other_row_covariates_are_adjusted_for():
    rng = np.random.default_rng(7)
    rows = pd.DataFrame({"unit": np.repeat([1, 2], 8), "x": rng.normal(size=16)})
    rows["z"] = rng.normal(size=16) + rows["x"]
    rows["y"] = 1 + 2 * rows["x"] - 5 * rows["z"]
    np.testing.assert_allclose(figures.least_squares_lines(rows, "y", "x", ["z"]), [[1, 2]] * 2)


def test_shrinkage_joins_each_least_squares_line_to_its_prediction():
    rng = np.random.default_rng(5)
    mean, ols, blup = rng.normal(size=(3, 12, 2))
    ols[3] = np.nan
    psi = np.array([[0.04, 0.09], [0.09, 0.25]])
    figure = figures.shrinkage(ols=ols, blup=blup, mean=mean, psi=psi)
    plane, first, second = (figure.axes[k] for k in (0, 1, 2))
    keep = np.arange(12) != 3
    joined = next(c for c in plane.collections if isinstance(c, LineCollection)).get_segments()
    np.testing.assert_allclose(joined, np.stack([ols, blup], axis=1)[keep])
    for k, ax in enumerate((first, second)):
        departures = np.column_stack([(ols - mean)[keep, k], (blup - mean)[keep, k]])
        np.testing.assert_allclose(ax.collections[0].get_offsets(), departures)
        factor = departures[:, 0] @ departures[:, 1] / (departures[:, 0] @ departures[:, 0])
        assert f"slope through 0: {factor:.2f}" in [text.get_text() for text in ax.texts]
    assert sum(isinstance(patch, Ellipse) for patch in plane.patches) == 2
    assert overlaps(figure) == []


@pytest.mark.parametrize("cor", [-1.0, -0.5, 0.0, 0.9, 1.0])
def test_the_ellipse_holds_its_share_of_the_random_effects(cor):
    psi = np.array([[0.04, cor * 0.1], [cor * 0.1, 0.25]])
    width, height, angle = ellipse_axes(psi, 0.95)
    u = np.random.default_rng(11).multivariate_normal([0, 0], psi, 200_000, method="eigh")
    turn = np.radians(angle)
    along = u @ [np.cos(turn), np.sin(turn)]
    across = u @ [-np.sin(turn), np.cos(turn)]
    if abs(cor) == 1:  # the ellipse is a segment: all is inside on the one axis that is left
        assert height == pytest.approx(0, abs=1e-6)
        assert np.abs(across).max() < 1e-6
        return
    inside = (along / (width / 2)) ** 2 + (across / (height / 2)) ** 2 <= 1
    assert inside.mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 200_000))


def test_shapes_that_do_not_fit_are_refused():
    pairs = np.zeros((3, 2))
    with pytest.raises(InputError, match="have shapes"):
        figures.shrinkage(ols=pairs, blup=pairs[:2], mean=pairs, psi=np.eye(2))
    with pytest.raises(InputError, match="psi has shape"):
        figures.shrinkage(ols=pairs, blup=pairs, mean=pairs, psi=np.eye(3))


def test_shrinkage_of_data_shows_the_blups_of_lme4(ogorek):
    fits = json.loads((REFERENCE / "ogorek2012.json").read_text())["fits"]
    formula = "y ~ x * a + (1 + x | unit)"
    fit = next(f for f in fits if f["reml"] and f["formula"] == formula)
    plane = figures.shrinkage_of_data(formula, ogorek).axes[0]
    own, predicted, fixed = (np.column_stack(line.get_data()) for line in plane.lines[:3])
    np.testing.assert_allclose(predicted - fixed, fit["ranef"], atol=1e-5)
    np.testing.assert_allclose(own, figures.least_squares_lines(ogorek, "y", "x"), atol=1e-9)
    sigma2, x = fit["sigma"] ** 2, ogorek["x"][:30]
    Z = np.column_stack([np.ones(30), x])
    cov = {(r["var1"], r["var2"]): r["vcov"] for r in fit["random"]}
    off = cov["(Intercept)", "x"]
    psi = np.array([[cov["(Intercept)", None], off], [off, cov["x", None]]])
    weight = psi @ np.linalg.inv(psi + sigma2 * np.linalg.inv(Z.T @ Z))
    np.testing.assert_allclose(predicted, fixed + (own - fixed) @ weight.T, atol=1e-5)
    drawn = plane.patches[0]
    wanted = ellipse_axes(psi, 0.5)
    assert (drawn.width, drawn.height, drawn.angle) == pytest.approx(wanted, rel=1e-4)


def test_other_covariates_of_the_rows_are_adjusted_for_by_the_fit():
    data = datasets.load_mathachieve()
    formula = "mathach ~ cses * meanses + sex + (1 + cses | school)"
    fit = lmer(formula, data)
    lines = lines_of_fit(fit, data)
    first = data[data["school"] == fit.frame.unit_names[0]]
    beta = dict(zip(fit.coef_names, fit.beta, strict=True))
    meanses = first["meanses"].iloc[0]
    slope = beta["cses"] + beta["cses:meanses"] * meanses
    intercept = beta["(Intercept)"] + beta["meanses"] * meanses
    intercept += beta["sexMale"] * (first["sex"] == "Male").mean()
    np.testing.assert_allclose(lines.fixed[0], [intercept, slope])
    without = first.drop(columns="school")
    left = first["mathach"] - fit.predict(without, new_units="population")
    own = lines.fixed[0] + np.polyfit(first["cses"], left, 1)[::-1]
    np.testing.assert_allclose(lines.own[0], own)
    np.testing.assert_allclose(lines.predicted - lines.fixed, fit.ranef())


def test_rows_with_missing_values_and_units_without_a_line_are_left_out(ogorek):
    data = ogorek.copy()
    data.loc[data["unit"] == 1, "y"] = [np.nan] * 29 + [1.0]
    plane = figures.shrinkage_of_data("y ~ x * a + (1 + x | unit)", data).axes[0]
    assert len(plane.lines[0].get_xdata()) == 29


@pytest.mark.parametrize(
    ("formula", "data", "message"),
    [
        ("y ~ x * a + (1 | unit)", "ogorek2012", "no lines of their own"),
        ("y ~ x + I(x^2) + (1 + x | unit)", "ogorek2012", "no lines of their own"),
        ("mathach ~ ses + (1 + sex | school)", "mathachieve", "no lines of their own"),
    ],
)
def test_a_model_without_lines_has_no_picture_of_shrinkage(formula, data, message):
    rows = getattr(datasets, f"load_{data}")()
    with pytest.raises(InputError, match=message):
        figures.shrinkage_of_data(formula, rows)


@pytest.mark.parametrize(
    ("psi", "warning"),
    [
        ([[0.04, 0.1], [0.1, 0.25]], "Singular fit: the random effects lie on a line"),
        ([[0.0, 0.0], [0.0, 0.25]], "Singular fit: the random effects lie on a line"),
        ([[0.0, 0.0], [0.0, 0.0]], "Singular fit: no random effects"),
        ([[0.04, 0.09], [0.09, 0.25]], ""),
    ],
)
def test_a_singular_fit_is_named(psi, warning):
    mean, ols, blup = np.random.default_rng(5).normal(size=(3, 12, 2))
    figure = figures.shrinkage(ols=ols, blup=blup, mean=mean, psi=psi)
    assert figure.axes[0].get_title() == warning
    assert overlaps(figure) == []


def test_a_fit_that_failed_is_a_figure_that_says_so(ogorek):
    failed = SimpleNamespace(theta=np.full(3, np.nan))
    figure = figures.shrinkage_of_fit(failed, ogorek)
    assert texts(figure) == ["The model could not be fitted to these data."]


def test_files_are_whole_and_the_same_bytes_twice(tmp_path, results):
    measures, _ = results
    saved = [
        figures.save(
            figures.measure_against_units(measures, "bias", term="x"), tmp_path / d / "bias"
        )
        for d in ("one", "two")
    ]
    for first, second in zip(*saved, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert saved[0][0].read_bytes()[:4] == b"\x89PNG"
    pdf = saved[0][1].read_bytes()
    assert pdf[:4] == b"%PDF"
    assert b"CreationDate" not in pdf
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["bias.pdf", "bias.png"]


def test_one_file_has_the_format_of_its_ending(tmp_path, results):
    figure = figures.failure_rates(results[0])
    assert figures.save_as(figure, tmp_path / "f.PDF").read_bytes()[:4] == b"%PDF"
    with pytest.raises(InputError, match=r"a name with \.png, \.pdf"):
        figures.save_as(figure, tmp_path / "f.jpeg")


def test_a_figure_that_cannot_be_written_leaves_nothing(tmp_path, results):
    measures, _ = results
    figure = figures.failure_rates(measures)
    (tmp_path / "f.png").mkdir()
    with pytest.raises(OSError, match=r"f\.png"):
        figures.save(figure, tmp_path / "f")
    assert [p.name for p in tmp_path.iterdir()] == ["f.png"]


def test_drawing_leaves_the_callers_settings(results):
    before = dict(mpl.rcParams)
    figures.failure_rates(results[0])
    assert dict(mpl.rcParams) == before


def test_a_study_is_drawn_by_names_that_its_plan_gives(tmp_path, results):
    study = made_study()
    for table, name in zip(results, ("measures", "selection"), strict=True):
        table.to_parquet(tmp_path / f"{name}.parquet")
    names = figure_names(study)
    files = figures.draw_all(study, tmp_path, ["bias_fixed", "rmse_fixed"])
    assert [file.name for file in files] == [
        "bias_fixed.png", "bias_fixed.pdf", "rmse_fixed.png", "rmse_fixed.pdf",
    ]  # fmt: skip
    made_accounting(results[0]).to_parquet(tmp_path / "accounting.parquet")
    for name in ("coverage_fixed", "bias_random", "selection_bic", "accounting"):
        assert name in names
        assert len(figures.draw(name, study, tmp_path).axes) >= 6
    with pytest.raises(InputError, match="did you mean 'bias_fixed'"):
        figures.draw("bias_fixd", study, tmp_path)


def test_models_are_drawn_in_the_order_of_the_study(tmp_path, results):
    results[0].sort_values("model").to_parquet(tmp_path / "measures.parquet")
    ax = figures.draw("bias_fixed", made_study(), tmp_path).axes[0]
    assert list(drawn_series(ax)) == list(MODELS)


def test_the_example_is_the_scenario_that_the_study_marks(tmp_path):
    study = made_study()
    study.example = study.levels.index({"units": 10, "rows": 15, "cor": 0.9})
    plane = figures.draw("shrinkage", study, tmp_path).axes[0]
    assert len(plane.lines[0].get_xdata()) == 10


@pytest.fixture
def drawable(tmp_path, results):
    for table, name in zip(results, ("measures", "selection"), strict=True):
        table.to_parquet(tmp_path / f"{name}.parquet")
    made_accounting(results[0]).to_parquet(tmp_path / "accounting.parquet")
    return tmp_path


def test_a_figure_that_cannot_be_drawn_is_a_page_and_the_others_are_drawn(
    drawable, monkeypatch, capsys
):
    def broken(*_, **__):
        raise ZeroDivisionError("the 7th row")

    def without_rows(*_, **__):
        raise InputError("no unit has two rows")

    saved = {}
    monkeypatch.setattr(chosen_figure, "failure_rates", broken)
    monkeypatch.setattr(example_units, "unit_lines", without_rows)
    monkeypatch.setattr(gallery, "save", lambda f, stem: saved.update({stem.name: f}) or (stem,))
    names = ["failures", "unit_lines", "bias_fixed"]
    files = figures.draw_all(made_study(), drawable, names)
    assert [file.name for file in files] == names
    (page,) = texts(saved["failures"])
    assert " ".join(page.split()) == (
        "Singular and failed fits: cannot be made, by a fault of the program: "
        "ZeroDivisionError: the 7th row (the log of the job has the traceback)."
    )
    (page,) = texts(saved["unit_lines"])
    assert page == "The units' lines: no unit has two rows."
    assert overlaps(saved["failures"]) == []
    assert len(saved["bias_fixed"].axes) == 24
    written = capsys.readouterr().err
    assert "Traceback" in written
    assert "in broken" in written
    assert "InputError" not in written
    with pytest.raises(ZeroDivisionError):
        figures.draw_all(made_study(), drawable, names, strict=True)
    assert len(figures.draw_all(made_study(), drawable, names[1:], strict=True)) == 2


def test_what_is_no_matter_of_one_figure_ends_the_drawing(drawable, monkeypatch):
    (drawable / "measures.parquet").write_bytes(b"half a file")
    with pytest.raises(InputError, match="not a Parquet file"):
        figures.draw_all(made_study(), drawable, ["bias_fixed"])
    with pytest.raises(InputError, match="no figure 'bias_fixd'"):
        figures.draw_all(made_study(), drawable, ["bias_fixd"])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gallery, "save", full)
    with pytest.raises(OSError, match="No space"):
        figures.draw_all(made_study(), drawable, ["selection_aic"])


def test_shrinkage_is_of_the_first_model_with_lines_that_the_data_identify(tmp_path):
    truth = replace(made_scenario(12, 4), formula="y ~ x * a + (1 | unit)", sd=(0.2,), cor=((1,),))
    study = made_study({}, ())
    study.scenarios = (truth,)
    study.models = (
        Model("intercepts", "y ~ x + (1 | unit)"),
        Model("curve", "y ~ x + I(x^2) + (1 + x | unit)"),
        Model("attribute", "y ~ x + a + (1 + a | unit)"),
    )
    assert "shrinkage" not in figure_names(study), "no unit has a line in its own attribute"
    study.models = (
        *study.models,
        Model("too_many", "y ~ x * a + (1 + x * a | unit)"),
        Model("slopes", "y ~ x * a + (1 + x | unit)", methods=("ml",)),
    )
    assert "shrinkage" in figure_names(study)
    found = texts(figures.draw("shrinkage", study, tmp_path))
    assert "y ~ x * a + (1 + x | unit), fitted by ML" in found
    study.models = study.models[:4]
    (page,) = texts(figures.draw("shrinkage", study, tmp_path))
    assert page.startswith("Model too_many: ")


def test_half_written_figures_are_removed(tmp_path, results, monkeypatch):
    """A job that is killed while it writes leaves a file that the next run knows as its own."""
    left = []

    def killed(self, _):
        left.append(self.name)
        raise KeyboardInterrupt

    figure = figures.failure_rates(results[0])
    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        figures.save(figure, tmp_path / "figures" / "failures")
    with pytest.raises(KeyboardInterrupt):
        tables.write(pd.DataFrame({"a": [1]}), tmp_path / "tables" / "selection")
    monkeypatch.undo()
    study = made_study()
    study.batches, study.kinds = (), ("estimates", "fits", "tests")
    study.generators, study.is_settled = (), True
    assert {path.name for path in remove_leftovers(study, tmp_path)} == set(left)
    assert len(left) == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_sections_follow_each_other_and_what_is_no_result_comes_last():
    found = [SECTIONS.index(one.section) for one in planned_figures(made_study())]
    assert found == sorted(found)
    assert [one.name for one in planned_figures(made_study())][-3:] == [*EXAMPLES]


def test_every_figure_has_a_caption():
    own = [f"{measure}_{part}" for measure, parts in CAPTIONED.items() for part in parts]
    others = [name for name in SPECIAL if name not in LAYOUT_OF]
    layouts = ["nested_loop", "lollipop", "heat", "zip", "swarms", "ridges", "se_against_estimate"]
    for name in (*own, *others, *layouts, "measure", "prediction_rmse"):
        caption = (CAPTIONS / f"{name}.rst").read_text().strip()
        assert caption.endswith(".")
        assert ". " not in caption


def test_names_come_without_a_plotting_library():
    libraries = ("matplotlib", "pandas")
    code = (
        "import sys; from hlm.plan.report import figure_names, table_names;"
        f"sys.exit(any(library in sys.modules for library in {libraries}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_page_on_which_no_hypothesis_is_false_says_so():
    measures = made_results()[0]
    measures.loc[measures["cor"] == 0.0, "true"] = 0.0
    places = {"x": "units", "panels": ["rows"]}
    pages = [
        figures.measure_against_units(measures, "power", term="x", page=page, **places)
        for page in (1, 2)
    ]
    said = [" ".join(text.get_text() for text in page.texts) for page in pages]
    assert said[0].startswith("No hypothesis is false for correlation 0")
    assert "No hypothesis" not in said[1]
    assert [len(page.axes) for page in pages] == [0, 3]
