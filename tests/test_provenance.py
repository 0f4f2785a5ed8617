"""The manifest of results, and what `hlm verify` finds."""

from __future__ import annotations

import json
import shutil
from hashlib import blake2b

import numpy as np
import pytest

from hlm.cli import main
from hlm.operations.kept_replicates import KeptReplicates
from hlm.operations.manifest import read_manifest, write_manifest
from hlm.operations.prepare import prepare
from hlm.operations.receipts import checksum
from hlm.operations.sample import stratified
from hlm.plan import Plan
from hlm.results import ESTIMATES, KINDS, read, write, writing
from hlm.scenario import DATA_VERSION
from hlm.study import Study

from .results import TINY, make_results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_results(tmp_path_factory.mktemp("made"), batch_seconds=1e-6)
    (folder / "figures").mkdir()
    (folder / "figures" / "bias.png").write_bytes(b"png")
    seal(folder)
    return folder


def seal(folder):
    write_manifest(Plan.read(folder / "plan.json"), folder, study=TINY)


@pytest.fixture
def results(made, tmp_path):
    """A copy to be spoilt."""
    return shutil.copytree(made, tmp_path / "tiny")


@pytest.fixture
def verify(capsys):
    def run(folder, *options):
        status = main(["verify", str(folder), *options])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def test_the_manifest_names_study_code_machine_and_seeds(made):
    manifest, study = read_manifest(made), Study.load(TINY)
    assert manifest["study"] == {"name": "tiny", "file": "tiny.yaml", "hash": study.hash}
    assert manifest["seed"] == study.seed
    assert "default_rng" in manifest["seeds"]
    assert manifest["data_version"] == DATA_VERSION
    assert {"numpy", "numba", "llvmlite", "scipy"} < set(manifest["versions"][0])
    assert {"version", "commit", "edited", "fits", "stages"} == set(manifest["code"])
    assert sum(kind["batches"] for kind in manifest["machines"]) == 2
    assert {"cpu", "system", "arithmetic"} < set(manifest["machines"][0])
    assert manifest["lock"]["file"] == "requirements.lock"
    times = manifest["times"]
    assert times["started"] <= times["finished"] <= times["written"]


def test_the_seeds_rule_of_the_manifest_is_the_one_in_force(made):
    from hlm.simulate import draw_rows

    scenario, seed = Study.load(TINY).scenarios[0], read_manifest(made)["seed"]
    key = (int(scenario.key[:8], 16), int(scenario.key[8:], 16))
    name = blake2b(b"a", digest_size=8).hexdigest()
    purpose = (2, int(name[:8], 16), int(name[8:], 16))
    rng = np.random.default_rng((*purpose, 0, *key, seed))
    first_covariate = rng.standard_normal(scenario.n_units)
    rows = draw_rows(scenario, seed, 0)
    np.testing.assert_array_equal(rows["a"][:: scenario.n_rows], first_covariate)


def test_the_manifest_has_each_file_with_its_checksum_and_its_job(made):
    files = {file["name"]: file for file in read_manifest(made)["files"]}
    there = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    receipts = {name for name in there if name.startswith("parts/") and name.endswith(".json")}
    assert set(files) == there - receipts - {"manifest.json", ".lock"}
    for name, file in files.items():
        assert file["blake2b"] == checksum(made / name)
    assert files["estimates.parquet"]["job"] == "compact"
    assert files["figures/bias.png"]["job"] == "present"
    assert sum(file["job"].startswith("fit ") for file in files.values()) == 6


def test_untouched_results_are_verified_to_the_last_bit(made, verify):
    status, out = verify(made, "--n", "7", "--seed", "5")
    assert status == 0
    assert "13 of 13 files are as manifest.json says" in out
    # A replicate has 4 fits of 11 numbers each, 8 + 6 terms by 2 methods, 5 numbers each, and
    # 2 + 1 F tests by 2 methods, 4 numbers each.
    numbers = 7 * (48 + 140 + 24)
    assert f"7 replicates drawn and fitted again: {numbers:,} numbers, all the same" in out
    assert verify(made, "--n", "0")[0] == 0


def test_changed_and_missing_files_are_named(results, verify):
    part = next(results.glob("parts/*.fits.parquet"))
    content = bytearray(part.read_bytes())
    content[100] ^= 1
    part.write_bytes(content)
    (results / "scenarios.csv").unlink()
    (results / "figures" / "bias.png").write_bytes(b"longer")
    status, out = verify(results)
    assert status == 1
    assert f"{part.name}: its content has changed" in out
    assert "scenarios.csv: missing" in out
    assert "figures/bias.png: 6 bytes, not 3" in out
    assert "10 of 13 files" in out


