"""Mistakes in what a study takes from data: one message each, and it hides no other."""

from __future__ import annotations

import pytest

from hlm.datasets import load_sleepstudy
from hlm.errors import InputError
from hlm.study import Study

FIT = """\
name: demo
seed: 1
replicates: 10
truth:
  fit:
    data: pilot.csv
    formula: y ~ x + (1 + x | g)
    method: reml
design:
  units: 10
  rows: 5
  covariates:
    x: {level: row}
models:
  m: y ~ x + (1 + x | g)
"""

DESIGN = """\
name: demo
seed: 1
replicates: 10
truth:
  formula: y ~ x + (1 + x | g)
  fixed: {(Intercept): 0, x: 1}
  random: {g: {sd: {(Intercept): 1, x: 1}}}
  residual: {sd: 1}
design:
  from: pilot.csv
  resample: none
models:
  m: y ~ x + (1 + x | g)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write pilot data: numbers, text, gaps, a constant, a column twice."""
    folder = tmp_path_factory.mktemp("pilot")
    frame = load_sleepstudy().rename(columns={"Reaction": "y", "Days": "x", "Subject": "g"})
    frame["sex"] = frame["g"].map(lambda g: "fm"[g % 2])
    frame["site"] = frame["g"].map(lambda g: "abc"[g % 3])
    frame["x2"] = 2 * frame["x"]
    frame["gap"] = frame["x"].where(frame["x"] > 1)
    frame["flat"] = 3.0
    frame.to_csv(folder / "pilot.csv", index=False)
    (folder / "empty.csv").write_text("")
    (folder / "twice.csv").write_text("y,x,x,g\n1,2,3,a\n2,3,4,b\n")
    (folder / "one.csv").write_text("y,x,g\n" + "".join(f"{k * k},{k},a\n" for k in range(9)))
    (folder / "odd.parquet").write_bytes(b"PAR1")
    return folder


def case(name, text, old, new, line, path, *fragments):
    """Return a change of a study, where the message says it is, and parts of it."""
    assert old in text, name
    return pytest.param(text.replace(old, new, 1), line, path, fragments, id=name)


def fit(name, old, new, line, path, *fragments):
    return case(name, FIT, old, new, line, path, *fragments)


def design(name, old, new, line, path, *fragments):
    return case(name, DESIGN, old, new, line, path, *fragments)


def codes(name, written, path, *fragments):
    new = f"method: reml\n    codes: {written}"
    where = f"truth.fit.codes{path}"
    return case(f"codes: {name}", FIT, "method: reml", new, 9, where, *fragments)


