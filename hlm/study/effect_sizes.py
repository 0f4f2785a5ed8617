r"""Effect sizes of a truth -> the coefficients and sds that they stand for.

With tau^2 the variance of the random intercepts and sigma^2 that of the residuals:

- icc = tau^2/(tau^2 + sigma^2), total_variance = tau^2 + sigma^2;
- slope_variance_ratio = variance of the slope over sigma^2;
- d = b/sqrt(tau^2 + sigma^2), d_within = b/sigma, d_between = b/(sd of the random effect whose mean
  the term moves);
- r2 = b^2 v/V, where V is the whole variance of the term's level, and v that of its column which
  terms of the level that do not contain it leave.

The coefficients of a level that are given by r2 are s w, with s = sqrt(r2/v) of each, w^2 = V and

    w^2 = (b + s w)' C (b + s w) + U,

where b are the other coefficients, C is the covariance of the columns at that level and U what the
random part and, within units, the residual add. Rows are first: terms of units do not vary there.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.column_moments import column_moments
from hlm.estimands.implied import of_effects
from hlm.formula import parse
from hlm.scenario import INTERCEPT
from hlm.study.sized import OF_COEFFICIENTS, are_whole
from hlm.study.truth import correlations, read_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hlm.estimands.column_moments import Moments, Rows
    from hlm.formula import Formula, Levels, Term
    from hlm.scenario import Covariate
    from hlm.study.schema import EffectSizes, Truth

    Data = tuple[tuple[Covariate, ...], Rows]

__all__ = ["check_sizes", "completed", "resolved"]

Floats = NDArray[np.float64]

PATH = "truth.effect_sizes"
NOTHING = 1e-12
"""A share of the square of a column below which it does not vary."""


def completed(tree: dict[str, Any]) -> dict[str, Any]:
    """Give what effect sizes stand for, and is left out, a place with nothing in it.

    Parameters
    ----------
    tree : dict
        A study as written, though there may be mistakes in it.

    Examples
    --------
    >>> truth = {"formula": "y ~ 1 + (1 | g)", "effect_sizes": {"icc": 0.2, "total_variance": 1}}
    >>> found = completed({"truth": truth})["truth"]
    >>> found["random"], found["residual"]
    ({'g': {'sd': {}}}, {'sd': None})
    """
    truth = tree.get("truth")
    if not isinstance(truth, dict) or not isinstance(sizes := truth.get("effect_sizes"), dict):
        return tree
    changed = dict(truth)
    if any(sizes.get(key) for key in OF_COEFFICIENTS):
        changed.setdefault("fixed", {})
    if "icc" in sizes or sizes.get("slope_variance_ratio"):
        changed["random"] = _with_sds(truth.get("random", _group(truth)))
    if "total_variance" in sizes and isinstance(residual := truth.get("residual", {}), dict):
        changed["residual"] = {"sd": None, **residual}
    return {**tree, "truth": changed}


def _group(truth: Mapping[str, Any]) -> dict[str, Any]:
    """Return an empty part for the group of a formula that can be read."""
    try:
        formula = parse(str(truth.get("formula")))
    except InputError:
        return {}
    return {formula.random[0].group: {}}


def _with_sds(random: Any) -> Any:
    if not isinstance(random, dict):
        return random
    return {
        group: {"sd": {}, **part} if isinstance(part, dict) else part
        for group, part in random.items()
    }


def check_sizes(formula: Formula, text: str, truth: Mapping[str, Any]) -> None:
    """Refuse effect sizes of what a formula does not have, or that has a value besides.

    Parameters
    ----------
    formula : Formula
    text : str
        As written.
    truth : mapping
        As written, though there may be mistakes in it.

    Raises
    ------
    InputError
        At the effect size.
    """
    sizes = truth.get("effect_sizes")
    if not isinstance(sizes, dict):
        return
    with Mistakes() as mistakes:
        values = _keys(truth.get("fixed"))
        given = {name: f"truth.fixed.{name}" for name in values}
        for key in OF_COEFFICIENTS:
            for name in _keys(sizes.get(key)):
                mistakes.keep(_check_coefficient, formula, text, key, name)
                mistakes.keep(_once, "coefficient", name, given, f"{PATH}.{key}.{name}")
        mistakes.keep(_check_intercept, formula, text, truth, sizes)
        for name in _keys(sizes.get("slope_variance_ratio")):
            path = f"{PATH}.slope_variance_ratio.{name}"
            mistakes.keep(_check_slope, formula, text, name, path)
            mistakes.keep(_once, "random effect", name, _sds(formula, truth), path)


def _check_coefficient(formula: Formula, text: str, key: str, name: str) -> None:
    names = [term.name for term in formula.fixed]
    if key == "r2":
        names = [one for one in names if one != INTERCEPT]
    if name in names:
        return
    path = f"{PATH}.{key}.{name}"
    if key == "r2" and name in ("row", "rows", "unit", "units", "within", "between"):
        raise InputError(
            f"an r2 of '{name}', which is no term",
            path=path,
            allowed=f"{', '.join(names)}: each its share of its level, whose R2 is their sum",
        )
    if name == INTERCEPT and key == "r2":
        problem = f"'{name}' does not vary, and so has no r2"
    else:
        problem = f"the formula {text} has no coefficient '{name}'"
    raise InputError(problem, path=path, allowed=", ".join(names), suggestion=nearest(name, names))


def _once(what: str, name: str, given: dict[str, str], path: str) -> None:
    """Note that a name has a value at a path, or refuse a second one."""
    other = given.setdefault(name, path)
    if other != path:
        problem = f"the {what} '{name}' has a value by {other} too"
        raise InputError(problem, path=path, allowed="one of them")


def _sds(formula: Formula, truth: Mapping[str, Any]) -> dict[str, str]:
    """Return where the sds that are given are, by the name of the random effect."""
    group = formula.random[0].group
    random = truth.get("random")
    part = random.get(group) if isinstance(random, dict) else None
    sds = _keys(part.get("sd")) if isinstance(part, dict) else ()
    return {name: f"truth.random.{group}.sd.{name}" for name in sds}


def _check_intercept(
    formula: Formula, text: str, truth: Mapping[str, Any], sizes: Mapping[str, Any]
) -> None:
    """Check what gives the sd of the intercepts, and with it that of the residuals."""
    residual = truth.get("residual")
    sigma = residual.get("sd") if isinstance(residual, dict) else None
    icc, total = (sizes.get(key) for key in ("icc", "total_variance"))
    with Mistakes() as mistakes:
        if icc is not None:
            path = f"{PATH}.icc"
            if not any(term.is_intercept for term in formula.effects):
                problem = f"an icc, and no random intercept in {text}"
                mistakes.add(InputError(problem, path=path, allowed="a formula with (1 | ...)"))
            mistakes.keep(_once, "random effect", INTERCEPT, _sds(formula, truth), path)
        path = f"{PATH}.total_variance"
        if total is not None and icc is None and are_whole(sizes):
            problem = "a total variance without an icc, which divides it"
            mistakes.add(InputError(problem, path=path, allowed=f"with {PATH}.icc"))
        if total is not None and sigma is not None:
            problem = "the residual sd has a value by truth.residual.sd too"
            mistakes.add(InputError(problem, path=path, allowed="one of them"))


def _check_slope(formula: Formula, text: str, name: str, path: str) -> None:
    names = [term.name for term in formula.effects if not term.is_intercept]
    if name in names:
        return
    if name == INTERCEPT:
        allowed = f"random slopes; of intercepts {PATH}.icc"
        raise InputError(f"'{name}' is no slope", path=path, allowed=allowed, suggestion="icc")
    raise InputError(
        f"the formula {text} has no random slope '{name}'",
        path=path,
        allowed=", ".join(names) or "none: the formula has no random slopes",
        suggestion=nearest(name, names),
    )


def _keys(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, dict) else ()


def resolved(truth: Truth, data: Data | None, levels: Mapping[str, Levels]) -> Truth:
    """Return a truth with coefficients and sds in the place of effect sizes.

    Parameters
    ----------
    truth : Truth
    data : tuple of covariates, and rows of all units or of each
        None if these are not known: coefficients that are given by r2 are then 0.
    levels : mapping of str to Levels
        Of the covariates, as far as they are known.

    Raises
    ------
    InputError
        If there are effect sizes of what the formula does not have or that no values give.

    Examples
    --------
    >>> from hlm.study.schema import Truth
    >>> truth = Truth.model_validate({
    ...     "formula": "y ~ a + (1 | g)", "fixed": {"(Intercept)": 1}, "random": {"g": {"sd": {}}},
    ...     "residual": {"sd": 4}, "effect_sizes": {"icc": 0.36, "d": {"a": 0.5}},
    ... })
    >>> found = resolved(truth, None, {})
    >>> found.random["g"].sd, found.fixed
    ({'(Intercept)': 3.0}, {'(Intercept)': 1.0, 'a': 2.5})
    """
    sizes = truth.effect_sizes
    if sizes is None:
        return truth
    formula = read_formula(truth.formula, path="truth.formula", levels=levels)
    check_sizes(formula, truth.formula, truth.model_dump(by_alias=True))
    group = formula.random[0].group
    if group not in truth.random:
        return truth.model_copy(update={"effect_sizes": None})
    part = truth.random[group]
    sigma, sd = _sds_by_size(sizes, truth.residual.sd, part.sd)
    fixed = {**truth.fixed, **_by_differences(sizes, formula, sd, sigma, data)}
    if data is None:
        fixed |= dict.fromkeys(sizes.r2, 0.0)
    elif sizes.r2 and all(term.name in sd for term in formula.effects):
        cor = correlations(part, formula.blocks, f"truth.random.{group}.cor")
        random = _random_part(formula, sd, np.array(cor), data)
        fixed = _by_shares(sizes.r2, formula, fixed, (random[0] + sigma**2, random[1]), data)
    return truth.model_copy(
        update={
            "effect_sizes": None,
            "fixed": fixed,
            "random": {**truth.random, group: part.model_copy(update={"sd": sd})},
            "residual": truth.residual.model_copy(update={"sd": sigma}),
        }
    )


def _sds_by_size(
    sizes: EffectSizes, sigma: float | None, sds: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """Return the residual sd and those of the random effects."""
    found = dict(sds)
    share = sizes.icc
    if sizes.total_variance is not None and share is not None:
        found[INTERCEPT] = sqrt(share * sizes.total_variance)
        sigma = sqrt((1.0 - share) * sizes.total_variance)
    sigma = float(sigma or 0.0)
    if sizes.total_variance is None and share is not None:
        found[INTERCEPT] = sigma * sqrt(share / (1.0 - share))
    for name, ratio in sizes.slope_variance_ratio.items():
        found[name] = sigma * sqrt(ratio)
    return sigma, found


def _by_differences(
    sizes: EffectSizes,
    formula: Formula,
    sd: Mapping[str, float],
    sigma: float,
    data: Data | None,
) -> dict[str, float]:
    """Return the coefficients that are given in units of an sd."""
    total = sqrt(sd.get(INTERCEPT, 0.0) ** 2 + sigma**2)
    found = {name: size * total for name, size in sizes.d.items()}
    found |= {name: size * sigma for name, size in sizes.d_within.items()}
    terms = {term.name: term for term in formula.fixed}
    with Mistakes() as mistakes:
        for name, size in sizes.d_between.items():
            unit = mistakes.keep(_moved_sd, terms[name], formula, sd, data)
            found[name] = size * (unit or 0.0)
    return found


def _moved_sd(term: Term, formula: Formula, sd: Mapping[str, float], data: Data | None) -> float:
    """Return the sd of the random effect that, times covariates of units, makes up the term."""
    rows = {c.name for c in data[0] if c.level == "row"} if data else set()
    path = f"{PATH}.d_between.{term.name}"
    for effect in sorted(formula.effects, key=lambda effect: -len(effect.factors)):
        rest = [factor for factor in term.factors if factor not in effect.factors]
        whole = len(rest) + len(effect.factors) == len(term.factors)
        if whole and not any(rows.intersection(factor.variables) for factor in rest):
            size = sd.get(effect.name, 1.0)
            if size == 0.0:
                problem = f"a share of the sd of '{effect.name}', which is 0"
                raise InputError(problem, path=path, allowed="d, d_within, or an sd above 0")
            return size
    raise InputError(
        f"'{term.name}' is no random effect times covariates of units",
        path=path,
        allowed="d or d_within; d_between of the mean of a random effect, or of what moves it",
    )


def _random_part(
    formula: Formula, sd: Mapping[str, float], cor: Floats, data: Data
) -> tuple[float, float]:
    """Return what the random part adds to the variances within units and of their means."""
    sds = np.array([sd[term.name] for term in formula.effects])
    return of_effects(formula.effects, sds, cor, *data)[:2]


def _by_shares(
    r2: Mapping[str, float],
    formula: Formula,
    fixed: Mapping[str, float],
    others: tuple[float, float],
    data: Data,
) -> dict[str, float]:
    """Return all coefficients, those by r2 among them; `others` is U of rows and of units."""
    moments = column_moments(formula.fixed, *data)
    _refuse_dependent(r2, formula, data[0])
    rows = {c.name for c in data[0] if c.level == "row"}
    is_of_rows = [bool(rows.intersection(term.variables)) for term in formula.fixed]
    b = np.array([fixed.get(term.name, 0.0) for term in formula.fixed])
    levels = (moments.within, moments.between)
    for level, of_level, unexplained in zip(("rows", "units"), levels, others, strict=True):
        own = [j for j, of_rows in enumerate(is_of_rows) if of_rows == (level == "rows")]
        asked = {j: r2[formula.fixed[j].name] for j in own if formula.fixed[j].name in r2}
        s = np.zeros(len(b))
        with Mistakes() as mistakes:
            for j, share in asked.items():
                v = mistakes.keep(_own_variance, j, own, formula.fixed, of_level, moments)
                s[j] = sqrt(share / v) if v else 0.0
        if s.any():
            names = [formula.fixed[j].name for j in asked]
            b = b + s * _root(b, s, of_level, unexplained, level, names)
    return {**fixed, **{term.name: float(b[j]) for j, term in enumerate(formula.fixed)}}


def _refuse_dependent(
    r2: Mapping[str, float], formula: Formula, covariates: Iterable[Covariate]
) -> None:
    """Refuse shares where covariates depend on one another: variances are then of a sample."""
    dependent = {c.name for c in covariates if not c.is_plain}
    with Mistakes() as mistakes:
        for term in formula.fixed:
            if dependent.intersection(term.variables):
                problem = f"r2 where '{term.name}' has a covariate that comes from others"
                allowed = "d, d_within, d_between, or a coefficient"
                path = f"{PATH}.r2.{next(iter(r2))}"
                mistakes.add(InputError(problem, path=path, allowed=allowed))


def _own_variance(
    j: int, own: Iterable[int], terms: tuple[Term, ...], C: Floats, moments: Moments
) -> float:
    """Return the variance of a column that terms of its level without it leave."""
    factors = set(terms[j].factors)
    others = [k for k in own if k != j and not factors < set(terms[k].factors)]
    others = [k for k in others if C[k, k] > 0.0]
    explained = 0.0
    if others:
        inner, cross = C[np.ix_(others, others)], C[others, j]
        explained = float(cross @ np.linalg.lstsq(inner, cross, rcond=None)[0])
    left = float(C[j, j]) - explained
    size = moments.within[j, j] + moments.between[j, j] + moments.mean[j] ** 2
    if left <= NOTHING * size:
        raise InputError(
            f"'{terms[j].name}' does not vary at its level, or only with other terms",
            path=f"{PATH}.r2.{terms[j].name}",
            allowed="a term with a variance of its own",
        )
    return left


def _root(
    b: Floats, s: Floats, C: Floats, unexplained: float, level: str, names: list[str]
) -> float:
    """Return w, the root of the whole variance of a level."""
    path = f"{PATH}.r2"
    left = 1.0 - float(s @ C @ s)
    if left <= NOTHING:
        raise InputError(
            f"the shares of {', '.join(names)} leave nothing of the variance of {level}",
            path=path,
            allowed="shares that add to less than 1",
        )
    linear, known = float(b @ C @ s), float(b @ C @ b) + unexplained
    if known <= 0.0:
        raise InputError(
            f"shares of the variance of {level}, which have none besides",
            path=path,
            allowed="a random intercept with an sd above 0",
        )
    return (linear + sqrt(linear**2 + left * known)) / left
