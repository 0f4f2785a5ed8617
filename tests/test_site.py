"""The site of the documentation: whole, without a network, and with all that the program knows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from hlm.cli import COMMANDS, main
from hlm.words.measures import MEASURES, OF_PREDICTIONS
from tests.chromium import BINARY, Chromium

pytest.importorskip("sphinx", reason="the extra docs is not installed")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page loads, where it links, and its anchors.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.loaded, self.links, self.anchors = [], [], set()
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.anchors |= {known.get("id"), known.get("name")}
        if tag == "a" and known.get("href"):
            self.links.append(known["href"])
        if tag in LOADED and known.get(LOADED[tag]):
            self.loaded.append(known[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build as `make docs` does; a warning ends it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    places = ["--conf-dir", "docs", "--doctree-dir", folder / "doctrees", ".", folder / "html"]
    # A notebook's lines for the shell find the `hlm` of this environment.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [*command, *places],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def text_of(site, name):
    """Return the words of a page of the reference."""
    text = re.sub(r"<[^>]*>", "", (site / f"docs/reference/{name}.html").read_text("utf-8"))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_no_page_asks_another_host(site, pages):
    for path, page in pages.items():
        assert not [one for one in page.loaded if re.match(r"(https?:)?//", one)], path
    for path in site.rglob("*.css"):
        styles = path.read_text(encoding="utf-8")
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", styles), path
    for path in site.rglob("*.js"):
        script = path.read_text(encoding="utf-8")
        assert not re.search(r"(importScripts|import|src\s*=)\s*\(?['\"]https?://", script), path


def test_links_lead_to_pages_and_anchors(site, pages):
    wrong = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = unquote(link).partition("#")
            goal = (path.parent / name.partition("?")[0]).resolve() if name else path
            goal = goal / "index.html" if goal.is_dir() else goal
            if not goal.is_file() or (
                anchor and goal.suffix == ".html" and anchor not in pages[goal].anchors
            ):
                wrong.append((str(path.relative_to(site)), link))
    assert wrong == []


def test_what_scrolls_can_be_reached_by_keyboard(pages):
    for path, page in pages.items():
        assert "<pre>" not in page.text, path
        assert not re.search(r'role="heading"(?! aria-level)', page.text), path
        assert not re.search(r'<div class="table-wrapper', page.text), path


def test_every_key_has_an_entry(pages, site):
    """The keys are found by walking the schema here, without the code that makes the page."""
    schema = json.loads((ROOT / "config" / "study.schema.json").read_text(encoding="utf-8"))
    anchors = pages[site / "docs/reference/study-keys.html"].anchors
    text = text_of(site, "study-keys")
    ends = {anchor.rpartition(".")[2].removeprefix("confval-") for anchor in anchors if anchor}
    for part in [schema, *schema["$defs"].values()]:
        for key, value in part.get("properties", {}).items():
            assert key in ends or key.replace("_", "-") in ends, key
            if "description" in value:
                assert value["description"].replace("`", "")[:30] in text, key
    for path in (
        "truth.random.NAME.cor",
        "design.missing.dropout.weibull.share",
        "solve.vary.NAME",
    ):
        assert path in text


def test_every_command_has_its_options(site, capsys):
    """The options are those that `--help` prints."""
    text = re.sub(r"\s+", " ", text_of(site, "commands"))
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        printed = capsys.readouterr().out
        entry = text.partition(f"hlm {name}#")[2] or text
        options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", printed, flags=re.MULTILINE)
        assert options
        for option in options:
            assert option in entry, (name, option)


def test_every_measure_is_listed(site):
    words = text_of(site, "measures").split()
    assert {*MEASURES, *OF_PREDICTIONS} <= set(words)


def test_the_tutorial_was_run(site):
    page = (site / "docs/tutorial.html").read_text("utf-8")
    text = re.sub(r"<[^>]*>", "", page)
    assert "4 scenarios of 1000 data sets" in text
    assert re.search(r"0\.8 at \d\d\.\d schools \(\d\d\.\d to \d\d\.\d\): take \d\d", text)
    assert "report: results/trial/report.html" in text
    assert re.search(r"to the last bit:.*?\bTrue\b", text, flags=re.DOTALL)
    drawn = re.findall(r'src="(\.\./_images/[0-9a-f]{20,}\.png)"', page)
    assert len(drawn) == 2


def test_the_index_of_search_knows_the_words(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for word in ("satterthwait", "winsor", "assur", "slurm"):  # stems
        assert word in index


@pytest.mark.skipif(not BINARY, reason="no Chromium")
def test_search_of_a_file_finds_the_derivation(site, tmp_path):
    with Chromium(tmp_path) as browser:
        browser.look(width=1400)
        browser.open(site / "search.html", "?q=Satterthwaite")
        browser.wait("!!document.querySelector('ul.search a[href*=\"docs/derivation.html\"]')")
        assert browser.errors == []


@pytest.mark.skipif(not BINARY, reason="no Chromium")
@pytest.mark.parametrize("width", [1400, 400])
def test_formulas_are_drawn_and_pages_are_as_wide_as_the_window(site, tmp_path, width):
    with Chromium(tmp_path) as browser:
        browser.look(width=width)
        for page in ("index", "derivation", "reference/study-keys", "studies/README", "tutorial"):
            browser.open(site / f"docs/{page}.html")
            browser.wait(
                "document.readyState === 'complete' && !!document.querySelector('article')"
            )
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, page
            assert browser.errors == [], page
        browser.open(site / "docs/derivation.html")
        browser.wait("!!document.querySelector('footer')")
        heights = browser.evaluate(
            "[...document.querySelectorAll('math')].map((m) => m.getBoundingClientRect().height)"
        )
        assert len(heights) > 300
        assert min(heights) > 3
        assert not browser.evaluate("document.querySelectorAll('merror').length")
