"""Tables that a study asks for: every number in every format against the measures."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from hlm.cli import main
from hlm.plan import make_plan
from hlm.study import Study
from hlm.tables import asked_table, paper_pages, write_all
from hlm.tables.formatting import decimals_of, format_table
from hlm.tables.latex import to_latex
from hlm.words.measures import MEASURES
from tests.synthetic_results import (
    MODELS,
    REPLICATES,
    made_accounting,
    made_margins,
    made_results,
    with_inferences,
)

ROOT = Path(__file__).parents[1]
BASE = (ROOT / "config" / "ogorek2012.yaml").read_text(encoding="utf-8")
BASE = BASE.replace("intercept_only", "intercepts_only")
MINUS = "\N{MINUS SIGN}"
MOST_OVERFULL = 1.0  # points


def study_with(tables, base=BASE):
    return Study.from_text(f"{base}\ntables: {tables}\n")


def write_results(folder, measures, selection):
    measures.to_parquet(folder / "measures.parquet")
    selection.to_parquet(folder / "selection.parquet")
    made_accounting(measures).to_parquet(folder / "accounting.parquet")
    made_margins(selection).to_parquet(folder / "margins.parquet")


@pytest.fixture(scope="module")
def measures():
    return made_results(models=MODELS)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, measures):
    place = tmp_path_factory.mktemp("results")
    write_results(place, measures, made_results(models=MODELS)[1])
    return place


def pages(folder, table, base=BASE):
    study = study_with(f"[{table}]", base)
    return paper_pages(study, folder, study.tables[0])


def cells_of(markdown):
    """Return the head and the rows of a pipe table, unescaped."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    rows = [
        [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
    ]
    return rows[0], rows[2:]


def number(text):
    value, _, error = text.partition(" ")
    return float(value.replace(MINUS, "-")), float(error.strip("()"))


ACROSS = (
    "{measures: [bias, coverage], terms: [x, 'x:a'], across: [units, method], models: slopes_on_a}"
)
NARROW = ACROSS.replace("}", ", split: cor, scenarios: {units: [10, 30]}}")


def expected(measures, page, row, heading):
    """Look up the number of a cell by what its row and its heading say."""
    (units, method), name = heading.split(": ")[0].split(", "), heading.split(": ")[1].lower()
    term, rows, _ = row
    found = measures[
        (measures["measure"] == name)
        & (measures["term"] == term)
        & (measures["rows"] == int(rows))
        & (measures["units"] == int(units.split()[0]))
        & (measures["method"] == method.lower())
        & (measures["model"] == "slopes_on_a")
        & (measures["cor"] == (0.9 if page.title.endswith("0.9") else 0.0))
    ]
    (estimate,), (mcse,) = found["estimate"], found["mcse"]
    return estimate, mcse


def test_every_number_in_every_format_is_that_of_the_measures(measures, folder):
    made = pages(folder, NARROW)
    assert [page.name for page in made] == [
        "bias_coverage_x_x_a_cor-0.0",
        "bias_coverage_x_x_a_cor-0.9",
    ]
    for page in made:
        head, rows = cells_of(page.md())
        assert head[:3] == ["Term", "Rows", "True"]
        assert head[3] == "10 units, REML: Bias"
        assert (len(head), len(rows)) == (3 + 2 * 2 * 2, 2 * 3)
        for row in rows:
            for heading, cell in zip(head[3:], row[3:], strict=True):
                value, error = expected(measures, page, row[:3], heading)
                places = len(cell.split(" ")[0].split(".")[1])
                assert number(cell) == (round(value, places), round(error, places))
                assert error * 10**places >= 1  # a digit of it is there
        table = ET.fromstring(re.search("<table>.*?</table>", page.html(), re.DOTALL)[0])
        body = [["".join(c.itertext()) for c in tr] for tr in table.find("tbody")]
        assert body == rows
        latex = page.tex()
        for row in rows:
            parts = [cell.replace(MINUS, "$-$").split(" ") for cell in row[3:]]
            for line in zip(*parts, strict=True):  # the numbers, and their errors below
                assert f" & {' & '.join(line)} " in latex
        tidy = pd.read_csv(io.StringIO(page.csv()))
        assert len(tidy) == len(rows) * len(head[3:])
        joined = tidy.merge(measures, on=["scenario", "model", "method", "term", "measure"])
        assert len(joined) == len(tidy)
        np.testing.assert_array_equal(joined["estimate_x"], joined["estimate_y"])
        np.testing.assert_array_equal(joined["mcse_x"], joined["mcse_y"])
        assert (tidy["n_total"] == REPLICATES).all()


