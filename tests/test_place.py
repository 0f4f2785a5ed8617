"""A study is named by its file or by its folder of results, whatever the command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hlm.cli import main
from hlm.cli.place import find_results, study_or_plan
from hlm.errors import InputError
from hlm.plan import make_plan
from hlm.study import Study

TINY = Path(__file__).parent / "workflow" / "tiny.yaml"
COMMANDS = (["status"], ["verify"], ["audit"], ["replay", "1", "0"])


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A run of a study that was begun, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("config").mkdir()
    shutil.copy(TINY, "config/tiny.yaml")
    make_plan(Study.load("config/tiny.yaml")).write("results/tiny/plan.json")


@pytest.mark.usefixtures("begun")
def test_the_file_and_the_folder_are_the_same_place():
    folder = Path("results/tiny")
    by_file, by_folder = find_results("config/tiny.yaml"), find_results("results/tiny/")
    assert by_file.folder == by_folder.folder == folder
    assert by_file.study.name == "tiny"
    assert by_folder.study is None
    shutil.copytree("results", "elsewhere")
    assert find_results("config/tiny.yaml", "elsewhere").folder == Path("elsewhere/tiny")
    study, plan = study_or_plan("config/tiny.yaml"), study_or_plan("results/tiny")
    assert (study.scenarios, study.levels, study.seed) == (plan.scenarios, plan.levels, plan.seed)


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("word", ["config/tiny.yaml", "results/tiny"])
def test_status_and_replay_take_either(word, capsys):
    assert main(["status", word]) == 0
    assert capsys.readouterr().out.startswith("tiny: 0 of 60 replicates (0 %)\n")
    assert main(["replay", word, "units=12", "17"]) == 0
    rows = capsys.readouterr().out
    assert main(["replay", str(TINY), "2", "17"]) == 0
    assert capsys.readouterr().out == rows


@pytest.mark.usefixtures("begun")
def test_replay_from_the_folder_is_of_the_study_as_it_was_run(capsys):
    study = Path("config/tiny.yaml")
    study.write_text(study.read_text().replace("[8, 12]", "[8]"))
    assert main(["replay", "results/tiny", "units=12", "0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 12 * 5
    assert main(["replay", "config/tiny.yaml", "units=12", "0"]) == 2


EITHER = "a study file, or the folder of its results"


NOTHING = "there is no such file or folder"


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("word", "problem", "allowed", "meant"),
    [
        ("tiny", NOTHING, EITHER, "results/tiny"),
        ("results/tniy", NOTHING, EITHER, "results/tiny"),
        ("config/tinny.yaml", NOTHING, EITHER, "config/tiny.yaml"),
        ("zzz", NOTHING, EITHER, None),
        ("results", "no results of a study", "results/tiny", None),
        ("config", "no results of a study", f"{EITHER}, such as results/ogorek2012", None),
        (
            "results/tiny/plan.json",
            "this is a file of results, not a study file",
            EITHER,
            "results/tiny",
        ),
    ],
)
def test_what_is_neither_is_named_with_what_was_meant(
    word, problem, allowed, meant, command, capsys
):
    name, *rest = command
    assert main([name, word, *rest]) == 2
    said = [f"{word}: {problem}", f"  allowed: {allowed}"]
    said += [f"  did you mean '{meant}'?"] if meant else []
    assert capsys.readouterr() == ("", "\n".join([*said, ""]))


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("command", ["status", "verify", "audit"])
def test_results_are_looked_for_where_they_are_said_to_be(command, capsys):
    assert main([command, "config/tiny.yaml", "--results", "elsewhere"]) == 2
    assert capsys.readouterr().err == (
        "elsewhere/tiny: no run of this study was begun here\n"
        "  allowed: hlm run config/tiny.yaml, or --results with another folder\n"
    )
    with pytest.raises(InputError, match="together with a study file only"):
        find_results("results/tiny", "elsewhere")
