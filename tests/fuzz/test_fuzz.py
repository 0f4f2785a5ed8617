"""A few seconds of the campaign, and files that mean harm."""

from pathlib import Path

import pytest

import hlm
from hlm.cli import main
from hlm.formula import parse
from tests.fuzz.campaign import campaign

STUDY = (Path(__file__).parents[1] / "workflow" / "tiny.yaml").read_text()


def test_damaged_inputs_are_read_or_refused():
    counts = campaign(4.0, seed=20)
    assert min(counts.values()) > 0


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch harm']",
        "!!python/object/new:subprocess.Popen [[touch, harm]]",
        "!!python/name:os.system",
        "&a [*a, *a]",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]",
    ],
)
def test_yaml_runs_nothing(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for content in (text, STUDY.replace("seed:", f"seed: {text.splitlines()[0]} #", 1)):
        Path("s.yaml").write_text(content)
        assert main(["check", "s.yaml"]) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not Path("harm").exists()


@pytest.mark.parametrize(
    "name", ["../out", "/tmp/out", "a/b", "..", ".hidden", "a\\b", "a\x00b", "x" * 65, "a b"]
)
def test_no_name_leaves_the_folder_of_results(name):
    first, rest = STUDY.split("\n", 1)
    assert first.startswith("name: ")
    quoted = "name: " + '"' + name.replace("\\", "\\\\").replace("\x00", "\\0") + '"'
    with pytest.raises(hlm.InputError, match="name"):
        hlm.Study.from_text(f"{quoted}\n{rest}")


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ __import__('os').system('touch harm') + (1 | g)",
        "y ~ eval(x) + (1 | g)",
        "y ~ I(x.f()) + (1 | g)",
        "y ~ I(x[0]) + (1 | g)",
        "y ~ exec('x') + (1 | g)",
        "y ~ open(x) + (1 | g)",
        "y ~ I(lambda: 0) + (1 | g)",
        "y ~ getattr(x, y) + (1 | g)",
    ],
)
def test_formulas_know_only_their_functions(formula):
    with pytest.raises(hlm.InputError):
        parse(formula)


def test_a_formula_cannot_take_long_or_much():
    for formula in (
        "y ~ " + "(" * 10_000 + "x" + ")" * 10_000 + " + (1 | g)",
        "y ~ (" + " + ".join(f"x{k}" for k in range(400)) + ")^9 + (1 | g)",
        "y ~ I(9^9^9^9^9) + (1 | g)" + " + x" * 100_000,
    ):
        with pytest.raises(hlm.InputError):
            parse(formula)
