r"""What each term of a model estimates in a scenario: its true value, or why it has none.

The truth is y = X b + Z u + e with covariance Psi of u. A model has columns X*, Z* of its own. As
functions of the covariates, over all values that the design gives them, the columns of X with a
coefficient other than 0 are either combinations of the model's, X = X* C, or not. If they are, the
model is the truth in other terms: its coefficients are C b, and with Z = Z* T the covariance of its
random effects is T Psi T'. If they are not, but every column of the model is a multiple of one of
the truth's, the model is the truth less some terms: each of its terms keeps its meaning, and the
truth's value is its target, which what is left out may keep it from. A model that is neither has
no true values but those that the user gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.estimands import kinds, names
from hlm.estimands.absorbed import absorbed_covariance
from hlm.estimands.column_links import link_columns
from hlm.estimands.explained import Explained
from hlm.estimands.model_estimands import estimands_of
from hlm.estimands.parameters import Parameters
from hlm.estimands.population import of_design
from hlm.estimands.unit_coefficients import unit_columns
from hlm.formula import formula_in, terms_in
from hlm.rows.residual import ByCovariate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hlm.estimands.column_links import Link
    from hlm.estimands.estimand import Part
    from hlm.estimands.kinds import Estimand
    from hlm.formula import Formula, Term
    from hlm.scenario import Model, Scenario

__all__ = ["DIFFERS", "EACH", "FALSE", "Target", "parameters_of", "targets", "true_parameters"]

Floats = NDArray[np.float64]

ZERO = 1e-12
"""A sum below this share of its parts is 0."""

FALSE = "its hypothesis is false"
EACH = "each unit has its own"
DIFFERS = "it differs between data sets"
NO_CORRELATION = "an effect that does not vary has no correlation"


@dataclass(frozen=True)
class Target:
    """What an estimand of a model is in a scenario.

    Attributes
    ----------
    estimand : Estimand
    true : float
        NaN if there is none. Of an F test 0 if its hypothesis is true.
    reason : str
        Why there is none; empty where there is one.
    left_out : tuple of str
        The terms of the truth that the model leaves out, where the value is the truth's own.
    """

    estimand: Estimand
    true: float
    reason: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def term(self) -> str:
        """The estimand's name, as in the files of results."""
        return self.estimand.name

    @property
    def kind(self) -> str:
        """The estimand's kind."""
        return self.estimand.kind

    @property
    def follows(self) -> bool:
        """Whether the value follows from the truth, and is not only a target."""
        return self.true == self.true and not self.left_out


class _Origin(NamedTuple):
    """Why parameters have no true values, and what of the truth may keep them from theirs."""

    reason: str = ""
    left_out: tuple[str, ...] = ()


def targets(scenario: Scenario, model: Model) -> tuple[Target, ...]:
    """Return what each estimand of a model is in a scenario: tests and units' coefficients last.

    Values that the user gives (`model.true`) stand where none is computed, and in the place of the
    truth's own where the model leaves terms out. Where parameters are uncertain, what is the same
    in two data sets is so in all.

    Examples
    --------
    >>> from hlm.distributions import Normal
    >>> from hlm.scenario import Covariate, Model, Scenario
    >>> truth = Scenario("", 10, 5, (Covariate("x", "row", Normal(5.0)),), "y ~ x + (1 | g)",
    ...                  (("(Intercept)", 1.0), ("x", 0.3)), (0.5,), ((1.0,),), 1.0)
    >>> [(t.term, t.true) for t in targets(truth, Model("m", "y ~ I(x - 5) + (1 | g)"))]
    [('(Intercept)', 2.5), ('I(x - 5)', 0.3), ('sd_(Intercept)|g', 0.5), ('sigma', 1.0)]
    >>> targets(truth, Model("m", "y ~ I(x^2) + (1 | g)"))[1].reason
    'x of the truth is no combination of (Intercept) and I(x^2), and I(x^2) is not in the truth'
    """
    if scenario.uncertain is None:
        return _targets(scenario, model)
    rng = np.random.default_rng(0)
    pair = [scenario.with_truth(scenario.truths(rng, 1)) for _ in range(2)]
    bare, given = replace(model, true=()), dict(model.true)
    found: list[Target] = []
    for one, other in zip(*(_targets(own, bare) for own in pair), strict=True):
        same = one.true == other.true or np.isnan([one.true, other.true]).all()
        target = one if same else Target(one.estimand, nan, DIFFERS)
        if not target.follows and target.term in given:
            target = Target(target.estimand, given[target.term])
        found.append(target)
    return tuple(found)


