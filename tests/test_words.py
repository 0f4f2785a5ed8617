"""Words: one of a thing is said as one; catalogues have all measures, inferences and statuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from hlm import performance
from hlm.cli import main
from hlm.errors import InputError
from hlm.inference import COEFFICIENTS, RANDOM_PART, RATIO_TESTS
from hlm.kernels.fit import STATUSES
from hlm.measures import summarize_estimates
from hlm.plan import make_plan
from hlm.plan.study_summary import summary
from hlm.scenario import Method
from hlm.study import Study
from hlm.words.fitting import METHODS, REASONS
from hlm.words.inferences import INFERENCES, way_of
from hlm.words.measures import MEASURES, NEED_TRUE
from tests.plan.test_summary import first_page

ONE = """\
name: one
seed: 1
replicates: 1
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 0, x: 1}
  random: {unit: {sd: {(Intercept): 1}}}
  residual: {sd: 1}
design:
  units: 10
  rows: 5
  covariates: {x: {level: row}}
models: {line: y ~ x + (1 | unit)}
estimation: {methods: [reml], tests: {slope: [x]}}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(ONE, encoding="utf-8")
    return Study.load("one.yaml")


@pytest.mark.usefixtures("study")
def test_check_of_one(capsys):
    assert main(["check", "one.yaml", "--cores", "1", "--no-pilot"]) == 0
    out = capsys.readouterr().out
    assert "one: 1 scenario of 1 replicate\n" in out
    assert re.search(r"^1 fit in 1 batch: \d+ jobs, \d+ files$", out, re.MULTILINE)
    assert out.count(" on 1 core\n") == 1


def test_status_of_one(study, capsys):
    make_plan(study).write("results/one/plan.json")
    assert main(["status", "one.yaml"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("one: 0 of 1 replicate (0 %)\n0 of 1 batch\n")


def test_first_page_of_one(study):
    text = first_page(summary(make_plan(study)))
    assert (
        "in data like these: 1 data set was drawn from the truth, and to it 1 model was fitted: "
        "1 fit.</p>" in text
    )
    assert "<strong>slope</strong>: x is 0" in text


def test_first_page_of_many_models_of_one_data_set_at_two_points():
    text = ONE.replace("models:", "grid: {design.units: [10, 20]}\nmodels:")
    text = text.replace("models: {", "models: {mean: y ~ 1 + (1 | unit), ")
    page = first_page(summary(make_plan(Study.from_text(text))))
    assert (
        "at each of 2 points of a grid, 1 data set was drawn from the truth, and to it 2 models "
        "were fitted: 4 fits.</p>" in page
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("covariates: {x: {level: row}}", "covariates: {x: {level: row, grid: [1, 2]}}", "1 row"),
        ("sd: {(Intercept): 1}}", "sd: {(Intercept): 1}, cor: [[1, 0]]}", "1 row of 2 values"),
    ],
)
def test_messages_about_one(old, new, words):
    text = ONE.replace(old, new).replace("rows: 5", "rows: 1")
    with pytest.raises(InputError, match=f"{words}($|\n| \\()"):
        Study.from_text(text)


COUNTS = {"n_total", "n_used", "unbounded", "absent"}
"""Rows of `measures` that say what the others rest on."""

DATA = pd.DataFrame(
    {"b": [1.0, 2.0, 4.0], "s": [0.5, 0.6, 0.7], "L": 0.5, "U": 3.0, "id": [1, 2, 3]}
)
TWO = pd.concat([DATA.assign(m="x"), DATA.assign(m="y", b=[1.0, 2.5, 3.0])])


def needing(*needs):
    """Return the names of the measures whose needs are among these, the true value being 1.5."""
    return {
        name
        for name, measure in MEASURES.items()
        if set(measure.needs.split(", ")) <= {*needs} and measure.where != "true is 0"
    }


@pytest.mark.parametrize(
    ("data", "given", "needs"),
    [
        (DATA, {}, ("", "true")),
        (DATA, {"se": "s"}, ("", "true", "se", "limits")),
        (DATA, {"lower": "L", "upper": "U"}, ("", "true", "limits")),
        (TWO, {"method": "m", "ref": "x", "id": "id"}, ("", "true", "reference")),
    ],
)
def test_the_catalogue_says_what_each_measure_needs(data, given, needs):
    table = performance(data, estimate="b", true=1.5, **given)
    assert set(table["measure"]) - COUNTS == needing(*needs)


def test_a_term_without_a_true_value_lacks_the_measures_that_need_one():
    terms = {"scenario": "s", "model": "m", "method": "ml", "term": "x"}
    rows = DATA.rename(columns={"b": "estimate", "s": "se"})[["estimate", "se"]].assign(**terms)
    truth = pd.DataFrame([{**terms, "kind": "coefficient", "true": np.nan}])
    found = set(summarize_estimates(rows, truth=truth)["measure"]) - COUNTS
    assert found == set(MEASURES) - {*NEED_TRUE, "relative_precision"}


def test_the_readme_lists_every_measure_as_the_catalogue_does():
    words = {"true": "a true value", "se": "standard errors", "reference": "a reference method"}
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split("|") for line in readme.splitlines() if "| `" in line]
    listed = {
        name.strip(" `"): [cell.strip() for cell in cells]
        for name, *cells in (row if len(row) == 3 else [*row, ""] for row in rows if len(row) > 1)
        if name.strip(" `") in MEASURES
    }
    assert listed == {
        name: [m.formula, ", ".join(words.get(need, need) for need in m.needs.split(", "))]
        for name, m in MEASURES.items()
    }


def test_every_inference_method_and_status_has_its_words():
    assert list(INFERENCES) == list(dict.fromkeys([*COEFFICIENTS, *RANDOM_PART, *RATIO_TESTS]))
    assert all(INFERENCES[name].tests for name in COEFFICIENTS)
    assert set(METHODS) == set(get_args(Method))
    assert set(REASONS) == {*STATUSES, "constant_response"} - {"ok"}


def test_several_inferences_are_told_in_one_sentence():
    assert way_of(["infinite", "bootstrap"], ["bootstrap"], 0.9) == (
        "infinite degrees of freedom, the parametric bootstrap and 90% limits, those of the random "
        "part by parametric bootstrap"
    )
    assert way_of(["infinite", "satterthwaite", "kenward-roger"], ["wald"], 0.95) == (
        "infinite, Satterthwaite's and Kenward and Roger's degrees of freedom and 95% limits"
    )
