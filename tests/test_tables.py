"""Tests of the tables: every number in its place, and LaTeX that stands by itself."""

import io
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from hlm import tables
from hlm.errors import InputError
from tests.synthetic_results import F_TEST, FIXED, MODELS, made_results, made_study

CAPTIONS = Path(__file__).parents[1] / "workflow" / "report"


@pytest.fixture(scope="module")
def results():
    return made_results()


def test_a_row_holds_the_measures_of_one_term_model_and_scenario(results):
    measures, _ = results
    table = tables.wide_table(measures, "fixed")
    assert list(table)[:6] == ["term", "units", "rows", "cor", "model", "true"]
    assert len(table) == 18 * (4 + 2 + 4)
    query = "term == 'x' and units == 30 and rows == 15 and cor == 0.9 and model == 'ignoring_a'"
    (row,) = table.query(query).to_dict("records")
    source = measures.query(query + " and method == 'reml'").set_index("measure")
    assert row["true"] == 3
    for measure in ("bias", "empirical_se", "rmse", "relative_error_se", "coverage", "rejection"):
        assert row[measure] == source.loc[measure, "estimate"]
        assert row[f"{measure}_mcse"] == source.loc[measure, "mcse"]


def test_rows_are_sorted_by_term_grid_and_model_as_they_come(results):
    measures, _ = results
    table = tables.wide_table(measures.sample(frac=1, random_state=1), "fixed")
    terms = table["term"].drop_duplicates().tolist()
    assert sorted(terms) == sorted(FIXED)
    assert terms[::3] == ["(Intercept)", "x:a"]
    first = table[table["term"] == "x"]
    assert first["units"].is_monotonic_increasing
    ordered = tables.wide_table(measures, "fixed")
    assert ordered["model"][:3].tolist() == list(MODELS)
    random = tables.wide_table(measures, "random")
    assert random["term"].drop_duplicates().tolist() == [
        "sd_(Intercept)|unit", "sd_x|unit", "cor_x.(Intercept)|unit", "sigma",
    ]  # fmt: skip


def test_f_tests_have_a_table_of_their_own(results):
    measures, _ = results
    table = tables.wide_table(measures, "tests")
    assert list(table)[4:] == ["model", "true", "rejection", "rejection_mcse"]
    assert set(table["term"]) == {F_TEST}
    assert set(table["model"]) == {"slopes_on_a", "intercepts_only"}
    assert len(table) == 18 * 2
    assert "F test: a" in tables.to_latex(table)


def test_terms_and_measures_are_chosen_by_name(results):
    measures, _ = results
    table = tables.wide_table(measures, ["x:a"], method="ml", show=["coverage", "bias"])
    assert list(table)[6:] == ["coverage", "coverage_mcse", "bias", "bias_mcse"]
    wanted = measures.query("method == 'ml' and term == 'x:a' and measure == 'bias'")
    np.testing.assert_allclose(sorted(table["bias"]), sorted(wanted["estimate"]))
    with pytest.raises(InputError, match="no term 'x:b'"):
        tables.wide_table(measures, "x:b")


def test_selection_has_a_column_for_each_model(results):
    _, selection = results
    table = tables.selection_table(selection)
    assert len(table) == 2 * 2 * 18
    np.testing.assert_allclose(table[list(MODELS)].sum(axis=1), 1)
    query = "criterion == 'bic' and method == 'ml' and units == 10 and rows == 30 and cor == 0.9"
    (row,) = table.query(query).to_dict("records")
    rates = selection.query(query).set_index("model")
    for model in MODELS:
        assert (row[model], row[f"{model}_mcse"]) == tuple(rates.loc[model, ["rate", "mcse"]])


def test_a_study_without_a_grid_has_tables_too():
    measures, selection = made_results({}, ("m",))
    assert list(tables.wide_table(measures))[:4] == ["term", "model", "true", "bias"]
    assert len(tables.selection_table(selection)) == 4


def test_a_csv_gives_back_the_numbers(tmp_path, results):
    table = tables.wide_table(results[0], "fixed")
    csv, tex, html = tables.write(table, tmp_path / "t" / "fixed", caption="Fixed")
    read = pd.read_csv(io.StringIO(csv.read_text()))
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-14)
    assert r"\caption{Fixed}\label{tab:fixed}\\" in tex.read_text()
    assert "<h1>Fixed</h1>" in html.read_text()
    names = sorted(path.name for path in csv.parent.iterdir())
    assert names == ["fixed.csv", "fixed.html", "fixed.tex"]


