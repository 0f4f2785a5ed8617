"""`hlm new`, `hlm open`, `hlm completion`: from nothing to a study, and to its report."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import webbrowser
from pathlib import Path

import pytest
import yaml

from hlm.cli import COMMANDS, main
from hlm.cli.new import TEMPLATES
from hlm.operations.prepare import prepare
from hlm.study import Study


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, *arguments):
    assert main([*map(str, arguments)]) == 2
    return capsys.readouterr().err.splitlines()


def printed(capsys, *arguments):
    assert main([*map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_templates_are_listed_with_what_they_ask(capsys):
    lines = printed(capsys, "new").splitlines()
    assert [line.split()[0] for line in lines] == list(TEMPLATES)
    assert all(re.fullmatch(r"\S+ +[A-Z].*[a-z0-9][.?]", line) for line in lines)


def test_every_template_is_offered():
    folder = TEMPLATES["trial"].parent
    assert {path.stem for path in folder.iterdir()} == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_a_study_that_checks(template, capsys):
    printed(capsys, "new", template)
    study = Study.load(f"{template}.yaml")
    assert study.name == template
    out = printed(capsys, "check", f"{template}.yaml", "--no-pilot")
    assert out.startswith(f"{template}: {len(study.scenarios)} scenarios of ")


def test_the_trial_answers_at_the_prompt(capsys):
    """Without an effect, a test by Satterthwaite of clusters of one size rejects in 5 %."""
    printed(capsys, "new", "trial")
    where = "units=10,fixed.arm=0,icc=0.2"
    out = printed(capsys, "preview", "trial.yaml", where, "--replicates", "400", "--term", "arm")
    size = {name: float(found) for name, found in re.findall(r"(satt\w+|infinite) +(0\.\d+)", out)}
    assert abs(size["satterthwaite"] - 0.05) < 4 * (0.05 * 0.95 / 400) ** 0.5
    assert size["infinite"] > size["satterthwaite"]


@pytest.mark.parametrize("name", ["mine", "2027", "no", "a-b.c"])
def test_the_study_is_named_as_its_file(name, capsys):
    out = printed(capsys, "new", "growth", f"{name}.yaml")
    assert out.splitlines() == [
        f"written: {name}.yaml",
        f"next: hlm check {name}.yaml",
        f"      hlm run {name}.yaml",
    ]
    assert Study.load(f"{name}.yaml").name == name
    ours = yaml.safe_load(Path(f"{name}.yaml").read_text(encoding="utf-8"))
    theirs = yaml.safe_load(TEMPLATES["growth"].read_text(encoding="utf-8"))
    assert ours == theirs | {"name": name}


def test_a_file_is_not_overwritten(capsys, tmp_path):
    (tmp_path / "trial.yaml").write_text("mine")
    lines = refused(capsys, "new", "trial")
    assert lines == [
        "trial.yaml: the file is there and is not overwritten",
        "  allowed: another name",
    ]
    assert (tmp_path / "trial.yaml").read_text() == "mine"


def test_a_file_that_cannot_be(capsys, tmp_path):
    assert refused(capsys, "new", "trial", "no/where.yaml")[0].startswith(
        "no/where.yaml: cannot be"
    )
    assert refused(capsys, "new", "trial", "a b.yaml")[0] == (
        "a b.yaml: the name 'a b' is not safe for files"
    )
    assert [*tmp_path.iterdir()] == []


def test_an_unknown_template_is_named_with_the_nearest(capsys, tmp_path):
    assert refused(capsys, "new", "grwth") == [
        "unknown template 'grwth'",
        "  allowed: article, trial, growth, violation, selection, sample-size",
        "  did you mean 'growth'?",
    ]
    assert [*tmp_path.iterdir()] == []


@pytest.fixture
def results(capsys, tmp_path):
    """The folder of a study whose run was begun."""
    printed(capsys, "new", "trial")
    prepare(Study.load("trial.yaml"), "results", batch_seconds=30)
    return tmp_path / "results" / "trial"


@pytest.mark.parametrize("word", ["trial.yaml", "results/trial"])
@pytest.mark.parametrize("there", [True, False])
def test_the_report_is_opened_and_its_path_printed(word, there, results, capsys, monkeypatch):
    (results / "report.html").write_text("<p>")
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(opened.append(address)) or there)
    lines = printed(capsys, "open", word).splitlines()
    assert opened == [(results / "report.html").as_uri()]
    assert lines[0] == "results/trial/report.html"
    assert [line[:15] for line in lines[1:]] == ([] if there else ["no browser here"])


def test_a_study_without_a_report_is_said_to_have_none(results, capsys):
    assert results.is_dir()
    assert refused(capsys, "open", "trial.yaml") == [
        "results/trial/report.html: the study has no report yet",
        "  allowed: a study that has been run to its end: hlm run, hlm status",
    ]


def flags(command):
    """Return the options that a command declares."""
    parser = argparse.ArgumentParser()
    COMMANDS[command].add_arguments(parser)
    return set(
        re.findall(r"(?<![\w-])-{1,2}[a-z][\w-]*", parser.format_help().partition("options:")[2])
    )


def offered(script, words):
    """Return what Bash offers for the last of the words."""
    listed = " ".join(f"'{word}'" for word in words)
    ask = f'COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _hlm; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"set -u\n{script}\n{ask}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split())


def test_bash_completes_commands_options_and_values(capsys):
    script = printed(capsys, "completion", "bash")
    assert offered(script, ["hlm", ""]) == set(COMMANDS)
    assert offered(script, ["hlm", "pre"]) == {"preview"}
    assert offered(script, ["hlm", "new", "s"]) == {"selection", "sample-size"}
    assert offered(script, ["hlm", "completion", ""]) == {"bash", "zsh", "fish"}
    assert offered(script, ["hlm", "power", "s.yaml", "--method", ""]) == {"reml", "ml"}
    assert offered(script, ["hlm", "run", "s.yaml", "--co"]) == {"--cores"}
    assert offered(script, ["hlm", "run", "s.y"]) == set()  # Bash then completes files


@pytest.mark.parametrize("command", COMMANDS)
def test_the_scripts_have_every_option(command, capsys):
    bash = printed(capsys, "completion", "bash")
    assert flags(command) - {"-h", "--help"} <= offered(bash, ["hlm", command, "-"])
    zsh = printed(capsys, "completion", "zsh")
    line = re.search(rf"^ +{command}\) _arguments (.*) ;;$", zsh, re.MULTILINE)[1]
    assert set(re.findall(r"'\*?(--?[\w-]+)\[", line)) == flags(command)
    fish = printed(capsys, "completion", "fish")
    within = rf"^complete -c hlm -n '__fish_seen_subcommand_from {command}' -[ls] ([\w-]+)"
    assert set(re.findall(within, fish, re.MULTILINE)) == {
        flag.lstrip("-") for flag in flags(command)
    }
    assert re.search(
        rf"^complete -c hlm -n __fish_use_subcommand -f -a {command} -d '", fish, re.MULTILINE
    )


@pytest.mark.parametrize(
    ("shell", "look"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")]
)
def test_the_shell_can_read_its_script(shell, look, capsys, tmp_path):
    """Where it is not installed, Bash reads it, whose quotes are the same but for one of fish."""
    script = printed(capsys, "completion", shell)
    if not (found := shutil.which(shell)):
        found, look, script = "bash", "-n", script.replace("\\'", "")
    (tmp_path / "script").write_text(script)
    subprocess.run([found, look, "script"], check=True)


def test_another_shell_is_refused(capsys):
    assert refused(capsys, "completion", "zhs") == [
        "no completion for 'zhs'",
        "  allowed: bash, zsh, fish",
        "  did you mean 'zsh'?",
    ]
