"""Tables that a study file asks for: what they are, and what is said where it has them not."""

from __future__ import annotations

import json

import pytest

from hlm.errors import InputError
from hlm.plan import Plan, make_plan
from hlm.plan.report import planned_tables, table_names
from hlm.study import Study
from hlm.table_layout import MOST_PAGES, MOST_ROWS, Known, Layout

from .test_mistakes import BASE


def study_with(tables, base=BASE):
    return Study.from_text(f"{base}tables: {tables}\n", file="demo.yaml")


def said_of(tables, base=BASE):
    with pytest.raises(InputError) as caught:
        study_with(tables, base)
    return str(caught.value)


def pages_of(tables, base=BASE):
    (table,) = planned_tables(study_with(tables, base))
    return table.pages


USUAL = ("performance_fixed", "performance_random", "selection", "factor_effects", "accounting")


def test_without_the_key_there_are_the_tables_that_suit_the_study():
    usual = tuple(name for name in (*USUAL, "margins"))
    assert {*table_names(Study.from_text(BASE))} == {*usual}
    assert study_with("all").tables is None
    assert table_names(study_with("[]")) == ()
    assert table_names(study_with("[selection]")) == ("selection",)
    own = study_with("[{measures: bias, name: mine}, all]")
    assert {*table_names(own)} == {"mine", *usual}


def test_a_table_has_the_measures_of_its_part_and_a_name_of_what_it_shows():
    study = study_with(
        "[{part: random}, {terms: 'x:a'}, {measures: [bias, power], terms: x}, {measures: failed}]"
    )
    random, term, both, rates = study.tables
    assert random.measures == (
        *("bias", "empirical_se", "rmse", "relative_error_se", "coverage", "median_ci_width"),
    )
    assert term.measures[-1] == "rejection"
    assert (both.name, both.title) == ("bias_power_x", "Bias and power, x")
    assert (rates.name, rates.title) == ("failed", "Failed fits")
    assert [table.caption for table in planned_tables(study)] == ["own_table"] * 4


def test_one_name_may_stand_for_a_list_and_a_level_for_levels():
    one = study_with("[{measures: bias, terms: x, scenarios: {units: 30}, across: rows}]").tables
    assert one == study_with(
        "[{measures: [bias], terms: [x], scenarios: {units: [30]}, across: [rows]}]"
    ).tables  # fmt: skip
    assert one[0].scenarios == (("units", (30,)),)


def test_a_long_table_is_split_by_the_first_factors_and_others_are_not():
    """Two models, two methods and all terms of both: 8 + 4 rows by either method."""
    rows = 2 * (8 + 4) * 2  # of each number of units
    assert rows > MOST_ROWS
    asked = "[{measures: bias, name: t}]"
    assert pages_of(asked) == (
        *("t_units-10_rows-5", "t_units-10_rows-10", "t_units-30_rows-5", "t_units-30_rows-10"),
    )
    (table,) = planned_tables(study_with(asked))
    assert table.titles[0] == "Bias, 10 units, 5 rows per unit"
    assert pages_of("[{measures: bias, name: t, methods: ml}]") == ("t_units-10", "t_units-30")
    assert pages_of("[{measures: bias, name: t, terms: x}]") == ("t",)
    assert pages_of("[{measures: bias, name: t, split: none}]") == ("t",)
    assert pages_of("[{measures: bias, name: t, methods: ml, across: units}]") == ("t",)
    assert pages_of("[{measures: bias, name: t, split: [method, model]}]") == (
        *("t_method-reml_model-full", "t_method-reml_model-small"),
        *("t_method-ml_model-full", "t_method-ml_model-small"),
    )


def test_the_rows_of_a_page_are_counted():
    study = study_with("[{measures: bias, name: t}]")
    layout = Layout.of(study.tables[0], Known.of(study))
    assert layout.rows(()) == 2 * (8 + 4) * 4
    assert layout.rows(("units", "rows")) == 2 * (8 + 4)
    assert layout.rows(("term",)) == 2 * 2 * 4


def test_a_table_is_not_split_by_itself_into_very_many_pages():
    many = BASE.replace("[10, 30]", str([*range(10, 10 + MOST_PAGES + 1)]))
    assert pages_of("[{measures: bias, name: t}]", many) == ("t",)


def test_levels_that_no_file_name_tells_apart_are_numbered():
    varied = "  truth.residual.sd: {low: 0.5, %s: 0.75}\n"
    asked = "[{measures: bias, name: t, terms: x, split: sd}]"
    apart = BASE.replace("  design.rows: [5, 10]\n", varied % "a*b")
    assert pages_of(asked, apart) == ("t_sd-low", "t_sd-a-b")
    alike = apart.replace("low: 0.5", '"a b": 0.5')
    assert pages_of(asked, alike) == ("t_1", "t_2")


def test_all_mistakes_are_said_at_once_with_the_nearest_name():
    found = said_of(
        "[sellection, policies, coverage, {measures: bais, terms: 'x:b', across: unit}, "
        "{measure: bias}, {measures: rejection, terms: sigma}, {measures: [singular, bias]}, "
        "{measures: prediction_rmse}, {title: t}, {measures: bias, scenarios: {units: 20}}, "
        "{measures: bias, digits: 9}, {measures: bias, across: rows, split: rows}]"
    )
    said = {line.split(": ")[1]: line for line in found.splitlines() if line.startswith("demo")}
    assert list(said) == [
        *("tables[4].measure", "tables[10].digits", "tables[0]", "tables[1]", "tables[2]"),
        *("tables[3].measures", "tables[3].terms", "tables[3].across", "tables[5].measures"),
        *("tables[6].measures", "tables[7].measures", "tables[8]", "tables[9].scenarios.units"),
        "tables[11].split",
    ]
    for near in (
        *("'selection'", "'{measures: coverage}'", "'bias'", "'x:a'", "'units'", "'measures'"),
    ):
        assert f"did you mean {near}?" in found
    assert "the study has no table 'policies': one policy" in found
    assert "allowed: 10, 30" in found
    assert "the study has no prediction_rmse" in found


def test_a_table_beside_another_mistake_is_looked_at():
    found = said_of("[{measures: bais}]", BASE.replace("x: 3.0", "x: .nan"))
    assert "truth.fixed.x: nan" in found


def test_two_tables_of_one_name_are_a_mistake():
    found = said_of("[{measures: bias}, {measures: bias, methods: ml}]")
    assert "tables[1].name: two tables are called 'bias" in found
    assert "two tables are called 'selection'" in said_of("[selection, selection]")
    assert "called 'accounting'" in said_of("[{measures: bias, terms: x, name: accounting}]")


def test_more_columns_than_a_page_holds_are_a_mistake_that_says_how_many_it_holds():
    found = said_of("[{measures: [bias, rmse, mse, coverage], across: [units, rows]}]")
    assert "16 columns of numbers, and a page has room for about" in found
    assert "tables[0].across" in found


def test_tables_are_in_the_plan_and_nothing_else_depends_on_them(tmp_path):
    study, plain = study_with("[selection, {measures: bias, terms: x}]"), Study.from_text(BASE)
    plan, old = make_plan(study), make_plan(plain)
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    assert plan.wanted == old.wanted
    assert [batch.name for batch in plan.batches] == [batch.name for batch in old.batches]
    assert plan.tabled != old.tabled
    assert "tables" not in json.loads(old.to_json())
