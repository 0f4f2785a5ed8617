"""A tiny study through Snakemake: all files, nothing done twice, the same numbers any way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from snakemake.cli import get_argument_parser

from hlm.cli import main
from hlm.operations.prepare import LOOK, PUT_IN_ORDER, makes_no_results
from hlm.results import read
from tests.shared import HLM

ROOT = Path(__file__).parents[2]
TINY = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")
LABELS = {"estimates": ["term"], "fits": [], "tests": ["test"]}
SUMMARIES = ("measures", "differences", "accounting", "selection", "scenarios")
TABLES = ("estimates", "fits", "tests", *SUMMARIES)


def snakemake(folder, *arguments, study=TINY, batch_seconds=30):
    """Run Snakemake on a study in a folder and return what it says."""
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
    config = ["--config", "study=study.yaml", f"batch_seconds={batch_seconds}"]
    done = subprocess.run(
        [*command, *arguments, *config], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def tables(folder):
    """Return the study's tables as plain columns."""
    return {name: plain(folder / f"results/tiny/{name}.parquet") for name in TABLES}


def plain(path):
    """Read a table; names as strings, because categories also tell what else was in the file."""
    frame = read(path).to_pandas()
    names = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(names, str))


def times(folder):
    return {
        path.name: path.stat().st_mtime_ns for path in (folder / "results/tiny/parts").iterdir()
    }


