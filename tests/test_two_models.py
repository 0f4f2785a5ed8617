"""Explained variance, and expressions, from a study file to its measures, tables and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm.cli import main
from hlm.estimands.true_values import targets
from hlm.fits import fit_batch
from hlm.plan import Plan, make_plan
from hlm.plan.batch import digest
from hlm.results import ESTIMATES, read_frame, to_table
from hlm.results.shown import with_words
from hlm.simulate import simulate
from hlm.stages import summarize as stage
from hlm.study import Study
from hlm.tables.wide import wide_table
from hlm.words.levels import WORDS
from tests.plan.test_summarize import summarized
from tests.results import make_results, summarize_results
from tests.test_expressions import STUDY

ASKED = (
    '{total: "x + x:a", ratio: {expression: "sd(x) / sigma", scale: log}, r2: r2, '
    "explained: {less: small, more: full, variance: x}}"
)
TEXT = STUDY.replace("ASKED", ASKED)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    file = folder / "own.yaml"
    file.write_text(TEXT)
    return whole(make_results(folder, study=file))


def whole(results):
    """Summarize too."""
    summarize_results(Plan.read(results / "plan.json"), results)
    return results


@pytest.fixture(scope="module")
def measures(results):
    return read_frame(results / "measures.parquet")


def values(measures, term, model="full"):
    rows = measures[(measures["term"] == term) & (measures["model"] == model)]
    return rows.set_index("measure")


def estimates(results, term, model):
    rows = read_frame(results / "estimates.parquet")
    rows = rows[(rows["term"] == term) & (rows["model"] == model)]
    return rows.sort_values("replicate").reset_index(drop=True)


def test_explained_variance_is_that_of_pairs_of_fits(results, measures):
    small, full = (estimates(results, "sd_x|unit", model) for model in ("small", "full"))
    share = 1 - (full["estimate"] / small["estimate"]) ** 2
    share = share[np.isfinite(share)]
    found = values(measures, "explained")
    assert set(found["kind"]) == {"explained"}
    assert found.estimate["mean"] == pytest.approx(share.mean(), rel=1e-12)
    assert found.estimate["empirical_se"] == pytest.approx(share.std(ddof=1), rel=1e-12)
    assert found.estimate["n_used"] == len(share)
    assert found["true"].iloc[0] == pytest.approx(0.64)
    assert found.estimate["bias"] == pytest.approx(share.mean() - 0.64, abs=1e-12)
    for measure in ("coverage", "model_se", "rejection", "ci_width"):
        assert measure not in found.index


def test_measures_are_made_again_and_fits_are_not(results):
    text = TEXT.replace("variance: x}", "variance: residual}")
    plan, old = make_plan(Study.from_text(text)), Plan.read(results / "plan.json")
    assert plan.wanted != old.wanted
    assert [digest(m.definition()) for m in plan.models] == [
        digest(m.definition()) for m in old.models
    ]


def test_a_true_value_of_the_users_stands_where_none_follows():
    text = TEXT.replace("small: y ~ x + (1 + x | unit)", "small: y ~ a + (1 + x | unit)")
    assert explained(text.replace("variance: x}", "variance: x, true: 0.5}")).true == 0.5
    assert explained(TEXT.replace("variance: x}", "variance: x, true: 0.5}")).true == 0.64


def explained(text):
    whole = Study.from_text(text)
    found = {t.term: t for t in targets(whole.scenarios[0], whole.models[1])}
    return found["explained"]


NOTHING = TEXT.replace('"x:a": 0.4', '"x:a": 0').replace(" a: 0.2", " a: 0")


@pytest.mark.parametrize(
    ("text", "true"),
    [
        (NOTHING, 0.0),
        (TEXT, 1 - 0.09 / (0.09 + 0.16)),
        (TEXT.replace("variance: x", 'variance: "(Intercept)"'), 1 - 0.25 / (0.25 + 0.04)),
        (TEXT.replace("variance: x", "variance: residual"), 0.0),
        (
            TEXT.replace("{level: unit}", "{level: unit, grid: [0, 1, 2]}"),
            1 - 0.09 / (0.09 + 0.32 / 3),
        ),
    ],
    ids=["nothing", "slopes", "intercepts", "residual", "grid"],
)
def test_true_values(text, true):
    """The smaller model's slopes have the variance 0.3^2 + 0.4^2 var(a)."""
    assert explained(text).true == pytest.approx(true, rel=1e-12)


