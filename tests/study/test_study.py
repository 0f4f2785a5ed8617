"""A study file becomes scenarios, models and keys."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hlm.distributions import Binary, Normal, Points, Uniform
from hlm.errors import InputError
from hlm.scenario import Covariate, Model, Scenario
from hlm.study import Study, schema_text

CONFIG = Path(__file__).parents[2] / "config"
FOUNDING = (CONFIG / "ogorek2012.yaml").read_text(encoding="utf-8")

# The data of a study depend on these: they must never change.
FOUNDING_KEY = "861e82844d8c1f2b"


def study(change=None, **parts):
    """Return the founding study with some of its sections replaced."""
    tree = yaml.safe_load(FOUNDING) | parts
    if change:
        change(tree)
    return Study.from_text(yaml.safe_dump(tree, sort_keys=False))


def only(change=None, **parts):
    """Return the only scenario of a study without a grid."""
    (scenario,) = study(change, grid={}, **parts).scenarios
    return scenario


def test_the_founding_study():
    found = Study.load(CONFIG / "ogorek2012.yaml")
    assert (found.name, found.seed, found.replicates) == ("ogorek2012", 2345, 2000)
    assert found.text == FOUNDING
    assert len(found.scenarios) == len(found.levels) == 18
    assert found.levels[0] == {"units": 10, "rows": 5, "cor": 0.0}
    assert found.levels[1] == {"units": 10, "rows": 5, "cor": 0.9}
    assert found.levels[-1] == {"units": 100, "rows": 30, "cor": 0.9}
    assert found.scenarios[1] == Scenario(
        key=FOUNDING_KEY,
        n_units=10,
        n_rows=5,
        covariates=(
            Covariate("a", "unit", Normal(0.0, 1.0)),
            Covariate("x", "row", Points(tuple(-4 + np.arange(5) * 1.6))),
        ),
        formula="y ~ x * a + (1 + x | unit)",
        fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
        sd=(0.2, 0.5),
        cor=((1.0, 0.9), (0.9, 1.0)),
        sigma=0.75,
    )
    assert found.models == (
        Model("slopes_on_a", "y ~ x * a + (1 + x | unit)"),
        Model("ignoring_a", "y ~ x + (1 + x | unit)"),
        Model("intercept_only", "y ~ x * a + (1 | unit)"),
    )


def test_scenarios_survive_json():
    for scenario in study().scenarios:
        assert Scenario.from_dict(scenario.to_dict()) == scenario


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"units": 30, "rows": 30, "cor": 0.9}),
        ({"units": 10, "rows": 5}, {"units": 10, "rows": 5, "cor": 0.9}),
        ({"units": 31}, {"units": 30, "rows": 15, "cor": 0.9}),
    ],
)
def test_the_example_is_the_point_above_the_grid_or_else_its_middle(change, expected):
    found = study(lambda tree: tree["design"].update(change))
    assert found.levels[found.example] == expected


def test_a_study_without_a_grid_has_one_scenario():
    found = study(grid={})
    assert found.levels == ({},)
    assert (found.scenarios[0].n_units, found.scenarios[0].n_rows) == (30, 30)


def test_the_hash_is_of_the_text():
    assert Study.from_text(FOUNDING).hash != Study.from_text(FOUNDING + "\n").hash


# keys


def swap(tree):
    tree["truth"]["fixed"] = dict(reversed(tree["truth"]["fixed"].items()))
    tree["design"]["covariates"] = dict(reversed(tree["design"]["covariates"].items()))


def spell_out_defaults(tree):
    tree["design"]["covariates"]["a"] |= {"mean": 0, "sd": 1}


def write_a_matrix(tree):
    tree["truth"]["random"]["unit"]["cor"] = [[1, 0.9], [0.9, 1]]


def write_the_formula_otherwise(tree):
    tree["truth"]["formula"] = "y ~ x+a+x:a+(x|unit)"


def write_whole_numbers(tree):
    tree["truth"]["fixed"] |= {"(Intercept)": 1, "x": 3}


@pytest.mark.parametrize(
    "change",
    [swap, spell_out_defaults, write_a_matrix, write_the_formula_otherwise, write_whole_numbers],
)
def test_what_does_not_define_the_data_does_not_change_the_key(change):
    changed = study(change, grid={})
    assert changed.scenarios[0].key == only().key
    assert changed.scenarios[0].covariates == only().covariates


@pytest.mark.parametrize(
    "parts",
    [
        {"name": "other"},
        {"seed": 1},
        {"replicates": 7},
        {"models": {"only": "y ~ 1 + (1 | unit)"}},
        {"estimation": {"methods": ["ml"], "level": 0.9}},
    ],
)
def test_only_truth_and_design_define_the_data(parts):
    assert [s.key for s in study(**parts).scenarios] == [s.key for s in study().scenarios]


def test_a_key_does_not_depend_on_the_rest_of_the_grid():
    keys = {s.key for s in study().scenarios}
    fewer = study(grid={"truth.random.unit.cor": [0.9], "design.rows": [30, 5]})
    assert len(keys) == 18
    assert {s.key for s in fewer.scenarios} < keys
    assert only().key in keys


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("design.units", 31),
        ("design.rows", 31),
        ("design.covariates.a.sd", 2.0),
        ("design.covariates.a.level", "row"),
        ("design.covariates.x.grid.endpoint", True),
        ("truth.fixed.x:a", 0.0),
        ("truth.fixed.(Intercept)", 2.0),
        ("truth.random.unit.sd.x", 0.0),
        ("truth.random.unit.sd.(Intercept)", 0.3),
        ("truth.random.unit.cor", [[1, -0.2], [-0.2, 1]]),
        ("truth.residual.sd", 1.0),
        ("truth.residual.distribution", "t(5)"),
        ("truth.random.unit.distribution", "t(3)"),
        ("design.covariates.a", {"level": "unit", "distribution": "binary"}),
    ],
)
def test_every_value_can_be_varied_and_changes_the_key(path, value):
    (scenario,) = study(grid={path: [value]}).scenarios
    assert scenario.key != only().key
    assert scenario == study(lambda tree: put(tree, path, value), grid={}).scenarios[0]


def put(tree, path, value):
    *above, last = path.split(".")
    for key in above:
        tree = tree[key]
    tree[last] = value


# the grid


def test_short_names_are_the_shortest_that_differ():
    grid = {
        "truth.fixed.x": [1, 2],
        "truth.random.unit.sd.x": [0.5],
        "truth.residual.sd": [1.0],
        "design.covariates.a.sd": [1.0],
        "truth.fixed.x:a": [0.0],
        "truth.random.unit.sd.(Intercept)": [0.2],
    }
    assert list(study(grid=grid).levels[0]) == [
        "fixed.x",
        "sd.x",
        "residual.sd",
        "a.sd",
        "fixed.x:a",
        "sd.(Intercept)",
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("truth.fixed.x", "fixed.x"),
        ("truth.random.unit.sd.x", "sd.x"),
        ("design.covariates.x", "covariates.x"),
        ("design.covariates.a.sd", "sd"),
        ("truth.random.unit.sd", "sd"),
    ],
)
def test_no_short_name_is_that_of_a_covariate_or_of_a_term(path, name):
    level = {
        "design.covariates.x": {"level": "row"},
        "truth.random.unit.sd": {"(Intercept)": 1, "x": 2},
    }.get(path, 0.7)
    assert list(study(grid={path: [level]}).levels[0]) == [name]


def test_names_with_dots_can_be_varied():
    def dotted(tree):
        tree["design"]["covariates"] = {"sd": {"level": "row"}, "sd.x": {"level": "row"}}
        tree["truth"]["formula"] = "y ~ sd + sd.x + (1 | unit)"
        tree["truth"]["fixed"] = {"(Intercept)": 0, "sd": 1, "sd.x": 2}
        tree["truth"]["random"] = {"unit": {"sd": {"(Intercept)": 1}}}
        tree["models"] = {"m": "y ~ sd.x + (1 | unit)"}

    grid = {"truth.fixed.sd.x": [5], "design.covariates.sd.sd": [3], "truth.fixed.sd": [4]}
    found = study(dotted, grid=grid)
    assert found.scenarios[0].fixed == (("(Intercept)", 0.0), ("sd", 4.0), ("sd.x", 5.0))
    assert [c.distribution.sd for c in found.scenarios[0].covariates] == [3.0, 1.0]
    assert found.levels == ({"fixed.sd.x": 5, "sd.sd": 3, "fixed.sd": 4},)
    grid = {"truth.fixed.sd.x": [5], "design.covariates.sd.x.sd": [3], "truth.fixed.sd": [4]}
    assert list(study(dotted, grid=grid).levels[0]) == ["fixed.sd.x", "sd.x.sd", "fixed.sd"]


def test_a_short_name_does_not_hide_a_column_of_the_results():
    def named(tree):
        tree["design"]["covariates"]["n"] = {"level": "row"}
        tree["truth"]["formula"] = "y ~ n + (1 | unit)"
        tree["truth"]["fixed"] = {"(Intercept)": 0, "n": 1}
        tree["truth"]["random"] = {"unit": {"sd": {"(Intercept)": 1}}}

    assert study(named, grid={"truth.fixed.n": [1, 2]}).levels[1] == {"fixed.n": 2}


def test_levels_of_one_axis_have_one_type():
    found = study(grid={"truth.random.unit.cor": [0, 0.5], "design.units": [5, 6]})
    assert [type(level["cor"]) for level in found.levels] == [float] * 4
    assert [type(level["units"]) for level in found.levels] == [int] * 4
    found = study(grid={"truth.random.unit.cor": [0, [[1, 0.5], [0.5, 1]]]})
    assert [level["cor"] for level in found.levels] == ["0", "[[1,0.5],[0.5,1]]"]


SDS = "truth.random.unit.sd"


@pytest.mark.parametrize(
    ("path", "levels", "labels"),
    [
        (SDS, [{"(Intercept)": 0.2, "x": s} for s in (0.5, 1)], ["x 0.5", "x 1"]),
        (
            SDS,
            [{"(Intercept)": s, "x": s} for s in (0.25, 0.5)],
            ["(Intercept) 0.25, x 0.25", "(Intercept) 0.5, x 0.5"],
        ),
        (SDS, [{"(Intercept)": 0.2, "x": 0.5}], ["(Intercept) 0.2, x 0.5"]),
        (
            "design.covariates.a",
            [
                {"level": "unit"},
                {"level": "unit", "distribution": "binary"},
                {"level": "unit", "distribution": "binary", "p": 0.1},
            ],
            ["level 1", "level 2", "level 3"],
        ),
        (
            "design.covariates.x.grid",
            [{"from": 0, "to": 1}, {"from": -1, "to": 1}],
            ["from 0", "from -1"],
        ),
        (SDS, {"low": {"(Intercept)": 0, "x": 0}, "high": {"(Intercept)": 1, "x": 1}}, None),
        ("design.units", {"few": 10, "many": 100}, None),
        ("truth.random.unit.cor", {"0": 0, "0.5": [[1, 0.5], [0.5, 1]]}, [0.0, 0.5]),
        ("design.rows", {"5": 5, "10": 10}, [5, 10]),
    ],
)
def test_levels_have_short_labels(path, levels, labels):
    (name,) = study(grid={path: levels}).levels[0]
    found = [level[name] for level in study(grid={path: levels}).levels]
    assert found == (list(levels) if labels is None else labels)
    assert len({type(label) for label in found}) == 1


ICC = {
    "0.1": {f"{SDS}.(Intercept)": 0.25, "truth.residual.sd": 0.75},
    "0.2": {f"{SDS}.(Intercept)": 0.375, "truth.residual.sd": 0.75},
}


def test_values_that_vary_together():
    """As one factor, with its own name and labels; the scenarios are those of the values alone."""
    found = study(grid={"design.units": [10, 20], "icc": ICC})
    assert found.levels == tuple({"units": u, "icc": i} for u in (10, 20) for i in (0.1, 0.2))
    assert [s.sd[0] for s in found.scenarios] == [0.25, 0.375] * 2
    alone = study(grid={f"{SDS}.(Intercept)": [0.25, 0.375], "design.units": [10, 20]})
    assert {s.key for s in found.scenarios} == {s.key for s in alone.scenarios}
    assert found.levels[found.example] == {"units": 20, "icc": 0.2}


# covariates


def covariate(**spec):
    covariates = {"a": {"level": "unit"}, "x": spec}
    design = {"units": 4, "rows": 6, "covariates": covariates}
    return only(design=design, models={"m": "y ~ x + (1 | unit)"}).covariates[1]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"level": "row"}, Covariate("x", "row", Normal(0.0, 1.0))),
        ({"level": "row", "mean": 2, "sd": 3}, Covariate("x", "row", Normal(2.0, 3.0))),
        ({"level": "unit", "distribution": "uniform"}, Covariate("x", "unit", Uniform(0.0, 1.0))),
        (
            {"level": "row", "distribution": "uniform", "low": -1, "high": 4},
            Covariate("x", "row", Uniform(-1.0, 4.0)),
        ),
        ({"level": "row", "distribution": "binary"}, Covariate("x", "row", Binary(0.5))),
        (
            {"level": "row", "distribution": "binary", "p": 0.2},
            Covariate("x", "row", Binary(0.2)),
        ),
    ],
)
def test_covariates_and_their_defaults(spec, expected):
    assert covariate(**spec) == expected


@pytest.mark.parametrize(
    ("level", "grid", "values"),
    [
        ("row", {"from": 0, "to": 5}, (0, 1, 2, 3, 4, 5)),
        ("row", {"from": 0, "to": 6, "endpoint": False}, (0, 1, 2, 3, 4, 5)),
        ("row", {"from": 1, "to": -1.5}, (1, 0.5, 0, -0.5, -1, -1.5)),
        ("unit", {"from": 0, "to": 3}, (0, 1, 2, 3)),
        ("unit", {"from": 0, "to": 4, "endpoint": False}, (0, 1, 2, 3)),
        ("row", [0, 1], (0, 1, 0, 1, 0, 1)),
        ("row", [3, 1, 2], (3, 1, 2, 3, 1, 2)),
        ("unit", [0, 1], (0, 1, 0, 1)),
    ],
)
def test_grids_fill_the_units_or_the_rows(level, grid, values):
    found = covariate(level=level, grid=grid)
    assert (found.level, found.distribution) == (level, Points(values))


# truth and models


def test_one_correlation_stands_for_all_pairs():
    def three(tree):
        tree["truth"]["formula"] = "y ~ x * a + (1 + x + I(x^2) | unit)"
        tree["truth"]["random"]["unit"] = {
            "sd": {"x": 2, "I(x^2)": 3, "(Intercept)": 1},
            "cor": -0.5,
        }

    scenario = only(three)
    assert scenario.sd == (1.0, 2.0, 3.0)
    assert scenario.cor == ((1.0, -0.5, -0.5), (-0.5, 1.0, -0.5), (-0.5, -0.5, 1.0))


def test_the_correlation_is_zero_unless_given():
    def default(tree):
        del tree["truth"]["random"]["unit"]["cor"]

    assert only(default).cor == ((1.0, 0.0), (0.0, 1.0))


def test_terms_kept_apart_are_uncorrelated():
    def apart(tree):
        tree["truth"]["formula"] = "y ~ x * a + (1 + x || unit)"
        tree["truth"]["random"]["unit"]["cor"] = 0

    scenario = only(apart)
    assert (scenario.sd, scenario.cor) == ((0.2, 0.5), ((1.0, 0.0), (0.0, 1.0)))


def test_a_model_may_have_a_level_of_its_own():
    made = study(
        models={"a": {"formula": "y ~ x + (1 | unit)", "level": 0.8}, "b": "y ~ (1|unit)"},
        estimation={"level": 0.9},
    )
    assert [model.level for model in made.models] == [0.8, 0.9]


def test_a_model_may_have_methods_of_its_own():
    found = study(
        models={"a": {"formula": "y ~ x + (1 | unit)", "methods": ["ml"]}, "b": "y ~ (1|unit)"},
        estimation={"methods": ["ml", "reml"], "df": "residual", "level": 0.9},
    )
    assert found.models == (
        Model("a", "y ~ x + (1 | unit)", ("ml",), ("residual",), 0.9),
        Model("b", "y ~ (1|unit)", ("reml", "ml"), ("residual",), 0.9),
    )


def test_true_values_that_the_user_gives():
    (found,) = study(
        models={"m": {"formula": "y ~ I(x + a) + (1 | unit)", "true": {"I(x + a)": 2}}}
    ).models
    assert found.true == (("I(x + a)", 2),)
    assert Model.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    # They change what measures say, and no fit.
    assert found.definition() == Model("m", found.formula).definition()


def test_estimation_has_defaults():
    def without(tree):
        del tree["estimation"]

    assert study(without).models == study().models


def test_tests_go_to_the_models_that_have_the_coefficients():
    found = study(
        models={"full": "y ~ a * x + (1 | unit)", "main": "y ~ x + a + (1 | unit)"},
        estimation={"tests": {"slopes": ["x", "x:a"], "a": ["a"]}},
    )
    full, main = found.models
    assert full.tests == (("slopes", ("x", "a:x")), ("a", ("a",)))
    assert main.tests == (("a", ("a",)),)
    assert Model.from_dict(json.loads(json.dumps(full.to_dict()))) == full


def test_a_test_of_coefficients_that_no_model_has_together_is_refused():
    with pytest.raises(InputError, match="no model has all of x, a"):
        study(
            models={"x": "y ~ x + (1 | unit)", "a": "y ~ a + (1 | unit)"},
            estimation={"tests": {"both": ["x", "a"]}},
        )


def test_each_random_term_is_counted_by_itself_as_in_lme4():
    # lme4 1.1-31 fits y ~ x + (1 + x || g) to 30 groups of 2 rows and refuses (1 + x | g)
    parts = {"design": yaml.safe_load(FOUNDING)["design"] | {"rows": 2}}
    assert study(grid={}, models={"m": "y ~ x + (1 + x || unit)"}, **parts).scenarios
    with pytest.raises(InputError, match="60 observations for 60 random effects"):
        study(grid={}, models={"m": "y ~ x + (1 + x | unit)"}, **parts)


def test_a_rare_binary_covariate_is_not_taken_for_a_constant():
    rare = {"a": {"level": "unit", "distribution": "binary", "p": 1e-6}, "x": {"level": "row"}}
    assert only(design={"units": 20, "rows": 5, "covariates": rare})


def test_a_year_and_its_square_are_told_apart():
    year = {"a": {"level": "unit"}, "x": {"level": "row", "mean": 2000, "sd": 1}}
    assert only(
        design={"units": 20, "rows": 5, "covariates": year},
        models={"m": "y ~ x + I(x^2) + (1 | unit)"},
    )


# the file


def test_yaml_has_the_scalars_of_version_1_2():
    text = FOUNDING.replace("seed: 2345", "seed: +12").replace("sd: 0.75", "sd: 1e-3")
    found = Study.from_text(text.replace("endpoint: false", "endpoint: no"))
    assert (found.seed, found.scenarios[0].sigma) == (12, 1e-3)
    assert found.scenarios[0].covariates == study().scenarios[0].covariates


def test_a_byte_order_mark_is_ignored(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(FOUNDING, encoding="utf-8-sig")
    assert Study.load(file).text == FOUNDING


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_a_damaged_study_is_a_study_or_an_input_error(data):
    start = data.draw(st.integers(0, len(FOUNDING)))
    stop = min(len(FOUNDING), start + data.draw(st.integers(0, 12)))
    noise = st.text(alphabet="\t\n :,[]{}&*!|>'\"%@`#-?x019.~()aeinf\x00é", max_size=8)
    with suppress(InputError):
        Study.from_text(FOUNDING[:start] + data.draw(noise) + FOUNDING[stop:])


VALUES = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        st.just(10**400),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
PATHS = [
    *("name", "seed", "replicates", "truth", "truth.formula", "truth.fixed", "truth.fixed.x"),
    *("truth.random", "truth.random.unit", "truth.random.unit.sd", "truth.random.unit.cor"),
    *("truth.residual.sd", "design", "design.units", "design.rows", "design.covariates"),
    *("design.covariates.a", "design.covariates.x.grid", "grid", "models", "models.ignoring_a"),
    *("estimation", "estimation.level", "estimation.methods", "design.covariates.a.distribution"),
]


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(path=st.sampled_from(PATHS), value=VALUES)
def test_any_value_anywhere_is_a_study_or_an_input_error(path, value):
    tree = yaml.safe_load(FOUNDING)
    put(tree, path, value)
    with suppress(InputError):
        Study.from_text(yaml.safe_dump(tree))


# the schema


def test_the_json_schema_is_up_to_date():
    assert (CONFIG / "study.schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_key_of_the_schema_is_described():
    schema = json.loads(schema_text())
    for part in (schema, *schema["$defs"].values()):
        of_paths = part["title"] == "UncertainTruth"
        assert part["additionalProperties"] == ({"type": "string"} if of_paths else False)
        for name, key in part["properties"].items():
            assert "description" in key or "$ref" in key, name


def test_the_schema_is_written_and_checked_by_a_command(tmp_path):
    def run(*options):
        command = [sys.executable, "-m", "hlm.study", *options, str(tmp_path / "schema.json")]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    assert run("--check").returncode == 1
    assert run().returncode == 0
    assert run("--check").returncode == 0
    (tmp_path / "schema.json").write_text("{}")
    assert "is outdated" in run("--check").stderr