def _targets(scenario: Scenario, model: Model) -> tuple[Target, ...]:
    """Return these where every data set has the same truth."""
    given, unequal = dict(model.true), _sigma(scenario)[1]
    at, origins = _parameters(scenario, model)
    found: list[Target] = []
    for one in estimands_of(model):
        if one.part not in ("fixed", "random"):
            continue
        if isinstance(one, Explained):
            target = _explained(one, scenario, replace(model, comparisons=()))
        else:
            target = _target(one, at, _together_of(origins, one.parts), unequal)
        if not target.follows and target.term in given:
            target = Target(one, given[target.term])
        found.append(target)
    unknown = origins["random"].reason
    tests = _tests(estimands_of(model), found[: at.beta.shape[-1]], at, unknown)
    return (*found, *tests, *_of_units(scenario, model))


def _explained(one: Explained, scenario: Scenario, model: Model) -> Target:
    """Return the share that is explained, where both models have a true variance.

    Of a model that lacks unit-level terms of the truth it is what its random part absorbs of them.
    """
    sds = []
    for own in (one.less, model):
        sd = next(target for target in targets(scenario, own) if target.term == one.sd)
        true = sd.true if sd.follows else _with_absorbed(scenario, own, one.sd)
        if true is None:
            lost = f"the model '{own.name}' lacks {_listed(sd.left_out)}, and {one.sd} with "
            return Target(one, nan, sd.reason or lost + _them(sd))
        sds.append(np.array(true))
    if sds[0] == 0.0:
        return Target(one, nan, f"{one.sd} is 0 in the model '{one.less.name}'")
    return Target(one, float(_short(one.share(*sds))))


def _with_absorbed(scenario: Scenario, model: Model, sd: str) -> float | None:
    """Return an sd of a model that lacks nothing but unit-level terms; None if it lacks more."""
    formula, truth = formula_in(model.formula, scenario.covariates), _truth(scenario).fixed
    beta = np.array([value for _, value in scenario.fixed])
    link = link_columns(scenario.covariates, formula.fixed, truth)
    lost = [(truth[k], beta[k]) for k in np.flatnonzero((beta != 0.0) & ~link.spanned)]
    more = absorbed_covariance(scenario, formula, lost)
    own_sd, cor, origin = _random_part(scenario, formula, ())
    if more is None or origin.reason or origin.left_out:
        return None
    at = Parameters(np.zeros(len(formula.fixed)), own_sd, cor, np.array(scenario.sigma))
    psi = at.psi + more
    if np.any(psi[~_together(formula.blocks)]):
        return None
    at = Parameters.of_covariance(at.beta, psi, at.sigma)
    return next(float(of.value(at)) for of in estimands_of(model) if of.name == sd)


def true_parameters(scenario: Scenario, model: Model) -> Parameters:
    """Return the true parameters of a model in a scenario; NaN where there are none.

    With the moments of its columns, if something that it estimates rests on them.
    """
    return _parameters(scenario, model)[0]


def _parameters(scenario: Scenario, model: Model) -> tuple[Parameters, dict[Part, _Origin]]:
    """Return these, and of each part of the model where they come from."""
    formula = formula_in(model.formula, scenario.covariates)
    beta, of_fixed, lost = _fixed_part(scenario, formula)
    sd, cor, of_random = _random_part(scenario, formula, lost)
    left_out = (*of_random.left_out, *_of_residuals(scenario))
    at = Parameters(beta, sd, cor, np.array(_sigma(scenario)[0]))
    if any(one.of_columns for one in estimands_of(model)):
        at = at._replace(population=of_design(scenario, model))
    return at, {"fixed": of_fixed, "random": of_random._replace(left_out=left_out)}


def _together_of(origins: Mapping[Part, _Origin], parts: Collection[Part]) -> _Origin:
    """Return why there is no true value of what is made of some parts, and what keeps it from it.

    What the fixed part lacks is lost to the random part too, and named once.
    """
    own = [origins[part] for part in ("fixed", "random") if part in parts]
    reason = next((origin.reason for origin in own if origin.reason), "")
    return _Origin(reason, tuple(dict.fromkeys(one for o in own for one in o.left_out)))


