"""The explorer in a browser: what is clicked is drawn, and what is drawn is what the files hold.

Chromium has no network here. The study is tiny, so its numbers are the file's to the last digit.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import time
from itertools import product
from types import SimpleNamespace
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hlm.criteria import USUAL
from hlm.explorer import write_explorer
from hlm.measures import share_limits
from hlm.plan import Plan
from hlm.results import ESTIMATES, SUMMARIES, read_frame, write
from hlm.scenario import Model
from tests.chromium import BINARY, Chromium
from tests.results import make_results, summarize_results

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BINARY is None, reason="no Chromium to open the explorer in"),
]

DRAWN = "document.documentElement.dataset.drawn === (location.hash || '#')"
MARKS = """
[...document.querySelectorAll("#chart [data-value]")].map((one) => ({
  ...one.dataset, label: one.getAttribute("aria-label"),
}))
"""
FORMS = ("lines", "nested", "lollipop", "heat", "zip", "table")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = make_results(tmp_path_factory.mktemp("explorer"))
    plan = Plan.read(folder / "plan.json")
    summarize_results(plan, folder)
    write_explorer(plan, folder)
    return folder


@pytest.fixture(scope="module")
def measures(results):
    return read_frame(results / "measures.parquet")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def page(chromium, results):
    """The explorer as it opens; after the test nothing has gone wrong in it."""
    chromium.look(width=1400)
    chromium.errors.clear()
    go(chromium, results)
    yield chromium
    assert not chromium.errors


def go(chromium, results, address=""):
    chromium.open(results / "explorer.html", address)
    chromium.wait(f"document.getElementById('chart') && {DRAWN}")


def choose(page, control, value):
    """Choose from a list as keys do: the list has the focus, and tells of its change."""
    page.evaluate(
        f"(() => {{ const list = document.getElementById({json.dumps(control)});"
        f"list.focus(); list.value = {json.dumps(value)};"
        "list.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    page.wait(DRAWN)


def shown(page):
    """Return the numbers that are drawn."""
    return pd.DataFrame(page.evaluate(MARKS)).astype(
        {"value": float, "mcse": float, "n": int}, errors="ignore"
    )


def of_file(measures, measure, term, **others):
    """Return the rows of the file that have these values, by scenario, model and method."""
    rows = measures[(measures["measure"] == measure) & (measures["term"] == term)]
    for name, value in others.items():
        rows = rows[rows[name] == value]
    return rows


def same_numbers(found, wanted):
    columns = ["scenario", "value", "mcse", "n"]
    wanted = wanted.rename(columns={"estimate": "value"})[columns].sort_values(columns)
    found = found[columns].sort_values(columns)
    assert len(found) == len(wanted) > 0
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True),
        wanted.reset_index(drop=True),
        check_dtype=False,
        check_exact=True,
    )


@pytest.mark.parametrize("measure", ["bias", "coverage", "empirical_se", "rejection"])
@pytest.mark.parametrize("form", ["lines", "nested", "lollipop", "heat"])
def test_a_measure_that_is_chosen_is_drawn_with_the_numbers_of_the_file(
    page, measures, measure, form
):
    choose(page, "measure", measure)
    choose(page, "only-by term", "x")
    choose(page, "form", form)
    same_numbers(shown(page), of_file(measures, measure, "x"))


def test_marks_stand_where_their_numbers_say(page, results):
    """Heights are one linear function of values, in panels that are side by side."""
    go(page, results, "#measure=bias&rows=-&only.by+term=")
    found = page.evaluate(
        "[...document.querySelectorAll('#chart circle[data-value]')].map((one) => {"
        "const box = one.getBoundingClientRect();"
        "return [+one.dataset.value, box.top + box.height / 2]; })"
    )
    assert len(found) > 10
    values, heights = np.array(found).T
    slope, start = np.polyfit(values, heights, 1)
    assert slope < 0
    np.testing.assert_allclose(slope * values + start, heights, atol=0.6)


def test_what_a_screen_reader_says_is_the_number_of_the_mark(page):
    choose(page, "measure", "bias")
    for mark in page.evaluate(MARKS):
        said = re.match(r"(\S+), MCSE (\S+), n ([\d,]+); ", mark["label"])
        value, mcse = (float(text.replace("\u2212", "-")) for text in said.groups()[:2])
        assert value == pytest.approx(float(mark["value"]), abs=float(mark["mcse"]) / 10)
        assert mcse == pytest.approx(float(mark["mcse"]), rel=0.06)
        assert int(said[3].replace(",", "")) == int(mark["n"])


def test_the_address_has_the_whole_choice_and_a_link_shows_the_same(page, results):
    choose(page, "measure", "rmse")
    choose(page, "form", "lollipop")
    choose(page, "colour", "by method")
    address = page.evaluate("location.hash")
    asked = parse_qs(address.lstrip("#"))
    assert asked["measure"] == ["rmse"]
    assert asked["form"] == ["lollipop"]
    assert asked["colour"] == ["by method"]
    before = page.evaluate("document.querySelector('#chart').innerHTML")
    go(page, results, address)
    assert page.evaluate("document.querySelector('#chart').innerHTML") == before
    assert page.evaluate("document.getElementById('measure').value") == "rmse"


def test_back_shows_what_was_before(page):
    choose(page, "measure", "rmse")
    choose(page, "measure", "bias")
    page.evaluate("history.back()")
    page.wait("document.getElementById('measure').value === 'rmse'")


def test_an_address_of_what_there_is_not_is_said_and_shows_what_is_usual(page, results):
    go(page, results, "#measure=covrage&only.units=7&colour=sky")
    said = page.evaluate("document.getElementById('mistakes').innerText")
    assert "measure 'covrage'" in said
    assert "units '7'" in said
    assert "colour 'sky'" in said
    assert page.evaluate("document.getElementById('measure').value") == "coverage"


def test_a_click_on_a_level_leaves_out_its_scenarios(page, results):
    plan = Plan.read(results / "plan.json")
    factor = next(iter(plan.levels[0]))
    level = plan.levels[0][factor]
    page.click(f"[id='box-{factor}-{level}']")
    page.wait(f"location.hash.includes('only.{factor}') && {DRAWN}")
    choose(page, "measure", "bias")
    left = [
        s.key for s, own in zip(plan.scenarios, plan.levels, strict=True) if own[factor] != level
    ]
    assert left
    assert set(shown(page)["scenario"]) == set(left)


def test_keys_alone_read_a_number(page):
    for _ in range(60):
        page.key("Tab")
        if page.evaluate("document.activeElement.id") == "chart":
            break
    assert page.evaluate("document.activeElement.id") == "chart"
    page.key("ArrowRight")
    first = page.evaluate("document.getElementById('tip').innerText")
    label = page.evaluate("document.querySelector('#chart [data-read]').getAttribute('aria-label')")
    assert page.evaluate("document.getElementById('said').textContent") == label
    assert first.splitlines()[0] == label.split(",")[0]
    page.key("ArrowRight")
    assert page.evaluate("document.getElementById('tip').innerText") != first
    page.key("Escape")
    assert page.evaluate("document.getElementById('tip').hidden")


def test_pointing_at_a_mark_shows_value_error_and_number(page):
    x, y, label = page.evaluate(
        "(() => { const one = document.querySelector('#chart [data-value]');"
        "const b = one.getBoundingClientRect();"
        "return [b.left + b.width / 2, b.top + b.height / 2, one.getAttribute('aria-label')]; })()"
    )
    page.mouse("mouseMoved", x, y)
    tip = page.wait(
        "!document.getElementById('tip').hidden && document.getElementById('tip').innerText"
    )
    value, mcse, n = re.match(r"(\S+), MCSE (\S+), n (\S+); ", label).groups()
    assert tip.splitlines()[:2] == [value, f"MCSE {mcse}, n {n}"]


def saved(page, button, ending):
    """Click on a button, and return the text of the file that comes of it."""
    for old in page.folder.glob(f"*.{ending}"):
        old.unlink()
    page.click(button)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for path in page.folder.glob(f"*.{ending}"):
            if path.stat().st_size:
                time.sleep(0.1)
                return path.name, path.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(f"no file *.{ending} in {list(page.folder.iterdir())}")


def test_the_csv_has_what_is_seen_with_all_digits(page, measures):
    choose(page, "measure", "coverage")
    choose(page, "only-by term", "x")
    name, text = saved(page, "#csv", "csv")
    assert name == "tiny-coverage.csv"
    found = pd.read_csv(io.StringIO(text))
    wanted = of_file(measures, "coverage", "x")
    same_numbers(found.rename(columns={"estimate": "value"}), wanted)
    lower, upper = share_limits(found["estimate"], found["n"])
    np.testing.assert_allclose(found["lower"], lower, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["upper"], upper, rtol=1e-12)
    keys = ["scenario", "model", "method"]
    both = found.merge(wanted, on=keys, suffixes=("", "_file"))
    assert len(both) == len(wanted)
    np.testing.assert_array_equal(both["true"], both["true_file"])


def test_bars_of_what_is_no_share_are_two_errors_long(page):
    choose(page, "measure", "bias")
    _, text = saved(page, "#csv", "csv")
    found = pd.read_csv(io.StringIO(text))
    half = 1.959963984540054 * found["mcse"]
    np.testing.assert_allclose(found["lower"], found["estimate"] - half)
    np.testing.assert_allclose(found["upper"], found["estimate"] + half)


def test_the_picture_is_an_svg_with_title_and_legend(page):
    choose(page, "measure", "bias")
    name, text = saved(page, "#svg", "svg")
    assert name == "tiny-bias.svg"
    words = {e.text for e in ET.fromstring(text).iter() if e.text}
    assert "Bias (mean estimate \u2212 true value)" in words
    assert {"REML", "ML"} <= words


def test_the_table_has_the_same_numbers_and_sorts(page, measures):
    choose(page, "measure", "bias")
    choose(page, "only-by term", "x")
    choose(page, "form", "table")
    values = "[...document.querySelectorAll('#chart tbody tr')].map((row) => +row.dataset.value)"
    wanted = sorted(of_file(measures, "bias", "x")["estimate"])
    assert sorted(page.evaluate(values)) == wanted
    place = page.evaluate(
        "[...document.querySelectorAll('#chart th')]"
        ".findIndex((one) => one.innerText.trim() === 'Bias')"
    )
    page.click(f"#chart th:nth-child({place + 1}) button")
    assert page.evaluate(values) == wanted


def test_a_zip_plot_has_the_intervals_of_replicates(page, results):
    choose(page, "only-by term", "x")
    choose(page, "form", "zip")
    drawn = page.evaluate(
        "[...document.querySelectorAll('#chart [data-low]')]"
        ".map((one) => [one.dataset.scenario, +one.dataset.low])"
    )
    estimates = read_frame(results / "estimates.parquet").query("term == 'x'")
    held = {
        (s, low)
        for s, low in zip(
            estimates["scenario"], estimates["lower"].astype("f4").astype(float), strict=True
        )
    }
    assert drawn
    assert {tuple(one) for one in drawn} <= held


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
@pytest.mark.parametrize("table", ["measures", "differences", "selection", "margins", "accounting"])
def test_every_table_is_drawn_in_every_form_and_nothing_is_wider_than_the_page(
    page, results, table, width, dark
):
    page.look(width=width, dark=dark)
    for form in FORMS:
        go(page, results, f"#table={table}&form={form}")
        assert page.evaluate("document.getElementById('mistakes').hidden")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        drawn = page.evaluate(
            "document.querySelectorAll('#chart [role=img], #chart tbody tr').length"
        )
        notes = page.evaluate("document.getElementById('notes').innerText")
        assert drawn or (form == "zip" and "needs intervals" in notes)


def test_every_control_has_a_name(page):
    nameless = page.evaluate(
        "[...document.querySelectorAll('select, input, button')]"
        ".filter((one) => !(one.labels?.[0]?.innerText || one.innerText || one.ariaLabel).trim())"
        ".map((one) => one.outerHTML)"
    )
    assert nameless == []


def test_a_difference_that_is_chosen_brings_what_it_is_taken_from(page, results):
    """Differences of methods are taken from a method, those of models from a model."""
    differences = read_frame(results / "differences.parquet")
    choose(page, "table", "differences")
    for factor, own in differences[differences["measure"] == "bias"].groupby("factor"):
        choose(page, "measure", "bias")
        choose(page, "only-by factor", factor)
        drawn = shown(page)
        assert len(drawn)
        assert set(drawn["value"]) <= set(own["difference"])


GRID = {"units": range(5, 25), "rows": range(3, 23), "icc": range(10)}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A made-up study of 4000 scenarios, with an estimate that tells them apart."""
    folder = tmp_path_factory.mktemp("large")
    levels = [dict(zip(GRID, point, strict=True)) for point in product(*GRID.values())]
    keys = [f"{place:016x}" for place in range(len(levels))]
    same = {"model": "m", "method": "reml", "term": "x", "kind": "coefficient", "true": 0.3}
    same |= {"inference": "", "policy": "all", "measure": "bias", "mcse": 0.01, "mcse_robust": 0.01}
    rows = [{"scenario": key, **same, "estimate": i / 7, "n": 50} for i, key in enumerate(keys)]
    for name, schema in (SUMMARIES | {"estimates": ESTIMATES}).items():
        own = rows if name == "measures" else []
        write(pa.Table.from_pylist(own, schema), folder / f"{name}.parquet", schema)
    plan = SimpleNamespace(
        study="large",
        hash="",
        seed=1,
        policies=("all",),
        selection=USUAL,
        scenarios=[SimpleNamespace(key=key) for key in keys],
        levels=levels,
        models=[Model("m", "y ~ x + (1 | g)")],
        replicates_of=lambda _: 50,
    )
    write_explorer(plan, folder)
    return folder, pd.DataFrame(rows)


