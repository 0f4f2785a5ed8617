"""The report in a browser without a network: its menus name every figure, and all pictures load."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from hlm.plan import Plan
from hlm.plan.report import TABLES, figure_pages, planned_figures, table_names

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
TINY = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium to open the report in")

# Opens every menu and every result, as clicks do, and leaves what it saw as JSON in the page.
VISIT = """
<script>
(async () => {
  const text = (where) => document.querySelector(where).innerText;
  const pause = () => new Promise((done) => setTimeout(done, 20));
  await pause();
  const seen = {front: text("#app .document"), menus: {}, pictures: {}, pages: {}};
  seen.top = document.querySelector("#app .document").getBoundingClientRect().top;
  seen.height = innerHeight;
  for (const [category, parts] of Object.entries(categories)) {
    for (const subcategory of Object.keys(parts)) {
      app.setView({navbarMode: "menu"});
      await pause();
      app.setView({navbarMode: "subcategory", category, subcategory});
      await pause();
      seen.menus[category + "/" + subcategory] = text("#app nav");
    }
  }
  for (const [path, result] of Object.entries(results)) {
    if (result.mime_type == "image/png") {
      app.setView({content: "img", contentPath: result.data_uri, resultPath: path});
      await pause();
      const picture = document.querySelector("#app .h-screen img[src^='data:image/png']");
      if (!picture.complete) await new Promise((done) => picture.addEventListener("load", done));
      const {top, bottom, width, height} = picture.getBoundingClientRect();
      const shape = (width / height) / (picture.naturalWidth / picture.naturalHeight);
      seen.pictures[result.name] = {top, bottom, shape};
    } else {
      seen.pages[result.name] = atob(result.data_uri.split(",")[1]);
    }
  }
  const note = document.createElement("pre");
  note.id = "seen";
  note.textContent = JSON.stringify(seen);
  document.body.replaceChildren(note);
})();
</script>
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The plan of a tiny study, and what a visitor sees of its report."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "study.yaml").write_text(TINY, encoding="utf-8")
    command = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]
    run = [*command, "run", "study.yaml", "--cores", "2"]
    subprocess.run(run, cwd=folder, capture_output=True, check=True)
    results = folder / "results" / "tiny"
    return Plan.read(results / "plan.json"), visit(results / "report.html", folder)


def visit(report, folder):
    """Walk through the report with every host name unknown; return what was seen."""
    page, end, rest = report.read_text(encoding="utf-8").rpartition("</body>")
    visited = folder / "visited.html"
    visited.write_text(page + VISIT + end + rest, encoding="utf-8")
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--disable-sync", "--disable-component-update"),
        *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
        *(f"--user-data-dir={folder / 'profile'}", "--window-size=1200,700"),
        *("--virtual-time-budget=20000", "--dump-dom", visited.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
    assert found, "the visit to the report came to no end"
    return json.loads(unescape(found[1]))


def test_the_first_page_tells_of_the_study_from_its_title_on(study):
    plan, seen = study
    assert seen["front"].startswith("Study tiny")
    for model in plan.models:
        assert f"{model.name}: {model.formula}" in seen["front"]
    assert f"Seed {plan.seed}" in seen["front"]
    assert "System Message" not in seen["front"]
    assert seen["top"] >= 0


def test_the_menus_name_every_figure_table_and_page(study):
    plan, seen = study
    for figure in planned_figures(plan):
        assert figure.title in seen["menus"][f"Figures/{figure.section}"]
    for name in table_names(plan):
        assert TABLES[name] in seen["menus"]["Tables/Other"]
    assert "Study file" in seen["menus"]["Study/Other"]
    assert "Points of the grid" in seen["menus"]["Study/Other"]


def test_every_figure_is_seen_whole_and_undistorted(study):
    plan, seen = study
    assert sorted(seen["pictures"]) == sorted(f"{page}.png" for page in figure_pages(plan))
    for picture in seen["pictures"].values():
        assert 0 <= picture["top"] < picture["bottom"] <= seen["height"]
        assert picture["shape"] == pytest.approx(1, abs=0.01)


def test_tables_and_the_study_file_are_pages(study):
    plan, seen = study
    wanted = {f"{name}.html" for name in table_names(plan)} | {"study.html", "scenarios.html"}
    assert seen["pages"].keys() == wanted
    assert all(scenario.key in seen["pages"]["scenarios.html"] for scenario in plan.scenarios)
