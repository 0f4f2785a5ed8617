"""What is compiled before the jobs of a study is all that they need."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hlm.fits import has_lanes
from hlm.inference.variants import Kernels, kernels_named, kernels_of, name_of
from hlm.jit import config
from hlm.scenario import Model

STUDY = """
name: all
seed: 3
replicates: 4
truth:
  formula: y ~ x + w + a + (1 + x + w | unit)
  fixed: {(Intercept): 1.0, x: 0.5, w: 0.1, a: 0.2}
  random: {unit: {sd: {(Intercept): 0.7, x: 0.5, w: 0.5}, cor: 0.2}}
  residual: {sd: 1.0}
design:
  units: 12
  rows: 6
  covariates:
    x: {level: row, grid: {from: -1, to: 1}}
    w: {level: row, %s}
    a: {level: unit, distribution: binary}
models:
  correlated: y ~ x + w + a + (1 + x + w | unit)
  blocks: {formula: y ~ x * a + (1 + x | unit) + (0 + w | unit), methods: [ml]}
estimation:
  df: kenward-roger
  limits: profile
  tests: {both: [x, a]}
"""
RANDOM, FIXED = "distribution: normal", "grid: [1, -1, 0]"

COMPILE = """
import sys
from hlm.fits.warm_up import compile_kernels
from hlm.inference.variants import kernels_named, kernels_of, name_of
from hlm.study import Study
compile_kernels(kernels_named(name_of(kernels_of(Study.load(sys.argv[1]).models))))
"""
RUN = """
import sys
from pathlib import Path
from tests.results import make_results
for study in sys.argv[1:]:
    make_results(Path(study).parent / Path(study).stem, study=study)
"""


def python(program, folder, *studies):
    """Run a program whose kernels are cached in a folder; return the files of the cache."""
    done = subprocess.run(
        [sys.executable, "-c", program, *studies],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    return {path.name: path.stat().st_mtime_ns for path in files if path.name != "lock"}


@pytest.mark.slow
@pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
def test_no_kernel_is_compiled_after_those_that_a_study_needs(tmp_path):
    """Three random effects, Kenward-Roger, profile limits, F tests; random and fixed design."""
    studies = []
    for name, w in (("random", RANDOM), ("fixed", FIXED)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(STUDY.lstrip() % w, encoding="utf-8")
        studies.append(str(path))
    compiled = python(COMPILE, tmp_path, studies[0])
    assert any(name.startswith("stack.fit_stack") for name in compiled)
    assert python(COMPILE, tmp_path, studies[1]) == compiled
    assert python(RUN, tmp_path, *studies) == compiled


def test_what_kernels_depend_on_and_what_not():
    plain = Model("m", "y ~ x + (1 + x | g)")
    tested = replace(plain, tests=(("x", ("x",)),), level=0.9, methods=("ml",), limits=("wald",))
    same = replace(plain, formula="y ~ x * a + (1 | g) + (0 + x | g)", df=("between-within",))
    variances = replace(plain, limits=("wald", "wald-variance"))
    assert kernels_of([plain, tested, same, variances]) == [Kernels(2)]


def test_models_with_as_many_random_effects_share_kernels():
    """Those with all that one of the models needs; others have theirs."""
    plain = Model("m", "y ~ x + (1 + x | g)")
    intercepts = replace(plain, formula="y ~ x + (1 | g)", df=("infinite", "kenward-roger"))
    expected = replace(plain, df=("satterthwaite-expected",))
    profile = replace(plain, limits=("wald", "profile"))
    robust = replace(plain, df=("infinite", "cr2"))
    assert kernels_of([plain, robust]) == [Kernels(2, robust=True)]
    assert kernels_named("q2-profile-robust") == [Kernels(2, profile=True, robust=True)]
    assert kernels_of([expected, plain]) == [Kernels(2, expected=True)]
    name = "q1-expected+q2-expected-profile"
    assert name_of(kernels_of([intercepts, plain, expected, profile])) == name
    assert name_of(kernels_named(name)) == name


def test_data_sets_are_fitted_side_by_side_where_that_is_compiled(monkeypatch):
    """The same numbers, in less time: so what is there is used, and nothing compiled for it."""
    there = {"q2", "q2-expected"}
    module = sys.modules["hlm.fits.warm_up"]  # the package has a function of this name
    monkeypatch.setattr(module, "is_compiled", there.__contains__)
    plain = Model("m", "y ~ x + (1 + x | g)")
    expected = replace(plain, name="e", df=("kenward-roger",))
    intercepts = replace(plain, name="i", formula="y ~ x + (1 | g)")
    assert not has_lanes([plain])
    there.add("q2-lanes")
    assert has_lanes([plain])
    assert has_lanes([plain, expected])
    assert not has_lanes([expected])
    assert not has_lanes([plain, intercepts])
    assert has_lanes([expected, replace(plain, methods=("ml",))])