MISTAKES = [
    fit(
        "no such file",
        "data: pilot.csv",
        "data: pliot.csv",
        6,
        "truth.fit.data",
        "there is no file 'pliot.csv', seen from the folder of the study",
        "CSV or Parquet file, or one of the data sets mathachieve, ogorek2012, sleepstudy",
        "did you mean 'pilot.csv'?",
    ),
    fit(
        "a misspelt data set",
        "data: pilot.csv",
        "data: sleepstudi",
        6,
        "truth.fit.data",
        "there is no file 'sleepstudi'",
        "did you mean 'sleepstudy'?",
    ),
    fit("a file in no folder", "pilot.csv", "a/b.csv", 6, "truth.fit.data", "no file 'a/b.csv'"),
    fit("a folder", "pilot.csv", ".", 6, "truth.fit.data", "there is no file '.', seen from"),
    fit("no name", "pilot.csv", "''", 6, "truth.fit.data", "there is no file ''"),
    fit("a number for a file", "pilot.csv", "3", 6, "truth.fit.data", "3 is not allowed", "text"),
    fit("a very long name", "pilot.csv", "x" * 5000, 6, "truth.fit.data", "there is no file 'xxx"),
    fit("an empty file", "pilot.csv", "empty.csv", 6, "truth.fit.data", "empty.csv: the file is"),
    fit(
        "no Parquet",
        "pilot.csv",
        "odd.parquet",
        6,
        "truth.fit.data",
        "odd.parquet: ",
    ),
    fit("a column twice", "pilot.csv", "twice.csv", 6, "truth.fit.data", "two columns 'x'"),
    fit(
        "one unit",
        "pilot.csv",
        "one.csv",
        6,
        "truth.fit.data",
        "one.csv: ",
    ),
    fit(
        "no column",
        "y ~ x + (1 + x | g)",
        "y ~ xx + (1 | g)",
        6,
        "truth.fit.data",
        "pilot.csv has no column 'xx'",
        "allowed: y, x, g, sex, site",
    ),
    fit(
        "no column of the response",
        "y ~ x + (1 + x | g)",
        "Y ~ x + (1 | g)",
        6,
        "truth.fit.data",
        "no column 'Y'",
    ),
    fit(
        "no column of the group",
        "(1 + x | g)",
        "(1 + x | unit)",
        6,
        "truth.fit.data",
        "no column 'unit'",
    ),
    fit(
        "a column of text",
        "y ~ x + (1 + x | g)",
        "y ~ x + sex + (1 | g)",
        6,
        "truth.fit.data",
        "column 'sex' of pilot.csv holds f, m, and all covariates of a study are numbers",
        "allowed: a column of numbers, or codes: {sex: {f: 0, m: 1}}",
    ),
    fit(
        "a column of three labels",
        "y ~ x + (1 + x | g)",
        "y ~ x + site + (1 | g)",
        6,
        "truth.fit.data",
        "holds a, b, c,",
        "codes: {site: {a: 0, b: 1, ...}}",
    ),
    fit(
        "columns that depend on one another",
        "y ~ x + (1 + x | g)",
        "y ~ x + x2 + (1 | g)",
        7,
        "truth.fit.formula",
        "in pilot.csv the columns x2 depend on the others",
        "fewer terms",
    ),
    fit(
        "variances that the data do not determine",
        "(1 + x | g)",
        "(1 + x + x2 || g)",
        7,
        "truth.fit.formula",
        "gives no truth: the data do not determine sd_x|g, sd_x2|g",
        "another model or other data",
    ),
    fit(
        "a function that the data do not have",
        "y ~ x + (1 + x | g)",
        "y ~ log(x) + (1 | g)",
        6,
        "truth.fit.data",
        "pilot.csv: ",
        "'log(x)'",
    ),
    fit(
        "a formula that does not parse",
        "y ~ x + (1 + x | g)",
        "y ~ x + (1 + x | g",
        7,
        "truth.fit.formula",
        "the formula does not parse",
    ),
    fit(
        "a response that is no column",
        "y ~ x + (1 + x | g)",
        "log(y) ~ x + (1 | g)",
        7,
        "truth.fit.formula",
        "the response of a study is a column",
    ),
    fit(
        "a factor",
        "y ~ x + (1 + x | g)",
        "y ~ factor(x) + (1 | g)",
        7,
        "truth.fit.formula",
        "factor(x) of a covariate that has values without end",
        "mean 'x'",
    ),
    fit("no formula", "    formula: y ~ x + (1 + x | g)\n", "", 5, "truth.fit.formula", "missing"),
    fit(
        "a number for a formula",
        "formula: y ~ x + (1 + x | g)",
        "formula: 3",
        7,
        "truth.fit.formula",
        "3 is not allowed",
    ),
    fit("no data", "    data: pilot.csv\n", "", 5, "truth.fit.data", "the key is missing"),
    fit(
        "a misspelt method",
        "method: reml",
        "method: remel",
        8,
        "truth.fit.method",
        "'remel'",
        "reml, ml",
        "did you mean 'reml'?",
    ),
    fit(
        "a misspelt key",
        "method: reml",
        "metod: reml",
        8,
        "truth.fit.metod",
        "unknown key 'metod'",
        "data, formula, method, codes",
        "did you mean 'method'?",
    ),
    fit(
        "a name for a fit",
        "  fit:\n    data: pilot.csv\n    formula: y ~ x + (1 + x | g)\n    method: reml\n",
        "  fit: pilot.csv\n",
        5,
        "truth.fit",
        "'pilot.csv' is not allowed",
        "a mapping",
    ),
    fit(
        "a value of no coefficient",
        "design:",
        "  fixed: {z: 0}\ndesign:",
        9,
        "truth.fixed.z",
        "has no coefficient 'z'",
        "allowed: (Intercept), x",
    ),
    fit(
        "a value of a misspelt coefficient",
        "design:",
        "  fixed: {Intercept: 0}\ndesign:",
        9,
        "truth.fixed.Intercept",
        "did you mean '(Intercept)'?",
    ),
    fit(
        "a value of no effect",
        "design:",
        "  random: {g: {sd: {Intercept: 1}}}\ndesign:",
        9,
        "truth.random.g.sd.Intercept",
        "did you mean '(Intercept)'?",
    ),
    fit(
        "a value of no group",
        "design:",
        "  random: {gg: {cor: 0}}\ndesign:",
        9,
        "truth.random.gg",
        "has no group 'gg'",
        "did you mean 'g'?",
    ),
    fit(
        "text for an estimate",
        "design:",
        "  residual: {sd: big}\ndesign:",
        9,
        "truth.residual.sd",
        "'big' is not allowed",
    ),
    fit("a list for estimates", "design:", "  fixed: [0]\ndesign:", 9, "truth.fixed", "a mapping"),
    fit(
        "a term that the fit has not",
        "truth:\n",
        "truth:\n  formula: y ~ x + I(x^2) + (1 | g)\n",
        4,
        "truth.fixed",
        "there is no value for the coefficient 'I(x^2)'",
    ),
    fit(
        "a path into the fit",
        "models:",
        "grid: {truth.fit.method: [reml, ml]}\nmodels:",
        14,
        "grid.truth.fit.method",
        "'truth.fit.method' is no path of this study",
        "allowed: truth.formula, truth.fixed, truth.random, truth.residual",
    ),
    fit(
        "a covariate that the design has not",
        "x: {level: row}",
        "z: {level: row}",
        7,
        "truth.fit.formula",
        "'x' in y ~ x + (1 + x | g) is no covariate of the design",
    ),
    codes("no column", "{sec: {f: 0, m: 1}}", ".sec", "no column 'sec'", "mean 'sex'"),
    codes("no label", "{sex: {f: 0, n: 1}}", ".sex.n", "no row has the label 'n'", "f, m"),
    codes("a label without", "{sex: {f: 0}}", ".sex", "there is no code for 'm'", "f, m"),
    codes("text for a code", "{sex: {f: 0, m: one}}", ".sex.m", "'one'", "a number"),
    codes("nothing", "{sex: {}}", ".sex", "there is nothing in it"),
    codes("a list", "{sex: [f, m]}", ".sex", "a mapping"),
    design(
        "a design from no file",
        "from: pilot.csv",
        "from: plot.csv",
        10,
        "design.from",
        "there is no file 'plot.csv'",
        "did you mean 'pilot.csv'?",
    ),
    design(
        "a group that the data have not",
        "(1 + x | g)",
        "(1 + x | gg)",
        7,
        "truth.random.g",
        "has no group 'g'",
    ),
    design(
        "no column for a covariate",
        "y ~ x + (1 + x | g)\n  fixed: {(Intercept): 0, x",
        "y ~ xx + (1 | g)\n  fixed: {(Intercept): 0, xx",
        7,
        "truth.random.g.sd.x",
        "has no random effect 'x'",
    ),
    design(
        "units beside", "resample: none", "units: 5", 11, "design.units", "units beside the data"
    ),
    design("rows beside", "resample: none", "rows: 5", 11, "design.rows", "rows beside the data"),
    design(
        "rows of units that are drawn",
        "resample: none",
        "resample: units\n  rows: {poisson: 5}",
        12,
        "design.rows",
        "rows beside the data",
    ),
    design(
        "rows that are drawn from data",
        "resample: none",
        "resample: rows",
        11,
        "design.resample",
        "'rows' is not allowed",
        "none, units",
    ),
    design(
        "values of units that are drawn, one for each of the design",
        "resample: none",
        "resample: units\n  units: 4\n  covariates:\n    q: {level: unit, values: [1, 2, 3, 4]}",
        14,
        "design.covariates.q.values",
        "4 values for 18 units",
        "as many values as units",
    ),
    design(
        "a set of covariates of the data",
        "resample: none",
        "resample: units\n  correlated: {s: {of: [x, x2], cor: 0.5}}",
        12,
        "design.correlated.s.of[0]",
        "'x' cannot be correlated with others by a copula",
        "drawn from continuous distributions",
    ),
    design(
        "no way to resample",
        "resample: none",
        "resample: unit",
        11,
        "design.resample",
        "'unit'",
        "none, units",
        "did you mean 'units'?",
    ),
    design(
        "one unit as a design",
        "from: pilot.csv",
        "from: one.csv",
        9,
        "design.units",
        "1 is not allowed",
        "at least 2",
    ),
    design(
        "resampling nothing",
        "from: pilot.csv\n  resample: none",
        "units: 5\n  rows: 4\n  covariates: {x: {level: row}}\n  resample: units",
        9,
        "design",
        "resample without data",
        "from: FILE",
    ),
    design(
        "codes of nothing",
        "from: pilot.csv\n  resample: none",
        "units: 5\n  rows: 4\n  covariates: {x: {level: row}}\n  codes: {x: {a: 1}}",
        9,
        "design",
        "codes without data",
    ),
    design(
        "too few values of units",
        "from: pilot.csv\n  resample: none",
        "units: 5\n  rows: 4\n  covariates: {x: {level: unit, values: [1, 2]}}",
        12,
        "design.covariates.x.values",
        "2 values for 5 units",
        "as many values as units",
    ),
    design(
        "too few values of rows",
        "from: pilot.csv\n  resample: none",
        "units: 5\n  rows: {list: [4, 2, 3, 4, 1]}\n  covariates: {x: {level: row, values: [1]}}",
        12,
        "design.covariates.x.values",
        "1 value for 14 rows",
    ),
]