@pytest.mark.parametrize("form", ["lines", "nested", "lollipop", "heat"])
def test_a_large_study_has_few_marks_and_says_what_is_not_drawn(chromium, large, form):
    folder, rows = large
    go(chromium, folder, f"#form={form}")
    drawn = shown(chromium)
    assert 100 < len(drawn) <= 3000
    known = rows.set_index("scenario")["estimate"]
    np.testing.assert_array_equal(drawn["value"], known[drawn["scenario"]])
    notes = chromium.evaluate("document.getElementById('notes').innerText")
    if form == "lines":
        assert f"Drawn: {len(drawn):,} of 4,000 numbers, those of every 2nd line." in notes
    elif form == "nested":
        assert f"All 4,000 numbers are drawn; {len(drawn):,} of them" in notes
    else:
        some, all_rows = re.search(r"Drawn: the first ([\d,]+) of ([\d,]+) rows", notes).groups()
        share = int(some.replace(",", "")) / int(all_rows.replace(",", ""))
        assert len(drawn) == round(4000 * share)
    _, text = saved(chromium, "#csv", "csv")
    np.testing.assert_array_equal(pd.read_csv(io.StringIO(text))["estimate"], rows["estimate"])


def test_results_of_another_version_are_named(chromium, results, tmp_path):
    text = (results / "explorer.html").read_text(encoding="utf-8")
    older = tmp_path / "explorer.html"
    older.write_text(re.sub(r'"versions":\{"hlm":"[^"]+"', '"versions":{"hlm":"0.0.7"', text))
    shutil.copy(results / "plan.json", tmp_path)
    go(chromium, tmp_path)
    said = chromium.evaluate("document.getElementById('about').innerText")
    assert "made by hlm 0.0.7; this page by hlm" in said
