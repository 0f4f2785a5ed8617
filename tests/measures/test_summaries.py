"""All tables of a study, from its rows or from the files of its batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm.estimands.true_values import targets
from hlm.measures import scenario_summary as tables
from hlm.measures import summarize_all
from hlm.plan import Plan
from hlm.results import SUMMARIES, read_frame
from hlm.study import Study
from hlm.tables import accounting_table, policy_table
from hlm.tables.formatting import notes
from tests.results import make_results, summarize_results

POLICIES = ("all", "converged", "nonsingular", "absent_as_miss")
STUDY = """
name: few
seed: 11
replicates: 230
truth:
  formula: y ~ x + (1 + x | unit)
  fixed: {(Intercept): 0, x: 0}
  random: {unit: {sd: {(Intercept): 0.2, x: 0.2}, cor: 0}}
  residual: {sd: 1}
design: {units: 8, rows: 4, covariates: {x: {level: row, distribution: normal}}}
grid: {design.units: [8, 6]}
models: {slopes: y ~ x + (1 + x | unit), plain: y ~ x + (1 | unit)}
estimation: {df: [satterthwaite, infinite], tests: {line: [x]}}
policies: [all, converged, nonsingular, absent_as_miss]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("few") / "few.yaml"
    path.write_text(STUDY)
    folder = make_results(path.parent / "results", study=path)
    summarize_results(Plan.read(folder / "plan.json"), folder)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return {kind: read_frame(folder / f"{kind}.parquet") for kind in SUMMARIES}


@pytest.fixture(scope="module")
def rows(folder):
    return {kind: read_frame(folder / f"{kind}.parquet") for kind in ("estimates", "fits", "tests")}


def one(table, **labels):
    for name, value in labels.items():
        table = table[table[name] == value]
    return table


def test_rows_have_the_columns_of_the_files():
    for kind, names in (
        ("measures", tables.MEASURES),
        ("differences", tables.DIFFERENCES),
        ("accounting", tables.ACCOUNTING),
        ("selection", tables.SELECTION),
    ):
        assert list(names) == SUMMARIES[kind].names


def test_files_of_batches_give_what_the_rows_give(folder, rows, found):
    """To the last bit, from rows in any order."""
    plan = Plan.read(folder / "plan.json")
    truth = pd.DataFrame(
        [
            (scenario.key, model.name, target.term, target.kind, target.true)
            for scenario in plan.scenarios
            for model in plan.models
            for target in targets(scenario, model)
        ],
        columns=["scenario", "model", "term", "kind", "true"],
    )
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in rows.items()}
    own = summarize_all(
        shuffled["estimates"],
        shuffled["fits"],
        tests=shuffled["tests"],
        truth=truth,
        policies=POLICIES,
    )
    for kind in ("measures", "accounting", "selection"):
        names = SUMMARIES[kind].names
        labels = [n for n in names if n not in ("true", "estimate", "mcse", "mcse_robust", "n")]
        labels = [n for n in labels if n not in ("count", "rate")]
        sort = [table.sort_values(labels, ignore_index=True)[names] for table in (
            found[kind], getattr(own, kind)
        )]  # fmt: skip
        pd.testing.assert_frame_equal(*sort, check_exact=True)
    # Which model is the first, the others being compared with it, is the order of the study.
    same = own.differences[own.differences["factor"].isin(["method", "policy"])]
    keys = list(tables.DIFFERENCES[:-3])
    both = same.merge(found["differences"], on=keys, suffixes=("", "_file"))
    assert len(both) == len(same) > 1000
    for name in ("difference", "mcse", "n"):
        np.testing.assert_array_equal(both[name], both[f"{name}_file"])


def test_policies_are_those_of_the_fits(rows, found):
    fits, estimates = rows["fits"], rows["estimates"]
    ok = fits["status"].isin(["ok", "partly_identified"])
    assert 0.2 < fits["singular"].mean() < 0.9
    keys = ["scenario", "replicate", "model", "method"]
    for policy, counts in (
        ("all", ok | True),
        ("converged", ok),
        ("nonsingular", ok & (fits["singular"] == False)),  # noqa: E712 - it may be missing
    ):
        own = estimates.merge(fits.loc[counts, keys], on=keys)
        own = one(own, term="sd_x|unit", model="slopes", method="reml")
        measures = one(found["measures"], term="sd_x|unit", model="slopes", method="reml")
        measures = one(measures, policy=policy).set_index(["scenario", "measure"])
        for scenario, values in own.groupby("scenario", observed=True)["estimate"]:
            mean = measures.loc[(scenario, "mean")]
            assert mean.estimate == pytest.approx(values.mean())
            assert mean.n == values.notna().sum()
            assert measures.loc[(scenario, "n_total")].estimate == 230


