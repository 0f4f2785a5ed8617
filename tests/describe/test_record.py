"""Records of studies: numbers are those of the files, factors are named, formats are whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from hlm.describe import distribution_words, record, to_html, to_latex, to_markdown
from hlm.describe.blocks import Grid
from hlm.describe.marked import plain
from hlm.distributions import FAMILIES, SHAPES
from hlm.rows.origins import ORIGINS
from hlm.rows.sizes import SIZES
from hlm.study import Study
from hlm.uncertain import PRIORS

ROOT = Path(__file__).parents[2]
READY = sorted((ROOT / "config").glob("*.yaml"))
ODD = ROOT / "tests" / "describe" / "odd.yaml"
STUDIES = [*READY, ROOT / "tests" / "everything.yaml", ODD]


@cache
def study_of(path):
    return Study.load(path)


@cache
def record_of(path):
    return record(study_of(path))


def table(path, section, heading):
    """Return the rows of the table with a heading, as plain text."""
    blocks = record_of(path).section(section).blocks
    grid = next(b for b in blocks if isinstance(b, Grid) and b.headings[0] == heading)
    return [[plain(cell) for cell in row] for row in grid.rows]


def numbers(text):
    """Return the numbers of a text, the minus sign of a typesetter being one."""
    found = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text.replace("\N{MINUS SIGN}", "-"))
    return [float(number) for number in found]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_values_of_parameters_are_those_of_the_file(path):
    """And of the grid, where it varies them: each table entry holds all and no other."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    truth, grid = written["truth"], written.get("grid", {})
    shown = {words: numbers(value) for _, words, value in table(path, DATA, "Symbol")}
    expected = {}
    for name, value in truth.get("fixed", {}).items():
        expected[name] = grid.get(f"truth.fixed.{name}", [value])
    for group, part in truth.get("random", {}).items():
        for name, value in part["sd"].items():
            levels = [
                level[f"truth.random.{group}.sd.{name}"]
                for axis in grid.values()
                if isinstance(axis, dict)
                for level in axis.values()
                if f"truth.random.{group}.sd.{name}" in level
            ]
            expected[f"sd {name}"] = levels or [value]
    if "residual" in truth:
        expected["residual sd"] = [truth["residual"]["sd"]]
    assert expected or "fit" in truth
    for words, values in expected.items():
        assert shown[words][: len(values)] == pytest.approx(values), words
        assert len(shown[words]) == len(values) or "uncertain" in truth


DATA = "Data-generating mechanism"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_seed_replicates_models_and_factors_are_said(path):
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    found, study = to_markdown(record_of(path)), study_of(path)
    assert f"The seed is {written['seed']}." in found
    if isinstance(written["replicates"], int):
        n = written["replicates"]
        assert f"Each scenario has {n:,} data set{'s' * (n > 1)}." in found
    else:
        assert "from 300 to 600" in found
    for name, model in written["models"].items():
        formula = model if isinstance(model, str) else model["formula"]
        assert f"- `{name}`: `{formula}`, by " in found
    paragraph = plain(record_of(path).methods.text)
    count = len(study.scenarios)
    assert f"{count:,} scenario" in paragraph or f" {count:,} are scenarios" in paragraph
    levels = dict(table(path, DATA, "Factor"))
    assert len(levels) == len(study.levels[0])
    for name, level in study.levels[0].items():
        words = {"units": "Number of units", "rows": "Rows per unit", "cor": "Correlation"}
        words["assumptions"] = "Assumptions"
        assert words.get(name, name) in levels
        of_factor = levels[words.get(name, name)].replace("\N{MINUS SIGN}", "-")
        if isinstance(level, str):
            assert level in of_factor
        else:
            assert float(f"{level:.6g}") in numbers(of_factor)
        assert words.get(name, name).lower() in paragraph.lower()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_formats_are_whole(path):
    found = record_of(path)
    for text in (to_markdown(found), to_latex(found), to_html(found)):
        assert not re.search(r"\bNone\b|\bnan\b|\binf\b|Traceback|lambda|<function", text)
        assert not re.search("[\ue000-\ue002]|  +[a-z]|\\.\\.(?!\\.)|, ,|\\( ?\\)", text), text
    ET.fromstring(f"<div>{to_html(found)}</div>")
    assert record(study_of(path)) == found
    assert balanced(to_latex(found))