def parameters_of(scenario: Scenario) -> tuple[Target, ...]:
    """Return the parameters of a scenario's truth, under lme4's names.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> truth = Scenario("", 10, 5, (), "y ~ 1 + (1 + x | g)", (("(Intercept)", 1.0),),
    ...                  (0.2, 0.5), ((1.0, 0.9), (0.9, 1.0)), 0.75)
    >>> [(target.term, target.true) for target in parameters_of(truth)][2]
    ('cor_x.(Intercept)|g', 0.9)
    """
    terms = terms_in(_truth(scenario))
    beta = np.array([value for _, value in scenario.fixed])
    sd, cor = np.array(scenario.sd), np.array(scenario.cor)
    at = Parameters(beta, _short(sd), _short(cor), np.array(scenario.sigma))
    return tuple(Target(one, float(one.value(at))) for one in kinds.parameters_of(terms))


def _truth(scenario: Scenario) -> Formula:
    return formula_in(scenario.formula, scenario.covariates)


def _target(one: Estimand, at: Parameters, origin: _Origin, unequal: str) -> Target:
    if one.of_columns and origin.left_out:
        lost = f"the model lacks {_listed(origin.left_out)}, and variance with {_them(origin)}"
        return Target(one, nan, origin.reason or lost)
    true = one.value(at)
    if kinds.is_asked_for(one.kind):
        true = _short(true)
    if not np.isnan(true):
        return Target(one, float(true), "", origin.left_out)
    of_sigma = unequal and not np.isnan(one.value(at._replace(sigma=np.ones(()))))
    return Target(one, float(true), unequal if of_sigma else origin.reason or NO_CORRELATION)


def _sigma(scenario: Scenario) -> tuple[float, str]:
    """Return the residual sd, or NaN and why there is not one for all rows.

    Of sds that differ by unit it is the root of their mean square.
    """
    by = scenario.variance.by if isinstance(scenario.variance, ByCovariate) else ""
    return (nan, f"the residual variance differs by {by}") if by else (scenario.sigma, "")


def _of_residuals(scenario: Scenario) -> tuple[str, ...]:
    """Name what no model has of the truth's residuals."""
    found = []
    if scenario.variance is not None:
        by = scenario.variance.by if isinstance(scenario.variance, ByCovariate) else "unit"
        found.append(f"the residual variance by {by}")
    if scenario.autocorrelation is not None:
        found.append("the correlation of residuals")
    return tuple(found)


def _tests(
    estimands: Sequence[Estimand], coefficients: Sequence[Target], at: Parameters, random: str
) -> Iterator[Target]:
    """Yield those of the tests: 0 where all that they test is 0, the hypothesis is true.

    `random` is why the random part has no true values, if it has none.
    """
    at = at._replace(beta=np.array([target.true for target in coefficients]))
    for one in estimands:
        if isinstance(one, kinds.FTest | kinds.RatioTestOf):
            known = [coefficients[place] for place in one.places]
            unknown = [target.reason for target in known if np.isnan(target.true)]
            if isinstance(one, kinds.RatioTestOf) and one.is_unknown(at):
                unknown.append(random)
            true = float(one.value(at))
            yield Target(one, true, (unknown or [FALSE])[0] if np.isnan(true) else "")


def _of_units(scenario: Scenario, model: Model) -> Iterator[Target]:
    """Yield the coefficients of units, which have a true value in each, or none."""
    own = [one for one in estimands_of(model) if isinstance(one, kinds.UnitCoefficient)]
    reasons = unit_columns(scenario, model).reasons if own else ()
    for one, reason in zip(own, reasons, strict=True):
        yield Target(one, nan, reason or EACH)


def _fixed_part(scenario: Scenario, formula: Formula) -> tuple[Floats, _Origin, tuple[str, ...]]:
    """Return the true coefficients, (p,), and the terms of the truth that the model lacks."""
    truth, beta = _truth(scenario).fixed, np.array([value for _, value in scenario.fixed])
    link, there = link_columns(scenario.covariates, formula.fixed, truth), beta != 0.0
    if link.holds(there):
        return _sum_up(link.change[:, there], beta[there]), _Origin(), ()
    if not link.is_part:
        reason = _neither(link, truth, formula.fixed, there)
        lost = tuple(truth[k].name for k in np.flatnonzero(there & ~link.spanned))
        return np.full(len(formula.fixed), np.nan), _Origin(reason), lost
    left_out = tuple(truth[k].name for k in np.flatnonzero(there) if k not in link.place)
    return beta[link.place] / link.factor, _Origin(left_out=left_out), left_out


