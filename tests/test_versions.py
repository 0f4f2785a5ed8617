"""One name on the package index, another to import, and what files of results say."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import hlm
from hlm.audit.engines import ENGINES, available_engines
from hlm.errors import InputError
from hlm.plan import make_plan
from hlm.versions import DISTRIBUTION, installation
from tests.plan.studies import FakeStudy

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_distribution_is_hlm_studies_and_the_module_and_the_command_are_hlm():
    assert PROJECT["project"]["name"] == DISTRIBUTION == "hlm-studies"
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"][0] == "hlm"
    assert PROJECT["project"]["scripts"] == {"hlm": "hlm.cli:main"}
    assert PROJECT["project"]["version"] == hlm.__version__


def test_files_of_results_go_on_saying_hlm():
    plan = make_plan(FakeStudy(units=(10,), replicates=10))
    versions = json.loads(plan.metadata()["versions"])
    assert versions["hlm"] == hlm.__version__
    assert DISTRIBUTION not in versions


@pytest.mark.parametrize("extra", PROJECT["project"]["optional-dependencies"])
def test_a_message_names_the_distribution_that_has_the_extra(extra):
    assert installation(extra) == f"pip install 'hlm-studies[{extra}]'"


def test_an_engine_that_is_not_there_says_what_to_install(monkeypatch):
    monkeypatch.setitem(ENGINES, "statsmodels", lambda: None)
    with pytest.raises(InputError) as caught:
        available_engines(["statsmodels"])
    assert "pip install 'hlm-studies[audit]'" in caught.value.allowed
