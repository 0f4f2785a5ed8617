"""Every figure and every table of fifty odd studies, from their files to their pictures."""

import pandas as pd
import pytest
import yaml

from hlm import figures, tables
from hlm.errors import InputError
from hlm.plan import Plan
from hlm.plan.report import figure_names, figure_pages, table_names
from tests.odd_studies import STUDIES
from tests.results import make_results, summarize_results
from tests.test_figures import drawn_series, legend_texts, overlaps, texts

ALIKE = {"rmse_fixed", "relative_error_se_fixed", "rmse_random", "selection_bic"}
"""Figures that are drawn as others of the same study are, but of other numbers."""

PAGES = {
    ("two row covariates, two rows", "unit_lines"): "no unit's rows determine a line in x",
}
"""The figures that such studies do not have, with the reason."""


QUICK = (
    *("a unit covariate alone", "a sparse binary covariate", "heteroscedastic by a dummy"),
    *("no covariates", "a response without noise", "many levels"),
)


def run(content, folder):
    """Run a study up to its measures; return its plan and its folder."""
    file = folder / "study.yaml"
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    results = make_results(folder, study=file)
    plan = Plan.read(results / "plan.json")
    summarize_results(plan, results)
    return plan, results


def draw(figure, plan, results):
    """Return a figure, or the reason why there is none."""
    try:
        return figures.draw(figure, plan, results)
    except InputError as error:
        return error.problem


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in STUDIES]
)
def test_every_figure_and_every_table_is_made(name, tmp_path):
    plan, results = run(STUDIES[name], tmp_path)
    for figure in set(figure_names(plan)) - ALIKE:
        drawn = draw(figure, plan, results)
        if (name, figure) in PAGES:
            assert drawn == PAGES[name, figure]
        else:
            assert texts(drawn), drawn
    written = tables.write_all(plan, results, strict=True)
    assert {path.stem for path in written} == set(table_names(plan))
    for path in written:
        if path.suffix == ".csv":
            table = pd.read_csv(path)
            assert len(table) > 0
            assert list(table) != ["note"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a function that runs an odd study once."""
    found = {}

    def make(name):
        if name not in found:
            found[name] = run(STUDIES[name], tmp_path_factory.mktemp("odd"))
        return found[name]

    return make


@pytest.mark.parametrize(
    "name",
    [
        "six factors",
        pytest.param("a group with an odd name", marks=pytest.mark.slow),
        pytest.param("one replicate", marks=pytest.mark.slow),
    ],
)
def test_a_whole_gallery_is_written(name, made):
    plan, results = made(name)
    drawn = figures.draw_all(plan, results, strict=True)
    assert [path.name for path in drawn] == [
        f"{page}.{kind}" for page in figure_pages(plan) for kind in ("png", "pdf")
    ]
    assert all(path.stat().st_size > 1000 for path in drawn)


@pytest.mark.parametrize(
    "name", ["long models", "ten models", "matrices", "three random effects", "F tests"]
)
def test_no_texts_touch(name, made):
    plan, results = made(name)
    for figure in ("coverage_fixed", "bias_random", "failures"):
        assert overlaps(figures.draw(figure, plan, results)) == []


def test_a_study_says_what_it_does_not_know(made):
    plan, results = made("no true value at all")
    (page,) = texts(figures.draw("bias_fixed", plan, results))
    assert "No value of bias in this study." in " ".join(page.split())
    assert "so no bias: model m, term" in " ".join(page.split())
    rejection = figures.draw("rejection_fixed", plan, results)
    assert "nominal" not in " ".join(texts(rejection))
    assert list(drawn_series(rejection.axes[0])) == ["m"]
    errors = figures.draw("relative_error_se_fixed", plan, results)
    assert list(drawn_series(errors.axes[0])) == ["m"]


def test_ten_models_have_ten_marks_and_six_factors_one_page(made):
    plan, results = made("ten models")
    ax = figures.draw("bias_fixed", plan, results).axes[0]
    lines = [container[0] for container in ax.containers]
    assert len(lines) == 20
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 10
    plan, results = made("six factors")
    assert "bias_fixed" in figure_pages(plan), "one page, for panels would need eight"
    figure = figures.draw("bias_fixed", plan, results)
    assert legend_texts(figure)[0].startswith("Model (ML)")
    headings = [t.get_text().partition(":")[0] for t in figure.axes[-1].texts]
    assert len(headings) == 6, "each factor has its steps"
    assert len(tables.wide_table(pd.read_parquet(results / "measures.parquet"))) == 2 * 64
