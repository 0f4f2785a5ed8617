"""Figures as users choose them: what they show, how they are named, and mistakes in them."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from hlm import Results, Study
from hlm.cli import main
from hlm.errors import InputError
from hlm.figure_choice import FigureChoice
from hlm.figures.gallery import draw_all
from hlm.figures.measure_figure import measure_against_units
from hlm.measures import share_limits
from hlm.pictures.figure_pages import layout_of
from hlm.plan import Plan, make_plan
from hlm.plan.report import figure_names, planned_figures
from tests.synthetic_results import made_results, made_study
from tests.test_figures import drawn_series, legend_texts

STUDY = {
    "name": "chosen",
    "seed": 5,
    "replicates": 20,
    "truth": {
        "formula": "y ~ x + a + (1 | unit)",
        "fixed": {"(Intercept)": 1, "x": 0.4, "a": 0},
        "random": {"unit": {"sd": {"(Intercept)": 0.5}}},
        "residual": {"sd": 1},
    },
    "design": {
        "units": 6,
        "rows": 4,
        "covariates": {"x": {"level": "row"}, "a": {"level": "unit"}},
    },
    "grid": {
        "design.units": [6, 12],
        "design.rows": [4, 8],
        "truth.residual.sd": {"low": 1, "high": 2},
        "truth.fixed.x": [0, 0.4],
    },
    "models": {"full": "y ~ x + a + (1 | unit)", "less": "y ~ x + (1 | unit)"},
    "estimation": {"methods": ["reml"]},
}


def study_with(*figures):
    return Study.from_text(yaml.safe_dump({**STUDY, "figures": list(figures)}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chosen")
    study = Study.from_text(yaml.safe_dump(STUDY))
    make_plan(study).write(folder / "plan.json")
    found = study.preview(replicates=20)
    found.measures.to_parquet(folder / "measures.parquet")
    found.selection.to_parquet(folder / "selection.parquet")
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return Results(folder)


def rows_of(results, measure, term, levels):
    frame = results.measures
    keep = (frame["measure"] == measure) & (frame["term"] == term)
    for name, level in levels.items():
        keep &= frame[name] == level
    return frame[keep]


def test_axis_panels_and_scenarios_are_as_chosen(results):
    figure = results.plot(
        "bias", terms="x", x="rows", panels=["units"], scenarios={"sd": "low"},
        models="full", page=2,
    )  # fmt: skip
    assert legend_texts(figure)[0].splitlines()[0] == "sd = low; fixed.x = 0.4; page 2 of 2"
    assert [ax.get_title() for ax in figure.axes] == ["6 units", "12 units"]
    for ax, units in zip(figure.axes, (6, 12), strict=True):
        levels = {"units": units, "sd": "low", "fixed.x": 0.4, "model": "full"}
        own = rows_of(results, "bias", "x", levels)
        own = own.sort_values("rows")
        assert list(drawn_series(ax)) == ["full"]
        _, y, halves = drawn_series(ax)["full"]
        np.testing.assert_allclose(y, own["estimate"])
        np.testing.assert_allclose(halves, 1.959964 * own["mcse"], rtol=1e-6)


def test_colours_tell_a_factor_apart_and_models_have_pages_then(results):
    options = {"terms": "x", "colour": "units", "panels": ["rows", "model"]}
    pages = results.planned("rmse", **options).pages
    seen = []
    for page in range(1, len(pages) + 1):
        figure = results.plot("rmse", page=page, **options)
        assert legend_texts(figure)[1:] == ["6", "12"]
        for ax in figure.axes:
            seen += [y for name in ("6", "12") for y in drawn_series(ax)[name][1]]
    np.testing.assert_allclose(
        np.sort(seen),
        np.sort(rows_of(results, "rmse", "x", {})["estimate"]),
        err_msg="none left out",
    )


def test_power_is_of_false_hypotheses_and_size_of_true_ones_and_together_they_are_all(results):
    rejections = results.measures[results.measures["measure"] == "rejection"]
    found = {}
    for measure in ("power", "size"):
        pages = results.planned(measure, part="fixed").pages
        figures = [results.plot(measure, part="fixed", page=k + 1) for k in range(len(pages))]
        found[measure] = [
            y for f in figures for ax in f.axes for s in drawn_series(ax).values() for y in s[1]
        ]
        lines = {
            line.get_ydata()[0]
            for f in figures for ax in f.axes for line in ax.lines
            if list(line.get_xdata()) == [0, 1]
        }  # fmt: skip
        assert [*lines] == pytest.approx([0.8 if measure == "power" else 0.05])
    is_true = rejections["true"] == 0
    np.testing.assert_allclose(np.sort(found["size"]), np.sort(rejections[is_true]["estimate"]))
    np.testing.assert_allclose(np.sort(found["power"]), np.sort(rejections[~is_true]["estimate"]))


@pytest.mark.parametrize("n", [100, 2000])
def test_the_band_is_what_chance_leaves_around_the_nominal_level(n):
    measures, _ = made_results({"units": (10, 30)}, ("m",))
    few = measures["units"] == 10
    measures["n"] = np.where(few, n, 2000)
    ax = measure_against_units(measures, "coverage", term=["x", "a"]).axes[0]
    (band,) = [c for c in ax.collections if len(c.get_paths()) == 1 and c.get_alpha()]
    corners = band.get_paths()[0].vertices
    for count, place in ((n, 10), (2000, 30)):
        own = corners[np.isclose(corners[:, 0], place)]
        half = 1.959964 * np.sqrt(0.95 * 0.05 / count)
        wanted = [0.95 - half, min(0.95 + half, 1)]
        np.testing.assert_allclose(sorted(own[:, 1]), wanted, rtol=1e-6)
    low, high = ax.get_ylim()
    assert all(other.get_ylim() == (low, high) for other in ax.figure.axes), "one scale"
    shown = drawn_series(ax)["m"]
    own = measures.query("measure == 'coverage' and term == 'x' and method == 'reml'")
    lower, upper = share_limits(own["estimate"], own["n"])
    np.testing.assert_allclose(shown[2], (upper - lower) / 2)


def test_what_needs_more_than_six_pages_is_a_nested_loop_of_all_scenarios():
    grid = {"units": (10, 30), "rows": (5, 15), "a1": (0, 1, 2, 3), "a2": (0, 1, 2, 3, 4)}
    study = made_study({**grid, "a3": (0, 1, 2, 3)}, ("m",))
    choice = FigureChoice(name="bias_fixed", measure="bias", part="fixed")
    assert layout_of(choice, study) == "nested-loop"
    planned = next(one for one in planned_figures(study) if one.name == "bias_fixed")
    assert (planned.pages, planned.caption) == (("bias_fixed",), "nested_loop")


def test_a_study_file_chooses_its_figures():
    study = study_with(
        "coverage_fixed",
        {"measure": "bias", "terms": ["x"], "x": "rows", "panels": "units", "title": "Bias of x"},
        {"layout": "zip", "terms": ["x", "a"], "name": "zips"},
    )
    found = planned_figures(study)
    assert [one.name for one in found] == ["coverage_fixed", "bias_x", "zips"]
    assert [one.title for one in found][1:] == [
        "Bias of x",
        "Intervals of replicates (zip plot): x, a",
    ]
    assert [one.caption for one in found] == ["coverage_fixed", "bias_fixed", "zip"]
    assert found[1].pages == tuple(f"bias_x_{k}" for k in range(1, 5))
    assert found[2].pages == ("zips_1", "zips_2"), "a page for each term"
    assert planned_figures(study_with()) == ()
    everything = Study.from_text(yaml.safe_dump({**STUDY, "figures": "all"}))
    assert figure_names(everything) == figure_names(Study.from_text(yaml.safe_dump(STUDY)))


def test_figures_change_nothing_but_what_is_drawn(tmp_path):
    plain = make_plan(Study.from_text(yaml.safe_dump(STUDY)))
    chosen = make_plan(study_with("bias_fixed", {"measure": "rmse", "scenarios": {"rows": 8}}))
    assert plain.wanted == chosen.wanted
    assert plain.pictured != chosen.pictured
    assert [s.key for s in plain.scenarios] == [s.key for s in chosen.scenarios]
    assert [b.name for b in plain.batches] == [b.name for b in chosen.batches]
    assert "figures" not in json.loads(plain.to_json())
    chosen.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").figures == chosen.figures


def test_all_mistakes_are_said_at_once():
    with pytest.raises(InputError) as caught:
        study_with(
            "coverge_fixed",
            {"measure": "biass", "terms": ["x", "z"], "x": "unit", "panels": ["rows", "cor"]},
            {"measure": "size", "layout": "lins", "scenarios": {"rows": 5, "row": 4}},
            {"layout": "zip", "measure": "bias", "models": ["ful"], "methods": ["ml"]},
            {"measure": "bias", "x": "rows", "colour": "rows"},
            {"measure": "coverage", "part": "fixed"},
            {"measure": "coverage"},
        )
    said = {one.path: (one.problem, one.suggestion) for one in caught.value.errors}
    assert said == {
        "figures[0]": ("no figure 'coverge_fixed'", "coverage_fixed"),
        "figures[1].measure": ("the study has no measure 'biass'", "bias"),
        "figures[1].terms[1]": ("'z' is no term", None),
        "figures[1].x": ("'unit' is no factor that the study varies", "units"),
        "figures[1].panels[1]": ("'cor' is no factor that the study varies", None),
        "figures[2].layout": ("'lins' is no layout", "lines"),
        "figures[2].scenarios.rows": ("no level 5 of 'rows'", None),
        "figures[2].scenarios.row": ("no factor 'row'", "rows"),
        "figures[3].measure": ("layout zip shows replicates, and no measure", None),
        "figures[3].models[0]": ("'ful' is no model", "full"),
        "figures[3].methods[0]": ("'ml' is no method", "reml"),
        "figures[4].colour": ("'rows' is x too", None),
        "figures[6]": ("a second figure of the name 'coverage_fixed'", None),
    }


def test_panels_that_a_page_does_not_hold_are_refused():
    grid = {"design.units": [6, 12], "design.rows": list(range(2, 11))}
    with pytest.raises(InputError, match="9 panels side by side, 9 of rows, are more than a page"):
        Study.from_text(
            yaml.safe_dump(
                {**STUDY, "grid": grid, "figures": [{"measure": "bias", "panels": "rows"}]}
            )
        )


@pytest.mark.parametrize(
    ("figures", "allowed"),
    [("coverage_fixed", "did you mean '[coverage_fixed]'"), ({"measure": "bias"}, "[] for none")],
)
def test_figures_are_a_list(figures, allowed):
    with pytest.raises(InputError) as caught:
        Study.from_text(yaml.safe_dump({**STUDY, "figures": figures}))
    assert allowed in str(caught.value)


def test_the_command_draws_every_page_and_prints_where(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["plot", str(folder), "bias", "--term", "x", "--x", "rows", "--panels", "units"]
    assert main([*command, "--at", "sd=low", "--output", "out/b.svg"]) == 0
    assert capsys.readouterr().out.split() == ["out/b_1.svg", "out/b_2.svg"]
    first = (tmp_path / "out" / "b_1.svg").read_bytes()
    assert main([*command, "--at", "sd=low", "--output", "out/b.svg"]) == 0
    assert (tmp_path / "out" / "b_1.svg").read_bytes() == first, "the same bytes"
    capsys.readouterr()
    assert main(["plot", str(folder), "bias", "--x", "row", "--at", "units=7", "--term", "q"]) == 2
    said = capsys.readouterr().err
    assert [line for line in said.splitlines() if line.startswith("--")] == [
        "--term: 'q' is no term",
        "--x: 'row' is no factor that the study varies",
        "--at: no level 7 of 'units'",
    ]
    assert main(["plot", str(folder), "--at", "units"]) == 2
    assert main(["plot", str(folder), "bias", "--output", "b.jpeg"]) == 2


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="no results of a study"):
        Results(tmp_path)


def test_two_processes_draw_the_same_bytes_as_one(folder, tmp_path):
    plan = Plan.read(folder / "plan.json")
    names = ["bias_fixed", "coverage_random", "selection_aic"]
    made = {}
    for processes in (1, 2):
        own = tmp_path / str(processes)
        own.mkdir()
        for table in ("measures", "selection"):
            (own / f"{table}.parquet").symlink_to(folder / f"{table}.parquet")
        files = draw_all(plan, own, names, strict=True, processes=processes)
        made[processes] = [(file.name, file.read_bytes()) for file in files]
    assert made[1] == made[2]
    assert pd.Series([name for name, _ in made[1]]).is_unique


def test_an_overview_of_several_models_has_a_panel_for_each_inference(tmp_path):
    inferences = {"satterthwaite": "Satterthwaite", "infinite": "Normal (z)"}
    asked = {**STUDY, "estimation": {"methods": ["reml"], "df": list(inferences)}}
    study = Study.from_text(yaml.safe_dump(asked))
    make_plan(study).write(tmp_path / "plan.json")
    study.preview(replicates=20).measures.to_parquet(tmp_path / "measures.parquet")
    results = Results(tmp_path)
    figure = results.plot("overview")
    panels = {
        text.get_text().replace("\n", " "): ax
        for ax in figure.axes
        if ax.get_ylabel().startswith("Coverage")
        for text in ax.texts
    }
    assert list(panels) == [f"a {words}" for words in inferences.values()]
    coverage = results.measures.query("measure == 'coverage' and term == 'a'")
    for name, ax in zip(inferences, panels.values(), strict=True):
        own = coverage[coverage["inference"] == name]["estimate"]
        assert len(own) == 16  # scenarios; the other model has no such term
        drawn = [np.asarray(line.get_ydata(), float) for line in ax.lines]
        assert any(np.array_equal(np.sort(y), np.sort(own)) for y in drawn)