def hlm(folder, *arguments, status=0):
    """Run a command in a folder and return what it prints."""
    done = subprocess.run(
        [*HLM, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def finished(tiny_run, tmp_path_factory):
    """A copy of the run of the study, with the times of its files, to go on with."""
    return shutil.copytree(tiny_run.folder, tmp_path_factory.mktemp("study") / "run")


def test_a_study_is_planned_once_in_a_run(tiny_run):
    """By `hlm run`: not by Snakemake, not by its jobs, not for the report."""
    (planner,) = tiny_run.planners
    assert planner.endswith("run study.yaml --cores 2")


def test_a_run_leaves_only_results_where_it_was_called(tiny_run):
    assert names(tiny_run.folder) == {"study.yaml", "results"}
    assert names(tiny_run.folder / "results") == {"tiny", ".cache", ".snakemake"}


def test_nothing_that_a_run_leaves_says_where_it_was_called(tiny_run):
    """But for what Snakemake says of its own log."""
    folder = tiny_run.folder
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    assert len(files) > 50
    own = b"Complete log(s): " + str(folder).encode()
    assert not [
        path for path in files if str(folder).encode() in path.read_bytes().replace(own, b"")
    ]


def test_a_run_from_elsewhere_finds_all_done_and_leaves_nothing_there(
    finished, tmp_path, monkeypatch
):
    study, results = finished / "study.yaml", finished / "results"
    where = ["--results", results, "--cores", "1"]
    assert "Nothing to be done" in hlm(tmp_path, "run", study, *where, "--verbose", "--", "-n")
    hlm(tmp_path, "run", study, *where, "--verbose")
    monkeypatch.chdir(tmp_path)

    def here(*arguments, status=0):
        assert main([*map(str, arguments)]) == status

    here("check", study, "--no-pilot")
    for target in (results / "tiny", study):
        more = [] if target.is_dir() else ["--results", results]
        here("status", target, *more)
        here("verify", target, *more, "--n", "2")
    here("replay", results / "tiny", "1", "0")
    here("fit", "y ~ x + (1 | unit)", "ogorek2012")
    here("measures", results / "tiny/estimates.parquet", "--true", "0", "--by", "term")
    (tmp_path / "wrong.yaml").write_text(TINY.replace("seed", "seeed"), encoding="utf-8")
    here("run", "wrong.yaml", status=2)
    assert names(tmp_path) == {"wrong.yaml"}


def test_options_with_which_snakemake_makes_no_results_are_told_from_all_others():
    options = set(get_argument_parser()._option_string_actions)
    known = {*LOOK, *PUT_IN_ORDER}
    assert known <= options
    assert {option for option in options if makes_no_results(["--cores", "2", option])} == {
        *known,
        *("-n", "-l", "-S", "-D", "-t", "-h", "-v"),
    }
    for words in (["-pn"], ["--lint=json"], ["--rulegraph", "dot"], ["--detailed"]):
        assert makes_no_results(words)


@pytest.mark.parametrize("look", [["-n"], ["--rulegraph"], ["--list"], ["--detailed-summary"]])
def test_a_look_leaves_nothing_where_there_were_no_results(look, tmp_path):
    (tmp_path / "study.yaml").write_text(TINY, encoding="utf-8")
    said = hlm(tmp_path, "run", "study.yaml", "--results", "deep/results", "--", *look)
    assert "fit" in said or "--detailed-summary" in look
    assert names(tmp_path) == {"study.yaml"}


def test_a_look_leaves_what_other_studies_have(tmp_path):
    (tmp_path / "study.yaml").write_text(TINY, encoding="utf-8")
    (tmp_path / "results/another").mkdir(parents=True)
    assert "fit" in hlm(tmp_path, "run", "study.yaml", "--", "-n")
    assert "another" in names(tmp_path / "results")
    assert "tiny" not in names(tmp_path / "results")


def test_a_look_at_damage_leaves_it_where_it_is(grown):
    folder = grown[0]
    part = min((folder / "results/tiny/parts").glob("*.fits.parquet"))
    content, before, stat = part.read_bytes(), names(part.parent), part.stat()
    part.write_bytes(content[:100])
    study = folder / "study.yaml"
    said = subprocess.run(
        [*HLM, "run", study, "--", "--rulegraph"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    part.write_bytes(content)
    os.utime(part, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert part.name in said.stderr
    assert "moved to" not in said.stderr
    assert names(part.parent) == before


def test_a_run_ends_by_saying_where_the_report_is(tiny_run):
    folder = tiny_run.folder
    assert tiny_run.printed.splitlines()[-2:] == [
        "report: results/tiny/report.html",
        "explorer: results/tiny/explorer.html",
    ]
    assert (folder / "results/tiny/explorer.html").stat().st_size > 500_000
    assert (folder / "results/tiny/report.html").stat().st_size > 100_000


def test_a_run_leaves_all_files_and_nothing_temporary(finished):
    folder = finished / "results/tiny"
    for name in TABLES:
        assert (folder / f"{name}.parquet").exists()
    for name in SUMMARIES:
        lines = (folder / f"{name}.csv").read_text().splitlines()
        assert len(lines) == 1 + read(folder / f"{name}.parquet").num_rows
    assert list((folder / "figures").glob("*.png"))
    assert not [path for path in folder.rglob("*") if path.suffix == ".tmp"]


def test_files_say_where_they_come_from(finished):
    for name in TABLES:
        metadata = pq.read_metadata(finished / f"results/tiny/{name}.parquet").metadata
        assert metadata[b"study"].decode() == TINY
        assert metadata[b"seed"] == b"7"
        assert {b"study_hash", b"versions"} <= metadata.keys()


def test_every_data_set_has_every_fit_once_and_in_order(finished):
    fits = read(finished / "results/tiny/fits.parquet").to_pandas()
    keys = ["scenario", "replicate"]
    assert len(fits) == 2 * 30 * 2 * 2
    assert fits[keys].equals(fits[keys].sort_values(keys))
    models = [("slopes_on_a", "reml"), ("slopes_on_a", "ml"), ("ignoring_a", "reml")]
    assert list(fits[["model", "method"]].itertuples(index=False, name=None))[:3] == models
    assert not fits.duplicated([*keys, "model", "method"]).any()


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in snakemake(finished)


@pytest.mark.parametrize("name", ["estimates", "fits", "tests"])
def test_a_table_that_has_gone_is_made_again(name, finished):
    path = finished / f"results/tiny/{name}.parquet"
    aside = path.rename(path.with_suffix(".aside"))
    try:
        assert "compact" in snakemake(finished, "-n")
    finally:
        aside.rename(path)


def test_a_comment_in_the_study_changes_nothing(finished):
    assert "Nothing to be done" in snakemake(finished, "-n", study=f"# A comment.\n{TINY}")


def test_other_tables_are_made_and_nothing_else_again(finished):
    asked = "tables: [selection, {measures: coverage, terms: x, split: units}]"
    told = snakemake(finished, "-n", study=f"{TINY}\n{asked}\n")
    assert "coverage_x_units-8.tex" in told
    assert not re.search(
        r"^ *(rule )?(fit|compact|summarize|figures|explorer)\b", told, re.MULTILINE
    )


@pytest.fixture(scope="module")
def grown_study():
    study = TINY.replace("[8, 12]", "[8, 10, 12]").replace("replicates: 30", "replicates: 1000")
    return f"{study}  constant: y ~ 1 + (1 | unit)\n"


@pytest.fixture(scope="module")
def at_once(tmp_path_factory, grown_study):
    """The grown study computed in one go, in small batches."""
    folder = tmp_path_factory.mktemp("at_once")
    snakemake(folder, "compact", "summarize", study=grown_study, batch_seconds=0.03)
    assert len(times(folder)) > 4
    return folder


@pytest.fixture(scope="module")
def grown(tmp_path_factory, grown_study):
    """The study run small, then grown by a level, a model and replicates: parts' times before."""
    folder = tmp_path_factory.mktemp("grown")
    small = TINY.replace("replicates: 30", "replicates: 100")
    snakemake(folder, "compact", "summarize", study=small)
    before = times(folder), tables(folder)
    snakemake(folder, "compact", "summarize", study=grown_study)
    return folder, *before


def test_notes_of_snakemake_in_another_directory_are_not_needed(at_once):
    assert ".snakemake" in names(at_once)
    assert ".snakemake" not in names(at_once / "results")
    options = ["--cores", "2", "--batch-seconds", "0.03", "--", "-n", "compact", "summarize"]
    assert "Nothing to be done" in hlm(at_once, "run", "study.yaml", *options)


def test_growing_computes_only_what_is_new(grown):
    folder, before, _ = grown
    after = times(folder)
    assert {name: after[name] for name in before} == before
    new = [path for path in (folder / "results/tiny/parts").iterdir() if path.name not in before]
    places = [
        place
        for path in new
        if ".fits." in path.name
        for place in read(path).select(["scenario", "model", "replicate"]).to_pylist()
    ]
    old = {row["scenario"] for row in read(next(iter_fits(folder, before))).to_pylist()}
    assert not [
        place
        for place in places
        if place["scenario"] in old and place["model"] != "constant" and place["replicate"] < 100
    ]


def iter_fits(folder, names):
    return (folder / "results/tiny/parts" / name for name in names if ".fits." in name)


def test_growing_leaves_the_old_numbers_as_they_were(grown):
    folder, _, before = grown
    for name in ("estimates", "fits", "tests"):
        keys = ["scenario", "replicate", "model", "method", *LABELS[name]]
        old = before[name].set_index(keys)
        new = plain(folder / f"results/tiny/{name}.parquet").set_index(keys)
        assert old.equals(new.loc[old.index])


@pytest.mark.parametrize("name", TABLES)
def test_tables_do_not_depend_on_batches_or_on_history(name, grown, at_once):
    assert tables(grown[0])[name].equals(tables(at_once)[name])


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, grown_study):
    """The grown study through another executor, on one core, its levels and models reordered.

    A whole scenario is a batch; there is a level more, and a model more.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    models = grown_study.index("models:")
    head = grown_study[:models].replace("[8, 10, 12]", "[12, 9, 8, 10]")
    lines = grown_study[models:].splitlines()
    more = "  other: y ~ a + (1 | unit)"
    study = "\n".join([head.rstrip(), lines[0], *reversed(lines[1:]), more, ""])
    executor = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash"]
    snakemake(folder, *executor, "--jobs", "1", "compact", study=study, batch_seconds=3600)
    return folder


@pytest.mark.parametrize("name", ["estimates", "fits", "tests"])
def test_numbers_do_not_depend_on_cores_executor_or_order(name, elsewhere, at_once):
    keys = ["scenario", "replicate", "model", "method", *LABELS[name]]
    expected = tables(at_once)[name].set_index(keys)
    found = plain(elsewhere / f"results/tiny/{name}.parquet").set_index(keys)
    assert len(found) > len(expected)
    assert found.loc[expected.index].equals(expected)


def planned(folder, study):
    """Return how many jobs of each rule a dry run plans, by the notes that the run has left."""
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    look = ["--", "-n", "--rerun-triggers", "mtime", "params", "input"]
    said = hlm(folder, "run", "study.yaml", "--cores", "2", *look)
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}


def test_kernels_are_compiled_for_what_is_new_and_no_finished_batch_is_done_again(finished):
    """The mark of compiled kernels is one for each set of them, whatever the study."""
    folder = finished
    assert [p.name for p in folder.glob("results/.cache/kernels-*") if not p.suffix] == [
        "kernels-q2"
    ]
    with_q1 = TINY + "  mean: y ~ 1 + (1 | unit)\n"
    jobs = planned(folder, with_q1)
    assert jobs["compile_kernels"] == 1
    assert jobs["fit"] == 1
    with_q2 = TINY + "  line: y ~ x + (1 + x || unit)\n"
    jobs = planned(folder, with_q2)
    assert "compile_kernels" not in jobs
    assert jobs["fit"] == 1
    other = TINY.replace("name: tiny", "name: other")
    assert "compile_kernels" not in planned(folder, other)
    profile = other.replace("estimation:", "estimation:\n  limits: profile\n  df: kenward-roger")
    assert planned(folder, profile)["compile_kernels"] == 1
    planned(folder, TINY)  # the plan of this study is the last one again


def test_a_mistake_in_the_study_has_no_traceback(tmp_path):
    (tmp_path / "study.yaml").write_text(TINY.replace("seed", "seeed"), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "-n"]
    done = subprocess.run(
        [*command, "--config", "study=study.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "did you mean 'seed'" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


def test_a_job_that_reads_the_workflow_again_does_not_plan(finished):
    folder = finished
    study = folder / "study.yaml"
    study.write_text(TINY.replace("[8, 12]", "[8, 99]"), encoding="utf-8")
    plan = (folder / "results/tiny/plan.json").read_bytes()
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    done = subprocess.run(
        [*command, "--mode", "remote", "-n", "--cores", "1", "--config", "study=study.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "results/tiny/plan.json").read_bytes() == plan
