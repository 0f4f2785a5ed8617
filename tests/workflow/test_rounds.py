"""A study that asks for a precision: round by round, stopped and resumed, run in several ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm.operations.growth import measures_file
from hlm.operations.kept_replicates import KeptReplicates
from hlm.operations.lock import run_lock
from hlm.operations.prepare import prepare
from hlm.operations.receipts import receipt_file
from hlm.operations.recompute import redraw
from hlm.operations.sample import stratified
from hlm.plan import Plan
from hlm.results import read_frame
from hlm.study import Study
from tests.results import gather, run_batch, summarize_results

ROOT = Path(__file__).parents[2]
HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]
STUDY = """\
name: rounds
seed: 7
replicates: {until: {coverage: 0.03, "bias[(Intercept)]": 0.008}, at_least: 200, at_most: 700}
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 1, x: 3}
  random: {unit: {sd: {(Intercept): 0.5}}}
  residual: {sd: 0.75}
design: {units: 10, rows: 5, covariates: {x: {level: row, distribution: normal}}}
grid: {design.units: [6, 12, 60]}
models: {full: y ~ x + (1 | unit)}
estimation: {methods: [reml], tests: {x: [x]}}
"""
TABLES = ("estimates", "fits", "tests", "measures", "selection", "scenarios")


def go_on(folder, study, *, batches=None, summary=True, batch_seconds=30.0):
    """Do a round, or as much of it as a run that is stopped; return its plan."""
    results = folder / study.name
    with run_lock(results):
        plan = prepare(study, folder, batch_seconds=batch_seconds)
        undone = [b for b in plan.batches if not receipt_file(results / "parts", b.name).exists()]
        for batch in undone[:batches]:
            run_batch(plan, batch.name, results)
        if summary and batches is None:
            summarize_results(plan, measures_file(plan, results).parent, results / "parts")
    return plan


def to_the_end(folder, study, **options):
    """Do all rounds, and gather; return the plans."""
    plans = [go_on(folder, study, **options)]
    while not plans[-1].is_settled:
        plans.append(go_on(folder, study, **options))
    gather(plans[-1], folder / study.name)
    return plans


def numbers(plan):
    return [plan.replicates_of(scenario.key) for scenario in plan.scenarios]


@pytest.fixture(scope="module")
def study():
    return Study.from_text(STUDY)


@pytest.fixture(scope="module")
def done(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rounds")
    return folder / "rounds", to_the_end(folder, study)


def test_each_scenario_stops_where_its_own_measures_say(done):
    """The largest units have the precision first; one has as many replicates as is allowed."""
    folder, plans = done
    assert len(plans) > 3
    found = numbers(plans[-1])
    assert found[0] == 700
    assert 700 > found[1] > found[2]
    measures = read_frame(folder / "measures.parquet")
    asked = (measures["measure"] == "coverage") & (measures["mcse"] > 0.03)
    asked |= (
        (measures["measure"] == "bias")
        & (measures["term"] == "(Intercept)")
        & (measures["mcse"] > 0.008)
    )
    scenarios = read_frame(folder / "scenarios.parquet").set_index("scenario")
    assert scenarios["replicates"].tolist() == found
    over = set(measures.loc[asked, "scenario"])
    assert over == set(scenarios.index[~scenarios["reached"].astype(bool)])
    assert over == set(plans[-1].standing.missed) != set()


def test_the_numbers_are_those_of_a_fixed_run_of_that_length(done, study, tmp_path):
    folder, plans = done
    fixed = Study.from_text(STUDY.replace(STUDY.splitlines()[2], "replicates: 700"))
    with run_lock(tmp_path / fixed.name):
        plan = prepare(fixed, tmp_path)
    for batch in plan.batches:
        run_batch(plan, batch.name, tmp_path / fixed.name)
    gather(plan, tmp_path / fixed.name)
    summarize_results(plan, tmp_path / fixed.name)
    for table in ("estimates", "fits", "tests"):
        ours, theirs = (read_frame(f / f"{table}.parquet") for f in (folder, tmp_path / "rounds"))
        of = theirs["scenario"].astype(str).map(plans[-1].standing.numbers)
        theirs = theirs[theirs["replicate"] < of].reset_index(drop=True)
        names = dict.fromkeys(theirs.select_dtypes("category"), str)
        pd.testing.assert_frame_equal(ours.astype(names), theirs.astype(names), check_exact=True)
    whole = study.scenarios[0].key
    for table in ("measures", "selection"):
        ours, theirs = (read_frame(f / f"{table}.parquet") for f in (folder, tmp_path / "rounds"))
        found = [one[one["scenario"] == whole].reset_index(drop=True) for one in (ours, theirs)]
        pd.testing.assert_frame_equal(*found, check_exact=True)


@pytest.mark.parametrize("batch_seconds", [0.01, 30.0])
def test_a_run_that_is_stopped_and_resumed_ends_with_the_same_files(
    batch_seconds, done, study, tmp_path
):
    """Between batches, before measures are there, before the next round is planned."""
    for _ in range(3):
        go_on(tmp_path, study, batches=1, batch_seconds=batch_seconds)
        go_on(tmp_path, study, summary=False, batch_seconds=batch_seconds)
        go_on(tmp_path, study, batch_seconds=batch_seconds)
    plans = to_the_end(tmp_path, study, batch_seconds=batch_seconds)
    assert plans[-1].standing == done[1][-1].standing
    for table in TABLES:
        ours, theirs = (
            (where / f"{table}.parquet").read_bytes() for where in (tmp_path / "rounds", done[0])
        )
        assert ours == theirs, table


def test_a_run_of_which_all_is_reached_has_nothing_to_do(done, study):
    folder, plans = done
    before = (folder / "plan.json").stat().st_mtime_ns
    plan = go_on(folder.parent, study, summary=False)
    assert plan == plans[-1]
    assert (folder / "plan.json").stat().st_mtime_ns == before


def test_data_sets_of_all_scenarios_can_be_had_again(done):
    results = KeptReplicates(done[0])
    sizes = numbers(results.plan)
    drawn = stratified(9, sizes, np.random.default_rng(2))
    pairs = list(zip(results.plan.scenarios, drawn, strict=True))
    assert not [found for _, items in redraw(results, pairs) for found in items]


# By Snakemake


def run(folder, *arguments, status=0):
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    done = subprocess.run(
        [*map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder, *HLM, "run", "study.yaml", "--cores", 2)


@pytest.mark.slow
def test_one_command_does_all_rounds_and_says_what_was_not_reached(whole, done):
    folder, said = whole
    results = folder / "results/rounds"
    plan = Plan.read(results / "plan.json")
    assert plan.standing == done[1][-1].standing
    assert said.count("$ snakemake") == len(done[1])
    assert "1 scenario does not have it with 700 replicates, the most allowed" in said
    assert not (results / "round").exists()
    for name in TABLES:
        frames = [read_frame(one / f"{name}.parquet") for one in (results, done[0])]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert "1 scenario does not have it" in run(folder, *HLM, "status", "study.yaml")
    assert "all the same" in run(folder, *HLM, "verify", "study.yaml", "--n", 12)
    again = run(folder, *HLM, "run", "study.yaml", "--cores", 2, "--verbose")
    assert again.count("Nothing to be done") == 1
    assert "are too few" in (results / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_runs_that_are_killed_end_with_the_same_files(whole, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    command = [*HLM, "run", "study.yaml", "--cores", "2"]
    for seconds in (6.0, 9.0, 12.0):
        started = subprocess.Popen(
            command,
            cwd=tmp_path,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    run(tmp_path, *command)
    for table in TABLES:
        ours, theirs = (
            (folder / f"results/rounds/{table}.parquet").read_bytes()
            for folder in (tmp_path, whole[0])
        )
        assert ours == theirs, table


@pytest.mark.slow
def test_snakemake_alone_does_one_round_in_each_call(whole, tmp_path):
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--cores", 2, "--config", "study=study.yaml"]
    said = run(tmp_path, *command)
    assert "One round is done; the same command begins the next" in said
    assert not (tmp_path / "results/rounds/estimates.parquet").exists()
    for _ in range(12):
        if "One round is done" not in run(tmp_path, *command):
            break
    for table in TABLES:
        ours, theirs = (
            (folder / f"results/rounds/{table}.parquet").read_bytes()
            for folder in (tmp_path, whole[0])
        )
        assert ours == theirs, table
    assert (tmp_path / "results/rounds/figures").is_dir()
