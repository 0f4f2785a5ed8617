"""What the report says of a study, and that its first page says it in valid markup."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from hlm.plan import make_plan
from hlm.plan.study_summary import summary
from hlm.study import Study

ROOT = Path(__file__).parents[2]
FOUNDING = (ROOT / "config" / "ogorek2012.yaml").read_text(encoding="utf-8")


def facts(text=FOUNDING):
    return summary(make_plan(Study.from_text(text)))


def first_page(report):
    """Return the first page as Snakemake makes it; any complaint of docutils is an error."""
    jinja2, core = pytest.importorskip("jinja2"), pytest.importorskip("docutils.core")
    source = (ROOT / "workflow" / "report" / "workflow.rst").read_text(encoding="utf-8")
    text = (
        jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
        .from_string(source)
        .render(snakemake=SimpleNamespace(config={"report": report} if report else {}))
    )
    settings = {"halt_level": 2}
    return core.publish_parts(text, writer="html", settings_overrides=settings)["html_body"]


def test_the_founding_study():
    found = facts()
    assert (found["scenarios"], found["replicates"], found["fits"]) == (18, 2000, 216_000)
    assert found["example"] == "30 units, 30 rows per unit, correlation 0.9"
    assert found["grid"][1] == ("Rows per unit", "5, 15, 30")
    assert ("cor x.(Intercept)", "0.9", True) in found["values"]
    assert ("residual sd", "0.75", False) in found["values"]
    assert found["models"][1]["formula"] == "y ~ x + (1 + x | unit)"


def test_the_first_page_has_a_line_for_each_model_parameter_and_factor():
    page = first_page(facts())
    assert page.count("<li>") == 3
    assert page.count("<tr>") == (1 + 8) + (1 + 3)
    for words in ("Study ogorek2012", "2,000 data sets", "Seed 2345", "Satterthwaite", "numba "):
        assert words in page


def test_the_first_page_stands_without_a_study():
    assert "Monte Carlo standard error" in first_page(None)


def test_names_are_no_markup():
    text = FOUNDING.replace("ogorek2012", "a_b_").replace("ignoring_a", "plain_")
    page = first_page(facts(text))
    assert "Study a_b_" in page
    assert "<strong>plain_</strong>" in page


def test_ways_that_differ_are_told_of_each_model():
    text = FOUNDING.replace(
        "intercept_only: y ~ x * a + (1 | unit)",
        "intercept_only: {formula: y ~ x * a + (1 | unit), methods: [ml]}",
    )
    page = first_page(facts(text))
    assert page.count("by REML and ML, with") == 2
    assert "</tt>, by ML, with" in page


def test_levels_that_differ_are_told_of_each_model():
    text = FOUNDING.replace(
        "intercept_only: y ~ x * a + (1 | unit)",
        "intercept_only: {formula: y ~ x * a + (1 | unit), level: 0.9}",
    )
    ways = {model["name"]: model["way"] for model in facts(text)["models"]}
    assert "and 90% limits" in ways.pop("intercept_only")
    assert all("and 95% limits" in way for way in ways.values())


def rows_of(page):
    """Return the cells of the tables of a page, each row as its texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.mark.parametrize(
    ("effects", "residuals", "levels", "shown"),
    [
        ("normal", "normal", None, []),
        ("t(5)", "normal", None, [["distribution of the random effects", "t(5)"]]),
        ("normal", "t( 3.50 )", None, [["distribution of the residuals", "t(3.5)"]]),
        (
            {"(Intercept)": "chisq(1)"},
            "normal",
            None,
            [["distribution of the random effects", "chisq(1), normal"]],
        ),
        (
            "t(5)",
            "t(8)",
            "[normal, t(8)]",
            [
                ["distribution of the random effects", "t(5)"],
                ["distribution of the residuals", "t(8) (varied)"],
            ],
        ),
        (
            "normal",
            "normal",
            "[normal, t(8)]",
            [["distribution of the residuals", "normal (varied)"]],
        ),
    ],
)
def test_the_first_page_names_distributions_that_are_not_normal(effects, residuals, levels, shown):
    tree = yaml.safe_load(FOUNDING)
    tree["truth"]["random"]["unit"]["distribution"] = effects
    tree["truth"]["residual"]["distribution"] = residuals
    if levels:
        tree["grid"]["truth.residual.distribution"] = yaml.safe_load(levels)
    page = first_page(facts(yaml.safe_dump(tree, sort_keys=False)))
    assert [row for row in rows_of(page) if row[0].startswith("distribution of")] == shown


def test_the_first_page_names_a_copula():
    tree = yaml.safe_load(FOUNDING)
    tree["truth"]["random"]["unit"] |= {"distribution": "laplace", "dependence": "copula"}
    page = first_page(facts(yaml.safe_dump(tree, sort_keys=False)))
    assert ["distribution of the random effects", "laplace, by a copula"] in rows_of(page)


def test_many_levels_are_abbreviated_and_no_grid_is_no_table():
    many = FOUNDING.replace("[10, 30, 100]", str([10 * k for k in range(1, 21)]))
    assert facts(many)["grid"][0] == ("Number of units", "10, 20, 30, 40, ..., 170, 180, 190, 200")
    head, _, tail = FOUNDING.partition("grid:\n")
    bare = head + tail[tail.index("# What is fitted") :]
    found = facts(bare)
    assert (found["grid"], found["example"]) == ([], "")
    assert first_page(found).count("<tr>") == 1 + 8
