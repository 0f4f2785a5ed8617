"""Fractions of a grid: which scenarios are left, what names them, and what is refused."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from hlm.cli.scenarios import find_scenario
from hlm.errors import InputError
from hlm.figures.facets import arrange
from hlm.pictures.arrangement import arrangements
from hlm.plan import make_plan
from hlm.plan.plan import Plan
from hlm.plan.study_summary import summary
from hlm.study import Study

from .test_mistakes import BASE, refused

THREE = """\
grid:
  design.units: [10, 30, 100]
  design.rows: [5, 10]
  strength: {low: {truth.random.unit.cor: 0}, high: {truth.random.unit.cor: 0.9}}
"""
GRID = BASE[BASE.index("\ngrid:") + 1 : BASE.index("models:")]


def study(fraction, grid=THREE):
    return Study.from_text(BASE.replace(GRID, f"{grid}{fraction}\n"))


def points(found):
    return [tuple(levels.values()) for levels in found.levels]


EVERY = [*itertools.product((10, 30, 100), (5, 10), ("low", "high"))]


@pytest.mark.parametrize(
    ("point", "matches"),
    [
        ("{units: 100, rows: 10}", lambda one: one[:2] == (100, 10)),
        ("{design.units: 100, design.rows: 10}", lambda one: one[:2] == (100, 10)),
        ("{units: [10, 100], strength: high}", lambda one: one[0] != 30 and one[2] == "high"),
        ("{rows: 5.0}", lambda one: one[1] == 5),
        ("{units: '30', strength: low, rows: 10}", lambda one: one == (30, 10, "low")),
    ],
)
def test_points_are_kept_or_left_out(point, matches):
    kept = [one for one in EVERY if matches(one)]
    left = [one for one in EVERY if not matches(one)]
    assert points(study(f"keep: [{point}]")) == kept
    assert points(study(f"leave_out: [{point}]")) == left


def test_several_points_are_together_in_the_order_of_the_grid():
    found = study("keep: [{units: 100, rows: 10}, {units: 10, rows: 5}, {units: 10}]")
    assert points(found) == [one for one in EVERY if one[0] == 10 or one[:2] == (100, 10)]


def test_a_scenario_is_the_same_in_a_fraction_and_in_the_whole():
    whole = study("")
    keys = dict(zip(points(whole), whole.scenarios, strict=True))
    part = study("leave_out: [{units: 30}]")
    assert len(part.scenarios) == 8
    assert [keys[point] for point in points(part)] == list(part.scenarios)


@pytest.mark.parametrize(
    ("levels", "point"),
    [
        ("[[[1, 0], [0, 1]], [[1, 0.5], [0.5, 1]]]", "{cor: [[1, 0.5], [0.5, 1]]}"),
        ("{none: 0, half: 0.5}", "{cor: half}"),
        ("{none: 0, half: 0.5}", "{cor: 0.5}"),
        ("{none: 0, half: 0.5}", "{cor: [half]}"),
    ],
)
def test_a_level_goes_by_its_label_or_as_it_is_written(levels, point):
    grid = f"grid:\n  truth.random.unit.cor: {levels}\n"
    (scenario,) = study(f"keep: [{point}]", grid).scenarios
    assert scenario.cor[1][0] == 0.5


def test_a_level_that_is_a_mapping_goes_as_it_is_written():
    grid = "grid:\n  design.rows: [5, {list: [4, 6]}]\n"
    (scenario,) = study("leave_out: [{rows: {list: [4, 6]}}]", grid).scenarios
    assert scenario.n_rows == 5


def test_what_is_left_out_is_not_checked():
    """Two rows are too few for the model: a fraction may be what makes a study possible."""
    grid = "grid:\n  design.units: [10, 30]\n  design.rows: [2, 10]\n"
    with pytest.raises(InputError, match="cannot be identified"):
        study("", grid)
    assert points(study("leave_out: [{rows: 2}]", grid)) == [(10, 10), (30, 10)]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        ("", (30, 10, "high")),
        ("leave_out: [{units: 30, rows: 10, strength: high}]", (10, 10, "high")),
        ("leave_out: [{units: 30}]", (10, 10, "high")),
        ("keep: [{units: 100, rows: 5}, {units: 10, rows: 10, strength: high}]", (10, 10, "high")),
        ("keep: [{units: 100, rows: 5, strength: low}]", (100, 5, "low")),
    ],
)
def test_the_example_is_the_point_nearest_to_the_middle(fraction, expected):
    found = study(fraction)
    assert tuple(found.levels[found.example].values()) == expected


def test_many_factors_need_no_crossing():
    """Of a crossing with a million points only those kept are ever made."""
    several = [*range(2, 102)]
    text = f"grid:\n  design.units: {several}\n  design.rows: {several}\n"
    text += f"  truth.residual.sd: {several}\n"
    found = study("keep: [{units: 50, rows: 60, sd: 3}, {units: 60, rows: 50, sd: 4}]", text)
    assert points(found) == [(50, 60, 3), (60, 50, 4)]


MISTAKES = [
    ("keep: [{unit: 10}]", "keep[0].unit", "no factor 'unit' in the grid", "mean 'units'"),
    ("keep: [{strenght: low}]", "keep[0].strenght", "no factor", "mean 'strength'"),
    ("keep: [{design.unit: 10}]", "keep[0].design.unit", "no factor", "mean 'design.units'"),
    ("keep: [{units: 31}]", "keep[0].units", "no level '31' of units", "10, 30, 100", "mean '30'"),
    ("keep: [{strength: hihg}]", "keep[0].strength", "no level 'hihg'", "mean 'high'"),
    ("keep: [{units: [10, 40]}]", "keep[0].units[1]", "no level '40' of units", "mean '30'"),
    ("keep: [{units: []}]", "keep[0].units", "there is nothing in it"),
    ("keep: [{units: null}]", "keep[0].units", "no level 'None' of units"),
    ("keep: [{units: 10, design.units: 30}]", "keep[0].design.units", "are one factor"),
    ("keep: [{}]", "keep[0]", "there is nothing in it"),
    ("keep: []", "keep", "there is nothing in it"),
    ("keep: {units: 10}", "keep", "is not allowed", "a list"),
    ("keep: [10]", "keep[0]", "10 is not allowed", "a mapping of keys to values"),
    ("keep: [{units: 10}, {units: 10, rows: 5}]", "keep[1]", "adds nothing to those before"),
    ("leave_out: [{units: 10}, {units: 10}]", "leave_out[1]", "adds nothing to those before"),
    ("leave_out: [{rows: [5, 10]}]", "leave_out", "all of the 12 scenarios are left out"),
    ("leave_out: [{rows: 5}, {rows: 10}]", "leave_out", "all of the 12 scenarios are left out"),
    ("leave_out: [{rows: 7}]", "leave_out[0].rows", "no level '7' of rows", "mean '5'"),
    ("keep: [{rows: 5}]\nleave_out: [{rows: 5}]", "leave_out", "are both there", "one of them"),
    ("points: [{rows: 5}]", "points", "unknown key 'points'", "mean 'keep'"),
    ("exclude: [{rows: 5}]", "exclude", "unknown key 'exclude'", "mean 'leave_out'"),
    ("Skip: [{rows: 5}]", "Skip", "unknown key 'Skip'", "mean 'leave_out'"),
    ("leave-out: [{rows: 5}]", "leave-out", "unknown key", "mean 'leave_out'"),
    ("  leave_out: [{units: 10}]", "grid.leave_out", "no factor of the grid", "beside grid"),
    ("  keep: [{units: 10}]", "grid.keep", "no factor of the grid", "beside grid"),
]


@pytest.mark.parametrize(("fraction", "path", "fragments"), [(f, p, x) for f, p, *x in MISTAKES])
def test_a_mistake_is_named(fraction, path, fragments):
    error = refused(BASE.replace(GRID, f"{THREE}{fraction}\n"))
    assert [one.path for one in error.errors] == [path]
    for fragment in fragments:
        assert fragment in str(error)
    assert str(error.file).startswith("studies/demo.yaml:")


def test_a_fraction_of_nothing_is_named():
    error = refused(BASE.replace(GRID, "keep: [{units: 10}]\n"))
    assert (error.path, error.problem) == ("keep", "'keep' without a grid")


def test_too_many_points_are_named():
    several = [*range(2, 402)]
    grid = f"grid:\n  design.units: {several}\n  design.rows: {several}\n"
    error = refused(BASE.replace(GRID, grid + "leave_out: [{units: 3}]\n"))
    assert (error.path, error.problem) == ("grid", "too many scenarios")
    error = refused(BASE.replace(GRID, f"{grid}keep: [{{units: {several[:300]}}}]\n"))
    assert (error.path, error.problem) == ("keep", "too many scenarios")


def test_all_mistakes_of_points_are_said():
    error = refused(BASE.replace(GRID, f"{THREE}keep: [{{unit: 10, rows: 6}}, {{units: 7}}]\n"))
    assert [one.path for one in error.errors] == ["keep[0].unit", "keep[0].rows", "keep[1].units"]


def test_levels_name_a_scenario_of_a_fraction():
    found = study("leave_out: [{units: 100, rows: 10}]")
    assert find_scenario(found, "units=30,rows=10,strength=low").n_units == 30
    with pytest.raises(InputError, match="leaves out of its grid 'units=100,rows=10'"):
        find_scenario(found, "units=100,rows=10")


def test_a_plan_of_a_fraction_is_read_back_and_grows_to_the_whole(tmp_path):
    part, whole = (make_plan(study(text)) for text in ("leave_out: [{units: 100}]", ""))
    part.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == part
    grown = make_plan(study(""), previous=part, done=lambda _: True)
    assert {batch.name for batch in part.batches} <= {batch.name for batch in grown.batches}
    assert len(grown.scenarios) == len(whole.scenarios) == 12


def test_the_report_says_what_varies_though_the_corners_do_not_show_it():
    text = "keep: [{units: 10, strength: low}, {units: 30, strength: high}, "
    plan = make_plan(study(text + "{units: 100, strength: low}]"))
    varied = {term for term, _, varies in summary(plan)["values"] if varies}
    assert varied == {"cor x.(Intercept)"}


def test_every_point_of_a_fraction_is_on_a_page_and_no_panel_is_empty():
    """Combinations that are no points, the middle of each factor among them, have no page."""
    sizes = itertools.product((10, 30, 100), (5, 10, 20), (0.1, 0.2, 0.3), (1, 2, 3))
    points = [dict(zip(("units", "rows", "icc", "sd"), one, strict=True)) for one in sizes]
    points = [point for point in points if (point["icc"], point["sd"]) not in ((0.2, 2), (0.2, 1))]
    frame, seen = pd.DataFrame(points), []
    for page in range(1, len(arrangements(points)) + 1):
        grid = arrange(frame, page=page)
        for panel in grid.panels:
            where = {**grid.held, **panel.where}
            there = frame[(frame[[*where]] == pd.Series(where)).all(axis=1)]
            assert not there.empty
            seen += there.index.tolist()
    assert sorted(seen) == frame.index.tolist()


def test_a_level_without_points_is_named():
    sizes = itertools.product((10, 30), (5, 10, 20), (0.1, 0.2), (1, 2, 3))
    frame = pd.DataFrame(sizes, columns=["units", "rows", "icc", "sd"])
    frame = frame[(frame["sd"] != 2) | (frame["rows"] != 20)]
    with pytest.raises(InputError, match="no point of the grid has sd = 2, 20 rows per unit"):
        arrange(frame, at={"sd": 2, "rows": 20})
