"""A scenario, a model and a term -> power and width in closed form, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from hlm.closed_forms.exactness import inexact_because, singular_share
from hlm.closed_forms.obstacles import obstacle
from hlm.closed_forms.question import question_of
from hlm.closed_forms.truth_information import UndeterminedError
from hlm.errors import InputError, nearest
from hlm.estimands import names
from hlm.estimands.model_estimands import estimands_of

if TYPE_CHECKING:
    from hlm.closed_forms.question import Answers, Question
    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Model, Scenario

__all__ = ["ClosedForm", "NoClosedForm", "asked", "closed_form"]

RARELY = 1e-3
"""A share of singular fits below which a value counts as exact."""

ALIKE = 1e-10
"""Covariances that differ by a smaller share are of designs that differ in the order of units."""


@dataclass(frozen=True)
class ClosedForm:
    """What is known of a term without simulation.

    Attributes
    ----------
    power : float
        How often the two-sided t test, or the F test, rejects at one less the model's level.
    width : float
        The expected width of the interval; NaN of an F test.
    se : float
        The standard error at the true variances; NaN of an F test.
    df : float
        The (denominator) degrees of freedom of the critical value; infinite for z.
    ncp : float
        The noncentrality of t; of an F test that of F.
    exact : bool
        Whether power and width are those that infinitely many data sets would give.
    reason : str
        Why they are exact or an approximation, in a sentence.
    error : float
        The standard error of the power where it is a mean over designs that are drawn, else 0.
    """

    power: float
    width: float
    se: float
    df: float
    ncp: float
    exact: bool
    reason: str
    error: float = 0.0


@dataclass(frozen=True)
class NoClosedForm:
    """That there is no closed form.

    Attributes
    ----------
    reason : str
    """

    reason: str


def closed_form(
    scenario: Scenario,
    model: Model,
    term: str,
    *,
    inference: str | None = None,
    method: str = "reml",
) -> ClosedForm | NoClosedForm:
    r"""Return power and expected width of a term, without simulation.

    Parameters
    ----------
    scenario : Scenario
    model : Model
        It must have the terms of the truth, or others that span them.
    term : str
        A coefficient, a linear combination of coefficients or an F test, named as in results.
    inference : str, optional
        One of the inferences of coefficients; the model's first unless given.
    method : {'reml', 'ml'}

    Raises
    ------
    InputError
        The model has no such term.

    Notes
    -----
    Generalized least squares at the true variances, with degrees of freedom by the expected
    information there (`truth_information`, `noncentral`). In balanced designs t is exactly
    noncentral t. By `residual` and `between-within` the critical value has their degrees of
    freedom, and the statistic its own. By `infinite` the variances count as known, as in the
    published formulas for z. Of designs that differ between data sets it is the mean over some.

    Examples
    --------
    Diggle et al. (2002), p. 30: 65 units an arm for a difference of 0.3 sds.

    >>> from hlm.distributions import Points
    >>> from hlm.scenario import Covariate, Model, Scenario
    >>> arms = Covariate("a", "unit", Points((0.0, 1.0) * 65))
    >>> trial = Scenario("0" * 16, 130, 3, (arms,), "y ~ a + (1 | g)",
    ...                  (("(Intercept)", 0.0), ("a", 0.3)), (0.2**0.5,), ((1.0,),), 0.8**0.5)
    >>> found = closed_form(trial, Model("m", "y ~ a + (1 | g)", level=0.9), "a")
    >>> round(found.power, 3), round(found.df, 6)
    (0.801, 128.0)
    """
    question = asked(scenario, model, term, inference=inference, method=method)
    if isinstance(question, NoClosedForm):
        return question
    try:
        return _closed_form(question)
    except UndeterminedError as error:
        return NoClosedForm(str(error))


def asked(
    scenario: Scenario, model: Model, term: str, *, inference: str | None, method: str
) -> Question | NoClosedForm:
    """Return the question whose answer is the closed form of a term; arguments as there."""
    inference = inference or model.df[0]
    one = _named(term, model)
    why_not = obstacle(scenario, model, one, inference=inference, method=method)
    if why_not:
        return NoClosedForm(why_not)
    return question_of(scenario, model, one, inference)


def _named(term: str, model: Model) -> Estimand:
    known = {one.name: one for one in estimands_of(model)}
    if term not in known:
        raise InputError(
            f"the model '{model.name}' has no term '{term}'",
            allowed=", ".join(known),
            suggestion=nearest(term, known),
        )
    return known[term]


def _closed_form(question: Question) -> ClosedForm | NoClosedForm:
    answers = question.answers()
    if not np.isfinite(answers.power).all():
        return NoClosedForm("there are too few units for its degrees of freedom")
    n, one, covariance = len(answers.df), answers.of.r == 1, answers.of.covariance
    differs = bool(np.ptp(covariance, axis=0).max() > ALIKE * np.abs(covariance).max())
    exact, reason = _judged(question, answers, differs=differs)
    ncp = float(answers.noncentrality.mean())
    return ClosedForm(
        power=float(answers.power.mean()),
        width=float(answers.width.mean()),
        se=question.sigma * float(np.sqrt(covariance.mean())) if one else nan,
        df=float(answers.df.mean()),
        ncp=float(np.copysign(np.sqrt(ncp), question.values[0])) if one else ncp,
        exact=exact,
        reason=reason,
        error=float(answers.power.std(ddof=1) / np.sqrt(n)) if differs else 0.0,
    )


def _judged(question: Question, answers: Answers, *, differs: bool) -> tuple[bool, str]:
    """Tell whether answers are exact, and why or why not."""
    reasons = []
    if differs:
        reasons.append(f"the design differs between data sets, the mean of {len(answers.df)}")
    zero = [
        effect for effect, sd in zip(question.terms.effects, question.sd, strict=True) if not sd
    ]
    if zero:
        sds = (names.of_effects("sd", [effect], question.terms.group) for effect in zero)
        reasons.append(f"{' and '.join(sds)} is 0, its degrees of freedom are as without it")
    nu = float(answers.of.nu.mean())
    if np.isinf(answers.df).any():
        reasons.append(
            f"z takes the standard error as known, which has about {nu:.4g} degrees of freedom"
        )
    if not reasons:
        reasons += _of_one_design(question, answers)
    if reasons:
        return False, f"an approximation: {'; '.join(reasons)}"
    letter = "t" if len(question.values) == 1 else "F"
    return True, f"exact: the design is balanced, so that {letter} has {nu:.0f} degrees of freedom"


def _of_one_design(question: Question, answers: Answers) -> list[str]:
    first = question.in_first_design()
    why_not = inexact_because(first, answers.of)
    if why_not:
        return [f"{why_not}, and degrees of freedom are Satterthwaite's"]
    singular = singular_share(first)
    if singular > RARELY:
        return [
            f"the design is balanced, but {100.0 * singular:.2g} % of fits or more are singular"
        ]
    return []
