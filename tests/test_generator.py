"""Data sets that a user's function draws: which, whether it may, and what is said of its faults."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal

from hlm import lmer
from hlm.cli import main
from hlm.errors import InputError
from hlm.estimands.true_values import targets
from hlm.fits import fit_batch
from hlm.generator import Generator
from hlm.operations.fingerprint import fingerprint
from hlm.operations.leftovers import remove_leftovers
from hlm.operations.manifest import read_manifest, write_manifest
from hlm.plan import Plan, make_plan
from hlm.results import ESTIMATES, to_table
from hlm.simulate import draw_by_row, draw_rows, simulate
from hlm.study import Study

from .results import make_results

ARRAYS = """
import numpy as np


def draw(rng, values, first, last):
    n = last - first + 1
    a = rng.normal(size=(n, values["units"]))
    x = 2 + 0.6 * a[:, :, None] + 0.8 * rng.normal(size=(n, values["units"], values["rows"]))
    return {"a": a, "x": x}
"""

TABLE = """
import numpy as np
import pandas as pd


def draw(rng, values, first, last):
    parts = []
    for replicate in range(first, last + 1):
        sizes = rng.integers(3, 10, values["units"])
        unit = np.repeat(np.arange(values["units"]), sizes)
        a = rng.normal(size=values["units"])[unit]
        x = a + rng.normal(size=len(a))
        parts.append(pd.DataFrame({"replicate": replicate, "unit": unit, "a": a, "x": x}))
    return pd.concat(parts)
"""

RESPONSE = """
import numpy as np


def draw(rng, values, first, last):
    shape = last - first + 1, values["units"], values["rows"]
    fixed, sd = values["fixed"], values["sd"]
    a = rng.normal(size=shape[:2])
    x = rng.normal(size=shape)
    mean = fixed["(Intercept)"] + fixed["x"] * x + fixed["a"] * a[:, :, None]
    u = sd["(Intercept)"] * rng.normal(size=shape[:2])
    return {"a": a, "x": x, "y": mean + u[:, :, None] + values["sigma"] * rng.normal(size=shape)}
"""

STUDY = {
    "name": "own",
    "seed": 3,
    "replicates": 300,
    "truth": {
        "formula": "y ~ x + a + (1 | unit)",
        "fixed": {"(Intercept)": 1.0, "x": 0.5, "a": 0.3},
        "random": {"unit": {"sd": {"(Intercept)": 0.7}}},
        "residual": {"sd": 1.2},
    },
    "design": {
        "units": 20,
        "rows": 6,
        "generator": "own.py:draw",
        "covariates": {
            "a": {"level": "unit", "generated": True},
            "x": {"level": "row", "generated": True},
        },
    },
    "models": {"m": "y ~ x + a + (1 | unit)"},
}


def put(folder, source, *, name="own.py", truth=None, design=None, covariates=None, **keys):
    """Write a study and its generator; return the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source, encoding="utf-8")
    tree = json.loads(json.dumps(STUDY)) | keys
    tree["truth"] |= truth or {}
    tree["design"] |= {"generator": f"{name}:draw"} | (design or {})
    tree["design"]["covariates"] |= covariates or {}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def load(folder, source, **changes):
    return Study.load(put(folder, source, **changes), allow_code=True)


def refused(folder, source, **changes):
    with pytest.raises(InputError) as caught:
        load(folder, source, **changes)
    return caught.value


EVERYTHING = {
    "design": {
        "missing": {
            "rows": 0.1,
            "units": 0.1,
            "dropout": {"logistic": {"(Intercept)": -4, "y": 0.3}},
        },
    },
    "covariates": {
        "xm": {"mean_of": "x"},
        "z": {"level": "row", "icc": 0.2},
        "arm": {"level": "unit", "balanced": [0, 1]},
    },
    "models": {"m": "y ~ x + xm + z + arm + (1 + z | unit)"},
}


# The same bits however much is drawn at once -----------------------------------------------------


