"""A part of a study: some of its models, methods and scenarios."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hlm.criteria import USUAL
from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model, Scenario
    from hlm.study import Study

__all__ = ["only"]


def only(
    study: Study,
    *,
    models: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    scenarios: Sequence[Scenario] | None = None,
) -> Study:
    """Return a study with no more than these of its models, methods and scenarios.

    The estimates of what is left are the same. Among other models nothing is chosen as the study
    says, and nothing compared with one that is left out.

    Parameters
    ----------
    study : Study
    models, methods : sequence of str, optional
    scenarios : sequence of Scenario, optional
        By default all.

    Raises
    ------
    InputError
        The study has no such model, or none that is fitted so.
    """
    known = {model.name: model for model in study.models}
    for name in models or ():
        if name not in known:
            raise InputError(
                f"the study has no model '{name}'",
                path="model",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
    own = [model for name, model in known.items() if models is None or name in models]
    kept = tuple(found for model in own if (found := _by(model, methods)) is not None)
    if not kept:
        there = ", ".join(dict.fromkeys(method for model in own for method in model.methods))
        raise InputError("no model is fitted so", path="method", allowed=there)
    keys = {one.key for one in (study.scenarios if scenarios is None else scenarios)}
    places = [place for place, one in enumerate(study.scenarios) if one.key in keys]
    if models is None and methods is None:
        kept = study.models
    return replace(
        study,
        models=kept,
        selection=study.selection if kept == study.models else USUAL,
        scenarios=tuple(study.scenarios[place] for place in places),
        levels=tuple(study.levels[place] for place in places),
        picks=tuple(study.picks[place] for place in places),
    )


def _by(model: Model, methods: Sequence[str] | None) -> Model | None:
    left = tuple(method for method in model.methods if methods is None or method in methods)
    return replace(model, methods=left, comparisons=()) if left else None
