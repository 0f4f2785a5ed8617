"""Tests of the tables: every number in its place, and LaTeX that stands by itself."""

import io
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from hlm import tables
from hlm.errors import InputError
from hlm.plan.report import table_names
from hlm.tables import writing
from hlm.tables.formatting import format_table, notes
from hlm.words.levels import WORDS
from tests.synthetic_results import (
    F_TEST,
    FIXED,
    MODELS,
    made_accounting,
    made_margins,
    made_results,
    made_study,
    with_inferences,
)

CAPTIONS = Path(__file__).parents[1] / "workflow" / "report"


@pytest.fixture(scope="module")
def results():
    return made_results()


def test_a_row_holds_the_measures_of_one_term_model_and_scenario(results):
    measures, _ = results
    table = tables.wide_table(measures, "fixed")
    keys = ["term", "kind", "units", "rows", "cor", "model", "method", "true"]
    assert list(table)[:10] == [*keys, "n_total", "unbounded"]
    assert len(table) == 18 * (4 + 2 + 4) * 2
    for method in ("reml", "ml"):
        query = "term == 'x' and units == 30 and rows == 15 and cor == 0.9"
        query += f" and model == 'ignoring_a' and method == '{method}'"
        (row,) = table.query(query).to_dict("records")
        source = measures.query(query).set_index("measure")
        assert (row["true"], row["n_total"]) == (3, 2000)
        for measure in tables.SHOWN["fixed"]:
            assert row[measure] == source.loc[measure, "estimate"]
            assert row[f"{measure}_mcse"] == source.loc[measure, "mcse"]
            assert row[f"{measure}_n"] == source.loc[measure, "n"]


def test_rows_are_sorted_by_term_grid_and_model_as_they_come(results):
    measures, _ = results
    table = tables.wide_table(measures.sample(frac=1, random_state=1), "fixed")
    terms = table["term"].drop_duplicates().tolist()
    assert sorted(terms) == sorted(FIXED)
    assert terms[::3] == ["(Intercept)", "x:a"]
    first = table[table["term"] == "x"]
    assert first["units"].is_monotonic_increasing
    ordered = tables.wide_table(measures, "fixed")
    assert ordered["model"][:6].tolist() == [model for model in MODELS for _ in range(2)]
    assert ordered["method"][:6].tolist() == ["reml", "ml"] * 3
    random = tables.wide_table(measures, "random")
    assert random["term"].drop_duplicates().tolist() == [
        "sd_(Intercept)|unit", "sd_x|unit", "cor_x.(Intercept)|unit", "sigma",
    ]  # fmt: skip


def test_f_tests_have_a_table_of_their_own(results):
    measures, _ = results
    table = tables.wide_table(measures, "tests")
    columns = ["model", "method", "true", "rejection", "rejection_mcse", "rejection_n"]
    assert list(table)[5:] == columns
    assert set(table["term"]) == {F_TEST}
    assert set(table["model"]) == {"slopes_on_a", "intercepts_only"}
    assert len(table) == 18 * 2 * 2
    assert "F test: a" in tables.to_latex(table)


def test_terms_and_measures_are_chosen_by_name(results):
    measures, _ = results
    table = tables.wide_table(measures, ["x:a"], method="ml", show=["coverage", "bias"])
    shown = ["coverage", "coverage_mcse", "coverage_n", "bias", "bias_mcse", "bias_n"]
    assert list(table)[10:] == shown
    assert set(table["method"]) == {"ml"}
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
    first = ["term", "kind", "model", "method", "true"]
    assert list(tables.wide_table(measures))[:5] == first
    assert len(tables.selection_table(selection)) == 4


def test_a_csv_gives_back_the_numbers(tmp_path, results):
    table = tables.wide_table(results[0], "fixed")
    csv, tex, html, md = tables.write(table, tmp_path / "t" / "fixed", caption="Fixed")
    read = pd.read_csv(io.StringIO(csv.read_text()))
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-14)
    assert r"\caption{Fixed}\label{tab:fixed}\\" in tex.read_text()
    assert "<h1>Fixed</h1>" in html.read_text()
    assert md.read_text().startswith("**Fixed**\n\n| Term | Units |")
    names = sorted(path.name for path in csv.parent.iterdir())
    assert names == ["fixed.csv", "fixed.html", "fixed.md", "fixed.tex"]


