"""Lists in the documentation are the program's own: what is new in a catalogue is new there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hlm.cli import main
from hlm.distributions import SHAPES
from hlm.estimands.kinds import FURTHER, KINDS
from hlm.inference import COEFFICIENT_LIMITS, COEFFICIENTS, RANDOM_PART
from hlm.kernels.fit import STATUSES
from hlm.results import ESTIMATES, FITS, PREDICTIONS, TESTS
from hlm.words.fitting import METHODS
from hlm.words.measures import OF_INFERENCE
from hlm.words.predictors import PREDICTORS

ROOT = Path(__file__).parents[1]
MANUAL, README, DESIGN = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("config/README.md", "README.md", "docs/design.md")
)
CODE = re.compile(r"`([^`]*)`")


def tables(text, heading):
    """Return the rows of each table whose head has this in the first cell."""
    found = re.findall(
        rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, flags=re.MULTILINE
    )
    cells = re.compile(r"(?<!\\)\|")  # not the bars within a cell
    return [[cells.split(line)[1:-1] for line in table.splitlines()] for table in found]


def first_cells(table):
    """Return the names in the first cells of a table."""
    return [name for row in table for name in CODE.findall(row[0])]


def listed(text, pattern):
    """Return the names in code that a sentence lists where the pattern has its group."""
    return CODE.findall(re.search(pattern, text)[1])


def test_the_manual_has_every_df_for_coefficients_and_for_f_tests():
    of_coefficients, of_tests = tables(MANUAL, "`estimation.df`")
    assert first_cells(of_coefficients) == [*COEFFICIENTS, *COEFFICIENT_LIMITS]
    assert sorted(first_cells(of_tests)) == sorted([*COEFFICIENTS, *COEFFICIENT_LIMITS])


def test_the_manual_has_every_way_to_limits():
    (table,) = tables(MANUAL, "`estimation.limits`")
    assert first_cells(table) == list(RANDOM_PART)


def test_the_manual_has_every_further_estimand():
    (table,) = tables(MANUAL, "`estimation.estimands`")
    assert first_cells(table) == list(FURTHER)
    assert listed(MANUAL, r"\| `estimation.estimands` \| list or mapping \| none \| (.*):") == list(
        FURTHER
    )


def test_the_manual_has_every_shape():
    *_, table = tables(MANUAL, "written")  # those before are of formulas and priors
    assert [name.partition("(")[0] for name in first_cells(table)] == list(SHAPES)


def test_the_manual_has_every_method():
    methods = listed(MANUAL, r"\| `estimation.methods` \|[^|]*\|[^|]*\|(.*)\|")
    assert methods == list(METHODS)


def test_the_manual_has_every_measure_that_rests_on_an_inference():
    names = listed(
        MANUAL, r"measures that rest on standard errors or limits \((.*?)\) once for each"
    )
    assert sorted(names) == sorted(OF_INFERENCE)


def test_the_manual_has_every_predictor():
    (table,) = tables(MANUAL, "predictor")
    assert first_cells(table) == list(PREDICTORS)


def test_the_readme_has_every_kind_of_term():
    kinds = re.search(r"`kind` \((.*?)\)", README)[1]
    assert kinds.split(", ") == list(KINDS)


@pytest.mark.parametrize(
    ("file", "schema", "names"),
    [
        ("estimates", ESTIMATES, "scenario replicate model method term"),
        ("fits", FITS, "scenario replicate model method"),
        ("tests", TESTS, "scenario replicate model method test"),
        ("predictions", PREDICTIONS, "scenario replicate model method term predictor"),
    ],
)
def test_the_readme_has_every_column(file, schema, names):
    """But for those that name the row."""
    columns = listed(README, rf"\| `{file}\.parquet` \| .*?: (`.*) \|")
    assert columns == [name for name in schema.names if name not in names.split()]


def test_the_design_has_every_status():
    (table,) = tables(DESIGN, "status")
    assert sorted(first_cells(table)) == sorted([*STATUSES, "constant_response"])


def test_the_help_of_fit_has_every_inference(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    words = re.split(r"[\s,()]+", capsys.readouterr().out)
    both = [*COEFFICIENTS.values(), *RANDOM_PART.values()]
    assert {one.name for one in both if not one.bootstrap} <= set(words)