def test_pages_hold_all_numbers_of_the_table_once(measures, folder):
    made = pages(folder, "{part: random, name: t}")
    whole = pd.concat([page.numbers for page in made])
    shown = ["bias", "empirical_se", "rmse", "relative_error_se", "coverage", "median_ci_width"]
    random = measures["kind"].isin(["sd", "cor", "sigma"]) & measures["measure"].isin(shown)
    assert len(made) > 1
    assert len(whole) == random.sum()
    assert not whole.duplicated(["scenario", "model", "method", "term", "measure"]).any()
    assert max(len(page.text.keys) for page in made) <= 40


def test_headings_span_their_columns(folder):
    page = pages(folder, NARROW)[0]
    lines = page.tex().splitlines()
    first = lines.index(r"\toprule") + 1
    assert lines[first : first + 4] == [
        r" &  &  & \multicolumn{4}{c}{10 units} & \multicolumn{4}{c}{30 units} \\",
        r"\cmidrule(lr){4-7} \cmidrule(lr){8-11}",
        " &  & " + r" & \multicolumn{2}{c}{REML} & \multicolumn{2}{c}{ML}" * 2 + r" \\",
        r"\cmidrule(lr){4-5} \cmidrule(lr){6-7} \cmidrule(lr){8-9} \cmidrule(lr){10-11}",
    ]
    table = ET.fromstring(re.search("<table>.*?</table>", page.html(), re.DOTALL)[0])
    assert table.find("caption").text == page.title
    heads = [[(c.get("scope"), c.get("colspan")) for c in tr] for tr in table.find("thead")]
    assert heads[0] == [(None, "3"), ("colgroup", "4"), ("colgroup", "4")]
    assert heads[1] == [(None, "3"), *[("colgroup", "2")] * 4]
    assert heads[2] == [("col", None)] * 11
    assert [c.get("scope") for c in table.find("tbody")[0]][:4] == ["row"] * 3 + [None]


def test_one_measure_across_models_is_named_above_them(folder):
    page = pages(folder, "{measures: coverage, terms: x, across: model, methods: ml}")[0]
    head, rows = cells_of(page.md())
    assert head == ["Units", "Rows", "Cor.", *(f"Coverage: {name}" for name in MODELS)]
    assert len(rows) == 18
    assert page.notes[0] == "Term x; true value 3; ML; Satterthwaite; 2,000 replicates each."


def test_a_model_without_the_term_has_dashes(folder):
    page = pages(folder, "{measures: bias, terms: a, across: model, methods: ml, models: "
                 "[slopes_on_a, intercepts_only], scenarios: {cor: 0}}")[0]  # fmt: skip
    assert "\N{EN DASH}" not in page.md()
    page = pages(folder, "{measures: bias, terms: [a, x], across: model, methods: ml, name: t, "
                 "scenarios: {cor: 0}}")[0]  # fmt: skip
    head, rows = cells_of(page.md())
    ignoring = [row[head.index("Bias: ignoring_a")] for row in rows]
    assert ignoring[:9] == ["\N{EN DASH}"] * 9
    assert all("(" in cell for cell in ignoring[9:])


