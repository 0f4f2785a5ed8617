"""Designs whose variances no data set can tell apart are refused, and no others.

Which is which is algebra: V_i = sigma^2 I + Z_i Psi Z_i' in all units has to determine sigma^2 and
the free elements of Psi.
"""

from __future__ import annotations

import pytest

from hlm.cli import main
from hlm.errors import InputError
from hlm.study import Study

TEXT = """\
name: identified
seed: 1
replicates: 10
truth:
  formula: y ~ 1 + (1 | unit)
  fixed: {{(Intercept): 1}}
  random: {{unit: {{sd: {{(Intercept): 1}}}}}}
  residual: {{sd: 1}}
design:
  units: {units}
  rows: {rows}
  covariates: {{{covariates}}}
models: {{m: {{formula: "y ~ {fixed} + {random}", methods: {methods}}}}}
"""

X, Z = "x: {level: row}", "z: {level: row}"
RARE = "x: {level: row, distribution: binary, p: 0.02}"
W = "w: {level: unit}"
GROUPS = "w: {level: unit, distribution: binary, p: 0.3}"

REFUSED = [
    # The same variance twice.
    (20, 5, X, "(1 + x + I(2 * x) || unit)", "'I(2 * x)'"),
    (20, 5, X, "(1 + x + I(2 * x) | unit)", "'I(2 * x)'"),
    (20, 5, X, "(1 | unit) + (0 + x | unit) + (0 + I(-x) | unit)", "'I(-x)'"),
    (20, 9, f"{X}, {Z}", "(0 + x + z + I(x + z) | unit)", "'I(x + z)'"),
    # Two groups of units have two variances, not three.
    (20, 5, GROUPS, "(1 + w | unit)", "'w'"),
    (20, 5, "w: {level: unit, grid: [0, 1]}", "(1 + w | unit)", "'w'"),
    (20, 5, "w: {level: unit, grid: [7, 9]}", "(1 + w | unit)", "'w'"),
    (20, 9, f"{GROUPS}, {X}", "(1 + x + x:w | unit)", "'x:w'"),
    # Three values of units, four parameters of theirs.
    (21, 9, "w: {level: unit, grid: [1, 2, 3]}", "(1 + w + I(w^2) | unit)", "'I(w^2)'"),
    # Columns that do not vary.
    (20, 5, "k: {level: row, grid: [0]}", "(1 + k | unit)", "'k'"),
    (20, 5, "k: {level: row, grid: [0]}", "(0 + k | unit)", "'k'"),
    (20, 5, "k: {level: row, grid: [0.1]}", "(1 + k | unit)", "'k'"),
    (20, 5, "k: {level: unit, grid: [5]}", "(1 + k || unit)", "'k'"),
    # All variances equal, all covariances equal: two numbers for three parameters.
    (20, 2, "x: {level: row, grid: [-1, 1]}", "(1 + x || unit)", "'x'"),
]

ACCEPTED = [
    (20, 5, X, "(1 + x | unit)"),
    (20, 5, X, "(1 | unit) + (0 + x | unit)"),
    (20, 5, f"{X}, {Z}", "(1 + x + z || unit)"),
    (20, 9, f"{X}, {W}", "(1 + x + x:w | unit)"),
    # Binary covariates of rows, rare ones, of few rows and units.
    (20, 3, RARE, "(1 + x | unit)"),
    (4, 3, RARE, "(1 + x | unit)"),
    (20, 2, RARE, "(1 + x || unit)"),
    (20, 4, "x: {level: row, grid: [0, 1]}", "(1 + x | unit)"),
    (20, 3, "x: {level: row, grid: [0, 0, 1]}", "(1 + x | unit)"),
    (20, 2, "x: {level: row, grid: [0, 1]}", "(1 + x || unit)"),
    (20, 2, X, "(1 + x || unit)"),
    # Covariates of units: by the variances of units of other values.
    (20, 5, W, "(1 + w | unit)"),
    (20, 5, W, "(1 + w || unit)"),
    (20, 5, GROUPS, "(1 + w || unit)"),
    (21, 5, "w: {level: unit, grid: [1, 2, 3]}", "(1 + w | unit)"),
    (6, 5, f"w: {{level: unit, grid: [0, 1]}}, {X}", "(1 + x:w | unit)"),
    # Far from zero, of any size; powers that are nearly lines.
    (10, 11, "x: {level: row, mean: 1e6}", "(1 + x | unit)"),
    (10, 11, "x: {level: row, mean: 1e-9, sd: 1e-9}", "(0 + x | unit)"),
    (10, 11, "x: {level: row, sd: 1e8}", "(1 + x | unit)"),
    (10, 11, "x: {level: row, grid: {from: 2000, to: 2010}}", "(1 + x + I(x^2) | unit)"),
    (10, 11, "x: {level: row, grid: {from: 0, to: 1}}", "(1 + x + I(x^2) + I(x^3) | unit)"),
    # One row, or one unit, of many that is another.
    (50, 20, f"x: {{level: row, grid: [{'0, ' * 18}1, 0]}}", "(1 + x | unit)"),
    (60, 5, f"w: {{level: unit, grid: [{'1, 2, 1, 2, ' * 7}5, 2]}}", "(1 + w | unit)"),
]