def balanced(tex):
    """Tell whether environments end where they begin, and braces and dollar signs match."""
    open_ones = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", tex):
        if what == "begin":
            open_ones.append(name)
        elif not open_ones or open_ones.pop() != name:
            return False
    bare = re.sub(r"\\[{}$\\]", "", tex)
    return not open_ones and bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_latex_compiles(path, tmp_path):
    (tmp_path / "record.tex").write_text(to_latex(record_of(path)), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "record.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_truth_is_an_equation():
    found = to_markdown(record_of(ROOT / "config" / "ogorek2012.yaml"))
    assert (
        r"y_{ij} &= \beta_{0} + \beta_{1} x_{ij} + \beta_{2} a_{i} + \beta_{3} x_{ij} a_{i} "
        r"+ u_{0i} + u_{1i} x_{ij} + e_{ij}" in found
    )
    assert r"\tau_{0}^2 & \rho_{10} \tau_{0} \tau_{1} \\" in found
    apart = to_markdown(record_of(ROOT / "config" / "maas_hox_2004.yaml"))
    assert r"\begin{pmatrix} \tau_{0}^2 & 0 \\ 0 & \tau_{1}^2 \end{pmatrix}" in apart


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ogorek2012", "A data set has 10, 30 or 100 units; each unit has 5, 15 or 30 rows."),
        ("ogorek2012", "The 3 factors are crossed in full, which gives 18 scenarios."),
        ("ogorek2012", "fixed at 5 evenly spaced points from -4 to 2.4 (5 rows per unit)"),
        ("ogorek2012", "Random effects and residuals are normal."),
        (
            "ar1_ignored",
            "have the correlation r^{|j - k|} with r = 0.2, 0.4, 0.6 or 0.8; residuals",
        ),
        ("dropout", "expit}(-2.5 + 1 \\, \\text{y of the row before}) (missing at random)"),
        ("dropout", "expit}(-2.7 + 1 \\, \\text{y}) (missing not at random) (dropout = MNAR)"),
        ("maas_hox_2004", "chi-square with 1 degree of freedom, standardized to mean 0 and the"),
        ("manifest_means", "xl, one value for each unit: the mean of x that the unit has in the"),
        ("manifest_means", "of whose variance the share 0.05, 0.1 or 0.3 lies between units"),
        ("mathachieve_pilot", "parameter values estimated from the data set mathachieve."),
        ("robust_trial", "heavy tails: the distribution of the residuals is Student's t with 3"),
        (
            "robust_trial",
            "each unit has a number of rows with mean 15 and coefficient of variation",
        ),
        ("robust_trial", "the residual variance is 4 times as large where arm is 1 as elsewhere"),
        ("few_units", "infinite, Satterthwaite's and Kenward and Roger's degrees of freedom"),
        ("predicted_lines", "The coefficients of each unit are predicted (BLUP)"),
        (
            "unequal_clusters",
            "coefficient of variation 0.6, drawn anew for each data set (cv = 0.6)",
        ),
        ("odd", "a Poisson number of rows with rate 6, given at least one row, drawn anew"),
        (
            "odd",
            "normal for (Intercept) and Student's t with 5 degrees of freedom for x, joined by a",
        ),
        ("odd", "the second one with probability 0.1 and 3 times the standard deviation of the"),
        ("odd", "The residual variance of a row is \\sigma^2 |\\text{w}|^{2 d} with d = 0.7."),
        ("odd", "whose w differs by d have the correlation r^d with r = 0.35."),
        ("odd", "missing completely at random with probability 0.05 or 0.2; each unit is missing"),
        ("odd", "(-3 + 0.5 \\, \\text{x}) (by covariates alone); units drop out for good"),
        ("odd", "at row 1, 2, and so on are 0, 0.1 and 0.3, the last at all later rows"),
        ("odd", "0.25, drawn for each data set: normal with mean 0.25 and standard deviation 0.1"),
        ("odd", "lognormal with a logarithm of standard deviation 0.5, scaled to mean 2 and"),
        ("odd", "s, one value for each unit: a and b with the probabilities 0.4 and 0.6."),
        ("odd", "x measured with a normal error of standard deviation 0.5"),
        ("odd", "Of the 4 combinations of the 2 factors 3 are scenarios (a fraction of the"),
        ("odd", "Scenarios with as many units and rows are drawn from the same random numbers"),
        ("odd", "The primary estimand is x; all others are secondary."),
        ("everything", "ratio: var(x) / sigma^2."),
        ("everything", "explained: the share of the variance of x in the model none that full"),
        ("everything", "from 300 to 600: coverage[x] 0.02 and bias[x:a] 0.01."),
        (
            "everything",
            "Tests go forward from the smallest model along none and full, at the level",
        ),
        ("everything", "LR test: slope"),
    ],
)
def test_what_a_study_has_is_said(name, sentence):
    path = next(path for path in STUDIES if path.stem == name)
    assert sentence in everything_of(record_of(path))