@pytest.mark.parametrize(
    ("asked", "shown", "said"),
    [
        ("mcse: brackets", r"0\.\d+ \(0\.\d+\)", "In brackets: Monte Carlo standard errors."),
        ("mcse: columns", r"0\.\d+", "MCSE: Monte Carlo standard error."),
        ("mcse: none", r"0\.\d+", "Monte Carlo standard errors are in the CSV file"),
        ("mcse: none, digits: 1", r"[01]\.\d", "Term x;"),
        ("digits: 2", r"0\.\d\d \(0\.\d\d\)", "In brackets"),
        ("n: always", r"0\.\d+ \(0\.\d+\) \[2000\]", "[n]: the replicates that the number"),
    ],
)  # fmt: skip
def test_errors_digits_and_replicates_are_shown_as_asked(folder, asked, shown, said):
    page = pages(folder, f"{{measures: coverage, terms: x, methods: ml, split: none, {asked}}}")[0]
    head, rows = cells_of(page.md())
    place = head.index("Coverage")
    assert all(re.fullmatch(shown, row[place]) for row in rows)
    assert ("MCSE" in head) == ("columns" in asked)
    assert any(note.startswith(said) for note in page.notes)


def test_errors_below_are_lines_that_stay_with_their_numbers(folder):
    page = pages(folder, "{measures: power, terms: 'x:a', across: cor, methods: ml, mcse: below, "
                 "models: slopes_on_a, split: none}")[0]  # fmt: skip
    lines = page.tex().splitlines()
    start = lines.index(r"\endfoot") + 1
    assert re.fullmatch(r"10 & 5 & 0\.\d{3} & 0\.\d{3} \\\\\*", lines[start])
    assert re.fullmatch(r" &  & \(0\.\d{3}\) & \(0\.\d{3}\) \\\\", lines[start + 1])


def test_numbers_on_fewer_replicates_say_so_unless_never(tmp_path, measures):
    fewer = (measures["measure"] == "coverage") & (measures["units"] == 10)
    write_results(tmp_path, measures.assign(n=measures["n"].mask(fewer, 1450)), made_results()[1])
    asked = "{measures: [coverage, rmse], terms: x, methods: ml, models: slopes_on_a%s}"
    auto, never = (pages(tmp_path, asked % end)[0] for end in ("", ", n: never"))
    assert auto.md().count("[1450]".replace("[", r"\[").replace("]", r"\]")) == 6
    assert any(note.startswith("[n]: the measure rests on n of 2,000") for note in auto.notes)
    assert "1450" not in never.md()
    assert "Some numbers rest on fewer replicates: the CSV file has how many." in never.notes
    assert "1450" in never.csv()


def test_power_and_size_are_rejection_of_false_and_of_true_hypotheses(tmp_path, measures):
    true = measures["true"].mask((measures["term"] == "a") & (measures["units"] == 10), 0.0)
    write_results(tmp_path, measures.assign(true=true), made_results()[1])
    page = pages(tmp_path, "{measures: [power, size], terms: a, methods: ml, models: slopes_on_a}")[
        0
    ]
    head, rows = cells_of(page.md())
    power, size = head.index("Power"), head.index("Size")
    for row in rows:
        assert (row[power] == "\N{EN DASH}") == (row[0] == "10")
        assert (row[size] == "\N{EN DASH}") == (row[0] != "10")
    assert "Power is of hypotheses that are false, and size of those that are true." in page.notes


def test_what_rests_on_no_inference_is_written_once(tmp_path, measures):
    names = ("satterthwaite", "kenward-roger")
    write_results(tmp_path, with_inferences(measures, names), made_results()[1])
    base = BASE.replace("df: satterthwaite", "df: [satterthwaite, kenward-roger]")
    asked = (
        "{measures: [bias, coverage], terms: x, methods: ml, models: slopes_on_a, split: none%s}"
    )
    head, rows = cells_of(pages(tmp_path, asked % "", base)[0].md())
    assert [row[head.index("Inference")] for row in rows] == ["Satterthwaite", "Kenward-Roger"] * 18
    assert [row[head.index("Bias")] == "" for row in rows] == [False, True] * 18
    head, rows = cells_of(pages(tmp_path, asked % ", across: inference", base)[0].md())
    assert len(rows) == 18
    assert "Kenward-Roger: Coverage" in head
    gap = [number(row[-3])[0] - number(row[-1])[0] for row in rows]
    np.testing.assert_allclose(gap, 0.01, atol=0.0011)


