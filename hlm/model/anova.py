"""`anova`: likelihood ratio tests of fits of one data set, as lme4's `anova`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.kernels.limits import chi_square_p
from hlm.model.lmer import fit_frame
from hlm.model.rformat import align, format_numbers, format_p_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from hlm.model.frame import Frame
    from hlm.model.result import LmerFit

__all__ = ["Anova", "anova"]

DIGITS = 5


@dataclass(frozen=True, eq=False)
class Anova:
    """Likelihood ratio tests, each model against the one above it.

    Attributes
    ----------
    table : pandas.DataFrame
        npar, AIC, BIC, logLik, deviance, Chisq, Df, p_value, and p_boundary by the mixture where
        the models differ by one random effect; one row per model, by number of parameters.
    formulas : mapping of str to str
    refitted : bool
        REML fits were refitted by ML.
    """

    table: pd.DataFrame
    formulas: Mapping[str, str]
    refitted: bool

    def __str__(self) -> str:
        """Lay the table out as R does."""
        lines = ["refitting models with ML (instead of REML)"] if self.refitted else []
        lines += ["Models:", *(f"{name}: {text}" for name, text in self.formulas.items())]
        table = self.table
        columns = [["", *table.index], ["npar", *(f"{n}" for n in table["npar"])]]
        numbers = ("AIC", "BIC", "logLik", "deviance", "Chisq")
        columns += [[name, *_cells(table[name].to_numpy())] for name in numbers]
        columns.append(["Df", "", *(f"{k:.0f}" for k in table["Df"][1:])])
        columns.append(["Pr(>Chisq)", *_p_cells(table["p_value"].to_numpy())])
        if table["p_boundary"].notna().any():
            columns.append(["Pr(boundary)", *_p_cells(table["p_boundary"].to_numpy())])
        return "\n".join([*lines, *align(columns, left=1)])


def anova(*fits: LmerFit, refit: bool = True, **named: LmerFit) -> Anova:
    """Compare nested models of the same data by likelihood ratio tests.

    Parameters
    ----------
    *fits, **named : LmerFit
        Two or more; those without a name are called m1, m2, ... The order does not matter.
    refit : bool
        Refit REML fits by ML first. Without, the tests are of REML criteria, which must have the
        same fixed part.

    Returns
    -------
    Anova
        Print it, or take its `table`.

    Raises
    ------
    InputError
        If there are fewer than two fits, or they cannot be compared.

    Examples
    --------
    >>> from hlm import anova, lmer
    >>> from hlm.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> print(anova(one=lmer("Reaction ~ Days + (1 | Subject)", data),
    ...             two=lmer("Reaction ~ Days + (Days | Subject)", data)))
    refitting models with ML (instead of REML)
    Models:
    one: Reaction ~ Days + (1 | Subject)
    two: Reaction ~ Days + (Days | Subject)
        npar    AIC    BIC  logLik deviance  Chisq Df Pr(>Chisq) Pr(boundary)
    one    4 1802.1 1814.9 -897.04   1794.1
    two    6 1763.9 1783.1 -875.97   1751.9 42.139  2  7.072e-10    3.961e-10
    """
    import pandas as pd

    models = {**{f"m{k}": fit for k, fit in enumerate(fits, start=1)}, **named}
    if len(models) < 2:
        raise InputError(f"{len(models)} model to compare", allowed="two or more fits")
    _check(list(models.values()), refit=refit)
    refitted = refit and any(fit.reml for fit in models.values())
    if refitted:
        models = {k: fit_frame(m.frame, reml=False) if m.reml else m for k, m in models.items()}
    models = dict(sorted(models.items(), key=lambda item: item[1].npar))
    ordered = list(models.values())
    table = pd.DataFrame(
        {
            "npar": [fit.npar for fit in ordered],
            "AIC": [fit.aic for fit in ordered],
            "BIC": [fit.bic for fit in ordered],
            "logLik": [fit.loglik for fit in ordered],
            "deviance": [fit.criterion for fit in ordered],
        },
        index=list(models),
    )
    table["Chisq"] = np.maximum(-table["deviance"].diff(), 0.0)
    table["Df"] = table["npar"].diff()
    table["p_value"] = np.where(
        table["Df"] > 0, chi_square_p(table["Chisq"], table["Df"], boundary=False), np.nan
    )
    pairs = pairwise(ordered)
    on_boundary = [False, *(_adds_one_effect(small, large) for small, large in pairs)]
    mixture = chi_square_p(table["Chisq"], table["Df"], boundary=True)
    table["p_boundary"] = np.where(on_boundary, mixture, np.nan)
    return Anova(table, {name: fit.formula for name, fit in models.items()}, refitted)


def _check(fits: Sequence[LmerFit], *, refit: bool) -> None:
    """Refuse fits whose criteria are not comparable."""
    first = fits[0]
    for fit in fits[1:]:
        difference = _difference(first.frame, fit.frame)
        if difference:
            raise InputError(
                f"'{first.formula}' and '{fit.formula}' are not fitted to the same {difference}",
                allowed="fits of one response to the same rows, with the same weights",
            )
        if refit:
            continue
        if fit.reml != first.reml:
            raise InputError("a REML and an ML fit", allowed="fits by one method, or refit=True")
        if fit.reml and sorted(fit.coef_names) != sorted(first.coef_names):
            raise InputError(
                "REML criteria of models with different fixed effects are not comparable",
                allowed="refit=True",
            )


def _difference(one: Frame, other: Frame) -> str | None:
    """Say what of the data is not the same in two models, if anything that both have is not."""
    n, m = len(one.response), len(other.response)
    if n != m:
        return f"rows: {n} and {m}"
    if len(one.kept) == len(other.kept) and (one.kept != other.kept).any():
        return "rows: missing values leave out others"
    if not np.array_equal(one.response, other.response):
        return f"response: '{one.formula.response}' and '{other.formula.response}'"
    if not np.array_equal(one.weights, other.weights):
        return "rows with the same weights"
    group = one.formula.random[0].group
    if group == other.formula.random[0].group and _in_order(one) != _in_order(other):
        return f"units of '{group}'"
    columns, others = _columns(one), _columns(other)
    for name in columns:
        if name in others and not np.array_equal(columns[name], others[name]):
            return f"values of '{name}'"
    return None


def _in_order(frame: Frame) -> list[int]:
    """Return each row's unit, numbered by first rows, whatever the labels."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(unit, len(numbers)) for unit in frame.units.tolist()]


def _columns(frame: Frame) -> dict[str, np.ndarray]:
    """Return the fixed columns by name, where one name is one column."""
    return {
        name: column
        for name, column in zip(frame.names, frame.X.T, strict=True)
        if frame.names.count(name) == 1
    }


def _adds_one_effect(small: LmerFit, large: LmerFit) -> bool:
    """Tell whether only one random effect, with its covariances, is added."""
    of_small, of_large = (
        Counter(name for block in fit.frame.random_names for name in block)
        for fit in (small, large)
    )
    one_more = of_small <= of_large and of_large.total() == of_small.total() + 1
    groups = {fit.frame.formula.random[0].group for fit in (small, large)}
    return one_more and len(groups) == 1 and sorted(small.coef_names) == sorted(large.coef_names)


def _cells(values: np.ndarray) -> list[str]:
    texts = iter(format_numbers([v for v in values.tolist() if v == v], DIGITS))
    return [next(texts).strip() if v == v else "" for v in values.tolist()]


def _p_cells(values: np.ndarray) -> list[str]:
    texts = iter(format_p_values([v for v in values.tolist() if v == v], DIGITS - 1))
    return [next(texts) if v == v else "" for v in values.tolist()]
