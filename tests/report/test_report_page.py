"""The report as a file: what it holds, that it stands alone, and that no part of it ends it."""

from __future__ import annotations

import re
from base64 import b64decode
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest

from hlm.describe import checklist
from hlm.plan import Plan
from hlm.plan.report import planned_figures, planned_tables
from hlm.report.captions import Captions
from hlm.report.picture_parts import MOST_ROWS, Pictures, folded_table
from hlm.report.report_page import write_report
from hlm.tables import table_page
from hlm.tables.page import fragment_of
from hlm.tables.writing import write_all, write_pages
from tests.results import TINY, make_results, summarize_results

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000008000000040802000000"
    "00000000000000097048597300001ec200001ec201"
)
"""The beginning of a picture of 8 by 4 pixels, at 200 to the inch."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of a tiny study that says what it is about, and its plan; pictures are made up."""
    folder = tmp_path_factory.mktemp("report")
    about = "about: {title: Few & <few>, authors: [A. B.], aims: Whether it holds}\n"
    study = folder / "study.yaml"
    study.write_text(TINY.read_text(encoding="utf-8") + about, encoding="utf-8")
    results = make_results(folder, study=study)
    plan = Plan.read(results / "plan.json")
    summarize_results(plan, results)
    write_all(plan, results, strict=True)
    write_pages(plan, results)
    (results / "figures").mkdir()
    for figure in planned_figures(plan):
        for page in figure.pages:
            (results / "figures" / f"{page}.png").write_bytes(PNG)
    return plan, results