def test_latex_writes_the_error_in_brackets_with_two_digits():
    table = pd.DataFrame(
        {
            "term": ["x", "x", "sd_a_b|unit", "sd_a_b|unit"],
            "kind": ["coefficient", "coefficient", "sd", "sd"],
            "true": [-0.15, -0.15, 1, 1],
            "model": ["50%", "B&C", "50%", "B&C"],
            "bias": [-0.012345, 0.1, 123.456, np.nan],
            "bias_mcse": [0.0123, 0.0046, 3.21, np.nan],
        }
    )
    table.attrs[WORDS] = {("coefficient", "x"): "x", ("sd", "sd_a_b|unit"): "sd a_b"}
    lines = tables.to_latex(table).splitlines()
    assert lines[0] == r"\begin{longtable}{lllr}"
    assert lines[2] == r"Term & True & Model & Bias \\"
    assert lines[-6:-1] == [
        r"x & $-$0.15 & 50\% & $-$0.012 (0.012) \\",
        r" & $-$0.15 & B\&C & 0.100 (0.005) \\",
        r"\addlinespace",
        r"sd a\_b & 1 & 50\% & 123.5 (3.2) \\",
        r" & 1 & B\&C & -- \\",
    ]


def test_a_level_is_written_again_where_one_to_its_left_changes():
    table = pd.DataFrame({"term": ["x", "x", "a", "a"], "units": [10, 10, 10, 30]})
    table = table.assign(model="m", bias=0.0, bias_mcse=0.0)
    body = [line for line in _body(tables.to_latex(table)) if line != r"\addlinespace"]
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


def _body(latex):
    """Return the lines of the rows of a table."""
    lines = latex.splitlines()
    return lines[lines.index(r"\endfoot") + 1 : lines.index(r"\end{longtable}")]


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
    made_accounting(results[0]).to_parquet(tmp_path / "accounting.parquet")
    made_margins(results[1]).to_parquet(tmp_path / "margins.parquet")
    files = tables.write_all(study, tmp_path)
    stems = ["performance_fixed", "performance_random", "performance_tests", "selection"]
    stems += ["margins", "factor_effects", "accounting"]
    kinds = ("csv", "tex", "html", "md")
    assert [file.name for file in files] == [f"{s}.{kind}" for s in stems for kind in kinds]
    assert all((CAPTIONS / f"{stem}.rst").exists() for stem in table_names(study))
    assert pd.read_csv(files[0])["model"][:6:2].tolist() == list(MODELS)
    alone = table_names(made_study(models=("ignoring_a",)))
    assert alone == ("performance_fixed", "performance_random", "factor_effects", "accounting")


def _on_fewer(measures):
    """Let the coverage of an sd rest on some of the replicates, a few intervals being unbounded."""
    measures = measures.copy()
    sd = (measures["term"] == "sd_x|unit") & (measures["units"] == 10)
    measures.loc[sd & (measures["measure"] == "coverage"), "n"] = 1450
    measures.loc[sd & (measures["measure"] == "unbounded"), "estimate"] = 0.0004
    return measures


def test_what_rests_on_fewer_replicates_says_on_how_many(results):
    table = tables.wide_table(_on_fewer(results[0]), "random")
    assert list(table)[-3:] == ["median_ci_width", "median_ci_width_mcse", "median_ci_width_n"]
    fewer = (table["term"] == "sd_x|unit") & (table["units"] == 10)
    assert (table.loc[fewer, "coverage_n"] == 1450).all()
    assert (table.loc[~fewer, "coverage_n"] == 2000).all()
    page, latex = tables.table_page(table, "Random"), tables.to_latex(table)
    shown = _read_page(page)
    assert "Width" in shown
    assert shown["Coverage"].str.endswith(" [1450]").tolist() == fewer.tolist()
    assert not shown["Bias"].str.contains("[", regex=False).any()
    assert latex.count("{[}1450]") == fewer.sum()
    minus = "\N{MINUS SIGN}"
    line = (
        "[n]: the measure rests on n of 2,000 replicates; the others have no limits or no "
        "standard error (a standard deviation of 0 and a correlation of "
        f"{minus}1 or 1 have no Wald limits), "
        "or no estimate (the fit failed, or the data do not identify the term)."
    )
    assert f"<p>{line}</p>" in page
    assert line.replace("[n]", "{[}n]").replace(minus, "$-$") in latex
    assert "In up to 0.04% of the replicates the interval is unbounded: it covers" in page
    assert "[n]" not in tables.table_page(tables.wide_table(results[0], "random"), "Random")