@pytest.mark.parametrize(("text", "line", "path", "fragments"), MISTAKES)
def test_the_message(folder, text, line, path, fragments):
    with pytest.raises(InputError) as caught:
        Study.from_text(text, file=folder / "demo.yaml")
    first = caught.value.errors[0]
    assert first.path == path
    assert str(first.file) == f"{folder / 'demo.yaml'}:{line}"
    for fragment in fragments:
        assert fragment in str(first)


def said(folder, text):
    with pytest.raises(InputError) as caught:
        Study.from_text(text, file=folder / "demo.yaml")
    return [(one.path, one.problem) for one in caught.value.errors]


def test_a_fit_that_fails_hides_no_other_mistake(folder):
    text = FIT
    for old, new in (
        ("seed: 1", "seed: one"),
        ("data: pilot.csv", "data: nothing"),
        ("units: 10", "units: 1"),
        ("m: y ~ x", "m: y ~ zz"),
        ("models:", "grid:\n  truth.fixed.xx: [1]\n  truth.fixed.x: [a]\nmodels:"),
    ):
        text = text.replace(old, new, 1)
    assert [path for path, _ in said(folder, text)] == [
        "seed",
        "truth.fit.data",
        "design.units",
        "grid.truth.fixed.xx",
        "grid.truth.fixed.x[0]",
        "models.m",
    ]