def everything_of(found):
    """Return all text of a record, without marks, minus signs as they are typed."""
    parts = []
    for section in found.sections:
        for block in section.blocks:
            for value in vars(block).values():
                cells = [value] if isinstance(value, str) else value
                for cell in cells:
                    parts += [cell] if isinstance(cell, str) else list(cell)
    return plain("\n".join(parts)).replace("\N{MINUS SIGN}", "-")


def test_the_error_of_a_coverage_is_that_of_the_number_of_data_sets():
    """Of 10,000 data sets: sqrt(0.95 0.05 / 10000) = 0.00218, and sqrt(0.25 / 10000) = 0.005."""
    found = everything_of(record_of(ROOT / "config" / "few_units.yaml"))
    assert "coverage of 95% is 0.22 percentage points, that of any share at most 0.5 per" in found
    assert "bias 0.01 of the standard deviation of the estimates" in found


def test_every_family_has_words():
    known = {*distribution_words._COVARIATES, *distribution_words._SHAPES}
    assert {*FAMILIES} <= known
    assert {*SHAPES} == {*distribution_words._SHAPES}
    assert {*ORIGINS} == {*distribution_words._ORIGINS}
    assert {*SIZES} == {*distribution_words._SIZES}
    assert {*PRIORS} == {*distribution_words._PRIORS}


def test_words_of_a_user_are_no_markup():
    """The odd study's title has signs that mean something in each format."""
    found = record_of(ODD)
    assert found.title == "An odd study of $5 & 50% | more"
    assert to_markdown(found).startswith("# An odd study of \\$5 & 50% \\| more\n\nA. Author, B.")
    assert r"\title{An odd study of \$5 \& 50\% \textbar{} more}" in to_latex(found)
    assert r"\author{A. Author \and B. Author}" in to_latex(found)


GENERATED = """\
name: generated
seed: 1
replicates: 10
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 1, x: 0.5}
  random: {unit: {sd: {(Intercept): 0.5}}}
  residual: {sd: 1}
design:
  units: 12
  rows: 4
  generator: own.py:draw
  covariates: {x: {level: row, generated: true}}
models: {m: "y ~ x + (1 | unit)"}
"""
CODE = """\
def draw(rng, values, first, last):
    shape = last - first + 1, values["units"], values["rows"]
    return {"x": rng.normal(size=shape)%s}
"""


@pytest.mark.parametrize("responds", [False, True])
def test_a_function_that_draws_data_is_named_and_nothing_is_said_of_what_it_draws(
    responds, tmp_path
):
    response = ', "y": rng.normal(size=shape)' * responds
    (tmp_path / "own.py").write_text(CODE % response, encoding="utf-8")
    study = Study.from_text(GENERATED, file=tmp_path / "study.yaml", allow_code=True)
    found = everything_of(record(study))
    assert "A function of the authors, own.py:draw, draws " in found
    assert ("whole data sets." in found) == responds
    assert ("Random effects and residuals are normal." in found) != responds
    assert "x, one value for each row: drawn by the generator." in found


def test_no_level_of_a_large_study_is_left_out():
    """The last factor has two levels: every second scenario would have but one of them."""
    written = yaml.safe_load((ROOT / "config" / "ogorek2012.yaml").read_text(encoding="utf-8"))
    written["grid"] = {
        "design.units": list(range(10, 35)),
        "design.rows": list(range(5, 30)),
        "truth.random.unit.cor": [0.0, 0.9],
    }
    study = Study.from_text(yaml.safe_dump(written))
    assert len(study.scenarios) == 1250
    found = everything_of(record(study))
    assert "\ncor x.(Intercept)\n0 or 0.9\n" in found
    assert "\ncor_x.(Intercept)|unit\ncor x.(Intercept)\n" in found
    assert "\n0, 0.9\n" in found
    assert "true values over 1,000 scenarios taken at random" in found
    assert "from -4 to 2.66667 (6 rows per unit); and so on to fixed at 29 evenly" in found