@pytest.mark.parametrize("source", [ARRAYS, TABLE, RESPONSE], ids=["arrays", "table", "response"])
@pytest.mark.parametrize("chunk", [500, 1 << 17])
def test_the_same_bits_whatever_is_drawn_at_once(tmp_path, monkeypatch, source, chunk):
    study = load(tmp_path, source, **EVERYTHING)
    (one,) = study.scenarios
    assert one.generator.group == 100
    whole = simulate(one, study.models, 5, 0, 260).cross
    monkeypatch.setattr("hlm.simulate.ragged.CHUNK_VALUES", chunk)
    for start, stop in ((0, 3), (17, 18), (98, 203), (200, 260)):
        part = simulate(one, study.models, 5, start, stop).cross
        for name, array in part._asdict().items():
            full = getattr(whole, name)
            assert_array_equal(array, full[start:stop] if len(full) > 1 else full, name)


def test_replicates_seeds_and_scenarios_differ(tmp_path):
    study = load(tmp_path, ARRAYS, grid={"design.units": [20, 22]})
    one, other = study.scenarios
    drawn = [
        draw_rows(scenario, seed, replicate)["x"][:100]
        for scenario, seed, replicate in ((one, 1, 0), (one, 1, 1), (one, 1, 100), (one, 2, 0))
    ]
    drawn.append(draw_rows(other, 1, 0)["x"][:100])
    assert len({values.tobytes() for values in drawn}) == len(drawn)


def test_common_random_numbers_are_common_to_generators(tmp_path):
    study = load(tmp_path, ARRAYS, grid={"truth.fixed.x": [0.5, 0.9]}, common_random_numbers=True)
    first, second = (draw_rows(one, 1, 3) for one in study.scenarios)
    assert_array_equal(first["x"], second["x"])
    assert_allclose(second["y"] - first["y"], 0.4 * first["x"], rtol=1e-9, atol=1e-12)


def test_large_data_sets_are_drawn_in_small_groups(tmp_path):
    groups = {
        (units, rows): load(tmp_path, ARRAYS, design={"units": units, "rows": rows}, replicates=1)
        .scenarios[0]
        .generator.group
        for units, rows in ((20, 6), (100, 100), (1000, 400))
    }
    assert groups == {(20, 6): 100, (100, 100): 25, (1000, 400): 1}


FORMS = {
    "dict": "return columns",
    "frame": "return pd.DataFrame(columns)",
    "records": "return pd.DataFrame(columns).to_records(index=False)",
    "lists": "return {name: list(values) for name, values in columns.items()}",
    "names of units": "return columns | {'unit': [f'u{k}' for k in columns['unit']]}",
}

FORM = """
import numpy as np
import pandas as pd
{imports}

def draw(rng, values, first, last):
    n, units, rows = last - first + 1, values["units"], values["rows"]
    a = rng.normal(size=(n, units))
    x = 2 + 0.6 * a[:, :, None] + 0.8 * rng.normal(size=(n, units, rows))
    replicate, unit, _ = np.indices(x.shape)
    columns = {{
        "replicate": first + replicate.ravel(),
        "unit": unit.ravel(),
        "a": np.repeat(a.ravel(), rows),
        "x": x.ravel(),
    }}
    {form}
"""


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_rows_and_arrays_are_the_same_data(tmp_path, form):
    one = load(tmp_path / "arrays", ARRAYS).scenarios[0]
    other = load(tmp_path / "rows", FORM.format(imports="", form=form)).scenarios[0]
    assert one.key != other.key
    same = replace(other, key=one.key)
    for replicate in (0, 17, 101):
        first, second = (draw_rows(s, 1, replicate) for s in (one, same))
        assert first.keys() == second.keys()
        for name, values in first.items():
            assert_array_equal(values, second[name], name)


# What is drawn -----------------------------------------------------------------------------------


