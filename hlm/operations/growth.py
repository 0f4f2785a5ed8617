"""How many replicates each scenario has next, by the measures that are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.operations.fingerprint import fingerprint
from hlm.operations.leftovers import ROUND, contents_of
from hlm.plan.batch import digest
from hlm.plan.rounds import Standing
from hlm.scenario import DATA_VERSION

if TYPE_CHECKING:
    from hlm.plan.plan import Plan
    from hlm.study import Study

__all__ = ["measures_file", "standing_of"]

ALWAYS = "failed"
"""A measure that every scenario has."""


def measures_file(plan: Plan, folder: str | Path) -> Path:
    """Return where the measures of the scenarios that may still grow are: with all, or apart."""
    return Path(folder, ROUND if plan.is_partial else "", "measures.parquet")


def standing_of(
    study: Study, *, code: str, previous: Plan | None, folder: str | Path
) -> Standing | None:
    """Return where each scenario stands now, None where the study has a fixed number.

    A study that is another than at the last look, but for its scenarios, begins anew: what is
    there is not computed again, and the numbers are those of a study that was never another.

    Parameters
    ----------
    study : Study
    code : str
        Fingerprint of the code that simulates and fits.
    previous : Plan, optional
        The plan of the last run.
    folder : path
        The study's folder of results.
    """
    if study.precision is None:
        return None
    models = [model.definition() | {"true": model.true} for model in study.models]
    rule = [study.precision.to_dict(), models, study.seed, DATA_VERSION]
    basis = digest([rule, code, fingerprint("summarize")])
    before = previous.standing if previous and previous.standing else Standing({})
    if previous is not None and before.basis == basis and not before.is_settled:
        before = before.after(_ratios(previous, folder), study.precision)
    keys = [scenario.key for scenario in study.scenarios]
    return before.of(keys, study.precision.at_least, basis)


def _ratios(plan: Plan, folder: str | Path) -> dict[str, float]:
    """Return the largest MCSE of scenarios, in units of its target, as far as known for a plan."""
    from hlm.measures.distance import ratios  # with pandas and Arrow: not for jobs
    from hlm.results import read_frame

    path, precision = measures_file(plan, folder), plan.precision
    if precision is None or not path.exists() or contents_of(path) != plan.metadata()["contents"]:
        return {}  # not made yet, or damaged, and then it is made again
    wanted = [ALWAYS, *(target.measure for target in precision.targets)]
    # Rates of fits are of no policy; of the others the one that figures and tables show
    frame = read_frame(path, where={"measure": wanted, "policy": ["", plan.policies[0]]})
    return ratios(precision, {str(name): frame[name].to_numpy() for name in frame})
