"""The distributions of random effects in a study: one of all, or one of each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.distributions import STANDARD_NORMAL, read_call, written
from hlm.distributions.copula import normal_correlations
from hlm.errors import InputError
from hlm.study.sized import sized_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hlm.distributions import Distribution
    from hlm.study.schema import RandomPart

__all__ = ["by_effect", "check_copula", "shapes_of"]

_NORMAL = written(STANDARD_NORMAL)


def by_effect(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Write a distribution of all random effects as one of each, so that a path leads to each.

    Parameters
    ----------
    tree : mapping
        Truth and design as written, though there may be mistakes in them.

    Examples
    --------
    >>> unit = {"sd": {"(Intercept)": 1, "x": 2}, "distribution": {"x": "uniform"}}
    >>> by_effect({"truth": {"random": {"unit": unit}}})["truth"]["random"]["unit"]["distribution"]
    {'(Intercept)': 'normal', 'x': 'uniform'}
    """
    truth = tree.get("truth")
    if not isinstance(truth, dict) or not isinstance(random := truth.get("random"), dict):
        return dict(tree)
    sized = sized_names(truth)[1]
    parts = {group: _by_effect(part, sized) for group, part in random.items()}
    return {**tree, "truth": {**truth, "random": parts}}


def _by_effect(part: Any, sized: Collection[str]) -> Any:
    sds = part.get("sd") if isinstance(part, dict) else None
    if not isinstance(sds, dict):
        return part
    sds = dict.fromkeys((*sds, *sized))
    given = part.get("distribution", _NORMAL)
    others, each = (_NORMAL, given) if isinstance(given, dict) else (given, {})
    return {**part, "distribution": {**dict.fromkeys(sds, others), **each}}


def shapes_of(part: RandomPart, names: Sequence[str]) -> tuple[Distribution, ...]:
    """Return what each random effect is made of; those that are not named are normal."""
    given = part.distribution
    each = given if isinstance(given, dict) else dict.fromkeys(names, given)
    return tuple(read_call(each.get(name, _NORMAL)) for name in names)


def check_copula(
    shapes: Sequence[Distribution],
    cor: Sequence[Sequence[float]],
    blocks: Sequence[int],
    path: str,
) -> None:
    """Refuse a copula of what is not correlated, or one that there is not.

    Parameters
    ----------
    shapes : sequence of Distribution (q,)
        Of the random effects.
    cor : sequence of sequence of float (q, q)
        Their correlations.
    blocks : sequence of int
        The number of random effects of each block.
    path : str
        Of their part of the study.

    Raises
    ------
    InputError
        No effects are correlated, or not with these correlations.
    """
    if max(blocks) == 1:
        raise InputError(
            "a copula where no random effects are correlated",
            path=f"{path}.dependence",
            allowed="mixing, or no key dependence",
        )
    try:
        normal_correlations(shapes, cor)
    except InputError as error:
        raise error.at(path=f"{path}.cor") from None
