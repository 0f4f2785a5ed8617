"""What residuals and missing rows depend on, and which covariates are correlated."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

__all__ = ["autocorrelation", "check_structure", "correlated", "missing", "variance"]

MISSING = "design.missing"
RESIDUAL = "truth.residual"


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
                    mistakes.add(_unknown(name, f"{path}.{name}", known))
        sets = design.correlated.items()
        for (name, one), (_, other) in ((a, b) for a in sets for b in sets if a[0] > b[0]):
            for twice in set(one.of) & set(other.of):
                problem = f"'{twice}' is in two sets"
                mistakes.add(InputError(problem, path=f"design.correlated.{name}.of"))


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


def _unknown(name: str, path: str, known: Collection[str]) -> InputError:
    return InputError(
        f"'{name}' is no covariate of the design",
        path=path,
        allowed=", ".join(known) or "none: there are no covariates",
        suggestion=nearest(name, known),
    )


def variance(
    residual: Residual, covariates: Mapping[str, Covariate]
) -> rows_residual.Variance | None:
    """Return how the residual variance differs.

    Raises
    ------
    InputError
        If a covariate does not have the values that are named.
    """
    match residual.variance:
        case ByUnit() as spec:
            return rows_residual.ByUnit(spec.distribution, float(spec.cv))
        case ByCovariate() as spec:
            return _by_value(spec, covariates[spec.by])
        case Power() as spec:
            return _power(spec, covariates[spec.power_of])
        case Exponential() as spec:
            return rows_residual.ByExponential(spec.exponential_of, float(spec.rate))
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
    ratios = sorted((places[written[value]], float(r)) for value, r in spec.ratio.items())
    return rows_residual.ByValue(spec.by, tuple(ratios))


def _label(text: str) -> str:
    """Return a value as labels are written: 1.0 is 1."""
    return number_text(float(text)) if is_number(text) else text


def _power(spec: Power, covariate: Covariate) -> rows_residual.ByPower:
    if 0.0 in covariate.distribution.levels and spec.exponent < 0.0:
        raise InputError(
            f"'{spec.power_of}' is 0 somewhere, where the variance would be infinite",
            path=f"{RESIDUAL}.variance.exponent",
            allowed="an exponent above 0",
        )
    return rows_residual.ByPower(spec.power_of, float(spec.exponent))


def autocorrelation(
    residual: Residual, covariates: Mapping[str, Covariate], most_rows: int
) -> rows_residual.AutoRegressive | None:
    """Return how residuals depend on those before.

    Raises
    ------
    InputError
        If what should be a time does not grow from row to row.
    """
    spec = residual.ar1
    if spec is None or isinstance(spec, float | int):
        return rows_residual.AutoRegressive(float(spec)) if spec else None
    time, path = covariates[spec.time], f"{RESIDUAL}.ar1"
    allowed = "a row-level covariate with a grid that grows, such as {level: row, grid: [0, 1, 3]}"
    if time.level != "row" or not time.distribution.is_fixed:
        problem = f"'{spec.time}' is no time: its values are not fixed, or those of units"
        raise InputError(problem, path=f"{path}.time", allowed=allowed)
    steps = _steps(time, most_rows)
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


def _steps(time: Covariate, most_rows: int) -> Sequence[float]:
    import numpy as np

    size = np.full(most_rows, most_rows)
    return list(np.diff(time.distribution.at(np.arange(most_rows), size)).tolist())


def missing(design: Design, most_rows: int | None) -> rows_missing.Missing | None:
    """Return which rows are missing; None if none are.

    Raises
    ------
    InputError
        If there are more waves than rows.
    """
    spec = design.missing
    dropout: rows_missing.Dropout | None = None
    match spec.dropout:
        case Waves(waves=gone):
            if most_rows is not None and len(gone) > most_rows:
                raise InputError(
                    f"{len(gone)} shares for units of at most {most_rows} {noun(most_rows, 'row')}",
                    path=f"{MISSING}.dropout.waves",
                    allowed="at most one share for each row",
                )
            dropout = rows_missing.ByWave(tuple(map(float, gone))) if any(gone) else None
        case WeibullDropout(weibull=times):
            if times.share:
                dropout = rows_missing.Weibull(float(times.share), float(times.shape))
        case None:
            pass
        case other:
            dropout = rows_missing.LogisticDropout(_logistic(other.logistic))
    logistic = None if spec.logistic is None else _logistic(spec.logistic)
    found = rows_missing.Missing(float(spec.rows), float(spec.units), logistic, dropout)
    return None if found == rows_missing.Missing() else found


def _logistic(slopes: Mapping[str, float]) -> rows_missing.Logistic:
    own = tuple((name, float(slopes[name])) for name in sorted(slopes) if name != INTERCEPT)
    return rows_missing.Logistic(float(slopes.get(INTERCEPT, 0.0)), own)


def correlated(design: Design, covariates: Mapping[str, Covariate]) -> tuple[CorrelatedSet, ...]:
    """Return the sets of correlated covariates.

    Raises
    ------
    InputError
        If members differ in level or are not drawn, or cannot have these correlations.
    """
    with Mistakes() as mistakes:
        found = [
            mistakes.keep(_correlated, f"design.correlated.{name}", one.of, one.cor, covariates)
            for name, one in sorted(design.correlated.items())
        ]
    return tuple(one for one in found if one is not None)


def _correlated(
    path: str,
    names: Sequence[str],
    cor: float | list[list[float]],
    covariates: Mapping[str, Covariate],
) -> CorrelatedSet:
    members = [covariates[name] for name in names]
    for one in members:
        if not one.is_plain or one.distribution.levels or one.distribution.is_fixed:
            raise InputError(
                f"'{one.name}' cannot be correlated with others by a copula",
                path=f"{path}.of",
                allowed="covariates that are drawn from continuous distributions, without icc",
            )
        if one.level != members[0].level:
            problem = f"'{names[0]}' and '{one.name}' are of different levels"
            raise InputError(problem, path=f"{path}.of", allowed="covariates of one level")
    matrix = correlation_matrix(cor, len(names), f"{path}.cor")
    try:
        normal_correlations([one.distribution.shape_alone for one in members], matrix)
    except InputError as error:
        raise error.at(path=f"{path}.cor") from None
    return CorrelatedSet(tuple(names), matrix)