def test_where_the_smaller_model_cannot_absorb_what_it_lacks_there_is_none():
    text = TEXT.replace("small: y ~ x + (1 + x | unit)", "small: y ~ a + (1 + x | unit)")
    lost = explained(text)
    assert np.isnan(lost.true)
    assert lost.reason == "the model 'small' lacks x and x:a, and sd_x|unit with them"


@pytest.mark.parametrize("variance", ["x", '"(Intercept)"'])
def test_estimates_converge_to_the_true_value(variance):
    """400 units, 100 replicates: 4 Monte Carlo standard errors, and 0.003 for 1 / 400."""
    text = TEXT.replace("units: 15", "units: 400").replace("variance: x", f"variance: {variance}")
    whole, true = Study.from_text(text), explained(text).true
    truth = whole.scenarios[0]
    drawn = simulate(truth, whole.models, 1, 0, 100)
    rows = to_table(fit_batch(truth, whole.models, drawn)["estimates"], ESTIMATES).to_pandas()
    sds = rows[rows["term"] == f"sd_{variance.strip(chr(34))}|unit"]
    full, small = (
        sds.loc[sds["model"] == name, "estimate"].to_numpy() for name in ("full", "small")
    )
    shares = 1 - (full / small) ** 2
    assert shares.mean() == pytest.approx(true, abs=4 * shares.std() / 10 + 0.003)


def test_it_does_not_depend_on_portions_nor_on_what_batches_hold(tmp_path, results, monkeypatch):
    plan = Plan.read(results / "plan.json")
    whole = summarized_of(plan, results, tmp_path / "whole")
    monkeypatch.setattr(stage, "ROWS", 1)
    assert summarized_of(plan, results, tmp_path / "portions").equals(whole)


def summarized_of(plan, results, folder):
    folder.mkdir()
    (folder / "parts").symlink_to(results / "parts")
    return summarized(plan, folder)["measures"]


def test_a_batch_that_holds_one_model_does(tmp_path, measures):
    """The small model comes later: its batch has it alone."""
    one = TEXT.replace("  small: y ~ x + (1 + x | unit)\n", "").replace(
        ", explained: {less: small, more: full, variance: x}", ""
    )
    file = tmp_path / "own.yaml"
    file.write_text(one)
    make_results(tmp_path, study=file)
    file.write_text(TEXT)
    folder = whole(make_results(tmp_path, study=file))
    plan = Plan.read(folder / "plan.json")
    assert [len(batch.models) for batch in plan.batches] == [1, 1]
    grown = read_frame(folder / "measures.parquet")
    pd.testing.assert_frame_equal(grown, measures, check_exact=True)


def test_expressions_have_bias_and_coverage(results, measures):
    for term, true, kind in (("total", 0.7, "contrast"), ("ratio", 0.3, "positive_function")):
        rows, found = estimates(results, term, "full"), values(measures, term)
        assert set(found["kind"]) == {kind}
        known = rows["lower"].notna()
        covers = ((rows["lower"] <= true) & (true <= rows["upper"]))[known].mean()
        assert found.estimate["bias"] == pytest.approx(rows["estimate"].mean() - true, abs=1e-12)
        assert found.estimate["coverage"] == pytest.approx(covers, abs=1e-12)
        assert ("rejection" in found.index) == (kind == "contrast")


def test_r2_has_bias_and_coverage_where_it_has_a_true_value(measures):
    assert {"bias", "coverage"} <= set(values(measures, "r2_rows").index)
    assert "bias" not in values(measures, "r2_rows", "small").index


def test_tables_have_them(measures):
    shown = with_words(measures, Study.from_text(TEXT).models)
    words = dict(zip(shown["term"], shown[WORDS], strict=True))
    assert words["r2_rows"] == "R2 within units"
    assert "total" in set(wide_table(shown, "fixed")["term"])
    random = wide_table(shown, "random")
    assert {"ratio", "r2_rows", "explained"} <= set(random["term"])


def test_check_prints_them(tmp_path, capsys):
    file = tmp_path / "own.yaml"
    file.write_text(TEXT)
    assert main(["check", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["total", "0.7"] for line in lines)
    assert any(line.split() == ["explained", "0.64"] for line in lines)