def test_covariates_and_response_have_the_moments_of_generator_and_truth(tmp_path):
    """x = 2 + 0.6 a + 0.8 e has mean 2, variance 1 and the covariance 0.6 with a."""
    (one,) = load(tmp_path, ARRAYS).scenarios
    frames = [pd.DataFrame(draw_rows(one, 1, r)).assign(r=r) for r in range(300)]
    rows = pd.concat(frames)
    units = rows.groupby(["r", "unit"]).first()
    n = len(units)
    assert abs(units["a"].mean()) < 4 / np.sqrt(n)
    assert abs(rows["x"].mean() - 2) < 4 * np.sqrt((0.36 + 0.64 / 6) / n)
    assert abs(units["x"].cov(units["a"]) - 0.6) < 4 * np.sqrt(1.36 / n)
    left = rows["y"] - 1 - 0.5 * rows["x"] - 0.3 * rows["a"]
    means = left.groupby([rows["r"], rows["unit"]]).mean()
    within = left.groupby([rows["r"], rows["unit"]]).var().mean()
    assert abs(within / 1.2**2 - 1) < 4 * np.sqrt(2 / (5 * n))
    assert abs(means.var() / (0.7**2 + 1.2**2 / 6) - 1) < 4 * np.sqrt(2 / n)


@pytest.mark.parametrize("source", [ARRAYS, TABLE, RESPONSE], ids=["arrays", "table", "response"])
def test_estimates_are_about_the_true_values(tmp_path, source):
    study = load(tmp_path, source)
    (one,) = study.scenarios
    drawn = simulate(one, study.models, study.seed, 0, 300)
    table = to_table(fit_batch(one, study.models, drawn)["estimates"], ESTIMATES).to_pandas()
    reml = table[table["method"] == "reml"].groupby("term", observed=True)["estimate"]
    for term, true in {"(Intercept)": 1.0, "x": 0.5, "a": 0.3}.items():
        mean, se = reml.mean()[term], reml.std()[term] / np.sqrt(300)
        assert abs(mean - true) < 4 * se, term
    own = {target.term: target.true for target in targets(one, study.models[0])}
    assert own["x"] == 0.5
    assert own["sd_(Intercept)|unit"] == 0.7
    assert abs(reml.mean()["sigma"] - 1.2) < 0.02


@pytest.mark.parametrize("source", [TABLE, RESPONSE], ids=["table", "response"])
def test_fits_are_those_of_lmer_to_the_replayed_rows(tmp_path, source):
    study = load(tmp_path, source, **EVERYTHING)
    (one,) = study.scenarios
    drawn = simulate(one, study.models, study.seed, 150, 153)
    table = to_table(fit_batch(one, study.models, drawn)["estimates"], ESTIMATES).to_pandas()
    for replicate in (150, 151, 152):
        fit = lmer(study.models[0].formula, pd.DataFrame(draw_rows(one, study.seed, replicate)))
        mine = table[(table["replicate"] == replicate) & (table["method"] == "reml")]
        expected = fit.tidy().set_index("term")["estimate"]
        found = mine.set_index("term")["estimate"].loc[list(expected.index)]
        assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=2e-6, atol=1e-7)


def test_a_response_is_replayed_as_it_was_drawn(tmp_path):
    """Called here in the same way, with numpy's generator as the manifest says."""
    (one,) = load(tmp_path, RESPONSE).scenarios
    key, names = one.key, {}
    exec(RESPONSE, names)
    words = (3, 1, int(key[:8], 16), int(key[8:], 16), 9)
    expected = names["draw"](np.random.default_rng(words), one.generator.told, 100, 199)
    rows = draw_rows(one, 9, 117)
    assert_array_equal(rows["y"], expected["y"][17].ravel())
    assert_array_equal(rows["x"], expected["x"][17].ravel())
    assert_array_equal(rows["a"], np.repeat(expected["a"][17], 6))


def test_units_may_differ_in_rows_and_missing_rows_are_left_out(tmp_path):
    (one,) = load(tmp_path / "whole", TABLE).scenarios
    sizes = np.concatenate([some.rows.sizes for some in draw_by_row(one, 1, 0, 200)])
    assert sizes.shape == (200, 20)
    assert (sizes.min(), sizes.max()) == (3, 9)
    assert abs(one.mean_rows - 6) < 4 * 2 / np.sqrt(80)
    half = load(tmp_path / "half", TABLE, design={"missing": {"rows": 0.5}})
    left = np.concatenate([s.rows.sizes for s in draw_by_row(half.scenarios[0], 1, 0, 200)])
    assert abs(left.mean() - 3) < 0.1


