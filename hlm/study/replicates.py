"""The precision that a study asks for, checked against its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.model_estimands import estimands_of
from hlm.precision import Precision, Target, needed
from hlm.study.schema_replicates import Until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model

__all__ = ["check_precision", "precision_of"]

OF_LEVEL = ("coverage", "bias_eliminated_coverage")
"""The measures that are near the level of the intervals unless something is wrong."""


def precision_of(replicates: int | Until) -> Precision | None:
    """Return the precision that the key `replicates` asks for, None where it is a number."""
    if not isinstance(replicates, Until):
        return None
    targets = tuple(Target.of(key, mcse) for key, mcse in replicates.until.items())
    return Precision(targets, replicates.at_least, replicates.at_most)


def check_precision(replicates: int | Until, models: Sequence[Model]) -> None:
    """Refuse a target for a term that no model has, or that takes more than is allowed.

    A coverage p takes p (1 - p)/MCSE^2 replicates. What others take depends on the data:
    `hlm check` tries it out.

    Raises
    ------
    InputError
        At the paths of the targets.
    """
    precision = precision_of(replicates)
    if precision is None or not models:
        return
    terms = list(dict.fromkeys(one.name for model in models for one in estimands_of(model)))
    with Mistakes() as mistakes:
        for key, target in zip(replicates.until, precision.targets, strict=True):  # type: ignore[union-attr]
            path = f"replicates.until.{key}"
            if target.term is not None and target.term not in terms:
                mistakes.add(
                    InputError(
                        f"no model has the term '{target.term}'",
                        path=path,
                        allowed=", ".join(terms),
                        suggestion=nearest(target.term, terms),
                    )
                )
            elif target.measure in OF_LEVEL:
                mistakes.keep(_check_coverage, target, path, precision.at_most, models)


def _check_coverage(target: Target, path: str, at_most: int, models: Sequence[Model]) -> None:
    level = min((model.level for model in models), key=lambda level: abs(level - 0.5))
    takes = needed(level, target.mcse)
    if takes > at_most:
        raise InputError(
            f"an MCSE of {target.mcse:g} takes {takes:,} replicates at a coverage of {level:g}, "
            f"and at_most is {at_most:,}",
            path=path,
            allowed=f"an MCSE of {(level * (1.0 - level) / at_most) ** 0.5:.2g} or more, or a "
            "larger at_most",
        )