def test_a_term_without_a_true_value_has_dashes_and_a_line_that_says_why(results):
    unknown = results[0]["term"] == "x"
    measures = results[0].assign(true=results[0]["true"].mask(unknown))
    measures = measures[~(unknown & measures["measure"].isin(["bias", "rmse", "coverage"]))]
    page = tables.table_page(tables.wide_table(measures), "Fixed")
    shown = _read_page(page)
    dash = "\N{EN DASH}"
    assert (shown.loc[shown["Term"] == "x", ["True", "Bias", "RMSE", "Coverage"]] == dash).all(
        axis=None
    )
    assert not (shown.loc[shown["Term"] == "x", "Emp. SE"] == dash).any()
    assert f"<p>{dash}: there is no true value, so no bias, RMSE or coverage.</p>" in page


def test_both_methods_stand_below_each_other(results):
    shown = _read_page(tables.table_page(tables.wide_table(results[0]), "Fixed"))
    assert list(shown)[:6] == ["Term", "Units", "Rows", "Cor.", "Model", "Method"]
    assert shown["Method"][:4].tolist() == ["REML", "ML", "REML", "ML"]
    first = _body(tables.to_latex(tables.wide_table(results[0])))
    assert first[0].startswith(r"(Intercept) & 10 & 5 & 0 & slopes\_on\_a & REML & 1 & ")
    assert first[2].startswith(r" &  &  &  &  & ML & 1 & ")


def test_each_inference_has_a_row_and_what_rests_on_none_is_written_once(results):
    """The numbers are in every row of the CSV."""
    measures = with_inferences(results[0])
    table = tables.wide_table(measures)
    keys = ["term", "kind", "units", "rows", "cor", "model", "method", "inference", "true"]
    assert list(table)[:9] == keys
    assert table["inference"][:3].tolist() == ["satterthwaite", "kenward-roger", "infinite"]
    plain = tables.wide_table(results[0])
    assert len(table) == 3 * len(plain)
    for place in range(3):
        rows = table[place::3].reset_index(drop=True)
        for name in ("bias", "empirical_se", "rmse", "n_total", "true", "coverage_mcse"):
            np.testing.assert_array_equal(rows[name], plain[name])
        for name in ("coverage", "rejection", "relative_error_se"):
            np.testing.assert_allclose(rows[name], plain[name] - 0.01 * place)
    shown = _read_page(tables.table_page(table, "Fixed"))
    assert list(shown)[5:8] == ["Method", "Inference", "True"]
    assert shown["Inference"][:3].tolist() == ["Satterthwaite", "Kenward-Roger", "Normal (z)"]
    once = shown["Bias"] != ""
    assert once.tolist() == [True, False, False] * len(plain)
    assert ((shown["RMSE"] != "") == once).all()
    assert (shown[["SE error", "Coverage", "Rejection"]] != "").all(axis=None)
    first, errors, second, own = _body(tables.to_latex(table))[:4]
    start = r"(Intercept) & 10 & 5 & 0 & slopes\_on\_a & REML & Satterthwaite & 1 & "
    assert first.startswith(start)
    assert second.startswith(" &  &  &  &  &  & Kenward-Roger &  &  &  &  & ")
    assert first.endswith(r"\\*")
    assert errors.count("(") == 6  # a page is too narrow for errors beside the numbers
    assert own.count("(") == 3


def test_one_inference_is_not_told_of_each_term(results):
    """Nor is that of results made before there was a choice."""
    alone = with_inferences(results[0], ("kenward-roger",))
    for part in ("fixed", "random", "tests"):
        plain = tables.wide_table(results[0], part)
        pd.testing.assert_frame_equal(tables.wide_table(alone, part), plain)


