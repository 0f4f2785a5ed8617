"""The command line: what it prints, and what it says of mistakes."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm.cli import COMMANDS, main
from hlm.study import Study

TINY = Path(__file__).parent / "workflow" / "tiny.yaml"
HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused and return its message."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        return err

    return run


@pytest.fixture
def printed(capsys):
    """Run a command that must succeed and return what it prints."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr().out

    return run


def test_help_lists_the_commands_and_loads_nothing_heavy():
    code = "import sys; from hlm.cli import main; sys.argv = ['hlm', '--help']\n"
    code += "try: main()\nexcept SystemExit: print('loaded', *sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, loaded = out.stdout.partition("loaded")
    for command in ("fit", "check", "run", "replay", "measures"):
        assert f"\n    {command} " in text
    assert not {"numpy", "pandas", "numba", "pyarrow", "snakemake"} & set(loaded.split())


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "completion"])
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    example = rf"^ *hlm {command} .*[a-z]+\.(yaml|csv)|ogorek2012"
    assert re.search(example, capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("word", "meant"), [("verfy", "verify"), ("chekc", "check"), ("RUN", None), ("zzz", None)]
)
def test_an_unknown_command_is_named_with_the_nearest(word, meant, refused):
    lines = refused(word, TINY).splitlines()
    assert lines[0] == f"unknown command '{word}'"
    assert lines[1] == f"  allowed: {', '.join(COMMANDS)}"
    assert {"fit", "check", "run", "preview", "power", "solve"} <= set(COMMANDS)
    assert lines[2:] == ([f"  did you mean '{meant}'?"] if meant else [])


def test_check_lists_scenarios_models_and_costs(printed):
    out = printed("check", TINY)
    study = Study.load(TINY)
    for scenario in study.scenarios:
        assert scenario.key in out
    for model in study.models:
        assert model.formula in out
    assert "2 scenarios of 30 replicates" in out
    assert re.search(r"240 fits in 1 batch: 5 jobs, \d+ files", out)
    assert re.search(r"about [\d.]+ core-hours, \d+ s on 2 cores", out)
    assert re.search(r"about .* of results, and .* of disk while it runs", out)


SOME = " in 2 of 4 scenarios"

CONTEXT = """
name: context
seed: 9
replicates: 10
truth:
  formula: y ~ xw + xb + (1 + xw | unit)
  fixed: {(Intercept): 0, xw: 0.3, xb: 0.7}
  random: {unit: {sd: {(Intercept): 0.5, xw: 0.2}, cor: 0.4}}
  residual: {sd: 1}
design: {units: 20, rows: 10, covariates: {xw: {level: row, mean: 5}, xb: {level: unit}}}
grid:
  truth.fixed.xb: [0, 0.7]
  truth.random.unit.sd.xw: [0, 0.2]
models:
  latent: y ~ I(xw - 5) + xb + (1 + I(xw - 5) | unit)
  total: {formula: "y ~ I(xw + xb) + (1 | unit)", true: {(Intercept): 0.1}}
  total_and_mean: y ~ I(xw + xb) + xb + (1 | unit)
estimation: {tests: {context: [xb]}}
"""


def test_check_shows_the_true_value_of_each_term_or_why_there_is_none(printed, tmp_path):
    study = tmp_path / "context.yaml"
    study.write_text(CONTEXT)
    out = printed("check", study, "--no-pilot")
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert {
        "true values latent total total_and_mean",
        "(Intercept) 1.5 0.1 0",
        "I(xw - 5) 0.3",
        "xb 0, 0.7 -0.3, 0.4",
        "I(xw + xb) none 0.3",
        # The variance at xw = 5: 0.25 + 2 * 5 * 0.04 + 25 * 0.04.
        "sd_(Intercept)|unit 0.5, 1.28452 0.5 0.5",
        "cor_I(xw - 5).(Intercept)|unit 0.934199, none",
        "sd_I(xw - 5)|unit 0, 0.2",
        "sigma 1 1 1",
        "F(context) true, false false",
        (
            f"latent: no true value of cor_I(xw - 5).(Intercept)|unit{SOME}: an effect that does "
            "not vary has no correlation"
        ),
        (
            f"total: no true value of I(xw + xb){SOME}: xw of the truth is no combination of "
            "(Intercept) and I(xw + xb), and I(xw + xb) is not in the truth"
        ),
        (
            f"total: no true value of I(xw + xb){SOME}: xw and xb of the truth are no combination "
            "of (Intercept) and I(xw + xb), and I(xw + xb) is not in the truth"
        ),
        (
            "total lacks xw, xb, sd_xw|unit of the truth: the truth's values are its targets, not "
            "what it converges to"
        ),
    } <= lines


