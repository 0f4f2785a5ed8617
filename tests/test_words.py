"""One of a thing is said as one: in a study of one scenario, one model and one replicate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hlm.cli import main
from hlm.errors import InputError
from hlm.plan import make_plan
from hlm.study import Study
from hlm.tables.study_summary import summary
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