UNIT = "w: {level: unit, distribution: binary, p: 0.5}"
LONE = f"w: {{level: unit, grid: [1{', 0' * 19}]}}"
HIDDEN = [
    # One unit in each arm; as many columns of units as units; a group of one unit.
    (2, 5, "w: {level: unit, grid: [0, 1]}", "w", "(1 | unit)", "'(Intercept)'"),
    (2, 20, UNIT, "w", "(1 | unit)", "'(Intercept)'"),
    (3, 5, f"{W}, v: {{level: unit}}", "v + w", "(1 | unit)", "'(Intercept)'"),
    (2, 5, f"{UNIT}, {X}", "w + x", "(1 + x | unit)", "'(Intercept)'"),
    (2, 5, f"{UNIT}, {X}", "w * x", "(0 + x | unit)", "'x'"),
    (20, 5, LONE, "w", "(1 | unit) + (0 + w | unit)", "'w'"),
    (20, 5, LONE, "w", "(0 + w | unit)", "'w'"),
]

SEEN = [
    (2, 5, X, "x", "(1 + x | unit)"),
    (3, 2, X, "x", "(1 | unit)"),
    (3, 5, UNIT, "w", "(1 | unit)"),
    (4, 5, f"{W}, v: {{level: unit}}", "v + w", "(1 | unit)"),
    (4, 5, f"{UNIT}, {X}", "w * x", "(1 + x | unit)"),
    (2, 5, f"{UNIT}, {X}", "w + x", "(0 + x | unit)"),
    (20, 5, LONE, "w", "(1 | unit)"),
    (2, 3, RARE, "x", "(1 | unit)"),
    (5, 3, "x: {level: row, mean: 1e5}", "x", "(1 + x | unit)"),
    # Collinear but for a part in a hundred thousand.
    (10, 11, "x: {level: row, mean: 1e5}", "x", "(x + I(x^2) | unit)"),
    (10, 11, "x: {level: row, mean: 1e5}", "x", "(1 + I(x^2) + x | unit)"),
    # As many random effects as rows, of several terms.
    (10, 2, X, "x", "(x || unit)"),
    (10, 2, f"{X}, {Z}", "x", "(x + z || unit)"),
]


def _study(units, rows, covariates, random, *, fixed="1", methods="[reml, ml]") -> Study:
    return Study.from_text(
        TEXT.format(
            units=units,
            rows=rows,
            covariates=covariates,
            random=random,
            fixed=fixed,
            methods=methods,
        )
    )


@pytest.mark.parametrize(("units", "rows", "covariates", "random", "term"), REFUSED)
def test_refused(units, rows, covariates, random, term):
    with pytest.raises(InputError) as caught:
        _study(units, rows, covariates, random)
    assert caught.value.path == "models.m.formula"
    text = str(caught.value)
    assert "the model 'm' cannot be identified: the variances of (" in text
    assert f"no data set tells those of {term} from the others" in text


@pytest.mark.parametrize(("units", "rows", "covariates", "random"), ACCEPTED)
def test_accepted(units, rows, covariates, random):
    assert len(_study(units, rows, covariates, random).scenarios) == 1


@pytest.mark.parametrize(("units", "rows", "covariates", "fixed", "random", "term"), HIDDEN)
def test_refused_by_reml_alone(units, rows, covariates, fixed, random, term):
    study = (units, rows, covariates, random)
    with pytest.raises(InputError) as caught:
        _study(*study, fixed=fixed)
    text = str(caught.value)
    assert f"leave REML nothing of the variance or covariances of {term} in (" in text
    assert "methods: [ml]" in text
    assert len(_study(*study, fixed=fixed, methods="[ml]").scenarios) == 1


@pytest.mark.parametrize(("units", "rows", "covariates", "fixed", "random"), SEEN)
def test_accepted_by_reml(units, rows, covariates, fixed, random):
    assert len(_study(units, rows, covariates, random, fixed=fixed).scenarios) == 1


def test_by_hlm_check(tmp_path, capsys):
    units, rows, covariates, fixed, random, _ = HIDDEN[0]
    text = TEXT.format(
        units=units, rows=rows, covariates=covariates, random=random, fixed=fixed, methods="[reml]"
    )
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    assert main(["check", str(tmp_path / "study.yaml"), "--no-pilot"]) == 2
    printed = capsys.readouterr().err
    assert "the fixed effects leave REML nothing" in printed
    assert "or methods: [ml]" in printed
