"""The explorer holds what the files of results hold, and its page says and draws just that.

What the page embeds is unpacked here by its description, without the code that packs it.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hlm.cli import main
from hlm.errors import InputError
from hlm.explorer import contents_of_study, explorer_page, write_explorer
from hlm.explorer.vendor import LIBRARIES, scripts
from hlm.measures.zip_order import zip_order
from hlm.plan import Plan
from hlm.results import read, read_frame
from hlm.versions import __version__
from tests.results import make_results, summarize_results

NUMBERS = {
    "measures": ("estimate", "mcse"),
    "differences": ("difference", "mcse"),
    "selection": ("rate", "mcse"),
    "margins": ("margin", "mcse"),
    "accounting": ("share", None),
}
LARGEST_WITHOUT_DATA = 2_000_000  # bytes
LARGEST_FILE = 1_000_000


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = make_results(tmp_path_factory.mktemp("explorer"))
    summarize_results(Plan.read(folder / "plan.json"), folder)
    return folder


@pytest.fixture(scope="module")
def plan(results):
    return Plan.read(results / "plan.json")


@pytest.fixture(scope="module")
def page(plan, results):
    return write_explorer(plan, results).read_text(encoding="utf-8")


@pytest.fixture
def own(results, tmp_path):
    """A copy of the results, to be damaged."""
    return shutil.copytree(results, tmp_path / "own")


class Elements(HTMLParser):
    """The texts of the elements of a page that have an id."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.scripts, self._open = {}, 0, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self._open = dict(attributes).get("id")

    def handle_endtag(self, _):
        self._open = None

    def handle_data(self, data):
        if self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data


class Unpacked:
    """The data of a page."""

    def __init__(self, page):
        texts = Elements(page).texts
        self.head = json.loads(texts["head"])
        numbers = gzip.decompress(b64decode(texts["packed"]))
        scenarios = len(self.head["scenarios"])
        series = sum(len(table["series"]) for table in self.head["tables"])
        doubles = np.frombuffer(numbers, "<f8", 2 * series * scenarios)
        self.values = doubles.reshape(series, 2, scenarios)
        self.n = np.frombuffer(numbers, "<i4", series * scenarios, doubles.nbytes)
        self.n = self.n.reshape(series, scenarios)
        rest = np.frombuffer(numbers, "<f4", -1, doubles.nbytes + self.n.nbytes)
        self.limits = rest.reshape(-1, scenarios, 2, self.head["points"])

    def table(self, name):
        """Return a table as one row for each number, with the keys as the files have them."""
        own = next(table for table in self.head["tables"] if table["value"] == name)
        rows = []
        for place, codes in enumerate(own["series"], own["first"]):
            keys = {
                key: self.head["values"][key][code]["key"]
                for key, code in zip(own["keys"], codes, strict=True)
            }
            for s, scenario in enumerate(self.head["scenarios"]):
                if self.n[place, s] >= 0:
                    value, mcse = self.values[place, :, s]
                    found = {"value": value, "mcse": mcse, "n": self.n[place, s]}
                    rows.append({"scenario": scenario, **keys, **found})
        return pd.DataFrame(rows), own["keys"]


def expected(results, name):
    """Return the same rows from the file."""
    frame = read_frame(results / f"{name}.parquet")
    value, mcse = NUMBERS[name]
    if "term" in frame:
        terms = frame["kind"].fillna("") + "\t" + frame["term"].fillna("")
        frame["term"] = terms.where(frame["term"].fillna("") != "", "")
    if value == "share":
        frame["share"] = frame["count"] / frame["n"]
    if "measure" not in frame:
        frame["measure"] = value
    frame["value"] = frame[value]
    frame["mcse"] = frame[mcse] if mcse else np.nan
    return frame.fillna({"inference": "", "policy": ""})


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_of_the_files_is_in_the_page(page, results, name):
    found, keys = Unpacked(page).table(name)
    wanted = expected(results, name)
    assert len(found) == len(wanted) > 0
    order = ["scenario", *keys]
    columns = [*order, "value", "mcse", "n"]
    pd.testing.assert_frame_equal(
        found[columns].sort_values(order, ignore_index=True),
        wanted[columns].sort_values(order, ignore_index=True),
        check_dtype=False,
        check_exact=True,
    )


def test_true_values_are_those_of_the_file(page, results):
    found, _ = Unpacked(page).table("truth")
    wanted = expected(results, "measures")
    wanted = wanted[wanted["term"] != ""].drop_duplicates(["scenario", "model", "term"])
    both = found.merge(wanted, on=["scenario", "model", "term"], suffixes=("", "_file"))
    assert len(both) == len(found) == len(wanted)
    np.testing.assert_array_equal(both["value"], both["true"])


def test_factors_levels_and_replicates_are_those_of_the_plan(page, plan):
    head = Unpacked(page).head
    for name in plan.levels[0]:
        factor = next(one for one in head["factors"] if one["value"] == name)
        assert [factor["levels"][at] for at in factor["of"]] == [one[name] for one in plan.levels]
    assert head["scenarios"] == [scenario.key for scenario in plan.scenarios]
    assert head["replicates"] == [plan.replicates] * len(plan.scenarios)