@pytest.mark.parametrize(
    ("kind", "label", "name", "column"),
    [("estimates", "term", "x:a", "estimate"), ("tests", "test", "line", "ddf")],
)
def test_a_number_that_the_code_does_not_make_again_is_found(
    kind, label, name, column, results, verify
):
    path = results / f"{kind}.parquet"
    table = read(path, KINDS[kind]).to_pydict()
    table[column][table[label].index(name)] += 1e-9
    write(table, path, KINDS[kind])
    seal(results)
    status, out = verify(results, "--n", "60")
    assert status == 1
    assert "1 differ" in out
    assert f"slopes_on_a reml {name} satterthwaite: {column} was" in out


def test_results_from_before_there_were_several_inferences_are_verified(results, verify):
    """Their plan names one for each part, and their tables have no column of them."""
    plan = json.loads((results / "plan.json").read_text())
    for models in (plan["models"], *(batch.get("models", []) for batch in plan["batches"])):
        for model in models:
            if isinstance(model, dict):
                assert (model["df"], model["limits"]) == (["satterthwaite"], ["wald"])
                model["df"], model["limits"] = "satterthwaite", "wald"
    (results / "plan.json").write_text(json.dumps(plan))
    for kind in ("estimates", "tests"):
        path, before = results / f"{kind}.parquet", KINDS[kind]
        table = read(path).drop_columns("inference")
        write(table, path, before.remove(before.get_field_index("inference")))
    seal(results)
    status, out = verify(results, "--n", "7")
    assert status == 0
    assert f"{7 * (48 + 140 + 24):,} numbers, all the same" in out


def test_other_machines_and_code_are_allowed_a_rounding_error(results, verify):
    manifest = json.loads((results / "manifest.json").read_text())
    manifest["machines"][0]["arithmetic"] = "0"
    manifest["code"]["fits"] = "other"
    (results / "manifest.json").write_text(json.dumps(manifest))
    status, out = verify(results, "--n", "2")
    assert status == 0
    assert "another kind of machine made the results: differences up to 1e-06" in out
    assert "other code" in out


@pytest.mark.parametrize("command", ["verify", "audit", "replay"])
def test_data_that_another_rule_has_drawn_are_not_drawn_again(
    command, results, monkeypatch, capsys
):
    """Results of version 1 have no word on it in their plan."""
    plan = json.loads((results / "plan.json").read_text())
    del plan["data_version"]
    (results / "plan.json").write_text(json.dumps(plan))
    seal(results)
    monkeypatch.setattr("hlm.audit.available_engines", lambda _: [])
    rest = ["1", "0"] if command == "replay" else ["--n", "5"]
    assert main([command, str(results), *rest]) == 2
    out, err = capsys.readouterr()
    wanted = f"drawn by version 1 of the rule for random numbers, which is {DATA_VERSION} here"
    assert wanted in err
    assert "hlm that made the results" in err
    if command == "verify":
        assert "13 of 13 files are as manifest.json says" in out


def test_a_run_over_data_of_another_rule_says_so(results, capsys):
    path = results / "plan.json"
    study, plan = Study.load(TINY), json.loads(path.read_text())
    prepare(study, results.parent)
    assert capsys.readouterr().err == ""
    path.write_text(json.dumps(plan | {"data_version": 2}))
    assert prepare(study, results.parent).data_version == DATA_VERSION
    said = capsys.readouterr().err
    assert f"version 2 of the rule for random numbers, which is {DATA_VERSION} here" in said
    assert "all of it is made again" in said


def test_verify_names_what_is_no_folder_of_results(results, verify, tmp_path):
    status, out = verify(tmp_path)
    assert status == 2
    assert out == f"{tmp_path}: no results of a study\n  allowed: {results}\n"
    manifest = results / "manifest.json"
    aside = manifest.rename(results / "aside")
    status, out = verify(results)
    assert status == 2
    assert "there is no manifest" in out
    assert "hlm run" in out
    aside.rename(manifest)
    manifest.write_text("{}")
    assert verify(results)[0] == 2
    assert verify(results, "--n", "-1")[0] == 2


def test_results_of_another_plan_are_refused(results):
    from hlm.errors import InputError

    path = results / "estimates.parquet"
    table = read(path, ESTIMATES)
    with writing(path, ESTIMATES) as file:
        file.append(table[:10])
        file.append(table[10:])

    with pytest.raises(InputError, match="does not hold what the plan says"):
        KeptReplicates(results)


def test_a_sample_has_no_replicate_twice_and_is_spread_evenly():
    drawn = stratified(25, [4] * 10, np.random.default_rng(1))
    assert sorted(len(item) for item in drawn) == [2] * 5 + [3] * 5
    assert all(len(np.unique(item)) == len(item) for item in drawn)
    assert sum(len(item) for item in stratified(99, [4] * 10, np.random.default_rng(1))) == 40
