"""Data sets fitted side by side: the same bits as one after another, whatever is beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.small import draw_group
from hlm.distributions import Points
from hlm.fits.candidates import fit_model
from hlm.fits.lanes_of_stacks import Task, fit_in_lanes
from hlm.formula import terms_of
from hlm.inference.variants import Kernels
from hlm.jit import config
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.kernels.fit import STATUS, allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.lane_memory import allocate_side_by_side
from hlm.kernels.lane_stack import fit_side_by_side
from hlm.kernels.stack import Inferences, allocate_results, fit_stack
from hlm.lanes import LANES, WIDTH
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="lanes are for compiled kernels")
METHODS = np.array([True, False])
Q1_AND_Q2 = [k for k in range(21) if k % 7 in (0, 1, 2)]
Q3 = [k for k in range(21) if k % 7 not in (0, 1, 2)]


def task_of(group):
    """Return a group of data sets with all that is fitted to it, and what takes the results."""
    q, p, (row, col) = group.q, group.p, group.free
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[:, 0] = np.arange(q + p)
    columns = ModelColumns(
        places[q:],
        places[:q],
        np.zeros((0, 2), dtype=np.int64),
        np.zeros(0),
        np.eye(p),
        np.eye(q),
        np.zeros(p),
    )
    parametrization = Parametrization(row, col, np.eye(p), np.eye(q), np.zeros(p), 0.0)
    contrasts = [np.eye(p)[-1:], np.eye(p)]
    tests = allocate_joint_tests(contrasts, p, len(row))
    workspace = allocate_workspace(parametrization, len(group.sizes), shared=False)
    task = Task(group.crossed(), columns, parametrization, METHODS, workspace, Inferences(tests))

    def allocate(n):
        n_terms, n_theta = p + len(row) + 1, len(row)
        return allocate_results(n, 2, n_terms, n_tests=2, n_spread=n_theta, n_vcov=p)

    return task, allocate


def one_by_one(task, allocate):
    """Return the results of a task, one data set after another."""
    results = allocate(len(task.cross.n_obs))
    fit_stack(*task, results)
    return results


def side_by_side(task, allocate):
    """Return the results of a task, and which data sets are left to the other way."""
    cross, n = task.cross, len(task.cross.n_obs)
    results = allocate(n)
    fit_in_lanes(task, results, allocate)
    memory = allocate_side_by_side(cross, task.parametrization, shared=False)
    fit_side_by_side(
        cross, task.columns, task.parametrization, METHODS, memory,
        task.inferences.tests, allocate(n),
    )  # fmt: skip
    return results, memory.left


def assert_same_bits(results, expected):
    """Demand that all arrays of results are the same bit for bit."""
    for name, value in expected._asdict().items():
        if isinstance(value, np.ndarray):
            found = getattr(results, name)
            assert found.shape == value.shape
            np.testing.assert_array_equal(found, value, err_msg=name)


@pytest.mark.parametrize(
    "number", [*Q1_AND_Q2, *(pytest.param(k, marks=pytest.mark.slow) for k in Q3)]
)
def test_the_results_are_those_of_one_data_set_after_another(number):
    """Many and few rows (several starts), strong effects and none (zeros, escapes), F tests."""
    group = draw_group(number, 2 * WIDTH + 5)
    task, allocate = task_of(group)
    results, left = side_by_side(task, allocate)
    assert_same_bits(results, one_by_one(task, allocate))
    assert left.mean() < 0.5 or group.n_obs < 100


def test_most_fits_end_side_by_side_though_many_are_singular():
    group = draw_group(8, 200)
    task, allocate = task_of(group)
    results, left = side_by_side(task, allocate)
    assert results.summary[..., 5].mean() > 0.1
    assert left.mean() < 0.1


def test_a_result_depends_on_no_neighbour():
    """The same data set in every lane, alone, in reverse order, among others that fail."""
    group = draw_group(1, WIDTH + 3)
    task, allocate = task_of(group)
    expected, _ = side_by_side(task, allocate)
    n = len(task.cross.n_obs)

    def parts(rows):
        return CrossProducts(
            task.cross.gram[rows],
            task.cross.response[rows],
            task.cross.sum_squares[rows],
            task.cross.multipliers,
            task.cross.n_obs[rows],
        )

    backwards, _ = side_by_side(task._replace(cross=parts(np.arange(n)[::-1])), allocate)
    np.testing.assert_array_equal(backwards.estimate[::-1], expected.estimate)
    alone, _ = side_by_side(task._replace(cross=parts(np.array([2]))), allocate)
    np.testing.assert_array_equal(alone.estimate[0], expected.estimate[2])
    everywhere, _ = side_by_side(task._replace(cross=parts(np.full(WIDTH, 2))), allocate)
    assert np.all((everywhere.se == expected.se[2]) | np.isnan(expected.se[2]))
    broken = parts(np.arange(n))
    broken.response[::2] = np.nan
    broken.sum_squares[::2] = np.nan
    beside, left = side_by_side(task._replace(cross=broken), allocate)
    np.testing.assert_array_equal(beside.estimate[1::2], expected.estimate[1::2])
    assert left[::2].all()
    assert np.all(beside.summary[::2, :, STATUS] == 4)


def test_what_has_no_fit_is_left_to_the_other_way():
    """No variation within units, no response, X'X singular, too few rows."""
    group = draw_group(1, 2 * WIDTH)
    task, allocate = task_of(group)
    cross = task.cross
    cross.response[3], cross.sum_squares[3] = 0.0, 0.0
    cross.gram[5] = 0.0
    cross.n_obs[7] = group.p
    task = task._replace(cross=cross)
    results, left = side_by_side(task, allocate)
    assert left[[3, 5, 7]].all()
    assert_same_bits(results, one_by_one(task, allocate))


