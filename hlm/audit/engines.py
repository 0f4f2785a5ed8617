"""The other programs: R's lme4, statsmodels and glmm, each with its own defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.errors import InputError, nearest
from hlm.versions import installation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.scenario import Model

    Rows = Mapping[str, NDArray[np.float64]]

__all__ = ["ENGINES", "Engine", "OtherFit", "OtherInference", "OtherTest", "available_engines"]


class OtherTest(NamedTuple):
    """An F test by another program: the statistic, its denominator df, the p-value."""

    F: float
    ddf: float
    p: float


@dataclass(frozen=True)
class OtherInference:
    """Degrees of freedom and tests of a fit by one method of another program.

    Attributes
    ----------
    adjusted : dict of str to float
        Standard errors, where the method adjusts them, by the names of the fixed effects.
    df, p : dict of str to float
        Degrees of freedom, and p-values of t tests by them.
    tests : dict of str to OtherTest
        F tests by their names.
    """

    adjusted: Mapping[str, float] = field(default_factory=dict)
    df: Mapping[str, float] = field(default_factory=dict)
    p: Mapping[str, float] = field(default_factory=dict)
    tests: Mapping[str, OtherTest] = field(default_factory=dict)


@dataclass(frozen=True)
class OtherFit:
    """A fit by another program.

    Attributes
    ----------
    data_set : int
        Position of the data set.
    model, method : str
    status : str
        'ok', or why there is no fit.
    psi : ndarray (q, q)
        Covariance of the random effects over sigma^2.
    coef, se : dict of str to float
        By the names of the fixed effects.
    inferences : dict of str to OtherInference
        Those of the model's that the program has, named as in the study.
    criterion : float
        As the program states it, by its own definition.
    singular : bool
        By the program's own rule.
    seconds : float
    warning : str
    """

    data_set: int
    model: str
    method: str
    status: str
    psi: NDArray[np.float64] = field(default_factory=lambda: np.full((0, 0), np.nan))
    coef: Mapping[str, float] = field(default_factory=dict)
    se: Mapping[str, float] = field(default_factory=dict)
    inferences: Mapping[str, OtherInference] = field(default_factory=dict)
    criterion: float = float("nan")
    singular: bool = False
    seconds: float = float("nan")
    warning: str = ""


@dataclass(frozen=True)
class Engine:
    """A program: its name and version, and how it fits all models to all data sets."""

    name: str
    version: str
    fit: Callable[[Sequence[Rows], Sequence[Model]], list[OtherFit]]


def _lme4() -> Engine | None:
    from hlm.audit.lme4 import fit_with_lme4, lme4_version

    version = lme4_version()
    return None if version is None else Engine("lme4", version, fit_with_lme4)


def _statsmodels() -> Engine | None:
    from hlm.audit.mixedlm import fit_with_statsmodels, statsmodels_version

    version = statsmodels_version()
    return None if version is None else Engine("statsmodels", version, fit_with_statsmodels)


def _glmm() -> Engine | None:
    from hlm.audit.glmm import fit_with_glmm, glmm_version

    version = glmm_version()
    return None if version is None else Engine("glmm", version, fit_with_glmm)


ENGINES: dict[str, Callable[[], Engine | None]] = {
    "lme4": _lme4,
    "statsmodels": _statsmodels,
    "glmm": _glmm,
}

HOW = f"R with its package lme4, or statsmodels and glmm ({installation('audit')})"


def available_engines(names: Sequence[str] = ()) -> list[Engine]:
    """Return the engines of these names, or all that are installed.

    Raises
    ------
    InputError
        A name is unknown, or an engine asked for is not installed, or none is.
    """
    for name in names:
        if name not in ENGINES:
            raise InputError(
                f"no engine {name!r}",
                path="--engine",
                allowed=", ".join(ENGINES),
                suggestion=nearest(name, ENGINES),
            )
    found = {name: ENGINES[name]() for name in names or ENGINES}
    missing = [name for name, engine in found.items() if engine is None]
    if names and missing:
        raise InputError(f"{missing[0]} is not installed", path="--engine", allowed=HOW)
    if not names and len(missing) == len(ENGINES):
        raise InputError("no other engine is installed", allowed=HOW)
    return [engine for engine in found.values() if engine is not None]
