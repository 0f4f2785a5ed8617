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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.column_links import link_columns
from hlm.formula import parse, random_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.estimands.column_links import Link
    from hlm.formula import Formula, Term
    from hlm.scenario import Model, Scenario

__all__ = ["FALSE", "Kind", "Target", "name_of_test", "parameters_of", "targets", "terms_of"]

Floats = NDArray[np.float64]
Kind = Literal["coefficient", "sd", "cor", "sigma", "test"]

ZERO = 1e-12
"""A sum below this share of its parts is 0."""

FALSE = "its hypothesis is false"
NO_CORRELATION = "an effect that does not vary has no correlation"


@dataclass(frozen=True)
class Target:
    """What one term of a model estimates in a scenario.

    Attributes
    ----------
    term : str
        As in the files of results; of an F test ``F(name)``.
    kind : {'coefficient', 'sd', 'cor', 'sigma', 'test'}
    true : float
        NaN if there is none. Of an F test 0 if its hypothesis is true.
    reason : str
        Why there is none; empty where there is one.
    left_out : tuple of str
        The terms of the truth that the model leaves out, where the value is the truth's own.
    """

    term: str
    kind: Kind
    true: float
    reason: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def follows(self) -> bool:
        """Whether the value follows from the truth, and is not only a target."""
        return self.true == self.true and not self.left_out