def test_of_values_that_a_failed_fit_leaves_open_nothing_is_said(folder):
    """Not of true values either, which would follow from estimates."""
    text = FIT.replace("data: pilot.csv", "data: nothing").replace(
        "m: y ~ x + (1 + x | g)", "m: {formula: y ~ x + (1 + x | g), true: {x: 9}}"
    )
    assert [path for path, _ in said(folder, text)] == ["truth.fit.data"]


def test_of_a_design_that_cannot_be_read_nothing_is_said(folder):
    text = DESIGN.replace("pilot.csv", "nothing").replace("m: y ~ x", "m: y ~ zz")
    text = text.replace("models:", "grid: {design.covariates.x.sd: [1, 2]}\nmodels:")
    assert [path for path, _ in said(folder, text)] == ["design.from"]


def test_a_formula_that_does_not_parse_is_said_once(folder):
    text = FIT.replace("y ~ x + (1 + x | g)", "y ~ x * * (1 | g)", 1)
    text = text.replace("models:", "grid: {truth.fixed.x: [1, 2]}\nmodels:")
    assert [path for path, _ in said(folder, text)] == ["truth.fit.formula"]


def test_gaps_of_a_covariate_that_a_design_needs(folder):
    text = DESIGN.replace("~ x", "~ gap").replace("+ x", "+ gap").replace("x: 1", "gap: 1")
    assert said(folder, text) == [
        ("design.from", "column 'gap' of pilot.csv has no value in 36 rows")
    ]


def test_text_of_a_covariate_that_a_design_needs(folder):
    text = DESIGN.replace("y ~ x + (1 + x | g)", "y ~ sex + (1 | g)")
    text = text.replace("x: 1}\n  random: {g: {sd: {(Intercept): 1, x: 1}}}",
                        "sex: 1}\n  random: {g: {sd: {(Intercept): 1}}}")  # fmt: skip
    text = text.replace("m: y ~ x + (1 + x | g)", "m: y ~ sex + (1 | g)")
    (found,) = said(folder, text)
    assert found[0] == "design.from"
    assert found[1].startswith("column 'sex' of pilot.csv holds f, m")
    coded = text.replace("resample: none", "codes: {sex: {f: 0, m: 1}}")
    (scenario,) = Study.from_text(coded, file=folder / "demo.yaml").scenarios
    assert [c.name for c in scenario.covariates] == ["flat", "sex", "x", "x2"]