@pytest.fixture(scope="module")
def page(results):
    return write_report(*results, strict=True).read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The ids and links of a page, and whether its elements are closed in order."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.links, self.open, self.sources = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.sources += [found[name] for name in ("src", "srcset") if name in found]
        if tag not in ("meta", "img", "br", "mspace"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_other_file(page):
    elements = Elements(page)
    assert elements.open == []
    assert all(source.startswith("data:image/png;base64,") for source in elements.sources)
    assert not re.search(r"(?:src|href)=.https?:|@import|url\(", page)
    assert "default-src 'none'" in page


def test_every_link_leads_somewhere(page, results):
    elements, (plan, folder) = Elements(page), results
    assert len(set(elements.ids)) == len(elements.ids)
    inside = [link[1:] for link in elements.links if link.startswith("#")]
    assert set(inside) <= set(elements.ids)
    outside = {link for link in elements.links if not link.startswith("#")}
    made_elsewhere = {"explorer.html", "scenarios.csv"} | {f"{k}.parquet" for k in plan.kinds}
    made_elsewhere |= {f"{name}.csv" for name in ("measures", "differences", "selection")}
    made_elsewhere |= {"margins.csv", "accounting.csv"}
    pictures = {f"figures/{p}.pdf" for one in planned_figures(plan) for p in one.pages}
    assert all((folder / link).is_file() for link in outside - made_elsewhere - pictures)
    assert made_elsewhere <= outside


def test_title_authors_and_aims_are_those_of_the_study(page):
    assert '<h1 id="title">Few &amp; &lt;few&gt;</h1>' in page
    assert "Study tiny · A. B." in page
    assert "<p>Whether it holds</p>" in page.partition('id="found"')[0]


def test_every_figure_is_there_with_its_caption(page, results):
    plan, _ = results
    for number, figure in enumerate(planned_figures(plan), start=1):
        own = page.partition(f'<figure id="figure-{figure.name}">')[2].partition("</figure>")[0]
        (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', own)
        assert b64decode(data) == PNG
        assert 'width="4" height="2"' in own
        assert f"Figure {number}. {figure.title}." in unescape(own)
        assert len(own.partition("</b></p>")[2]) > 60


def test_every_table_is_there_with_all_its_rows(page, results):
    plan, folder = results
    for table in planned_tables(plan):
        own = page.partition(f'id="table-{table.name}">')[2].partition("</details>")[0]
        assert table.title in own
        rows = own.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr")
        assert rows == len(pd.read_csv(folder / "tables" / f"{table.name}.csv"))


def test_a_caption_is_rendered_from_its_one_source(results):
    captions = Captions(results[0])
    caption = captions.html("unit_lines")
    assert "in the first data set of the point with 12 units" in caption
    assert "{%" not in caption
    assert "<p>" in caption
    plain = re.sub("<[^>]+>", "", captions.html("selection"))
    assert "the file tables/selection.csv beside this report has all digits" in plain


def test_methods_are_there_with_their_formulas(page):
    methods = page.partition('id="methods-and-measures"')[2].partition('id="provenance"')[0]
    assert "<math" in methods
    for title in ("Data-generating mechanism", "Estimands", "Performance measures", "Replicates"):
        assert f">{title}</h3>" in methods


def test_the_origin_is_there_without_a_path_of_the_machine(page, results):
    plan, folder = results
    origin = page.partition('id="provenance"')[2].partition('id="checklist"')[0]
    assert f"<dd>{plan.seed}</dd>" in origin
    assert plan.hash in origin
    assert plan.code in origin
    assert "numpy" in origin
    assert "seconds of one processor" in origin
    assert "hlm run tiny.yaml" in origin
    assert str(folder.parent) not in page


def test_every_row_of_the_checklist_is_answered_or_not_given(page, results):
    own = page.partition('id="checklist"')[2].partition("</table>")[0]
    rows = [
        [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in re.findall("<tr.*?</tr>", own.partition("<tbody>")[2])
    ]
    expected = checklist(*results)
    assert [row[0] for row in rows] == [str(one.number) for one in expected]
    assert [row[2] for row in rows] == [one.answer for one in expected]


def test_the_study_file_is_there(page, results):
    own = page.partition('id="study-file"')[2]
    text = unescape(re.sub("<[^>]+>", "", own.partition("<pre>")[2].partition("</pre>")[0]))
    assert text.strip() == results[0].text.strip()


def test_the_same_results_give_the_same_bytes(page, results):
    assert write_report(*results, strict=True).read_text(encoding="utf-8") == page


def test_what_cannot_be_made_is_a_sentence_in_its_place(results, tmp_path, monkeypatch, capsys):
    plan, folder = results
    copy = tmp_path / "tiny"
    copy.mkdir()
    for path in folder.iterdir():
        if path.name not in ("figures", "tables"):
            (copy / path.name).symlink_to(path)

    def fail(*_):
        raise ZeroDivisionError("why")

    monkeypatch.setattr("hlm.report.report_page.checklist_html", fail)
    page = write_report(plan, copy).read_text(encoding="utf-8")
    assert "This part cannot be made, by a fault of the program: ZeroDivisionError: why" in page
    assert "ZeroDivisionError" in capsys.readouterr().err
    first = planned_figures(plan)[0].name
    assert f"There is no file <code>figures/{first}.png</code>." in page
    assert Elements(page).open == []
    with pytest.raises(ZeroDivisionError):
        write_report(plan, copy, strict=True)


def test_a_long_table_is_cut_and_says_where_the_rest_is(tmp_path):
    path = tmp_path / "long.html"
    table = pd.DataFrame({"model": [f"m{k}" for k in range(MOST_ROWS + 3000)]})
    path.write_text(table_page(table, "Long"), encoding="utf-8")
    part = folded_table("long", "Long", path)
    assert part.count("<tr class") == MOST_ROWS
    assert "3,000 more rows are in the CSV file." in part
    assert part.count("more rows are in") == 1


def test_a_fragment_has_all_notes_and_every_row_on_a_line():
    table = pd.DataFrame(
        {"model": ["a\nb", "c"], "kind": "test", "n_total": 500,
         "rejection": [0.1, 0.2], "rejection_mcse": 0.01, "rejection_n": 445}
    )  # fmt: skip
    part = fragment_of(table_page(table, "T"), most=1)
    assert '<td class="key">a b</td>' in part
    assert "rests on n of 500 replicates" in part
    assert "1 more row is in the CSV file." in part


def test_pictures_beyond_the_room_are_links(tmp_path):
    path = tmp_path / "figures" / "a.png"
    path.parent.mkdir()
    path.write_bytes(PNG)
    pictures = Pictures(left=len(PNG))
    assert "<img" in pictures.html(path, "A")
    assert 'href="figures/a.png"' in pictures.html(path, "A")
