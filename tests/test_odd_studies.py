"""Every figure and every table of fifty odd studies, from their files to their pictures."""

import pandas as pd
import pytest
import yaml

from hlm import figures, tables
from hlm.plan import Plan
from tests.odd_studies import STUDIES
from tests.results import make_results, summarize_results


def run(content, folder):
    """Run a study up to its figures and tables; return its plan and its folder."""
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    results = make_results(folder, study=file)
    plan = Plan.read(results / "plan.json")
    summarize_results(plan, results)
    return plan, results


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_and_every_table_is_made(name, tmp_path):
    plan, results = run(STUDIES[name], tmp_path)
    drawn = figures.draw_all(plan, results, strict=True)
    written = tables.write_all(plan, results, strict=True)
    assert {path.stem for path in drawn} == set(figures.names(plan))
    assert {path.stem for path in written} == set(tables.names(plan))
    assert all(path.stat().st_size > 500 for path in drawn)
    for path in written:
        if path.suffix == ".csv":
            pd.read_csv(path)
