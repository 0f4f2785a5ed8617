"""One run of the study that nobody disturbed, for all tests of faults."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.shared import made_once

from . import campaign


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The run; only to be read, for other processes do so too."""

    def make(folder):
        took = campaign.undisturbed(folder / "run").seconds
        (folder / "seconds").write_text(str(took))

    folder = made_once(tmp_path_factory, "undisturbed", make)
    results, seconds = campaign.results(folder / "run"), float((folder / "seconds").read_text())
    return campaign.Undisturbed(folder / "run", results, seconds)


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the finished study, with the times of its files."""
    shutil.copytree(undisturbed.folder, tmp_path / "copy")
    return replace(undisturbed, folder=tmp_path / "copy")
