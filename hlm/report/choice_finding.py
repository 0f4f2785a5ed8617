"""Which model each criterion chooses, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.formula import parse
from hlm.report.finding import Finding, Places, in_percent, region, share_of
from hlm.results.grid_columns import levels
from hlm.words.criteria_words import CRITERION_WORDS, REML_NOTE
from hlm.words.fitting import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from hlm.results.shown import Planned

__all__ = ["choice_findings"]


def choice_findings(selection: pd.DataFrame, study: Planned) -> Iterator[Finding]:
    """Yield a finding on how often each criterion chooses each model.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection`.
    study : Study or Plan
        For the formulas of truth and models.
    """
    known = selection[selection["rate"].notna()]
    if known.empty or len(levels(known["model"])) < 2:
        return
    true, grid = _true_model(study), Places.of(known).factors
    lines = [
        f"{CRITERION_WORDS.get(str(criterion), str(criterion))}, "
        f"{METHODS.get(str(method), str(method))}: {_of_criterion(own, true, grid)}."
        for (criterion, method), own in known.groupby(["criterion", "method"], sort=False)
    ]
    who = f"The formula of {true} is that of the truth." if true else (
        "No model has the formula of the truth."
    )  # fmt: skip
    said = f"{who} Chosen most often, with the shares of data sets in which it is:"
    names = tuple(f"selection_{name}" for name in known["criterion"].drop_duplicates())
    notes = (REML_NOTE,) if _has_reml(known, study) else ()
    yield Finding("Selection", said, (*lines, *notes), figures=names)


def _of_criterion(rows: pd.DataFrame, true: str | None, grid: tuple[str, ...]) -> str:
    """Say which models are chosen most often, each in how many scenarios, which, and how often."""
    best = rows.loc[rows.groupby("scenario", sort=False)["rate"].idxmax()]
    n, parts = len(best), []
    for model, own in sorted(best.groupby("model", sort=False), key=lambda one: -len(one[1])):
        least, most = own["rate"].min(), own["rate"].max()
        span = in_percent(least) if least == most else f"{in_percent(least)} to {in_percent(most)}"
        where = region(own, best, grid)
        of = f" in {share_of(n, len(own), 'scenarios')}" if n > 1 else ""
        parts.append(f"{model}{of} ({span}{f'; {where}' if where else ''})")
    if true in set(rows["model"]) and true not in set(best["model"]):
        rates = rows.loc[rows["model"] == true, "rate"]
        parts.append(f"{true} nowhere ({in_percent(rates.min())} to {in_percent(rates.max())})")
    return "; ".join(parts)


def _true_model(study: Planned) -> str | None:
    """Return the model with the formula of the truth in all scenarios, if there is one."""
    truths = {scenario.formula for scenario in study.scenarios}
    if len(truths) != 1:
        return None
    truth = parse(truths.pop())
    return next((model.name for model in study.models if parse(model.formula) == truth), None)


def _has_reml(selection: pd.DataFrame, study: Planned) -> bool:
    """Tell whether REML criteria of models with different fixed parts are compared."""
    from hlm.measures.chosen import without_reason

    criteria = selection.loc[selection["method"] == "reml", "criterion"].drop_duplicates()
    return any(without_reason(one, "reml", study.models) for one in criteria)
