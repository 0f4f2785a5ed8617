"""The estimates of a pilot fit, as a study would write them for a truth.

They are rounded to 8 significant digits: the fit of a data set differs from machine to machine in
last bits only, and a scenario's key is to be the same on all. A coefficient is rounded to the
digits of its standard error if that is larger, so that no rounding error of a zero counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.estimands.names import factors_of
from hlm.study.truth import read_formula
from hlm.words.fitting import REASONS
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.model import LmerFit
    from hlm.study.pilot_data import PilotData
    from hlm.study.schema import Method

    Floats = NDArray[np.float64]

__all__ = ["Estimates", "estimates_of", "fit_pilot", "possible", "remarks_of", "rounded"]

DIGITS = 8
SHRUNK = 1.0 - 1e-7
"""By so much correlations are nearer to 0 where rounding them leaves no possible ones."""


@dataclass(frozen=True)
class Estimates:
    """What a pilot fit says of the parameters of a truth, rounded.

    Attributes
    ----------
    fixed, sd : dict of str to float
    cor : dict of (str, str) to float
        Of each two random effects that the fit has correlated, in both orders.
    sigma : float

    Examples
    --------
    >>> pilot = Estimates({"(Intercept)": 1.5}, {"(Intercept)": 0.5}, {}, 2.0)
    >>> from hlm.formula import parse
    >>> truth = pilot.truth({"formula": "y ~ 1 + (1 | g)", "residual": {"sd": 1}})
    >>> truth["fixed"], truth["random"], truth["residual"]
    ({'(Intercept)': 1.5}, {'g': {'sd': {'(Intercept)': 0.5}}}, {'sd': 1})
    """

    fixed: Mapping[str, float]
    sd: Mapping[str, float]
    cor: Mapping[tuple[str, str], float]
    sigma: float

    @classmethod
    def unknown(cls, formula: Formula) -> Estimates:
        """Return what stands for estimates where a fit has failed: 0, and 1 for sds."""
        sds = {term.name: 1.0 for term in formula.effects}
        return cls({term.name: 0.0 for term in formula.fixed}, sds, {}, 1.0)

    def truth(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in a truth, whose formula is there: what is written stays as it is.

        Of a name that is not the formula's the nearest one gets no estimate: so it can be said to
        be meant.
        """
        formula = read_formula(written["formula"], path="truth.formula", levels={})
        group, random = formula.random[0].group, written.get("random", {})
        filled = {
            **written,
            "fixed": _over(written, "fixed", self._coefficients(formula, written)),
            "residual": _over(written, "residual", {"sd": self.sigma}),
        }
        if isinstance(random, dict):
            there = group if group in random or not random else next(iter(random))
            filled["random"] = random | {there: self._random(formula, random.get(there, {}))}
        return filled

    def _coefficients(self, formula: Formula, written: Mapping[str, Any]) -> dict[str, float]:
        known = {factors_of(name): value for name, value in self.fixed.items()}
        names = [term.name for term in formula.fixed]
        left = _without_meant(names, written.get("fixed"))
        return {name: known[factors_of(name)] for name in left if factors_of(name) in known}

    def _random(self, formula: Formula, part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        names = [term.name for term in formula.effects]
        sds = {k: self.sd[k] for k in _without_meant(names, part.get("sd")) if k in self.sd}
        cor = self._correlations(formula)
        return {**({"cor": cor} if cor else {}), **part, "sd": _over(part, "sd", sds)}

    def _correlations(self, formula: Formula) -> float | list[list[float]]:
        """Return the correlations of the formula's random effects, 0 of what the fit has not."""
        blocks = [[term.name for term in block.terms] for block in formula.random]
        where = [(b, name) for b, names in enumerate(blocks) for name in names]
        cor = np.eye(len(where))
        for i, (block, name) in enumerate(where):
            for j, (other, second) in enumerate(where):
                if i != j and block == other:
                    cor[i, j] = self.cor.get((name, second), 0.0)
        if len(where) == 2:
            return float(cor[0, 1])
        return possible(cor).tolist() if cor.any(where=~np.eye(len(where), dtype=bool)) else 0.0


def _over(written: Mapping[str, Any], key: str, estimates: Mapping[str, float]) -> Any:
    """Return estimates, with what is written in their place; what is no mapping as it is."""
    given = written.get(key, {})
    return {**estimates, **given} if isinstance(given, dict) else given


def _without_meant(names: Collection[str], given: Any) -> Iterable[str]:
    """Leave out the names that are nearest to those that are given and no names."""
    unknown = [name for name in given if name not in names] if isinstance(given, dict) else []
    meant = {nearest(name, names) for name in unknown}
    return [name for name in names if name not in meant]


def fit_pilot(formula: Formula, method: Method, data: PilotData) -> LmerFit:
    """Fit a model to the data.

    Raises
    ------
    InputError
        A column is missing or holds no numbers, or the fit does not give every estimate.
    """
    group = formula.random[0].group
    names = [formula.response, *formula.variables]
    data.check_columns(names, group=group)
    from hlm.model import lmer  # with Numba: not where a study has no pilot

    try:
        fit = lmer(formula.text, data.table[[group, *names]], method == "reml")
    except InputError as error:
        where = f", {error.path}" if error.path else ""
        raise InputError(
            f"{data.name}{where}: {error.problem}", path=data.place, allowed=error.allowed
        ) from None
    _check_fit(fit, data)
    return fit


def _check_fit(fit: LmerFit, data: PilotData) -> None:
    if fit.frame.dropped:
        raise InputError(
            f"in {data.name} the columns {', '.join(fit.frame.dropped)} depend on the others",
            path="truth.fit.formula",
            allowed="fewer terms",
        )
    if fit.status != "ok":
        named = " ".join(["", ", ".join(fit.undetermined)]).rstrip()
        raise InputError(
            f"the fit of {fit.formula} to {data.name} gives no truth: {REASONS[fit.status]}{named}",
            path="truth.fit.formula",
            allowed="another model or other data",
        )


def estimates_of(fit: LmerFit) -> Estimates:
    """Return the estimates of a fit, rounded.

    Examples
    --------
    >>> from hlm import lmer
    >>> from hlm.datasets import load_sleepstudy
    >>> found = estimates_of(lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy()))
    >>> found.fixed
    {'(Intercept)': 251.4051, 'Days': 10.467286}
    >>> found.sd["Days"], found.cor["(Intercept)", "Days"], found.sigma
    (5.9221331, 0.06555132, 25.591816)
    """
    names = [name for block in fit.frame.random_names for name in block]
    sd = np.sqrt(np.diag(fit.psi))
    return Estimates(
        {k: rounded(b, se) for k, b, se in zip(fit.coef_names, fit.beta, fit.se, strict=True)},
        {k: rounded(value) for k, value in zip(names, sd, strict=True)},
        {
            (a, b): rounded(float(np.clip(fit.psi[i, j] / (sd[i] * sd[j]), -1.0, 1.0)))
            for i, a in enumerate(names)
            for j, b in enumerate(names)
            if i != j and fit.psi[i, j]
        },
        rounded(fit.sigma),
    )


def remarks_of(fit: LmerFit, data: PilotData) -> tuple[str, ...]:
    """Say what was fitted, and whether the fit is singular."""
    left = len(data.table) - fit.nobs
    method = "REML" if fit.reml else "ML"
    rows = f"{fit.nobs} rows of {fit.n_groups} units"
    missing = f", {counted(left, 'row')} with missing values left out" if left else ""
    remarks = [f"estimates of {fit.formula} by {method} from {data.name}: {rows}{missing}"]
    if fit.singular:
        remarks.append(
            f"the fit to {data.name} is singular: a variance is 0 or a correlation 1 or -1"
        )
    return tuple(remarks)


def rounded(value: float, size: float = 0.0) -> float:
    """Round to 8 significant digits of the larger of two numbers.

    Examples
    --------
    >>> rounded(12.629003672801), rounded(1e-17, 0.5)
    (12.629004, 0.0)
    """
    largest = max(abs(value), size)
    return round(float(value), DIGITS - 1 - floor(log10(largest))) + 0.0 if largest else 0.0


def possible(cor: Floats) -> Floats:
    """Return correlations that are possible together: rounded, those of a singular fit may not be.

    Examples
    --------
    >>> bool(np.linalg.eigvalsh(possible(np.ones((3, 3)) - 2e-9 * (1 - np.eye(3)) ))[0] > -1e-9)
    True
    """
    if np.linalg.eigvalsh(cor)[0] > -1e-9:
        return cor
    shrunk = SHRUNK * cor
    np.fill_diagonal(shrunk, 1.0)
    return shrunk
