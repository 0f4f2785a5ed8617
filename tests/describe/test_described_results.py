"""What a record and the checklist take from results, and the command."""

from __future__ import annotations

import pandas as pd
import pytest

from hlm.cli import main
from hlm.describe import NOT_GIVEN, checklist, record
from hlm.describe.marked import plain
from hlm.operations.manifest import write_manifest
from hlm.plan import Plan, make_plan
from hlm.study import Study
from tests.results import TINY, make_results, summarize_results

from .test_record import ROOT


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = make_results(tmp_path_factory.mktemp("results"))
    plan = Plan.read(folder / "plan.json")
    summarize_results(plan, folder)
    write_manifest(plan, folder, study=TINY)
    return folder


def test_fits_are_counted_as_the_files_have_them(results):
    fits = pd.read_parquet(results / "fits.parquet")
    singular, n = int(fits["singular"].sum()), len(fits)
    failed = int((~fits["status"].isin(["ok", "partly_identified"])).sum())
    plan = Plan.read(results / "plan.json")
    found = record(plan, results)
    assert (n, failed) == (240, 0)
    share = f"{100 * singular / n:.2g}%"
    assert (
        f"Of 240 fits none did not converge or could not be made, and {singular:,} ({share})"
        in (plain(found.methods.text))
    )
    rows = found.section("Failed and singular fits").blocks[1].rows
    own = fits[(fits["model"] == "ignoring_a") & (fits["method"] == "ml")]
    assert [plain(cell) for cell in rows[3][:5]] == [
        *("ignoring_a", "ML", f"{len(own)}", f"{(own['status'] == 'ok').sum()}"),
        f"{own['singular'].sum()}",
    ]
    answers = {row.number: row.answer for row in checklist(plan, results)}
    assert answers[19].startswith("0 of 240 fits")
    assert answers[23] == f"{singular} of 240 fits."


def test_versions_and_times_are_those_of_the_manifest(results):
    found = plain(record(Plan.read(results / "plan.json"), results).methods.text)
    assert "python 3." in found
    assert "seconds of one processor" in found


def test_the_command_finds_results_and_writes_a_file(results, tmp_path, capsys):
    assert main(["describe", str(results)]) == 0
    assert "Of 240 fits" in capsys.readouterr().out
    file = tmp_path / "tiny.tex"
    words = ["describe", str(TINY), "--results", str(results.parent), "--format", "latex"]
    assert main([*words, "--output", str(file)]) == 0
    assert "Of 240 fits" in file.read_text(encoding="utf-8")
    assert main(["describe", str(TINY), "--results", str(tmp_path)]) == 0
    assert "Of 240 fits" not in capsys.readouterr().out


def test_results_of_another_version_of_the_study_do_not_count(results, tmp_path, capsys):
    changed = tmp_path / "tiny.yaml"
    text = TINY.read_text(encoding="utf-8").replace("sd: 0.75", "sd: 0.5")
    changed.write_text(text, encoding="utf-8")
    assert main(["describe", str(changed), "--results", str(results.parent)]) == 0
    shown = capsys.readouterr().out
    assert "residual sd 0.5." in shown
    assert "Of 240 fits" not in shown


def test_a_study_that_is_not_there_is_said(capsys):
    assert main(["describe", "config/ogorek2021.yaml"]) == 2
    assert "did you mean 'config/ogorek2012.yaml'?" in capsys.readouterr().err


KNOWN = {1, *range(4, 9), 11, 12, *range(14, 19), 20, 21, 24, 27, 28, 29, 31, 34, 35, 37, 45}
"""The rows that a study answers by itself, without results or words."""


@pytest.mark.parametrize("name", ["ogorek2012", "few_units"])
def test_the_checklist_of_a_ready_study(name):
    plan = make_plan(Study.load(ROOT / "config" / f"{name}.yaml"))
    rows = checklist(plan)
    assert [row.number for row in rows] == list(range(1, 46))
    given = {row.number for row in rows if row.answer != NOT_GIVEN}
    null = {9} if name == "few_units" else set()
    effects = {33} if name in ("ogorek2012", "few_units") else set()
    assert given - {25, 26, 32} == KNOWN | null | effects
    assert all(row.answer and bool(row.where) == (row.answer != NOT_GIVEN) for row in rows)
    sections = {section.title for section in record(plan).sections}
    others = {"", "Title", "Tables", "Figures", "Further statements"}
    assert {row.where for row in rows} <= sections | others
    answers = {row.number: row.answer for row in rows}
    if name == "few_units":
        assert answers[9].startswith("The true value is 0 of arm in 10 of 10 scenarios")
        assert "Each scenario has 10,000 data sets." in answers[17]


def test_the_words_of_a_user_answer_rows():
    text = (ROOT / "config" / "ogorek2012.yaml").read_text(encoding="utf-8")
    about = """
about:
  title: T
  authors: [A, B]
  related: Morris
  aims: Why
  methods: Because
  thresholds: 1 percent
  limits: Two levels
  conflicts: none
  archive: doi
  licence: MIT
  preregistration: OSF
  deviations: one
  unexpected: nothing
  checks: lme4
  supplement: a page
  data_check: moments
  known_answer: the null
"""
    bare, told = (make_plan(Study.from_text(text + more)) for more in ("", about))
    answers = {row.number: row.answer for row in checklist(told)}
    given = {2: "Morris", 3: "Why", 10: "moments", 13: "Because", 30: "1 percent"}
    given |= {36: "doi; licence: MIT", 38: "OSF; deviations: one", 40: "lme4", 41: "Two levels"}
    given |= {42: "none", 43: "nothing", 44: "a page", 9: "the null"}
    assert {number: answers[number] for number in given} == given
    assert NOT_GIVEN not in given.values()
    # No number depends on these words
    assert told.wanted == bare.wanted
    assert [s.key for s in told.scenarios] == [s.key for s in bare.scenarios]
    assert [batch.name for batch in told.batches] == [batch.name for batch in bare.batches]