def test_check_names_the_level_of_a_model(printed, tmp_path):
    text = TINY.read_text().replace(
        "ignoring_a: y ~ x + (1 + x | unit)",
        "ignoring_a: {formula: y ~ x + (1 + x | unit), level: 0.8}",
    )
    (tmp_path / "study.yaml").write_text(text)
    out = printed("check", tmp_path / "study.yaml", "--no-pilot")
    assert "ignoring_a   y ~ x + (1 + x | unit)  (REML, ML; df: satterthwaite; level: 0.8)\n" in out
    assert "slopes_on_a  y ~ x * a + (1 + x | unit)  (REML, ML; df: satterthwaite)\n" in out


def test_check_abbreviates_a_long_list(printed, tmp_path):
    units = ", ".join(str(n) for n in range(8, 58))
    text = TINY.read_text().replace("[8, 12]", f"[{units}]")
    (tmp_path / "long.yaml").write_text(text)
    out = printed("check", tmp_path / "long.yaml")
    assert "(40 more)" in out
    assert len(out.splitlines()) < 70  # 11 of true values, 14 of the truth, 9 of precision


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed: 7", "seeed: 7", ["'seeed'", "did you mean 'seed'"]),
        ("replicates: 30", "replicates: -30", ["replicates", "-30"]),
        ("y ~ x + (1 + x | unit)", "y ~ x + (1 + x | unit", ["ignoring_a"]),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_mistake_in_the_study_is_named(command, old, new, words, refused, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(TINY.read_text().replace(old, new))
    message = refused(command, path)
    for word in ["study.yaml", *words]:
        assert word in message


def test_a_study_that_is_not_there(refused, tmp_path):
    for command in (["check"], ["run"], ["replay"]):
        rest = ["1", "0"] if command == ["replay"] else []
        assert "none.yaml" in refused(*command, tmp_path / "none.yaml", *rest)


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("cores", ["0", "-3"])
def test_impossible_cores_are_refused_before_anything_else(
    command, cores, refused, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    said = refused(command, "no-such-study.yaml", f"--cores={cores}")
    assert said == f"--cores: {cores} cores\n  allowed: a whole number > 0\n"
    assert not list(tmp_path.iterdir())


def test_run_shows_the_command_and_passes_on_options_and_status(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--cores", "1", "--batch-seconds", "5", "--results", "here", "--", "--no-such"]
    assert main(["run", str(TINY), *arguments]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("$ snakemake --snakefile ")
    assert f"--directory {tmp_path / 'here'} --config study={TINY} " in out
    assert "results=. batch_seconds=5.0 --nolock --cores 1 --no-such" in out
    assert "unrecognized arguments: --no-such" in err


def scenario_words():
    study = Study.load(TINY)
    keys = [scenario.key for scenario in study.scenarios]
    return [(keys[1], 12), (keys[1][:9], 12), ("2", 12), ("1", 8), ("units=12", 12)]


@pytest.mark.parametrize(("words", "units"), scenario_words())
def test_replay_draws_the_rows_of_a_replicate_exactly(words, units, printed):
    from hlm.simulate import draw_rows

    out = printed("replay", TINY, words, "17")
    names, *lines = csv.reader(io.StringIO(out))
    columns = np.array(lines, dtype=float).T
    assert names == ["unit", "a", "x", "y"]
    assert len(np.unique(columns[0])) == units
    study = Study.load(TINY)
    scenario = next(item for item in study.scenarios if item.n_units == units)
    rows = draw_rows(scenario, study.seed, 17)
    np.testing.assert_array_equal(columns, list(rows.values()))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("units=13", ["'13'", "8, 12"]),
        ("unit=12", ["'unit'", "did you mean 'units'"]),
        ("3", ["'3'", "1 to 2"]),
        ("0", ["'0'", "1 to 2"]),
        ("zzzz", ["'zzzz'", "units=8"]),
        ("", ["several scenarios"]),
    ],
)
def test_replay_says_which_scenarios_there_are(words, expected, refused):
    message = refused("replay", TINY, words, "0")
    for word in expected:
        assert word in message


@pytest.mark.parametrize("replicate", [30, 1000])
def test_replay_says_which_replicates_there_are(replicate, refused):
    assert "0 to 29" in refused("replay", TINY, "1", replicate)


def test_fit_of_the_founding_data_prints_the_published_numbers(printed):
    out = printed("fit", "y ~ x * a + (1 + x | unit)", "ogorek2012")
    # B. Ogorek (2012): fixed effects, and the REML criterion.
    for number in ("0.9776", "3.0670", "-0.1108", "0.3576", "2189.9"):
        assert number in out
    assert printed("fit", "y ~ x * a + (1 + x | unit)", "ogorek2012", "--ml") != out


def test_fit_uses_the_methods_that_are_asked_for(printed, refused):
    """Kenward-Roger's df and lme4's profile limits (14.38, 37.72) of the sleep study."""
    formula = "Reaction ~ Days + (Days | Subject)"
    out = printed(
        "fit", formula, "sleepstudy", "--df", "kenward-roger", "--level", "0.95",
        "--limits", "profile",
    )  # fmt: skip
    assert "t-tests use Kenward-Roger's method" in out
    assert re.search(r"sd_\(Intercept\)\|Subject +24.74 .* 14.381 +37.7", out)
    assert "did you mean 'kenward-roger'" in refused(
        "fit", formula, "sleepstudy", "--df", "kenwardroger"
    )
    assert "'profile'" in refused(
        "fit", formula, "sleepstudy", "--level", "0.9", "--limits", "prof"
    )
    assert "REML" in refused("fit", formula, "sleepstudy", "--ml", "--df", "kenward-roger")


def test_fit_takes_weights(printed, tmp_path):
    data = pd.DataFrame({"y": [1.0, 2, 3, 5, 4, 7], "g": list("aabbcc"), "w": [1, 2, 1, 2, 1, 2]})
    data.to_csv(tmp_path / "d.csv")
    plain = printed("fit", "y ~ 1 + (1 | g)", tmp_path / "d.csv")
    assert printed("fit", "y ~ 1 + (1 | g)", tmp_path / "d.csv", "--weights", "w") != plain


def test_fit_prints_limits_when_asked(printed):
    out = printed("fit", "Reaction ~ Days + (Days | Subject)", "sleepstudy", "--level", "0.9")
    assert "lower" in out
    assert "upper" in out


def test_fit_draws_the_lines_of_the_units_when_asked(printed, refused, tmp_path):
    formula, file = "y ~ x * a + (1 + x | unit)", tmp_path / "lines.png"
    printed("fit", formula, "ogorek2012", "--shrinkage", file)
    assert file.read_bytes()[:4] == b"\x89PNG"
    message = refused("fit", formula, "ogorek2012", "--shrinkage", tmp_path / "lines.gif")
    assert "a name with .png, .pdf" in message


@pytest.mark.parametrize(
    ("formula", "name", "message"),
    [
        ("y ~ x + (1 | unit)", "lines.png", "--shrinkage: the units have no lines of their own"),
        ("y ~ x * a + (1 + x | unit)", "d.csv/lines.png", "lines.png: cannot be written"),
    ],
)
def test_fit_prints_its_summary_though_the_lines_cannot_be_drawn(
    printed, capsys, tmp_path, formula, name, message
):
    (tmp_path / "d.csv").write_text("no folder")
    summary = printed("fit", formula, "ogorek2012")
    assert main(["fit", formula, "ogorek2012", "--shrinkage", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == summary
    assert message in err
    assert "Traceback" not in err


def test_fit_draws_a_page_that_says_why_no_unit_has_a_line(printed, tmp_path):
    """A covariate of the units has no slope within any of them."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 5), "x": np.repeat(rng.normal(size=20), 5)})
    data["y"] = rng.normal(size=20)[data["g"]] + rng.normal(size=100)
    data.to_csv(tmp_path / "d.csv", index=False)
    call = ("fit", "y ~ x + (1 + x | g)", tmp_path / "d.csv")
    out = printed(*call, "--shrinkage", tmp_path / "lines.png")
    assert out == printed(*call)
    assert (tmp_path / "lines.png").read_bytes()[:4] == b"\x89PNG"


def test_fit_reads_the_users_own_file(printed, tmp_path):
    from hlm.datasets import load_sleepstudy

    load_sleepstudy().to_csv(tmp_path / "mine.csv", index=False)
    formula = "Reaction ~ Days + (Days | Subject)"
    assert printed("fit", formula, tmp_path / "mine.csv") == printed("fit", formula, "sleepstudy")


@pytest.mark.parametrize(
    ("formula", "file", "words"),
    [
        ("y ~ x + (1 | unit)", "ogorek2021", ["ogorek2021", "did you mean 'ogorek2012'"]),
        ("y ~ z + (1 | unit)", "ogorek2012", ["'z'"]),
        ("y ~ x + (1 | unit", "ogorek2012", ["^"]),
    ],
)
def test_fit_names_mistakes(formula, file, words, refused):
    message = refused("fit", formula, file)
    for word in words:
        assert word in message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'a,b\n"1,2\n'])
def test_a_file_that_is_no_table_is_named(content, refused, tmp_path):
    (tmp_path / "bad.csv").write_bytes(content)
    assert "bad.csv" in refused("fit", "y ~ 1 + (1 | g)", tmp_path / "bad.csv")


def test_a_folder_and_a_damaged_parquet_file_are_no_tables(refused, tmp_path):
    assert "no such file" in refused("measures", tmp_path, "--true", "0")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    assert "bad.parquet" in refused("measures", tmp_path / "bad.parquet", "--true", "0")


@pytest.fixture
def estimates(tmp_path):
    frame = pd.DataFrame({"estimate": [1.0, 2.0, 3.0, 6.0], "se": 1.0, "truth": 2.0, "g": "a"})
    frame.to_csv(tmp_path / "estimates.csv", index=False)
    return tmp_path / "estimates.csv"


@pytest.mark.parametrize("true", ["2", "truth"])
def test_measures_of_a_file(true, estimates, printed):
    out = printed("measures", estimates, "--true", true, "--se", "se", "--by", "g")
    table = pd.read_csv(io.StringIO(out)).set_index("measure")["estimate"]
    assert table["bias"] == 1.0
    assert table["mse"] == (1 + 0 + 1 + 16) / 4
    assert table["coverage"] == 0.75


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_measures_to_a_file(ending, estimates, printed, tmp_path):
    target = tmp_path / f"out.{ending}"
    assert printed("measures", estimates, "--true", "2", "--output", target) == ""
    frame = pd.read_csv(target) if ending == "csv" else pd.read_parquet(target)
    assert frame.set_index("measure")["estimate"]["bias"] == 1.0


def test_differences_of_methods_of_a_file(tmp_path, printed):
    data = pd.DataFrame({"estimate": [1.0, 2.0, 4.0, 2.0], "m": list("xxyy"), "i": [1, 2, 2, 1]})
    data.assign(ok=["TRUE", "TRUE", "TRUE", "FALSE"]).to_csv(tmp_path / "both.csv", index=False)
    columns = ("--method", "m", "--ref", "x", "--id", "i", "--converged", "ok")
    out = printed(
        *("measures", tmp_path / "both.csv", "--true", "0", "--differences", *columns),
        *("--policies", "all", "converged"),
    )
    bias = pd.read_csv(io.StringIO(out)).query("measure == 'bias'").set_index("policy")
    assert bias.loc["all", ["m", "against", "difference", "n"]].to_list() == ["y", "x", 1.5, 2]
    assert bias.loc["converged", ["difference", "n"]].to_list() == [2.0, 1]


def test_measures_names_the_row_of_a_cell_that_is_no_number(estimates, refused):
    estimates.write_text("estimate,se\n1.0,1\nNA,1\nabout 3,1\n6.0,1\n")
    message = refused("measures", estimates, "--true", "2")
    assert f"{estimates}: column 'estimate', row 3: 'about 3' is no number" in message


def test_measures_names_an_unknown_column(estimates, refused):
    message = refused("measures", estimates, "--true", "2", "--se", "sse")
    assert "'sse'" in message
    assert "'se'" in message


def test_a_reader_that_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [*HLM, "replay", str(TINY), "1", "0"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    ("command", "words"), [("check", "stopped"), ("run", "stopped; the same command goes on")]
)
def test_ctrl_c_ends_in_one_line(command, words, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("hlm.study.Study.load", interrupted)
    assert main([command, str(TINY)]) == 130
    assert capsys.readouterr() == ("", f"{words}\n")
