"""The gathered files hold the same whatever the batches and whatever the history."""

from __future__ import annotations

import pyarrow as pa
import pytest

from hlm.errors import InputError
from hlm.plan import make_plan
from hlm.results import read, windows
from hlm.scenario import Model
from hlm.stages import sorted_rows
from hlm.stages.compact import compact, write_scenarios

from .studies import BIG, SMALL, FakeStudy, hash_number, labels, write_parts

THIRD = Model("third", "y ~ 1 + (1 | unit)")
OTHER_THIRD = Model("third", "y ~ 1 + (x | unit)")
FINAL = FakeStudy(units=(30, 10), replicates=330, models=(BIG, THIRD, SMALL))

HISTORIES = {
    "at once": [],
    "in small batches": [(FINAL, 1e-4)],
    "more replicates": [(FINAL.but(replicates=250), 30)],
    "fewer replicates": [(FINAL.but(replicates=400), 30)],
    "another model": [(FINAL.but(models=(BIG, SMALL)), 30)],
    "a changed model": [
        (FINAL.but(models=(BIG, Model("third", "y ~ 1 + (x | unit)"), SMALL)), 1e-3)
    ],
    "another level": [(FINAL.but(units=(10, 50)), 30)],
    "many things": [
        (FINAL.but(units=(10, 50), models=(SMALL, BIG)), 1e-4),
        (FINAL.but(replicates=120), 1e-3),
        (FINAL.but(units=(30,), replicates=600), 30),
    ],
}


def gathered(history, folder):
    parts, plan = folder / "parts", None

    def done(name):
        return (parts / f"{name}.fits.parquet").exists()

    for study, seconds in [*history, (FINAL, 30)]:
        plan = make_plan(study, previous=plan, done=done, batch_seconds=seconds)
        write_parts(plan, parts)
    files = {kind: folder / f"{kind}.parquet" for kind in plan.kinds}
    compact(plan, parts, files)
    return {kind: read(path) for kind, path in files.items()}


def expected_places(kind):
    return [
        (scenario.key, replicate, model.name, method, label)
        for scenario in sorted(FINAL.scenarios, key=lambda scenario: scenario.key)
        for replicate in range(FINAL.replicates)
        for model in FINAL.models
        for method in model.methods
        for label in labels(kind, model)
    ]


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("window", [100, 5000])
def test_the_tables_do_not_depend_on_the_history(history, window, tmp_path, monkeypatch):
    for module in (windows, sorted_rows):
        monkeypatch.setattr(module, "WINDOW", window)
    tables = gathered(history, tmp_path)
    assert list(tables) == ["estimates", "fits", "tests"]
    for kind, table in tables.items():
        places = expected_places(kind)
        label = {"estimates": ["term"], "fits": [], "tests": ["test"]}[kind]
        names = ["scenario", "replicate", "model", "method", *label]
        found = zip(*(table[name].to_pylist() for name in names), strict=True)
        assert list(found) == [place[: len(names)] for place in places]
        value = {"estimates": "estimate", "fits": "aic", "tests": "statistic"}[kind]
        assert table[value].to_pylist() == [hash_number(place) for place in places]


def test_a_missing_part_is_named(tmp_path):
    plan = make_plan(FINAL)
    with pytest.raises(InputError, match="no such file") as caught:
        compact(plan, tmp_path, {"estimates": tmp_path / "e"})
    assert f"{plan.batches[0].name}.json" in str(caught.value)
    assert not (tmp_path / "e").exists()


def test_a_part_of_another_plan_is_refused(tmp_path):
    plan = make_plan(FINAL)
    other = make_plan(FINAL.but(units=(10,)))
    write_parts(other, tmp_path)
    for path in tmp_path.glob(f"{other.batches[0].name}.*"):
        path.rename(path.with_name(path.name.replace(other.batches[0].name, plan.batches[0].name)))
    with pytest.raises(InputError, match="the plan says"):
        compact(plan, tmp_path, {kind: tmp_path / kind for kind in plan.kinds})


def test_the_scenarios_have_their_levels(tmp_path):
    write_scenarios(make_plan(FINAL), tmp_path / "s.parquet", tmp_path / "s.csv")
    table = read(tmp_path / "s.parquet")
    assert table.column_names == ["scenario", "units", "n_units", "n_rows"]
    assert table["units"].to_pylist() == [30, 10]
    assert table.schema.field("units").type == pa.int64()
    assert table.schema.metadata[b"study"] == b"name: fake"
    assert (tmp_path / "s.csv").read_text().splitlines()[1] == f'"{FINAL.scenarios[0].key}",30,30,5'
