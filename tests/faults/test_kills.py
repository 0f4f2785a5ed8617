"""Runs that are killed end, once they are run again, as those that are not."""

from __future__ import annotations

import pytest

from .campaign import campaign


@pytest.mark.slow
def test_killed_runs_complete_with_the_same_tables(undisturbed, tmp_path):
    tally = campaign(tmp_path / "killed", undisturbed, kills=3, seconds=600, seed=4)
    assert tally.kills.total() == 3, tally
    assert tally.rounds >= 1
