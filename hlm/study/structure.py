"""What residuals and missing rows depend on, and which covariates are correlated."""

from __future__ import annotations

import re
from math import exp, log, prod
from typing import TYPE_CHECKING

from hlm.distributions import Points, RowValues, Span
from hlm.distributions.copula import normal_correlations
from hlm.errors import InputError, Mistakes, nearest
from hlm.formula.cells import is_number, number_text
from hlm.rows import missing as rows_missing
from hlm.rows import residual as rows_residual
from hlm.rows.missing import PREVIOUS
from hlm.scenario import INTERCEPT, CorrelatedSet
from hlm.study.correlations import correlation_matrix
from hlm.study.schema_missing import Waves, WeibullDropout
from hlm.study.schema_residual import ByCovariate, ByUnit, Exponential, Power
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hlm.scenario import Covariate
    from hlm.study.schema import Design, Residual
    from hlm.study.schema_missing import Missing

__all__ = [
    "autocorrelation",
    "check_left",
    "check_structure",
    "correlated",
    "missing",
    "refuse_labels",
    "variance",
]

MISSING = "design.missing"
RESIDUAL = "truth.residual"

_INTERCEPT = ("intercept", "constant", "const", "1", "_cons", "b0")
_BEFORE = ("last", "prev", "lag", "lagged", "before", "lag1", "previous_y", "ar1")
"""What users call the intercept and the response of the row before."""

LARGEST = 230.0
"""The logarithm of an sd over the stated one beyond which numbers lose their digits: 1e100."""


def check_structure(
    residual: Residual, design: Design, covariates: Collection[str], response: str
) -> None:
    """Refuse names of what there is not.

    Parameters
    ----------
    residual : Residual
    design : Design
    covariates : collection of str
        The names of the design's.
    response : str

    Raises
    ------
    InputError
        At each name.
    """
    with Mistakes() as mistakes:
        for path, name in _names(residual, design):
            if name not in covariates:
                mistakes.add(_unknown(name, path, covariates))
        for path, slopes in _slopes(design):
            known = [INTERCEPT, *covariates, PREVIOUS, response]
            for name in slopes:
                if name not in known:
                    near = _meant_slope(name, response)
                    mistakes.add(_unknown(name, f"{path}.{name}", known, near))
        sets = design.correlated.items()
        for (name, one), (_, other) in ((a, b) for a in sets for b in sets if a[0] > b[0]):
            for twice in set(one.of) & set(other.of):
                problem, path = f"'{twice}' is in two sets", f"design.correlated.{name}.of"
                allowed = "one set of all that are correlated, with a matrix as cor"
                mistakes.add(InputError(problem, path=path, allowed=allowed))


def _names(residual: Residual, design: Design) -> Iterator[tuple[str, str]]:
    """Yield where covariates are named, and which."""
    match residual.variance:
        case ByCovariate(by=name):
            yield f"{RESIDUAL}.variance.by", name
        case Power(power_of=name):
            yield f"{RESIDUAL}.variance.power_of", name
        case Exponential(exponential_of=name):
            yield f"{RESIDUAL}.variance.exponential_of", name
    if residual.ar1 is not None and not isinstance(residual.ar1, float | int):
        yield f"{RESIDUAL}.ar1.time", residual.ar1.time
    for key, one in design.correlated.items():
        for place, name in enumerate(one.of):
            yield f"design.correlated.{key}.of[{place}]", name