def one_design(q, sds, *, units=30, rows=6):
    """Return a truth in which all units have the same covariates, with random effects of all."""
    names = ["x", "z"][: q - 1]
    random = " + ".join(["1", *names])
    x, z = (-1.0, 0.0, 1.0, 1.0, 0.0, -1.0), (1.0, 3.0, 2.0, 0.0, 1.0, 0.0)
    of_rows = (Covariate("x", "row", Points(x)), Covariate("z", "row", Points(z)))
    return Scenario(
        key=f"{q:08x}{units:08x}",
        n_units=units,
        n_rows=rows,
        covariates=(Covariate("a", "unit"), *of_rows),
        formula=f"y ~ x * a + z + ({random} | g)",
        fixed=tuple((name, 0.5) for name in ("(Intercept)", "x", "a", "z", "x:a")),
        sd=sds[:q],
        cor=tuple(tuple(float(a == b) for b in range(q)) for a in range(q)),
        sigma=1.0,
    )


def fitted(scenario, formula, n, *, lanes):
    """Return fits of simulated data sets, side by side or not."""
    model = Model("m", formula, tests=(("both", ("x", "a")),))
    drawn = simulate(scenario, [model], 3, 0, n)
    kernels = Kernels(sum(terms_of(model).sizes), lanes=lanes)
    return fit_model(model, drawn.columns[0], drawn.cross, kernels)


@pytest.mark.parametrize(
    "q", [1, 2, pytest.param(3, marks=pytest.mark.slow)], ids=lambda q: f"{q} effects"
)
@pytest.mark.parametrize("sds", [(1.0, 0.5, 0.7), (0.1, 0.05, 0.0)], ids=["strong", "weak"])
def test_units_of_one_design(q, sds):
    """The optimum in closed form, inside and at the boundary, and models without a closed form.

    More units than are summed at a time; a model that lacks columns of the truth; F tests.
    """
    scenario = one_design(q, sds, units=70)
    random = " + ".join(["1", "x", "z"][:q])
    for fixed in ("x * a + z", "x + a"):
        for bars in ("|", "||"):
            formula = f"y ~ {fixed} + ({random} {bars} g)"
            expected = fitted(scenario, formula, WIDTH + 5, lanes=False)
            assert_same_bits(fitted(scenario, formula, WIDTH + 5, lanes=True), expected)


DIGEST = """
from hashlib import sha256
import numpy as np
from tests.kernels.test_lanes import draw_group, fitted, one_design, side_by_side, task_of
total = sha256()
found = [side_by_side(*task_of(draw_group(number, 40)))[0] for number in (1, 8)]
for sds in ((1.0, 0.5), (0.1, 0.05)):
    scenario = one_design(2, sds, units=40)
    found.append(fitted(scenario, "y ~ x * a + z + (1 + x | g)", 40, lanes=True))
for results in found:
    for name in ("estimate", "se", "df", "summary", "F", "ddf"):
        values = getattr(results, name)
        total.update(np.where(np.isnan(values), -1e300, values).tobytes())
print(total.hexdigest())
"""

PROCESSORS = {
    "one lane": {LANES: "1"},
    "four lanes": {LANES: "4"},
    "plain x86-64": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+sse4.2,+avx,+avx2,+fma"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSORS)
def test_no_bit_depends_on_the_number_of_lanes_or_the_processor(name, tmp_path):
    def digest(**environment):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    other = digest(NUMBA_CACHE_DIR=str(tmp_path), **PROCESSORS[name])
    assert digest() == other != ""