def _random_part(
    scenario: Scenario, formula: Formula, lost: tuple[str, ...]
) -> tuple[Floats, Floats, _Origin]:
    """Return the true sds, (q,), and correlations, (q, q).

    What the fixed part has lost of the truth goes into the variances, and what the random part has
    lost into the others and sigma: they have the truth's values as targets.
    """
    truth, terms = _truth(scenario).effects, formula.effects
    sd, cor = np.array(scenario.sd), np.array(scenario.cor)
    link, there = link_columns(scenario.covariates, terms, truth), sd > 0.0
    psi = _covariance(link.change, sd, cor) if link.holds(there) else None
    if psi is not None and not np.any(psi[~_together(formula.blocks)]):
        own = Parameters.of_covariance(np.zeros(0), psi, np.ones(()))
        return _short(own.sd), _short(np.clip(own.cor, -1.0, 1.0)), _Origin(left_out=lost)
    if link.is_part:
        sign = np.sign(link.factor)
        varies = np.where(there[link.place], 1.0, np.nan)
        own_cor = cor[np.ix_(link.place, link.place)] * np.outer(sign * varies, sign * varies)
        left_out = (*lost, *_left_out(scenario, link))
        return _short(sd[link.place] / np.abs(link.factor)), _short(own_cor), _Origin("", left_out)
    unknown = np.full(len(terms), np.nan), np.full((len(terms), len(terms)), np.nan)
    if psi is not None:
        reason = "the model has no correlation where the truth, in its terms, has one"
        return *unknown, _Origin(reason, lost)
    left_out = (*lost, *_sd_names(scenario, there & ~link.spanned))
    return *unknown, _Origin(_neither(link, truth, terms, there), left_out)


def _sum_up(change: Floats, beta: Floats) -> Floats:
    """Return C b, rid of the rounding of its sums: 0.7 - 0.3 is 0.4."""
    parts = change * beta
    total, size = parts.sum(axis=1), np.abs(parts).sum(axis=1)
    short = np.array([float(f"{value:.14g}") for value in total])
    short[np.abs(total) <= ZERO * size] = 0.0
    return np.where(np.abs(total - short) <= ZERO * size, short, total)


def _covariance(T: Floats, sd: Floats, cor: Floats) -> Floats:
    """Return T Psi T', exactly 0 where its parts cancel."""
    there = sd > 0.0
    psi = (cor * np.outer(sd, sd))[np.ix_(there, there)]
    left = T[:, there]
    total, size = left @ psi @ left.T, np.abs(left) @ np.abs(psi) @ np.abs(left).T
    return np.where(np.abs(total) <= ZERO * size, 0.0, total)


def _together(blocks: Sequence[int]) -> NDArray[np.bool_]:
    """Tell the pairs of effects that are in one block."""
    block = np.repeat(np.arange(len(blocks)), blocks)
    return block[:, None] == block


def _short(values: Floats) -> Floats:
    """Return values rid of the rounding of their last digits: 0.20000000000000004 is 0.2."""
    short = np.vectorize(lambda value: float(f"{value:.14g}"), otypes=[float])(values)
    return np.where(
        np.abs(values - short) <= 4.0 * np.finfo(float).eps * np.abs(values), short, values
    )


def _neither(
    link: Link, truth: tuple[Term, ...], terms: tuple[Term, ...], there: NDArray[np.bool_]
) -> str:
    """Say why a model is neither the truth in other terms nor the truth less some terms."""
    lost = [truth[k].name for k in np.flatnonzero(there & ~link.spanned)]
    own = [term.name for term in terms]
    foreign = [terms[j].name for j in np.flatnonzero(link.place < 0)]
    return (
        f"{_listed(lost)} of the truth {_verb(lost)} no combination of {_listed(own)}, "
        f"and {_listed(foreign)} {_verb(foreign)} not in the truth"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _them(origin: _Origin | Target) -> str:
    return "it" if len(origin.left_out) == 1 else "them"


def _verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _left_out(scenario: Scenario, link: Link) -> tuple[str, ...]:
    """Name the sds that a model leaves out, or the correlations if it leaves out only these."""
    sd = np.array(scenario.sd)
    sds = _sd_names(scenario, (sd > 0.0) & ~np.isin(np.arange(len(sd)), link.place))
    parameters = kinds.parameters_of(terms_in(_truth(scenario)))
    return sds or tuple(one.name for one in parameters if isinstance(one, kinds.Cor))


def _sd_names(scenario: Scenario, some: NDArray[np.bool_]) -> tuple[str, ...]:
    terms = terms_in(_truth(scenario))
    return tuple(
        names.of_effects("sd", [terms.effects[k]], terms.group) for k in np.flatnonzero(some)
    )