def _slopes(design: Design) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yield the logistic functions."""
    if design.missing.logistic is not None:
        yield f"{MISSING}.logistic", design.missing.logistic
    dropout = design.missing.dropout
    if dropout is not None and not isinstance(dropout, Waves | WeibullDropout):
        yield f"{MISSING}.dropout.logistic", dropout.logistic


def _unknown(name: str, path: str, known: Collection[str], meant: str | None = None) -> InputError:
    allowed = ", ".join(known) or "none: there are no covariates"
    if path == f"{RESIDUAL}.variance.by":
        allowed += "; or by: unit, with cv"
    problem, near = f"'{name}' is no covariate of the design", meant or nearest(name, known)
    return InputError(problem, path=path, allowed=allowed, suggestion=near)


def _meant_slope(name: str, response: str) -> str | None:
    """Find the intercept or the response of the row before by another name: lag(y), y_lag."""
    if name.lower() in _INTERCEPT:
        return INTERCEPT
    words = {*re.split(r"[^a-z0-9]+", name.lower())} - {response.lower(), "1", ""}
    return PREVIOUS if words and words <= {*_BEFORE} else None


def refuse_labels(covariate: Covariate, path: str) -> None:
    """Refuse a covariate that has labels where numbers are needed.

    Raises
    ------
    InputError
        At the path.
    """
    if covariate.distribution.labels:
        labels = ", ".join(covariate.distribution.labels)
        raise InputError(
            f"'{covariate.name}' has labels, not numbers: {labels}",
            path=path,
            allowed="a covariate of numbers; so are categories or arms that are, such as "
            "{0: 0.5, 1: 0.5}",
        )


def variance(
    residual: Residual, covariates: Mapping[str, Covariate]
) -> rows_residual.Variance | None:
    """Return how the residual variance differs; None if by a covariate that there is not.

    Raises
    ------
    InputError
        If a covariate does not have the values that are named.
    """
    match residual.variance:
        case ByUnit() as spec:
            return rows_residual.ByUnit(spec.distribution, float(spec.cv))
        case ByCovariate(by=name) as spec if name in covariates:
            return _by_value(spec, covariates[name])
        case Power(power_of=name) as spec if name in covariates:
            return _power(spec, covariates[name])
        case Exponential(exponential_of=name) as spec if name in covariates:
            return _exponential(spec, covariates[name])
    return None


def _by_value(spec: ByCovariate, covariate: Covariate) -> rows_residual.ByValue:
    path = f"{RESIDUAL}.variance"
    values, labels = covariate.distribution.levels, covariate.distribution.labels
    if not values:
        raise InputError(
            f"'{spec.by}' does not take the same values again",
            path=f"{path}.by",
            allowed="a covariate with a few values; power_of or exponential_of for another",
        )
    shown = labels or tuple(map(number_text, values))
    places = dict(zip(shown, values, strict=True))
    written = {value: _label(value) for value in spec.ratio}
    with Mistakes() as mistakes:
        for value, label in written.items():
            if label not in places:
                mistakes.add(
                    InputError(
                        f"'{spec.by}' is never {value}",
                        path=f"{path}.ratio.{value}",
                        allowed=", ".join(shown),
                        suggestion=nearest(value, shown),
                    )
                )
            elif value != next(one for one, other in written.items() if other == label):
                problem = f"the value {label} is there twice"
                mistakes.add(InputError(problem, path=f"{path}.ratio.{value}"))
    ratios = sorted((places[written[value]], float(r)) for value, r in spec.ratio.items())
    return rows_residual.ByValue(spec.by, tuple(ratios))


def _label(text: str) -> str:
    """Return a value as labels are written: 1.0 is 1."""
    return number_text(float(text)) if is_number(text) else text


def _power(spec: Power, covariate: Covariate) -> rows_residual.ByPower:
    path = f"{RESIDUAL}.variance"
    refuse_labels(covariate, f"{path}.power_of")
    values = _extremes(covariate)
    around = not covariate.distribution.levels and values[0] <= 0.0 <= values[-1]
    if spec.exponent < 0.0 and (around or 0.0 in values):
        raise InputError(
            f"'{spec.power_of}' is 0 somewhere, where the variance would be infinite",
            path=f"{path}.exponent",
            allowed="an exponent above 0",
        )
    sizes = [log(abs(value)) for value in values if value]
    _refuse_extreme([spec.exponent * size for size in sizes], f"{path}.exponent")
    return rows_residual.ByPower(spec.power_of, float(spec.exponent))


def _exponential(spec: Exponential, covariate: Covariate) -> rows_residual.ByExponential:
    path = f"{RESIDUAL}.variance"
    refuse_labels(covariate, f"{path}.exponential_of")
    _refuse_extreme([spec.rate * value for value in _extremes(covariate)], f"{path}.rate")
    return rows_residual.ByExponential(spec.exponential_of, float(spec.rate))


def _extremes(covariate: Covariate) -> Sequence[float]:
    """Return the values of a covariate in ascending order, or what one in a million is beyond."""
    import numpy as np

    shape = covariate.distribution
    return shape.levels or tuple(shape.quantile(np.array([1e-6, 1.0 - 1e-6])).tolist())


def _refuse_extreme(logarithms: Sequence[float], path: str) -> None:
    """Refuse factors of the sd that leave no digits."""
    worst = max(logarithms, key=abs, default=0.0)
    if abs(worst) > LARGEST:
        raise InputError(
            f"the sd would be 1e{worst / log(10.0):+.0f} times the stated one somewhere",
            path=path,
            allowed="one nearer to 0",
        )


def autocorrelation(
    residual: Residual, covariates: Mapping[str, Covariate], sizes: Sequence[int]
) -> rows_residual.AutoRegressive | None:
    """Return how residuals depend on those before; None if by a time that there is not.

    Parameters
    ----------
    residual : Residual
    covariates : mapping of str to Covariate
    sizes : sequence of int
        The numbers of rows that units may have, in ascending order.

    Raises
    ------
    InputError
        If what should be a time does not grow from row to row.
    """
    spec = residual.ar1
    if spec is None or isinstance(spec, float | int):
        return rows_residual.AutoRegressive(float(spec)) if spec else None
    if spec.time not in covariates:
        return None
    time, path = covariates[spec.time], f"{RESIDUAL}.ar1"
    allowed = "a row-level covariate with a grid that grows, such as {level: row, grid: [0, 1, 3]}"
    if time.level != "row" or not time.distribution.is_fixed:
        problem = f"'{spec.time}' is no time: its values are not fixed, or those of units"
        raise InputError(problem, path=f"{path}.time", allowed=allowed)
    if isinstance(time.distribution, Points) and len(time.distribution.values) < sizes[-1]:
        raise InputError(
            f"'{spec.time}' has {len(time.distribution.values)} times, but units may have "
            f"{sizes[-1]} rows",
            path=f"{path}.time",
            allowed="as many times as the largest unit may have rows; a range, which each unit "
            "spans, such as grid: {from: 0, to: 9}",
        )
    steps = _steps(time, sizes)
    if min(steps, default=1.0) <= 0.0:
        problem = f"'{spec.time}' does not grow from row to row"
        raise InputError(problem, path=f"{path}.time", allowed=allowed)
    if spec.cor < 0.0 and any(step != int(step) for step in steps):
        raise InputError(
            f"a correlation of {spec.cor:g} at distances that are no whole numbers",
            path=f"{path}.cor",
            allowed="a correlation of 0 or more",
        )
    return rows_residual.AutoRegressive(float(spec.cor), spec.time) if spec.cor else None


def _steps(time: Covariate, sizes: Sequence[int]) -> Sequence[float]:
    """Return the distances of rows that follow one another, of units of all sizes."""
    import numpy as np

    values = time.distribution
    if isinstance(values, RowValues):
        whole, ends = np.array(values.rows), np.cumsum(values.sizes)[:-1]
        return np.concatenate([np.diff(unit) for unit in np.split(whole, ends)]).tolist()
    several = np.array([size for size in sizes if size > 1], dtype=int)
    if isinstance(values, Span):  # the same between all rows of a unit
        first, second = (values.at(np.full(len(several), row), several) for row in (0, 1))
        return (second - first).tolist()
    most = sizes[-1]
    return np.diff(values.at(np.arange(most), np.full(most, most))).tolist()


def missing(
    design: Design, most_rows: int, covariates: Mapping[str, Covariate]
) -> rows_missing.Missing | None:
    """Return which rows are missing; None if none are.

    Raises
    ------
    InputError
        If there are more waves than rows, or a slope of labels.
    """
    spec = design.missing
    with Mistakes() as mistakes:
        for path, slopes in _slopes(design):
            for name in [name for name in slopes if name in covariates]:
                mistakes.keep(refuse_labels, covariates[name], f"{path}.{name}")
        dropout = mistakes.keep(_dropout, spec, most_rows)
    logistic = None if spec.logistic is None else _logistic(spec.logistic)
    found = rows_missing.Missing(float(spec.rows), float(spec.units), logistic, dropout)
    return None if found == rows_missing.Missing() else found


def _dropout(spec: Missing, most_rows: int) -> rows_missing.Dropout | None:
    match spec.dropout:
        case None:
            return None
        case Waves(waves=gone):
            if len(gone) > most_rows:
                raise InputError(
                    f"{len(gone)} shares for units of at most {most_rows} {noun(most_rows, 'row')}",
                    path=f"{MISSING}.dropout.waves",
                    allowed="at most one share for each row",
                )
            return rows_missing.ByWave(tuple(map(float, gone))) if any(gone) else None
        case WeibullDropout(weibull=times):
            found = rows_missing.Weibull(float(times.share), float(times.shape))
            return found if times.share else None
    return rows_missing.LogisticDropout(_logistic(spec.dropout.logistic))


def check_left(found: rows_missing.Missing, n_obs: int, needed: int) -> None:
    """Refuse what leaves fewer rows, on average, than a model needs.

    Dropout leaves the first row of each unit. Of a logistic function only an intercept is looked
    at: what slopes leave depends on the data.

    Parameters
    ----------
    found : Missing
    n_obs : int
        The rows before any are missing.
    needed : int
        The coefficients of the truth.

    Raises
    ------
    InputError
        At the share that takes most.
    """
    shares = {"rows": found.rows, "units": found.units}
    if found.logistic is not None and not found.logistic.slopes:
        shares["logistic"] = 1.0 / (1.0 + exp(-max(found.logistic.intercept, -700.0)))
    left = n_obs * prod(1.0 - share for share in shares.values())
    if left <= needed:
        raise InputError(
            f"{left:.2g} of {n_obs} rows are left, on average, for {needed} coefficients",
            path=f"{MISSING}.{max(shares, key=lambda name: shares[name])}",
            allowed="smaller shares, or more units or rows",
        )


def _logistic(slopes: Mapping[str, float]) -> rows_missing.Logistic:
    own = tuple((name, float(slopes[name])) for name in sorted(slopes) if name != INTERCEPT)
    return rows_missing.Logistic(float(slopes.get(INTERCEPT, 0.0)), own)


def correlated(design: Design, covariates: Mapping[str, Covariate]) -> tuple[CorrelatedSet, ...]:
    """Return the sets of correlated covariates, but for those with a name of none.

    Raises
    ------
    InputError
        If members differ in level or are not drawn, or cannot have these correlations.
    """
    with Mistakes() as mistakes:
        found = [
            mistakes.keep(_correlated, f"design.correlated.{name}", one.of, one.cor, covariates)
            for name, one in sorted(design.correlated.items())
            if covariates.keys() >= {*one.of}
        ]
    return tuple(one for one in found if one is not None)


def _correlated(
    path: str,
    names: Sequence[str],
    cor: float | list[list[float]],
    covariates: Mapping[str, Covariate],
) -> CorrelatedSet:
    members = [covariates[name] for name in names]
    with Mistakes() as mistakes:
        for place, one in enumerate(members):
            if not one.is_plain or one.distribution.levels or one.distribution.is_fixed:
                problem = f"'{one.name}' cannot be correlated with others by a copula"
                allowed = "covariates that are drawn from continuous distributions, without icc"
                mistakes.add(InputError(problem, path=f"{path}.of[{place}]", allowed=allowed))
            elif one.level != members[0].level:
                problem = f"'{names[0]}' and '{one.name}' are of different levels"
                allowed = "covariates of one level"
                mistakes.add(InputError(problem, path=f"{path}.of[{place}]", allowed=allowed))
        matrix = correlation_matrix(cor, len(names), f"{path}.cor")
    try:
        normal_correlations([one.distribution.shape_alone for one in members], matrix)
    except InputError as error:
        raise error.at(path=f"{path}.cor") from None
    return CorrelatedSet(tuple(names), matrix)