def test_latex_writes_the_error_in_brackets_with_two_digits():
    table = pd.DataFrame(
        {
            "term": ["x", "x", "sd_a_b|unit", "sd_a_b|unit"],
            "true": [-0.15, -0.15, 1, 1],
            "model": ["50%", "B&C", "50%", "B&C"],
            "bias": [-0.012345, 0.1, 123.456, np.nan],
            "bias_mcse": [0.0123, 0.0046, 3.21, np.nan],
        }
    )
    lines = tables.to_latex(table).splitlines()
    assert lines[0] == r"\begin{longtable}{lllr}"
    assert lines[2] == r"Term & True & Model & Bias \\"
    assert lines[-5:-1] == [
        r"x & $-$0.15 & 50\% & $-$0.012 (0.012) \\",
        r" & $-$0.15 & B\&C & 0.100 (0.005) \\",
        r"sd a\_b & 1 & 50\% & 123.5 (3.2) \\",
        r" & 1 & B\&C & -- \\",
    ]


def test_a_level_is_written_again_where_one_to_its_left_changes():
    table = pd.DataFrame({"term": ["x", "x", "a", "a"], "units": [10, 10, 10, 30]})
    table = table.assign(model="m", bias=0.0, bias_mcse=0.0)
    body = tables.to_latex(table).splitlines()[-5:-1]
    assert [line.split(" & ")[:2] for line in body] == [
        ["x", "10"], ["", ""], ["a", "10"], ["", "30"],
    ]  # fmt: skip


def test_errors_of_zero_leave_three_decimals():
    table = pd.DataFrame({"model": ["m"], "coverage": [1.0], "coverage_mcse": [0.0]})
    assert "m & 1.000 (0.000)" in tables.to_latex(table)


def test_every_row_has_as_many_cells_as_the_heading(results):
    for table in (tables.wide_table(results[0], "random"), tables.selection_table(results[1])):
        lines = [line for line in tables.to_latex(table).splitlines() if line.endswith(r"\\")]
        assert {line.count(" & ") for line in lines} == {lines[0].count(" & ")}


def _read_page(page):
    """Return the table of a page, each cell as its text."""
    table = ET.fromstring(page[page.index("<table>") : page.index("</table>") + 8])
    head, *rows = (["".join(cell.itertext()) for cell in row] for row in table.iter("tr"))
    return pd.DataFrame(rows, columns=head)


def test_a_page_has_every_row_of_the_table_and_needs_no_network(results):
    table = tables.wide_table(results[0], "fixed")
    page = tables.table_page(table, "A < B")
    assert "<h1>A &lt; B</h1>" in page
    found = _read_page(page)
    assert found["Term"].tolist() == table["term"].tolist()
    shown = found["Bias"].str.split(" ").str[0].str.replace("\N{MINUS SIGN}", "-").astype(float)
    np.testing.assert_allclose(shown, table["bias"], atol=5e-4)
    assert "http" not in page
    assert "src=" not in page


def test_a_page_leaves_out_rows_that_a_browser_cannot_hold(monkeypatch):
    monkeypatch.setattr("hlm.tables.page.MOST_ROWS", 3)
    page = tables.table_page(pd.DataFrame({"scenario": list("abcde")}), "Points")
    assert "2 more rows are in the CSV file." in page
    assert page.count('<tr class="new">') == 3


def test_the_points_of_the_grid_have_the_sizes_that_do_not_vary():
    assert list(tables.scenario_table(made_study())) == ["scenario", "units", "rows", "cor"]
    table = tables.scenario_table(made_study({"cor": (0.0, 0.9)}))
    assert table.to_dict("list") == {
        "scenario": ["0" * 16] * 2, "cor": [0.0, 0.9], "n_units": [30, 30], "n_rows": [30, 30],
    }  # fmt: skip


def test_the_study_and_its_grid_are_pages(tmp_path):
    study = made_study()
    study.study, study.text = "tiny", "name: tiny\ngrid: {a.b: [<1>]}\n"
    pages = tables.write_pages(study, tmp_path)
    assert [page.name for page in pages] == ["study.html", "scenarios.html"]
    assert "&lt;" in pages[0].read_text()
    assert all((CAPTIONS / f"{page.stem}.rst").exists() for page in pages)
    assert len(_read_page(pages[1].read_text())) == 18


def test_a_study_has_its_tables_by_name(tmp_path, results):
    study = made_study()
    for table, name in zip(results, ("measures", "selection"), strict=True):
        table.sort_values("model").to_parquet(tmp_path / f"{name}.parquet")
    files = tables.write_all(study, tmp_path)
    stems = ["performance_fixed", "performance_random", "performance_tests", "selection"]
    kinds = ("csv", "tex", "html")
    assert [file.name for file in files] == [f"{s}.{kind}" for s in stems for kind in kinds]
    assert all((CAPTIONS / f"{stem}.rst").exists() for stem in tables.names(study))
    assert pd.read_csv(files[0])["model"][:3].tolist() == list(MODELS)
    alone = tables.names(made_study(models=("ignoring_a",)))
    assert alone == ("performance_fixed", "performance_random")