def test_selection_says_on_how_many_data_sets_a_rate_rests(results):
    table = tables.selection_table(results[1], 2100)
    assert (table["n_total"] == 2100).all()
    assert (table["slopes_on_a_n"] == 2000).all()
    page = tables.table_page(table, "Selection")
    assert "[n]: the rate rests on n of 2,100 data sets; on the others a fit fails." in page
    assert _read_page(page)["ignoring_a"].str.endswith(" [2000]").all()


def test_models_called_as_other_columns_have_columns_of_their_own():
    models = ("m", "m_n", "m_mcse", "criterion", "units", "n_total")
    _, selection = made_results({"units": (10, 30)}, models)
    table = tables.selection_table(selection, 2000)
    shown = _read_page(tables.table_page(table, "Selection"))
    named = ["m", *(f"model {name}" for name in models[1:])]
    assert list(shown) == ["Criterion", "Method", "Units", *named]
    rates = shown[named].apply(lambda cells: cells.str.partition(" ")[0].astype(float))
    np.testing.assert_allclose(rates.sum(axis=1), 1, atol=0.01)


def test_a_factor_called_as_a_measure_has_a_column_of_its_own():
    measures, _ = made_results({"bias": (0, 1)}, ("m",))
    table = tables.wide_table(measures)
    assert set(table["grid bias"]) == {0, 1}
    assert table["bias"].abs().max() < 0.1


def test_unknown_errors_and_infinite_widths_are_no_words():
    table = pd.DataFrame({"model": ["a", "b"], "bias": [0.1, np.inf], "bias_mcse": np.nan})
    assert format_table(table).cells["bias"].tolist() == [
        "0.100 (\N{EN DASH})", "\N{INFINITY} (\N{EN DASH})",
    ]  # fmt: skip
    assert r"b & $\infty$ (--) \\" in tables.to_latex(table)


def test_a_table_that_cannot_be_made_is_a_sentence_and_the_others_are_made(
    tmp_path, results, monkeypatch, capsys
):
    study = made_study()
    results[0][results[0]["kind"] != "coefficient"].to_parquet(tmp_path / "measures.parquet")
    results[1].to_parquet(tmp_path / "selection.parquet")
    made_accounting(results[0]).to_parquet(tmp_path / "accounting.parquet")
    made_margins(results[1]).to_parquet(tmp_path / "margins.parquet")

    def broken(*_):
        raise ZeroDivisionError("50% of rows")

    monkeypatch.setattr(writing, "selection_table", broken)
    written = {path.name: path.read_text() for path in tables.write_all(study, tmp_path)}
    assert "<p>No model has a coefficient.</p>" in written["performance_fixed.html"]
    assert written["performance_fixed.csv"] == 'note\n"No model has a coefficient."\n'
    assert (
        "Performance, fixed effects: No model has a coefficient."
        in (written["performance_fixed.tex"])
    )
    assert len(pd.read_csv(io.StringIO(written["performance_random.csv"]))) == 18 * 10 * 2
    said = r"Selection rates: Cannot be made, by a fault of the program: ZeroDivisionError: 50\%"
    assert said in written["selection.tex"]
    assert "in broken" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        tables.write_all(study, tmp_path, strict=True)


def test_the_effects_of_factors_are_a_table(results):
    """Of the empirical standard errors, which are drawn without regard to the grid."""
    table = tables.effects_table(with_inferences(results[0]))
    assert list(table)[:6] == ["kind", "term", "model", "method", "inference", "measure"]
    assert {"units", "rows", "cor", "units:rows", "rest", "chance"} <= {*table}
    shown = table[["units", "rows", "cor", "rest"]]
    assert ((shown >= 0) & (shown <= 1)).all(axis=None)
    text = format_table(table)
    assert "Emp. SE" in set(text.keys["measure"])
    assert "type II" in " ".join(notes(table))
    assert "empirical_se" not in tables.table_page(table, "Effects")


def test_outcomes_of_fits_are_counted_in_a_table(results):
    table = tables.accounting_table(made_accounting(results[0]))
    assert list(table)[3:] == [
        *("model", "method", "n", "converged", "singular", "cor_boundary", "ok"),
        *("not_converged", "unidentified"),
    ]
    assert (table["unidentified"] == 0).all()
    page = tables.table_page(table, "Outcomes")
    assert "Not identified" in page