def test_a_generator_is_told_the_scenario(tmp_path):
    source = ARRAYS.replace("n = last", "raise KeyError(repr(values))\n    n = last")
    told = str(refused(tmp_path, source))
    for part in (
        "'units': 20",
        "'rows': 6",
        "'covariates': {'a': 'unit', 'x': 'row'}",
        "'group': 'unit'",
        "'response': 'y'",
        "'fixed': {'(Intercept)': 1.0, 'x': 0.5, 'a': 0.3}",
        "'sd': {'(Intercept)': 0.7}",
        "'cor': [[1.0]]",
        "'sigma': 1.2",
    ):
        assert part.replace("'", "\\'") in told or part in told


def test_what_it_prints_is_no_part_of_a_table(tmp_path, capsys):
    path = put(tmp_path, ARRAYS.replace("n = last", "print('here'); n = last"))
    assert main(["replay", str(path), "1", "0", "--allow-code"]) == 0
    out, err = capsys.readouterr()
    assert "here" not in out
    assert "here" in err
    assert out.startswith("unit,a,x,y\n")


# The key, the plan and the files -----------------------------------------------------------------


def test_the_key_is_of_the_content_of_the_file_and_not_of_its_place(tmp_path):
    (one,) = load(tmp_path / "a", ARRAYS).scenarios
    (moved,) = load(tmp_path / "b", ARRAYS, name="other.py").scenarios
    (edited,) = load(tmp_path / "a", ARRAYS + "\n# a comment\n").scenarios
    named = ARRAYS.replace("def draw", "def another")
    (renamed,) = load(tmp_path / "c", named, design={"generator": "own.py:another"}).scenarios
    assert one.key == moved.key
    assert len({one.key, edited.key, renamed.key}) == 3
    assert_array_equal(draw_rows(one, 1, 5)["y"], draw_rows(moved, 1, 5)["y"])


def test_the_grid_may_vary_the_generator(tmp_path):
    source = ARRAYS + ARRAYS.replace("def draw", "def wide").replace("0.8 * rng", "2.8 * rng")
    levels = {"narrow": "own.py:draw", "wide": "own.py:wide"}
    study = load(tmp_path, source, grid={"design.generator": levels})
    narrow, wide = (np.std(draw_rows(one, 1, 0)["x"]) for one in study.scenarios)
    assert [level["generator"] for level in study.levels] == ["narrow", "wide"]
    assert 2 * narrow < wide