def test_an_absent_interval_is_a_miss(rows, found):
    own = one(rows["estimates"], term="sd_x|unit", model="slopes", method="ml")
    covers = (own["lower"] <= 0.2) & (own["upper"] >= 0.2)
    shares = covers.groupby(own["scenario"], observed=True).mean()
    place = {"term": "sd_x|unit", "model": "slopes", "method": "ml", "measure": "coverage"}
    missed = one(found["measures"], policy="absent_as_miss", **place).set_index("scenario")
    known = one(found["measures"], policy="all", **place).set_index("scenario")
    for scenario, share in shares.items():
        assert missed.estimate[scenario] == pytest.approx(share)
        assert missed.n[scenario] == 230 > known.n[scenario]


def test_the_methods_are_compared_on_the_same_data_sets(rows, found):
    own = one(rows["estimates"], term="sigma", model="plain")
    wide = own.pivot_table(
        index=["scenario", "replicate"], columns="method", values="estimate", observed=True
    )
    gap = (wide["ml"] - wide["reml"]).groupby("scenario", observed=True)
    place = {"factor": "method", "model": "plain", "term": "sigma", "measure": "bias"}
    table = one(found["differences"], policy="all", **place).set_index("scenario")
    assert set(table["against"]) == {"reml"}
    for scenario, values in gap:
        assert table.difference[scenario] == pytest.approx(values.mean())
        assert table.mcse[scenario] == pytest.approx(values.std() / np.sqrt(230))
        # Apart they would seem to differ by nothing but chance.
        apart = wide.loc[scenario].std().pow(2).sum() / 230
        assert table.mcse[scenario] < 0.1 * np.sqrt(apart)


def test_comparisons_are_against_the_first_of_the_study(found):
    table = found["differences"]
    against = {factor: set(own["against"]) for factor, own in table.groupby("factor")}
    assert against == {
        "method": {"reml"}, "model": {"slopes"}, "inference": {"satterthwaite"}, "policy": {"all"},
    }  # fmt: skip
    # Models do not share all terms: sds of slopes are compared with nothing.
    assert "sd_x|unit" not in set(one(table, factor="model")["term"])
    assert {"F(line)", "x", "sigma"} <= set(one(table, factor="model")["term"])
    assert set(one(table, factor="inference")["measure"]) <= {
        *("model_se", "relative_error_se", "coverage", "rejection", "ci_width"),
    }
    labels = list(tables.DIFFERENCES[:-3])
    assert not table.duplicated(labels).any()


def test_all_outcomes_are_counted(rows, found):
    fits, table = rows["fits"], found["accounting"]
    cor = one(rows["estimates"], term="cor_x.(Intercept)|unit")
    counts = {
        "singular": fits[fits["singular"] == True],  # noqa: E712
        "ok": one(fits, status="ok"),
        "not_converged": one(fits, status="not_converged"),
        "converged": fits[fits["status"].isin(["ok", "partly_identified"])],
        "cor_boundary": cor[cor["estimate"].abs() == 1],
    }
    keys = ["scenario", "model", "method"]
    for outcome, own in counts.items():
        n = own.groupby(keys, observed=False).size()
        for row in one(table, outcome=outcome).itertuples():
            assert row.count == n.get((row.scenario, row.model, row.method), 0), outcome
            assert row.n == 230
    assert (one(table, outcome="perfect_fit")["count"] == 0).all()
    boundary = one(table, outcome="cor_boundary", model="slopes")["count"]
    assert (boundary > 10).all()
    wide = accounting_table(table)
    assert list(wide)[:4] == ["units", "model", "method", "n"]
    assert len(wide) == 8


def test_the_table_of_policies_says_where_they_differ(found):
    table = policy_table(found["measures"], POLICIES, found["differences"])
    sd = table[table["term"] == "sd_x|unit"]
    assert sd["policy"].tolist() == [*POLICIES] * (len(sd) // 4)
    assert sd["bias"].notna().sum() == 3 * len(sd) // 4
    text = " ".join(notes(table))
    assert "By the policy 'nonsingular' bias differs from that by 'all'" in text
    far = one(found["differences"], factor="policy", policy="nonsingular", measure="bias")
    known = (far["difference"].abs() > 2 * far["mcse"]).sum()
    assert f"in {known} of {len(far)} cases" in text


def test_a_study_without_policies_is_what_it_was():
    """The hash of what tables hold, and the plan, do not name the default."""
    study = Study.from_text(STUDY.replace("policies: [all, converged, nonsingular", "# ["))
    assert study.policies == ("all",)
    several = Study.from_text(STUDY)
    assert several.policies == POLICIES