def targets(scenario: Scenario, model: Model) -> tuple[Target, ...]:
    """Return what each term of a model estimates in a scenario, its F tests last.

    Values that the user gives (`model.true`) stand where none is computed, and in the place of the
    truth's own where the model leaves terms out.

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
    formula, given = parse(model.formula), dict(model.true)
    fixed, lost = _fixed_targets(scenario, formula)
    random = _random_targets(scenario, formula, lost)
    found = [_with_given(target, given) for target in (*fixed, *random)]
    coefficients = {target.term: target for target in found if target.kind == "coefficient"}
    tests = (_test_target(name, [coefficients[c] for c in test]) for name, test in model.tests)
    return (*found, *tests)


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
    formula = parse(scenario.formula)
    values = _in_order(np.array(scenario.sd), np.array(scenario.cor), formula.blocks)
    random = zip(
        _random_names(formula), _random_kinds(formula), [*values, scenario.sigma], strict=True
    )
    fixed = (Target(name, "coefficient", value) for name, value in scenario.fixed)
    return (*fixed, *(Target(name, kind, value) for name, kind, value in random))


def terms_of(model: Model) -> list[str]:
    """Return the names of what a model estimates, in the order of its estimates.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> terms_of(Model("m", "y ~ x + (1 | g)"))
    ['(Intercept)', 'x', 'sd_(Intercept)|g', 'sigma']
    """
    formula = parse(model.formula)
    return [*(term.name for term in formula.fixed), *_random_names(formula)]


def name_of_test(test: str) -> str:
    """Return the name of an F test among the terms of a table: no formula has a function F.

    Examples
    --------
    >>> name_of_test("treatment")
    'F(treatment)'
    """
    return f"F({test})"


def _fixed_targets(scenario: Scenario, formula: Formula) -> tuple[list[Target], tuple[str, ...]]:
    """Return those of the coefficients, and the terms of the truth that the model lacks."""
    truth, beta = parse(scenario.formula).fixed, np.array([value for _, value in scenario.fixed])
    link, there = link_columns(scenario.covariates, formula.fixed, truth), beta != 0.0
    names = [term.name for term in formula.fixed]
    if link.holds(there):
        values = _sum_up(link.change[:, there], beta[there])
        return [Target(n, "coefficient", v) for n, v in zip(names, values, strict=True)], ()
    if not link.is_part:
        reason = _neither(link, truth, formula.fixed, there)
        lost = tuple(truth[k].name for k in np.flatnonzero(there & ~link.spanned))
        return [Target(name, "coefficient", np.nan, reason) for name in names], lost
    left_out = tuple(truth[k].name for k in np.flatnonzero(there) if k not in link.place)
    values = (beta[link.place] / link.factor).tolist()
    pairs = zip(names, values, strict=True)
    return [Target(n, "coefficient", v, left_out=left_out) for n, v in pairs], left_out


def _random_targets(scenario: Scenario, formula: Formula, lost: tuple[str, ...]) -> list[Target]:
    """Return those of sds and correlations, then of sigma.

    What the fixed part has lost of the truth goes into the variances, and what the random part has
    lost into the others and sigma: they have the truth's values as targets.
    """
    truth, terms = parse(scenario.formula).effects, formula.effects
    sd, cor = np.array(scenario.sd), np.array(scenario.cor)
    link, there, blocks = (
        link_columns(scenario.covariates, terms, truth),
        sd > 0.0,
        formula.blocks,
    )
    names, kinds = _random_names(formula), _random_kinds(formula)
    values, reason, left_out = [np.nan] * len(names[:-1]), "", lost
    psi = _covariance(link.change, sd, cor) if link.holds(there) else None
    if psi is not None and not np.any(psi[~_together(blocks)]):
        root = np.sqrt(np.diag(psi))
        values = _in_order(root, psi / _or_nan(np.outer(root, root)), blocks)
    elif link.is_part:
        sign = np.sign(link.factor)
        varies = np.where(there[link.place], 1.0, np.nan)
        own = cor[np.ix_(link.place, link.place)] * np.outer(sign * varies, sign * varies)
        values = _in_order(sd[link.place] / np.abs(link.factor), own, blocks)
        left_out = (*lost, *_left_out(scenario, link))
    elif psi is not None:
        reason = "the model has no correlation where the truth, in its terms, has one"
    else:
        reason = _neither(link, truth, terms, there)
        left_out = (*lost, *_sd_names(scenario, there & ~link.spanned))
    random = zip(names[:-1], kinds, values, strict=False)
    return [
        *(Target(n, k, v, (reason or NO_CORRELATION) * (v != v), left_out) for n, k, v in random),
        Target("sigma", "sigma", scenario.sigma, left_out=left_out),
    ]


def _with_given(target: Target, given: Mapping[str, float]) -> Target:
    """Put in what the user gives, unless the value follows from the truth."""
    if target.follows or target.term not in given:
        return target
    return Target(target.term, target.kind, given[target.term])


def _test_target(name: str, coefficients: Sequence[Target]) -> Target:
    """Return 0 where all coefficients are 0, the hypothesis is true."""
    unknown = [target for target in coefficients if target.true != target.true]
    if unknown:
        return Target(name_of_test(name), "test", np.nan, unknown[0].reason)
    is_true = all(target.true == 0.0 for target in coefficients)
    reason = "" if is_true else FALSE
    return Target(name_of_test(name), "test", 0.0 if is_true else np.nan, reason)


def _sum_up(change: Floats, beta: Floats) -> list[float]:
    """Return C b, rid of the rounding of its sums: 0.7 - 0.3 is 0.4."""
    parts = change * beta
    total, size = parts.sum(axis=1), np.abs(parts).sum(axis=1)
    short = np.array([float(f"{value:.14g}") for value in total])
    short[np.abs(total) <= ZERO * size] = 0.0
    return np.where(np.abs(total - short) <= ZERO * size, short, total).tolist()


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


def _in_order(sd: Floats, cor: Floats, blocks: Sequence[int]) -> list[float]:
    """Return sds and correlations in the order of `random_names`."""
    values, start = [], 0
    for size in blocks:
        for j in range(start, start + size):
            values.append(_short(sd[j]))
            values += [_short(np.clip(cor[i, j], -1, 1)) for i in range(j + 1, start + size)]
        start += size
    return values


def _short(value: float) -> float:
    """Return a value rid of the rounding of its last digits: 0.20000000000000004 is 0.2."""
    short = float(f"{value:.14g}")
    return short if abs(value - short) <= 4.0 * np.finfo(float).eps * abs(value) else float(value)


def _or_nan(x: Floats) -> Floats:
    return np.where(x > 0.0, x, np.nan)


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


def _verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _left_out(scenario: Scenario, link: Link) -> tuple[str, ...]:
    """Name the sds that a model leaves out, or the correlations if it leaves out only these."""
    formula, sd = parse(scenario.formula), np.array(scenario.sd)
    sds = _sd_names(scenario, (sd > 0.0) & ~np.isin(np.arange(len(sd)), link.place))
    values = zip(_random_names(formula), _random_kinds(formula), strict=True)
    correlations = (name for name, kind in values if kind == "cor")
    return sds or tuple(correlations)


def _sd_names(scenario: Scenario, some: NDArray[np.bool_]) -> tuple[str, ...]:
    formula = parse(scenario.formula)
    group, names = formula.random[0].group, [term.name for term in formula.effects]
    return tuple(f"sd_{names[k]}|{group}" for k in np.flatnonzero(some))


def _random_names(formula: Formula) -> list[str]:
    blocks = [[term.name for term in block.terms] for block in formula.random]
    return random_names(blocks, formula.random[0].group)


def _random_kinds(formula: Formula) -> list[Kind]:
    kinds: list[Kind] = []
    for size in formula.blocks:
        for j in range(size):
            kinds.append("sd")
            kinds.extend(["cor"] * (size - j - 1))
    return [*kinds, "sigma"]
