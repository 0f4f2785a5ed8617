"""Covariates that come from others: what they are, and which they can come from."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from hlm.distributions import Normal
from hlm.errors import InputError, Mistakes, nearest
from hlm.rows.origins import (
    CentredAtGrandMean,
    CentredAtUnitMean,
    LatentMean,
    Measured,
    Origin,
    UnitMean,
)
from hlm.scenario import Covariate, Level
from hlm.study.schema_covariates import Centred, LatentMeanOf, MeanOf, Measures
from hlm.study.structure import refuse_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DERIVED", "check_sources", "derived", "source_of"]

Derived = MeanOf | LatentMeanOf | Centred | Measures

DERIVED = (MeanOf, LatentMeanOf, Centred, Measures)
"""The kinds of covariates that come from others."""


def source_of(spec: Derived) -> tuple[str, str]:
    """Return the key under which a covariate names its source, and the source."""
    match spec:
        case MeanOf():
            return "mean_of", spec.mean_of
        case LatentMeanOf():
            return "latent_mean_of", spec.latent_mean_of
        case Centred():
            return "centred", spec.centred
    return "measures", spec.measures


def check_sources(specs: Mapping[str, object]) -> None:
    """Refuse a covariate that comes from one that there is not, or from itself.

    Parameters
    ----------
    specs : mapping of str to covariate of the schema

    Raises
    ------
    InputError
        At the key that names the source.
    """
    with Mistakes() as mistakes:
        for name, spec in specs.items():
            if isinstance(spec, DERIVED):
                key, source = source_of(spec)
                path = f"design.covariates.{name}.{key}"
                others = [other for other in specs if other != name]
                if source not in specs:
                    mistakes.add(
                        InputError(
                            f"'{source}' is no covariate of the design",
                            path=path,
                            allowed=", ".join(others) or "a covariate: there is no other",
                            suggestion=nearest(source, others),
                        )
                    )
                elif _comes_from(name, specs):
                    allowed = "a covariate that is drawn or fixed, or comes from one"
                    problem = f"'{name}' comes from itself"
                    mistakes.add(InputError(problem, path=path, allowed=allowed))


def _comes_from(name: str, specs: Mapping[str, object]) -> bool:
    """Tell whether following the sources of a covariate leads back to it."""
    here, seen = name, set[str]()
    while isinstance(spec := specs.get(here), DERIVED) and here not in seen:
        seen.add(here)
        here = source_of(spec)[1]
        if here == name:
            return True
    return False


def derived(
    specs: Mapping[str, object], found: Mapping[str, Covariate], mean_rows: float
) -> dict[str, Covariate]:
    """Return the covariates that come from others, those of which some come among them.

    Parameters
    ----------
    specs : mapping of str to covariate of the schema
        All of the design, of which `check_sources` finds nothing.
    found : mapping of str to Covariate
        Those that do not come from others.
    mean_rows : float
        Of a unit.

    Raises
    ------
    InputError
        If one cannot come from its source.
    """
    made = dict(found)
    left = {name: spec for name, spec in specs.items() if isinstance(spec, DERIVED)}
    with Mistakes() as mistakes:
        while left:
            ready = [name for name, spec in left.items() if source_of(spec)[1] in made]
            for name in ready:
                one = mistakes.keep(_derived, name, left.pop(name), made, mean_rows)
                if one is not None:
                    made[name] = one
            if not ready:  # what is left comes from one that is wrong
                break
    return {name: made[name] for name in made if name not in found}


def _derived(
    name: str, spec: Derived, made: Mapping[str, Covariate], mean_rows: float
) -> Covariate:
    key, of = source_of(spec)
    source, path = made[of], f"design.covariates.{name}.{key}"
    refuse_labels(source, path)
    within = 1.0 - (1.0 - source.icc) / mean_rows - source.icc
    if isinstance(spec, MeanOf | LatentMeanOf):
        _refuse_level(source, "unit", path, "a covariate of the rows")
    origin: Origin
    match spec:
        case MeanOf():
            origin, share = UnitMean(of), 1.0 - within
        case LatentMeanOf():
            if not source.icc:
                raise InputError(
                    f"'{of}' has no icc: the units do not differ in it",
                    path=path,
                    allowed=f"a covariate with an icc, such as {of}: {{level: row, icc: 0.2}}",
                )
            origin, share = LatentMean(of), source.icc
        case Centred(at="unit"):
            _refuse_level(source, "unit", path, "a covariate of the rows, or at: grand")
            origin, share = CentredAtUnitMean(of), within
        case Centred():
            origin, share = CentredAtGrandMean(of), 1.0
        case Measures():
            return _measured(name, spec, source, path)
    level: Level = "unit" if isinstance(spec, MeanOf | LatentMeanOf) else source.level
    mean = 0.0 if isinstance(spec, Centred) else source.distribution.mean
    shape = Normal(mean, source.distribution.sd * sqrt(share))
    return Covariate(name, level, shape, origin=origin)


def _measured(name: str, spec: Measures, source: Covariate, path: str) -> Covariate:
    if source.distribution.is_fixed or not (
        source.origin is None or isinstance(source.origin, LatentMean)
    ):
        raise InputError(
            f"'{source.name}' is not drawn: it has no variance to share with an error",
            path=path,
            allowed="a covariate with a distribution, or the latent mean of one",
        )
    variance, reliability = source.distribution.variance, spec.reliability
    error = sqrt(variance * (1.0 - reliability) / reliability)
    shape = Normal(source.distribution.mean, sqrt(variance / reliability))
    return Covariate(name, source.level, shape, origin=Measured(source.name, error))


def _refuse_level(source: Covariate, level: Level, path: str, allowed: str) -> None:
    if source.level == level:
        problem = f"'{source.name}' has one value in each {level}"
        raise InputError(problem, path=path, allowed=allowed)
