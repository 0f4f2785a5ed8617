"""Agreement with the numbers that rsimsum (R) and simsum (Stata) give for published replicates."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from hlm.measures import performance

FOLDER = Path(__file__).parents[3].joinpath("shared", "reference", "measures")

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the published replicates (GPL data) are not beside this repository"
)

# Their name: ours, and what ours is multiplied by.
NAMES = {
    "nsim": ("n_used", 1),
    "nsim_se": ("n_used", 1),
    "thetamean": ("mean", 1),
    "thetamedian": ("median", 1),
    "bias": ("bias", 1),
    "rbias": ("relative_bias", 1),
    "rbias_pct": ("relative_bias", 100),
    "empse": ("empirical_se", 1),
    "mse": ("mse", 1),
    "rmse": ("rmse", 1),
    "relprec_pct": ("relative_precision", 100),
    "modelse": ("model_se", 1),
    "relerror_pct": ("relative_error_se", 100),
    "cover": ("coverage", 1),
    "becover": ("bias_eliminated_coverage", 1),
    "power": ("rejection", 1),
    "ciwidth": ("ci_width", 1),
}
NOT_OURS = {"se2mean", "se2median", "modelse_mean"}
MISIM = {"estimate": "b", "se": "se", "true": 0.5, "method": "method", "ref": "CC", "id": "dataset"}
RELHAZ = {
    "estimate": "theta",
    "se": "se",
    "true": -0.5,
    "method": "model",
    "ref": "Cox",
    "id": "dataset",
    "by": ["n", "baseline"],
}
TT = {
    "estimate": "diff",
    "se": "se",
    "true": -1,
    "method": "method",
    "ref": "1",
    "id": "repno",
    "by": "dgm",
}
TT_LIMITS = {**TT, "lower": "conf.low", "upper": "conf.high"}
LONG = {"estimate": "beta", "se": "sebeta", "method": "method", "id": "id"}
BVSIM = {**LONG, "by": ["n", "truebeta"], "true": "truebeta", "ref": 1}
SIMSUM = {
    "check_mcse": ("stata_check", {**LONG, "true": 0, "ref": 1}),
    "check_mcse_df5": ("stata_check", {**LONG, "true": 0, "ref": 1, "df": "df"}),
    "ppsim1": ("stata_ppsim1", {**LONG, "true": 1, "ref": "augment"}),
    "bvsim1_mcse": ("stata_bvsim1", BVSIM),
    "bvsim1_robust_mcse": ("stata_bvsim1", BVSIM),
    "bvsim1_level99": ("stata_bvsim1", {**BVSIM, "level": 0.99}),
    "bvsim1_df5": ("stata_bvsim1", {**BVSIM, "df": "df"}),
    "bvsim1_modelsemean": ("stata_bvsim1", BVSIM),
}


def expected(name):
    return json.loads((FOLDER / f"{name}.expected.json").read_text())


def replicates(name):
    return pd.read_csv(FOLDER / f"{name}.csv")


def melted(wide, *, id, by=()):  # noqa: A002
    """Return one row per method from the columns b_k, se_b_k or beta_k, sebeta_k."""
    parts = [
        wide[[id, *by]].assign(method=int(column[-1]), beta=wide[column], sebeta=wide[se])
        for column, se in zip(
            [c for c in wide if c.startswith(("b_", "beta_"))],
            [c for c in wide if c.startswith("se")],
            strict=True,
        )
    ]
    return pd.concat(parts).rename(columns={id: "id"}).assign(df=5.0)


def simsum_data(name):
    wide = replicates(name)
    if name == "stata_check":
        return melted(wide, id="i")
    if name == "stata_bvsim1":
        return melted(wide, id="_dnum", by=["n", "truebeta"])
    return wide.rename(columns={"i": "id", "b1": "beta", "seb1": "sebeta"})


def compare(rows, table, keys, *, tolerance, skip=()):
    """Check every row, and return how many numbers were checked."""
    found = {
        (*map(str, row[: len(keys)]), row.measure): (row.estimate, row.mcse)
        for row in table[[*keys, "measure", "estimate", "mcse"]].itertuples(index=False)
    }
    checked = 0
    for row in rows:
        if row["measure"] in NOT_OURS or row["measure"] in skip:
            continue
        name, scale = NAMES[row["measure"]]
        estimate, mcse = found[(*(str(row[key]) for key in keys), name)]
        rel, absolute = tolerance(row["measure"])
        assert scale * estimate == pytest.approx(row["est"], rel=rel, abs=absolute), row
        checked += 1
        if row["mcse"] is None or "mcse_note" in row:
            continue
        assert scale * mcse == pytest.approx(row["mcse"], rel=rel, abs=absolute), row
        checked += 1
    return checked


def tight(_measure):
    return 1e-9, 1e-9


@pytest.mark.parametrize(
    ("name", "data", "options", "keys", "numbers"),
    [
        ("misim", "misim", MISIM, ["method"], 69),
        ("misim_level90", "misim", {**MISIM, "level": 0.9}, ["method"], 69),
        ("relhaz", "relhaz", RELHAZ, ["model", "n", "baseline"], 276),
        ("tt_normal", "tt", TT, ["dgm", "method"], 176),
    ],
)
def test_rsimsum(name, data, options, keys, numbers):
    table = performance(replicates(data), **options)
    assert compare(expected(name)["rows"], table, keys, tolerance=tight) == numbers


@pytest.mark.parametrize(
    ("name", "options"), [("tt_df", {**TT, "df": "df"}), ("tt_cilimits", TT_LIMITS)]
)
def test_rsimsum_intervals_by_t_or_by_columns(name, options):
    rows = expected(name)["rows"]
    table = performance(replicates("tt"), **options)
    compare(rows, table, ["dgm", "method"], tolerance=tight, skip={"power"})
    # rsimsum's power stays normal whatever the interval.
    power = [row for row in rows if row["measure"] == "power"]
    table = performance(replicates("tt"), **TT)
    assert compare(power, table, ["dgm", "method"], tolerance=tight) == 16


def test_rsimsum_issue_58_coverage_of_given_limits_without_se():
    published = expected("tt_cilimits")["published"]
    options = {key: value for key, value in TT_LIMITS.items() if key != "se"}
    table = performance(replicates("tt"), **options)
    coverage = table[table.measure == "coverage"].set_index(["dgm", "method"])
    for dgm, methods in published["cover_by_dgm_method"].items():
        for method, (share, mcse) in methods.items():
            row = coverage.loc[(int(dgm), int(method))]
            assert row.estimate == pytest.approx(share, abs=published["tol"])
            assert row.mcse == pytest.approx(mcse, abs=published["tol"])


@pytest.mark.parametrize(
    ("name", "options", "keys"),
    [("misim", MISIM, ["method"]), ("relhaz", RELHAZ, ["model", "n", "baseline"])],
)
def test_simsum_results_kept_by_rsimsum(name, options, keys):
    block = expected(name)["stata_simsum_in_rsimsum"]
    rel = max(block["tolerance"].values())
    table = performance(replicates(name), **options)
    assert compare(block["rows"], table, keys, tolerance=lambda _: (rel, 1e-9)) > 40


def test_published_mcse_of_the_relative_error():
    block = expected("misim")["published_relerror_mcse"]
    table = performance(replicates("misim"), **MISIM)
    mcse = table[table.measure == "relative_error_se"].set_index("method").mcse
    for method, value in zip(block["order"].split(", "), block["values"], strict=True):
        assert 100 * mcse[method] == pytest.approx(value, abs=block["tol"])


@pytest.mark.parametrize("name", SIMSUM)
def test_simsum(name):
    block = expected("stata_simsum")
    rows = next(s["rows"] for s in block["sets"] if s["id"] == name)
    data, options = SIMSUM[name]
    table = performance(simsum_data(data), **options)
    tolerance = block["tolerance"]

    def tolerance_of(measure):
        percent = measure.endswith("_pct")
        return tolerance["rel"], tolerance["abs_for_pct_measures" if percent else "abs"]

    if "robust" in name:
        # Its errors of empse, relprec and relerror assume no distribution. Of n deviations their
        # sum of squares is divided by n, n - 1 or n - 1 and once more: ours always by n - 1.
        k = table["n_"] / (table["n_"] - 1)
        power = table["measure"].map({"relative_precision": -0.5, "relative_error_se": 0.5})
        table = table.assign(mcse=table["mcse_robust"] * k ** power.fillna(0.0))
    of_mean_se = {"relerror_pct"} if name == "bvsim1_modelsemean" else set()
    keys = [*options.get("by", []), "method"]
    checked = compare(rows, table, keys, tolerance=tolerance_of, skip=of_mean_se)
    assert checked > 40