def test_intervals_are_those_of_replicates_in_the_order_of_their_distance(page, results):
    unpacked = Unpacked(page)
    estimates = read_frame(results / "estimates.parquet")
    truth, _ = unpacked.table("truth")
    keys = unpacked.head["zip"]["keys"]
    assert unpacked.head["zip"]["series"]
    for series, codes in zip(unpacked.head["zip"]["series"], unpacked.limits, strict=True):
        key = {k: unpacked.head["values"][k][c]["key"] for k, c in zip(keys, series, strict=True)}
        for s, scenario in enumerate(unpacked.head["scenarios"]):
            own = estimates.query("scenario == @scenario").query(
                "model == @model and method == @method and inference == @inference and term == @t",
                local_dict={**key, "t": key["term"].partition("\t")[2]},
            )
            own = own.dropna(subset=["lower", "upper"])
            lower, upper = codes[s]
            held = ~np.isnan(lower)
            assert held.sum() == min(len(own), unpacked.head["points"])
            of_file = {*zip(own["lower"].astype("f4"), own["upper"].astype("f4"), strict=True)}
            assert {*zip(lower[held], upper[held], strict=True)} <= of_file
            where = "scenario == @scenario and model == @model and term == @term"
            true = truth.query(where, local_dict=key | {"scenario": scenario})["value"].item()
            covers = (lower[held] <= true) & (true <= upper[held])
            share = ((own["lower"] <= true) & (true <= own["upper"])).mean()
            assert (np.diff(covers.astype(int)) <= 0).all()  # those that cover come first
            assert abs(covers.mean() - share) <= 1 / unpacked.head["points"]


def test_symmetric_intervals_are_sorted_by_z():
    rng = np.random.default_rng(1)
    b, se = rng.normal(size=500), rng.uniform(0.5, 2, size=500)
    order = zip_order(b, b - 1.96 * se, b + 1.96 * se, 0.3)
    np.testing.assert_array_equal(order, np.argsort(np.abs(b - 0.3) / se))


def test_the_same_results_give_the_same_bytes(page, plan, results):
    assert explorer_page(contents_of_study(plan, results)) == page


def test_a_page_is_small_and_loads_nothing(page):
    texts = Elements(page).texts
    assert len(page.encode()) - len(texts["packed"]) < LARGEST_WITHOUT_DATA
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=", page)
    assert "default-src 'none'" in page


def test_libraries_are_as_published_with_their_licences():
    for text, (name, version) in zip(scripts(), LIBRARIES.items(), strict=True):
        assert len(text) < LARGEST_FILE
        assert f"{name} v{version}" in text or f"{name}js.org v{version}" in text
        assert "Permission to use, copy, modify" in text
        assert "</script" not in text.lower()


def test_no_text_of_a_study_ends_an_element(page, plan, results):
    evil = "</script><script>alert(1)</script><!-- & \u2028 '\"</title>"
    contents = contents_of_study(plan, results)
    contents.head["study"] = evil
    contents.head["factors"][0]["labels"][0] = evil
    written = explorer_page(contents)
    elements = Elements(written)
    assert elements.scripts == Elements(page).scripts
    assert json.loads(elements.texts["head"])["study"] == evil
    assert "alert(1)</script>" not in written


def test_measures_are_left_out_where_there_is_no_room_and_named(plan, results):
    whole = contents_of_study(plan, results)
    few = contents_of_study(plan, results, most_bytes=len(whole.numbers) // 3)
    assert len(few.numbers) < len(whole.numbers) / 2
    names = {one["value"] for one in few.head["values"]["measure"]}
    assert "coverage" in names
    assert few.head["left_out"]
    assert not names & set(few.head["left_out"])
    every = set(read_frame(results / "measures.parquet")["measure"])
    assert every <= names | set(few.head["left_out"])
    assert few.head["zip"] is None


def test_the_command_writes_it_anew_with_the_measures_that_are_asked_for(own, capsys):
    assert main(["explore", str(own), "--measure", "bias", "--measure", "coverage"]) == 0
    assert capsys.readouterr().out == f"{own / 'explorer.html'}\n"
    found, _ = Unpacked((own / "explorer.html").read_text(encoding="utf-8")).table("measures")
    assert set(found["measure"]) == {"bias", "coverage"}


def test_a_measure_that_the_study_has_not_is_refused(own, capsys):
    assert main(["explore", str(own), "--measure", "bais"]) == 2
    said = capsys.readouterr().err
    assert "the study has no measure 'bais'" in said
    assert "did you mean 'bias'?" in said


@pytest.mark.parametrize("change", ["lacks", "other type"])
def test_results_of_another_version_are_refused_with_that_version(own, change):
    path = own / "measures.parquet"
    table = read(path)
    place = table.schema.get_field_index("n")
    if change == "lacks":
        table = table.drop_columns("n")
    else:
        table = table.set_column(place, "n", table["n"].cast(pa.float64()))
    versions = json.dumps({"hlm": "0.0.7"})
    table = table.replace_schema_metadata({"versions": versions})
    pa.parquet.write_table(table, path)
    with pytest.raises(InputError) as error:
        write_explorer(Plan.read(own / "plan.json"), own)
    assert "made by hlm 0.0.7: column 'n'" in str(error.value)
    assert __version__ in str(error.value)
    assert "measures.parquet" in str(error.value)


def test_tables_of_another_plan_are_refused(own, results):
    table = read(results / "selection.parquet")
    other = pa.array(["0" * 16] * table.num_rows, pa.string())
    pa.parquet.write_table(table.set_column(0, "scenario", other), own / "selection.parquet")
    with pytest.raises(InputError, match="a scenario that the plan has not"):
        write_explorer(Plan.read(own / "plan.json"), own)