def test_rates_of_fits_are_a_table_without_terms(measures, folder):
    page = pages(folder, "{measures: [singular, failed], across: method, split: none}")[0]
    head, rows = cells_of(page.md())
    assert head[:4] == ["Units", "Rows", "Cor.", "Model"]
    assert head[4:] == [f"{m}: {r} fits" for m in ("REML", "ML") for r in ("Singular", "Failed")]
    first = measures.query(
        "measure == 'singular' and units == 10 and rows == 5 and cor == 0 and method == 'ml'"
    ).set_index("model")
    for row in rows[:3]:
        assert number(row[6])[0] == round(first.loc[row[3], "estimate"], 4)


def test_a_wild_error_hides_no_digit_of_the_others():
    """Two digits of 0.0123 are three decimals, and ordinary errors are up to ten medians."""
    assert decimals_of(pd.Series([0.0123, 0.0098])).tolist() == [3, 3]
    assert decimals_of(pd.Series([0.0123, 0.0098, 0.011, 6.2e42, 3.0])).tolist() == [3, 3, 3, 0, 1]
    assert decimals_of(pd.Series([np.nan, 0.0])).tolist() == [3, 3]
    table = pd.DataFrame({"bias": [0.25, 49535.2], "bias_mcse": [0.0123, 6.2e42], "model": "m"})
    table = pd.concat([table.iloc[[0]]] * 2 + [table.iloc[[1]]])
    cells = format_table(table.reset_index(drop=True)).cells["bias"].tolist()
    assert cells == ["0.250 (0.012)", "0.250 (0.012)", "49535 (6.2e42)"]


def test_no_number_is_minus_zero():
    table = pd.DataFrame({"model": ["m"], "bias": [-0.0004], "bias_mcse": [0.012]})
    assert format_table(table).cells["bias"].tolist() == ["0.000 (0.012)"]


def test_a_table_without_its_numbers_is_a_sentence_on_each_of_its_pages(tmp_path, measures):
    write_results(tmp_path, measures[measures["kind"] != "coefficient"], made_results()[1])
    asked = "{measures: bias, terms: x, split: cor, name: t}"
    study = study_with(f"[{asked}, {{measures: rmse, terms: sigma, split: none}}]")
    written = {path.name: path.read_text() for path in write_all(study, tmp_path, strict=True)}
    said = "The results have none of the numbers that the table asks for."
    for page in ("t_cor-0.0", "t_cor-0.9"):
        assert all(said in written[f"{page}.{kind}"] for kind in ("csv", "tex", "html", "md"))
    assert "Residual sd" not in written["rmse_sigma.md"]
    assert len(cells_of(written["rmse_sigma.md"])[1]) > 0