def test_a_plan_has_the_source_once_and_no_permission(tmp_path):
    study = load(tmp_path, TABLE, grid={"design.units": [10, 20, 30]})
    plan = make_plan(study)
    plan.write(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text()
    assert text.count("def draw") == 1
    assert "allowed" not in text
    read = Plan.read(tmp_path / "plan.json")
    assert read == plan
    with pytest.raises(InputError, match="--allow-code"):
        draw_rows(read.scenarios[0], 3, 1)
    allowed = Plan.read(tmp_path / "plan.json", allow_code=True)
    (tmp_path / "own.py").unlink()
    for mine, theirs in zip(study.scenarios, allowed.scenarios, strict=True):
        assert_array_equal(draw_rows(mine, 3, 1)["y"], draw_rows(theirs, 3, 1)["y"])


def test_a_plan_whose_source_was_changed_is_refused(tmp_path):
    make_plan(load(tmp_path, ARRAYS)).write(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace("0.8 * rng", "0.9 * rng"))
    with pytest.raises(InputError, match="not that of its checksum"):
        Plan.read(tmp_path / "plan.json", allow_code=True)


def test_the_source_and_the_libraries_that_it_imports_are_in_the_fingerprint(monkeypatch):
    plain, own = fingerprint("fit"), fingerprint("fit", (ARRAYS,))
    imports = fingerprint("fit", (f"import yaml\n{ARRAYS}",))
    assert len({plain, own, imports, fingerprint("fit", (TABLE,))}) == 4
    monkeypatch.setattr(
        "hlm.operations.fingerprint._version", lambda name: "9" if name == "yaml" else "1"
    )
    fingerprint.cache_clear()
    newer = fingerprint("fit", (f"import yaml\n{ARRAYS}",))
    monkeypatch.setattr("hlm.operations.fingerprint._version", lambda _: "1")
    fingerprint.cache_clear()
    older = fingerprint("fit", (f"import yaml\n{ARRAYS}",))
    monkeypatch.undo()
    fingerprint.cache_clear()
    assert newer != older


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results of a small study, and its file, which is gone by then."""
    folder = tmp_path_factory.mktemp("made")
    study = put(folder, RESPONSE, replicates=120, estimation={"methods": ["reml"]})
    results = make_results(folder / "results", study=study, allow_code=True)
    write_manifest(Plan.read(results / "plan.json"), results, study=study)
    (folder / "own.py").unlink()
    return results


def test_the_manifest_and_a_copy_say_what_drew_the_data(made):
    manifest = read_manifest(made)
    (source,) = manifest["sources"]
    (copy,) = (made / "generators").iterdir()
    assert copy.read_text() == RESPONSE
    assert source["key"] == "design.generator"
    assert source["data"] == "own.py"
    assert copy.name == f"own-{source['blake2b'][:12]}.py"
    assert "generators/" + copy.name in [file["name"] for file in manifest["files"]]
    assert "(3,)" in manifest["seeds"]


def test_results_are_verified_without_the_file(made, capsys):
    assert main(["verify", str(made), "--n", "5", "--seed", "1", "--allow-code"]) == 0
    assert "all the same" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["replay", "1", "3"], ["verify"], ["audit"]])
def test_results_are_not_drawn_again_without_permission(made, capsys, command):
    name, *more = command
    if name == "audit":
        pytest.importorskip("statsmodels")
        more = ["--engine", "statsmodels", "--n", "1"]
    assert main([name, str(made), *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("design.generator: 'own.py:draw' is code")
    assert "--allow-code" in error


def test_files_are_verified_and_the_status_is_told_without_permission(made, capsys):
    assert main(["verify", str(made), "--n", "0"]) == 0
    assert main(["status", str(made)]) == 0
    assert "120 of 120" in capsys.readouterr().out


def test_copies_that_are_no_longer_of_the_study_are_removed(made, tmp_path):
    (tmp_path / "generators").mkdir()
    for name in ("own-0123456789ab.py", *(path.name for path in (made / "generators").iterdir())):
        (tmp_path / "generators" / name).write_text("")
    removed = remove_leftovers(Plan.read(made / "plan.json"), tmp_path)
    assert [path.name for path in removed] == ["own-0123456789ab.py"]


# The clock ---------------------------------------------------------------------------------------

CLOCK = ARRAYS.replace("import numpy", "import time\nimport numpy").replace(
    "a = rng", "late = time.time_ns() % 997 if n > 50 else 0\n    a = late * 1e-3 + rng"
)
"""On trial, where it draws few replicates, it does not look at the clock."""


def test_verify_finds_a_generator_that_reads_the_clock(tmp_path, capsys):
    study = put(tmp_path, CLOCK, replicates=110, estimation={"methods": ["reml"]})
    results = make_results(tmp_path / "results", study=study, allow_code=True)
    write_manifest(Plan.read(results / "plan.json"), results, study=study)
    assert main(["verify", str(results), "--n", "6", "--seed", "1", "--allow-code"]) == 1
    out = capsys.readouterr().out
    assert "differ" in out
    assert "estimate was" in out


UNSTEADY = {
    "the clock": "import time\nEXTRA = lambda: time.time_ns() * 1e-18",
    "other random numbers": "EXTRA = np.random.default_rng().normal",
    "numbers that it keeps": "EXTRA = np.random.default_rng(1).normal",
    "the global state": "EXTRA = np.random.normal",
}


@pytest.mark.parametrize("extra", UNSTEADY.values(), ids=UNSTEADY)
def test_a_generator_that_draws_something_else_when_called_again_is_refused(tmp_path, extra):
    source = ARRAYS.replace("\n\ndef", f"\n{extra}\n\ndef").replace("a = rng", "a = EXTRA() + rng")
    error = refused(tmp_path, source)
    assert "called twice with the same random numbers it draws other data" in str(error)
    assert "'a' differs" in str(error)


# Refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["check"], ["run"], ["replay", "1", "0"], ["status"]])
def test_a_study_with_code_is_refused_without_permission(tmp_path, capsys, monkeypatch, command):
    """And the code does not run."""
    source = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{ARRAYS}"
    path = put(tmp_path, source)
    monkeypatch.chdir(tmp_path)
    name, *more = command
    assert main([name, str(path), *more]) == 2
    error = capsys.readouterr().err
    assert "design.generator: 'own.py:draw' is code, which does not run unless you" in error
    assert "allowed: --allow-code, once you know what own.py does" in error
    assert not (tmp_path / "ran").exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["own.py", "study.yaml"]
    with pytest.raises(InputError):
        Study.load(path)
    assert not (tmp_path / "ran").exists()
    assert Study.load(path, allow_code=True)
    assert (tmp_path / "ran").exists()


def body(text):
    """Return a generator whose columns are changed by a line."""
    return FORM.format(imports="", form=f"{text}\n    return columns")


SAID = {
    "an exception": (
        body("1 / 0"),
        ["own.py, line 17: ZeroDivisionError: division by zero, in: 1 / 0", "replicates 0 to 3"],
    ),
    "an exit": (body("raise SystemExit(3)"), ["SystemExit: 3", "replicates 0 to 3"]),
    "an exception in a library": (
        body("np.linalg.inv(np.zeros((2, 2)))"),
        ["line 17: LinAlgError: Singular matrix, in: np.linalg.inv"],
    ),
    "no syntax": ("def draw(:\n    pass\n", ["own.py, line 1: SyntaxError"]),
    "a library that there is not": (
        f"import no_such_library\n{ARRAYS}",
        ["line 1: ModuleNotFoundError: No module named 'no_such_library'"],
    ),
    "no such function": (
        ARRAYS.replace("def draw", "def drew"),
        ["own.py has no function 'draw'", "did you mean 'drew'"],
    ),
    "other arguments": (
        "def draw(rng, values):\n    return {}\n",
        ["own.py: TypeError: draw() takes 2 positional arguments but 4 were given"],
    ),
    "nothing": (body("return None"), ["it returns nothing", "a pandas data frame"]),
    "a number": (body("return 3"), ["it returns int", "a dict of arrays"]),
    "a list": (body("return [1, 2]"), ["it returns list"]),
    "a missing column": (
        body("del columns['x']"),
        ["there is no column 'x'", "allowed: replicate, unit, a, x"],
    ),
    "a column too many": (
        body("columns['xx'] = columns['x']"),
        ["the column 'xx' is none that the study declares", "did you mean 'x'"],
    ),
    "no replicates": (body("del columns['replicate']"), ["there is no column 'replicate'"]),
    "other lengths": (
        body("columns['x'] = columns['x'][1:]"),
        ["the column 'x' has the shape (479,), 'unit' has (480,)"],
    ),
    "a number for a column": (body("columns['x'] = 1.0"), ["'x' has the shape (1,)"]),
    "text": (
        body("columns['x'] = columns['x'].astype(str)"),
        ["'x' has values of type <U32", "numbers, true and false"],
    ),
    "NaN": (
        body("columns['x'][250] = np.nan"),
        ["'x' is nan in 1 place", "replicate 2)", "design.missing"],
    ),
    "infinity": (body("columns['a'][:6] = -np.inf"), ["'a' is -inf in 6 places", "replicate 0)"]),
    "replicates that were not asked for": (
        body("columns['replicate'] = columns['replicate'] + 7"),
        ["a row of replicate 7", "allowed: 0 to 3"],
    ),
    "half a replicate": (
        body("columns['replicate'] = columns['replicate'] + 0.5"),
        ["a row of replicate 0.5"],
    ),
    "a replicate that is missing": (
        body("columns = {k: v[columns['replicate'] != 2] for k, v in columns.items()}"),
        ["there are no rows", "replicate 2)"],
    ),
    "replicates out of order": (
        body("columns = {k: v[::-1] for k, v in columns.items()}"),
        ["its rows are not all together", "replicate 2)"],
    ),
    "units that are apart": (
        body("columns = {k: v.reshape(4, 20, 6).mT.ravel() for k, v in columns.items()}"),
        ["the rows of the unit 0 are not all together", "replicate 0)"],
    ),
    "fewer units": (
        body(
            "columns = {k: v[(columns['unit'] < 19) | (columns['replicate'] < 3)] "
            "for k, v in columns.items()}"
        ),
        ["there are 19 units, not 20", "replicate 3)"],
    ),
    "a covariate of units that varies within them": (
        body("columns['a'] = columns['x']"),
        ["'a' differs between the rows of a unit", "or level: row", "replicate 0)"],
    ),
    "an array of another shape": (
        ARRAYS.replace('return {"a": a', 'return {"a": a[0]'),
        ["'a' has the shape (20,)", "allowed: (4, 20), replicates by units;"],
    ),
    "an array of rows without rows": (
        ARRAYS.replace('"x": x}', '"x": a}'),
        ["'x' has the shape (4, 20)", "allowed: (4, 20, 6), replicates by units by rows;"],
    ),
}


@pytest.mark.parametrize(("source", "parts"), SAID.values(), ids=SAID)
def test_faults_of_a_generator_are_said_with_function_scenario_and_replicate(
    tmp_path, source, parts
):
    error = refused(tmp_path, source)
    for part in parts:
        assert part in str(error)
    assert error.path == "design.generator"
    key = r"[0-9a-f]{16}"
    first = str(error).splitlines()[0]
    assert re.search(rf"\(generator draw, scenario {key}, replicates? \d+( to \d+)?\)$", first)
    assert str(error.file).endswith("study.yaml:19")


def test_a_fault_of_a_later_replicate_ends_a_job_in_one_message(tmp_path):
    """On trial nothing is wrong; the stage raises what the job's log says in a line."""
    source = body("columns['x'][:] = np.where(columns['replicate'] == 157, np.nan, columns['x'])")
    study = load(tmp_path, source)
    (one,) = study.scenarios
    simulate(one, study.models, 1, 0, 100)
    with pytest.raises(InputError) as caught:
        simulate(one, study.models, 1, 100, 120)
    assert f"'x' is nan in 120 places (generator draw, scenario {one.key}, replicate 157)" in str(
        caught.value
    )


def test_a_response_that_comes_and_goes_is_refused(tmp_path):
    gone = "    if len(a) > 50:\n        return {'a': a, 'x': x}\n"
    source = RESPONSE.replace("    return {", f"{gone}    return {{")
    study = load(tmp_path, source)
    with pytest.raises(InputError, match="there is no column 'y'"):
        simulate(study.scenarios[0], study.models, 1, 0, 3)


DECLARED = {
    "nothing draws it": (
        {"design": {"generator": None}},
        "design.covariates.a.generated: nothing draws 'a'",
    ),
    "no function": ({"design": {"generator": "own.py"}}, "'own.py' names no function"),
    "no file": ({"design": {"generator": "won.py:draw"}}, "did you mean 'own.py'"),
    "a folder": ({"design": {"generator": "x.py:draw"}}, "x.py cannot be read"),
    "not generated": ({"covariates": {"x": {"level": "row", "generated": False}}}, "false"),
    "data beside it": ({"design": {"from": "sleepstudy"}}, "one of from and generator"),
    "fixed rows beside it": (
        {"covariates": {"t": {"level": "row", "grid": {"from": 0, "to": 1}}}},
        "fixed values of 't' in rows that a generator draws",
    ),
    "measured with error": (
        {"covariates": {"w": {"measures": "x", "reliability": 0.7}}},
        "the variance of 'x', which a generator draws, is not known",
    ),
    "a latent mean": ({"covariates": {"w": {"latent_mean_of": "x"}}}, "'x' has no icc"),
    "correlated": (
        {
            "design": {"correlated": {"s": {"of": ["x", "z"], "cor": 0.5}}},
            "covariates": {"z": {"level": "row"}},
        },
        "'x' is drawn by the generator",
    ),
    "a time": ({"truth": {"residual": {"sd": 1, "ar1": {"cor": 0.5, "time": "x"}}}}, "is no time"),
    "shares of variance": (
        {"truth": {"fixed": {"(Intercept)": 1, "a": 1}, "effect_sizes": {"r2": {"x": 0.1}}}},
        "shares of variance need those of the covariates",
    ),
    "a factor": ({"models": {"m": "y ~ factor(x) + (1 | unit)"}}, "factor(x)"),
    "a covariate that no one declares": ({"models": {"m": "y ~ w + (1 | unit)"}}, "'w'"),
    "a level of the grid": (
        {"grid": {"design.generator": ["own.py:draw", "won.py:draw"]}},
        "grid.design.generator: won.py cannot be read",
    ),
}


@pytest.mark.parametrize(("changes", "part"), DECLARED.values(), ids=DECLARED)
def test_what_cannot_be_declared_is_said(tmp_path, changes, part):
    assert part in str(refused(tmp_path, ARRAYS, **changes))


@pytest.mark.parametrize(
    ("truth", "path"),
    [
        ({"residual": {"sd": 1, "distribution": "t(5)"}}, "truth.residual.distribution"),
        ({"residual": {"sd": 1, "ar1": 0.5}}, "truth.residual.ar1"),
        (
            {"residual": {"sd": 1, "variance": {"by": "unit", "cv": 0.5}}},
            "truth.residual.variance",
        ),
        (
            {"random": {"unit": {"sd": {"(Intercept)": 1}, "distribution": "laplace"}}},
            "truth.random.unit.distribution",
        ),
    ],
)
def test_what_has_no_effect_on_a_response_of_the_generators_is_refused(tmp_path, truth, path):
    assert load(tmp_path, ARRAYS, truth=truth)
    error = refused(tmp_path, RESPONSE, truth=truth)
    assert error.path == path
    assert "it has no effect: the generator draws 'y'" in str(error)


def test_other_mistakes_are_said_beside_the_refusal(tmp_path):
    path = put(tmp_path, ARRAYS, seed="one")
    with pytest.raises(InputError) as caught:
        Study.load(path)
    assert [error.path for error in caught.value.errors] == ["seed", "design.generator"]


def test_old_scenarios_are_read_without_a_generator():
    study = Study.load("config/ogorek2012.yaml")
    data = study.scenarios[0].to_dict()
    del data["generator"]
    assert type(study.scenarios[0]).from_dict(data) == study.scenarios[0]
    assert Generator.__dataclass_fields__["allowed"].compare is False


# The whole path ----------------------------------------------------------------------------------

HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]


