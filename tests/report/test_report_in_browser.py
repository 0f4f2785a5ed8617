"""The report in Chromium, without a network: it sorts, folds, prints, and is readable."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from hlm.explorer import write_explorer
from hlm.figures.gallery import draw_all
from hlm.plan import Plan
from hlm.plan.report import planned_figures, planned_tables
from hlm.report.report_page import write_report
from hlm.tables.writing import write_all, write_pages
from hlm.words.levels import MINUS
from tests.chromium import BINARY, Chromium
from tests.results import make_results, summarize_results

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BINARY is None, reason="no Chromium to open the report in"),
]

TABLE = "#table-performance_fixed"
CELLS = f"""
(place) => [...document.querySelectorAll("{TABLE} tbody tr")]
  .map((row) => row.cells[place].textContent)
"""
# The least contrast of a text with what is behind it, as WCAG 2 defines it, over all elements.
CONTRASTS = """
(() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = parse(text);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (parse(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *:not(script)")]
    .filter((one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort();
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [ratio, one.outerHTML.slice(0, 100)];
    })
    .filter(([ratio]) => ratio < 4.5);
})()
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A tiny study's plan and its folder, with all that is in a report."""
    folder = make_results(tmp_path_factory.mktemp("report"))
    plan = Plan.read(folder / "plan.json")
    summarize_results(plan, folder)
    draw_all(plan, folder, strict=True)
    write_all(plan, folder, strict=True)
    write_pages(plan, folder)
    write_explorer(plan, folder)
    write_report(plan, folder, strict=True)
    return plan, folder


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def page(chromium, study):
    """The report as it opens; after the test nothing has gone wrong in it."""
    chromium.look(width=1400)
    chromium.errors.clear()
    go(chromium, study)
    yield chromium
    assert not chromium.errors


def go(chromium, study, address=""):
    chromium.open(study[1] / "report.html", address)
    chromium.wait("document.readyState === 'complete' && !!document.querySelector('th button')")


def test_all_pictures_load_undistorted(page, study):
    shapes = page.evaluate(
        "[...document.images].map((one) => { const edge = 2 * parseFloat(getComputedStyle(one)"
        ".paddingLeft); return [one.complete && one.naturalWidth, one.naturalWidth / "
        "one.naturalHeight, (one.clientWidth - edge) / (one.clientHeight - edge)]; })"
    )
    assert len(shapes) == sum(len(figure.pages) for figure in planned_figures(study[0]))
    for width, natural, shown in shapes:
        assert width > 500
        assert shown == pytest.approx(natural, rel=0.01)


@pytest.mark.parametrize("way", ["click", "keys"])
def test_a_heading_sorts_its_table_up_and_down(page, way):
    page.evaluate(f"document.querySelector('{TABLE}').open = true")
    heads = page.evaluate(f"[...document.querySelectorAll('{TABLE} th')].map((h) => h.innerText)")
    place = heads.index("Bias")
    before = page.evaluate(f"({CELLS})({place})")

    def press():
        if way == "click":
            page.click(f"{TABLE} th:nth-child({place + 1}) button")
        else:
            page.evaluate(
                f"document.querySelector('{TABLE} th:nth-child({place + 1}) button').focus()"
            )
            page.key(" ")

    def sort(direction):
        press()
        page.wait(
            f"document.querySelector('{TABLE} th:nth-child({place + 1})').ariaSort === "
            f"'{direction}'"
        )
        return page.evaluate(f"({CELLS})({place})")

    rising = sort("ascending")
    assert rising != before
    assert sorted(rising) == sorted(before)
    values = [value(text) for text in rising]
    known = [one for one in values if one is not None]
    assert known == sorted(known)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    falling = [value(text) for text in sort("descending")]
    assert falling[: len(known)] == sorted(known, reverse=True)
    others = page.evaluate(f"document.querySelectorAll('{TABLE} th[aria-sort]').length")
    assert others == 1


def value(text):
    """Return the number of a cell, None where there is none."""
    found = re.match(rf"[{MINUS}\d.]+", text)
    return float(found[0].replace(MINUS, "-")) if found else None


def test_words_sort_as_words(page):
    page.evaluate(f"document.querySelector('{TABLE}').open = true")
    heads = page.evaluate(f"[...document.querySelectorAll('{TABLE} th')].map((h) => h.innerText)")
    place = heads.index("Method")
    page.click(f"{TABLE} th:nth-child({place + 1}) button")
    found = page.evaluate(f"({CELLS})({place})")
    assert found == sorted(found)


def test_tables_fold_one_by_one_and_all_together(page, study):
    opened = "[...document.querySelectorAll('#tables details')].filter((one) => one.open).length"
    assert page.evaluate(opened) == 0
    page.click(f"{TABLE} summary")
    assert page.evaluate(opened) == 1
    page.click("#all")
    assert page.evaluate(opened) == len(planned_tables(study[0])) + 1
    page.click("#all")
    assert page.evaluate(opened) == 0


def test_a_link_to_what_is_folded_opens_it(page, study):
    go(page, study, "#table-accounting")
    assert page.evaluate("document.getElementById('table-accounting').open")
    go(page, study, "#checklist")
    assert page.evaluate("document.querySelector('#checklist details').open")


def test_what_was_found_is_on_the_first_screen(page):
    page.look(width=1400, height=900)
    top = page.evaluate("document.querySelectorAll('.finding')[2].getBoundingClientRect().bottom")
    assert top < 900


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_is_readable_and_no_wider_than_the_window(page, study, width, dark):
    page.look(width=width, dark=dark)
    go(page, study)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CONTRASTS) == []
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll, .wide')].filter((one) => one.tabIndex !== 0 || "
        "!one.ariaLabel).length"
    )
    assert wide == 0


def test_headings_go_down_one_level_at_a_time(page):
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => +one.tagName[1])"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_print_has_all_figures_whole_and_all_tables_open(page, study):
    plan, folder = study
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.evaluate(f"document.querySelector('{TABLE}').open")
    content = page.print(folder / "report.pdf")
    assert content[:5] == b"%PDF-"
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    pictures = len(re.findall(rb"/Subtype\s*/Image\b", content))
    figures = sum(len(figure.pages) for figure in planned_figures(plan))
    assert pictures >= figures  # one that is cut would be there in part, on two pages
    assert figures / 2 < pages < 3 * figures