TABLES = f"""
  - all
  - {NARROW}
  - {{part: random, split: [units, rows]}}
  - {{part: fixed, name: long, split: none}}
  - {{measures: coverage, terms: ["(Intercept)", x], across: [cor, method], mcse: columns,
     models: slopes_on_a}}
  - {{measures: [singular, failed], across: [method], n: always}}
  - {{measures: [bias, rmse, coverage], terms: "cor_x.(Intercept)|unit", across: cor,
     caption: "5 % of A & B_c {{x}}"}}
"""


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_all_tables_of_two_studies_compile_and_fit_the_page(tmp_path, measures):
    """The usual ones too, with one inference and with several, and numbers of any size."""
    rng = np.random.default_rng(3)
    wild = rng.uniform(size=len(measures)) < 0.002
    wild &= ~measures["measure"].isin(
        [name for name, one in MEASURES.items() if one.kind == "share"]
    )
    wild &= measures["mcse"].notna()
    second = with_inferences(measures.assign(mcse=measures["mcse"].mask(wild, 4e30)))
    several = BASE.replace("df: satterthwaite", "df: [satterthwaite, kenward-roger, infinite]")
    inputs = []
    for name, base, frame in (("one", BASE, measures), ("two", several, second)):
        place = tmp_path / name
        place.mkdir()
        write_results(place, frame, made_results()[1])
        study = study_with(TABLES, base)
        inputs += [path for path in write_all(study, place, strict=True) if path.suffix == ".tex"]
    body = "\n\\clearpage\n".join(f"\\input{{{path}}}" for path in inputs)
    document = (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{booktabs,longtable}\n"
        "\\textwidth=6.5in\\textheight=9in\\oddsidemargin=0in\\topmargin=-0.5in\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-draftmode", "-halt-on-error", "all.tex"]
    for _ in range(2):  # longtable writes the widths of its columns for the next time
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        log = done.stdout.decode(errors="replace")
        assert done.returncode == 0, log[-2000:]
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert not [points for points in wide if points > MOST_OVERFULL]


def test_type_is_as_large_as_the_page_allows():
    table = pd.DataFrame({"model": ["m"], "bias": [0.1], "bias_mcse": [0.012]})
    assert "begingroup" not in to_latex(table)
    for width, size in ((7, "small"), (8, "footnotesize"), (9, "footnotesize")):
        more = {f"model {n}{'x' * width}": "a" * (width + 3) for n in range(6)}
        latex = to_latex(table.assign(**more))
        assert f"\\begingroup\\{size}" in latex, (width, latex[:60])


def test_the_command_prints_what_the_study_file_would_have(folder, capsys):
    study = Study.from_text(BASE)
    make_plan(study).write(folder / "plan.json")
    ask = [str(folder), "bias", "coverage", "--term", "x", "--across", "units", "--model"]
    ask += ["slopes_on_a", "--method", "reml", "--at", "cor=0.9"]
    spec = "{measures: [bias, coverage], terms: x, across: units, models: slopes_on_a, "
    spec += "methods: reml, scenarios: {cor: 0.9}}"
    (page,) = pages(folder, spec)
    for kind in ("md", "tex", "csv", "html"):
        assert main(["table", *ask, "--format", kind]) == 0
        assert capsys.readouterr().out == getattr(page, kind)()


def test_the_command_says_which_option_is_wrong(folder, capsys):
    make_plan(Study.from_text(BASE)).write(folder / "plan.json")
    ask = [str(folder), "coverag", "--term", "x:b", "--across", "unit", "--at", "cor=0.8"]
    assert main(["table", *ask]) == 2
    said = capsys.readouterr().err
    for start in (
        "MEASURE: the study has no measure",
        "--term: ",
        "--across: ",
        "--at: cor has no",
    ):
        assert start in said
    assert main(["table", str(folder), "bias", "--at", "cor"]) == 2
    assert "--at: 'cor' is no level of a factor" in capsys.readouterr().err
    assert main(["table", str(folder), "bias", "--digits", "nine"]) == 2
    assert "--digits: 'nine' is not allowed" in capsys.readouterr().err


def test_in_python_a_table_is_asked_for_by_the_words_of_the_study_file(folder, measures):
    study = Study.from_text(BASE)
    table = asked_table(study, folder, "bias", terms=("x", "a"), split="cor", methods="ml")
    assert [page.title.rpartition(" ")[2] for page in table.pages] == ["0", "0.9"]
    shown = measures["term"].isin(["x", "a"]) & (measures["method"] == "ml")
    shown &= measures["measure"] == "bias"
    assert sorted(table.numbers["estimate"]) == sorted(measures.loc[shown, "estimate"])
    assert table.md() == str(table)
    assert table._repr_html_().count("<table>") == 2
    assert "<html" not in table._repr_html_()
    wide = asked_table(study, folder, "bias", "rmse", "coverage", across=["units", "rows"])
    assert wide.pages[0].text.cells.shape[1] == 27  # more than a page of paper holds