@pytest.mark.slow
def test_a_study_runs_from_its_file_to_its_report(tmp_path):
    """And goes on only with permission; with another generator nothing old is left."""

    def hlm(*arguments):
        command = [*HLM, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    put(tmp_path, TABLE, replicates=120, grid={"design.units": [15, 20]})
    assert hlm("run", "study.yaml", "--cores", "2").returncode == 2
    assert not (tmp_path / "results").exists()
    done = hlm("run", "study.yaml", "--cores", "2", "--allow-code")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results/own"
    assert (folder / "report.html").exists()
    assert hlm("verify", "results/own", "--n", "4").returncode == 2
    verified = hlm("verify", "results/own", "--n", "4", "--allow-code")
    assert "all the same" in verified.stdout, verified.stderr
    again = hlm("run", "study.yaml", "--cores", "2", "--allow-code", "--verbose", "--", "-n")
    assert "Nothing to be done" in again.stdout + again.stderr
    (copy,) = (folder / "generators").iterdir()
    wrong = "        1 / (replicate - 117)\n        sizes"
    (tmp_path / "own.py").write_text(TABLE.replace("        sizes", wrong, 1))
    failed = hlm("run", "study.yaml", "--cores", "2", "--allow-code")
    assert failed.returncode == 1
    assert "ZeroDivisionError: division by zero, in: 1 / (replicate - 117)" in failed.stderr
    assert "replicates 100 to 199)" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not copy.exists()
