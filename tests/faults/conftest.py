"""One run of the study that nobody disturbed, for all tests of faults."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from . import campaign


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    return campaign.undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the finished study, with the times of its files."""
    shutil.copytree(undisturbed.folder, tmp_path / "copy")
    return replace(undisturbed, folder=tmp_path / "copy")
