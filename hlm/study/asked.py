"""The estimands that a study asks for: kinds, expressions of its own, comparisons of two models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.expressions import Read, read_expression, within
from hlm.estimands.functions import trace, weights_of
from hlm.estimands.kinds import FURTHER
from hlm.estimands.model_estimands import operands_of, rows_of
from hlm.estimands.names import SIGMA, SIGMA2, factors_of, of_effects
from hlm.estimands.true_values import true_parameters
from hlm.formula import terms_of
from hlm.formula.parser import complaint
from hlm.scenario import Comparison, Expression
from hlm.study.schema_estimands import OwnEstimand, TwoModels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.study.schema_estimands import Estimands, Spec

__all__ = ["check_kinds", "check_values", "kinds_asked", "names_asked", "with_own"]

PATH = "estimation.estimands"

MOST_SCENARIOS = 1000
"""In so many scenarios, evenly spread, an expression must have a value."""


@dataclass(frozen=True)
class _Asked:
    """An estimand that a study asks for, and where: its name is '' if it is a kind alone."""

    name: str
    spec: Spec
    path: str

    @property
    def kind(self) -> str | None:
        return self.spec if isinstance(self.spec, str) and self.spec in FURTHER else None

    @property
    def own(self) -> OwnEstimand | None:
        """The expression, if it is one."""
        if isinstance(self.spec, OwnEstimand):
            return self.spec
        if isinstance(self.spec, str) and self.kind is None:
            return OwnEstimand(expression=self.spec)
        return None

    @property
    def text_path(self) -> str:
        """Where its text is."""
        return self.path if isinstance(self.spec, str) else f"{self.path}.expression"


def _all(estimands: Estimands) -> Iterator[_Asked]:
    if isinstance(estimands, dict):
        for name, spec in estimands.items():
            yield _Asked(name, spec, f"{PATH}.{name}")
        return
    for place, item in enumerate(estimands):
        path = f"{PATH}[{place}]"
        if isinstance(item, str):
            yield _Asked("", item, path)
        else:
            ((name, spec),) = item.items()
            yield _Asked(name, spec, f"{path}.{name}")


def kinds_asked(estimands: Estimands) -> tuple[str, ...]:
    """Return the kinds that a study asks for, each once.

    Examples
    --------
    >>> kinds_asked(["icc", {"total": "x + xm"}]), kinds_asked({"a": "x / sigma", "b": "icc"})
    (('icc',), ('icc',))
    """
    return tuple(dict.fromkeys(one.kind for one in _all(estimands) if one.kind is not None))


def names_asked(estimands: Estimands) -> tuple[str, ...]:
    """Return the names that a study gives estimands: expressions, and comparisons of models.

    Examples
    --------
    >>> names_asked(["icc", {"total": "x + xm"}])
    ('total',)
    """
    return tuple(one.name for one in _all(estimands) if one.kind is None)


def check_kinds(estimands: Estimands, models: Sequence[Model]) -> None:
    """Refuse a kind of estimands that is there twice or that no model has.

    Raises
    ------
    InputError
        At its path.
    """
    there = {one.kind for model in models for one in rows_of(model)}
    before: set[str] = set()
    with Mistakes() as mistakes:
        for one in _all(estimands):
            if one.kind is None:
                continue
            if one.kind in before:
                problem = f"'{one.kind}' is there twice"
                mistakes.add(InputError(problem, path=one.path, allowed="each kind once"))
            elif one.kind not in there:
                problem, allowed = f"no model has '{one.kind}'", FURTHER[one.kind].needs
                mistakes.add(InputError(problem, path=one.path, allowed=allowed))
            before.add(one.kind)


def with_own(
    estimands: Estimands, models: Sequence[Model], mistakes: Mistakes
) -> tuple[Model, ...]:
    """Give each model the expressions of which it has all terms, and comparisons with others.

    What the study file says of the true values of a model stands before what it says of these.
    """
    found = {model.name: model for model in models}
    names = [one.name for one in _all(estimands) if one.name]
    for one in _all(estimands):
        if one.kind is not None:
            continue
        if names.count(one.name) > 1:
            problem = f"the name '{one.name}' is there twice"
            mistakes.add(InputError(problem, path=one.path, allowed="each name once"))
            continue
        give = _compare if isinstance(one.spec, TwoModels) else _express
        changed = mistakes.keep(give, one, models, found)
        found |= {model.name: model for model in changed or ()}
    return tuple(found.values())


def _express(one: _Asked, models: Sequence[Model], found: Mapping[str, Model]) -> Iterable[Model]:
    """Return the models that have all terms of an expression, with it."""
    own = one.own
    assert own is not None
    read = _read(one, own, models)
    coefficients = frozenset(name for model in models for name in terms_of(model).fixed)
    if own.scale != "identity" and weights_of(read.program, coefficients) is not None:
        raise InputError(
            "the expression is linear in coefficients, and its limits are as theirs",
            path=f"{one.path}.scale",
            allowed="identity",
        )
    expression = Expression(one.name, read.program, own.scale)
    return [
        replace(
            found[model.name],
            expressions=(*found[model.name].expressions, expression),
            true=_with_true(found[model.name], one.name, own.true),
        )
        for model in models
        if within(read, operands_of(terms_of(model)))
    ]


def _compare(one: _Asked, models: Sequence[Model], found: Mapping[str, Model]) -> Iterable[Model]:
    """Return the larger model with its comparison."""
    assert isinstance(one.spec, TwoModels)
    _check_free(one, models)
    bare = {model.name: model for model in models}
    with Mistakes() as mistakes:
        for key in ("less", "more"):
            name = getattr(one.spec, key)
            if name not in bare:
                mistakes.add(
                    InputError(
                        f"there is no model '{name}'",
                        path=f"{one.path}.{key}",
                        allowed=", ".join(bare),
                        suggestion=nearest(name, bare),
                    )
                )
    less, more = bare[one.spec.less], found[one.spec.more]
    if less.name == more.name:
        raise InputError("a model and itself", path=f"{one.path}.more", allowed="two models")
    if not set(less.methods) & set(more.methods):
        problem = f"'{less.name}' and '{more.name}' are fitted by different methods"
        raise InputError(problem, path=one.path, allowed="models with a method in common")
    sd = _sd(one.spec.variance, less, more, f"{one.path}.variance")
    comparison = Comparison(one.name, less, sd)
    true = _with_true(more, one.name, one.spec.true)
    return [replace(more, comparisons=(*more.comparisons, comparison), true=true)]


def _sd(variance: str, less: Model, more: Model, path: str) -> str:
    """Return the term of which a variance that both models have is the square."""
    if variance.lower() in ("residual", "residuals", SIGMA, SIGMA2):
        return SIGMA
    effects = [one for one in terms_of(less).effects if one in terms_of(more).effects]
    wanted = {factors_of(one): one for one in effects}
    effect = wanted.get(factors_of(variance))
    if effect is None:
        raise InputError(
            f"no random effect '{variance}' is in both models",
            path=path,
            allowed=", ".join([*effects, "residual"]),
            suggestion=nearest(variance, [*effects, "residual"]),
        )
    return of_effects("sd", [effect], terms_of(more).group)


def _with_true(model: Model, name: str, true: float | None) -> tuple[tuple[str, float], ...]:
    given = dict(model.true)
    if true is not None:
        given.setdefault(name, true)
    return tuple(given.items())


def _check_free(one: _Asked, models: Sequence[Model]) -> None:
    """Refuse a name that a term has."""
    if any(one.name in operands_of(terms_of(model)) for model in models):
        raise InputError(
            f"'{one.name}' is the name of a term", path=one.path, allowed="a name of its own"
        )


def _read(one: _Asked, own: OwnEstimand, models: Sequence[Model]) -> Read:
    """Read an expression whose terms one model at least has together, and whose name is free."""
    _check_free(one, models)
    of_models = [(terms_of(model), operands_of(terms_of(model))) for model in models]
    try:
        read = read_expression(own.expression, of_models, [*FURTHER])
        if not any(within(read, known) for _, known in of_models):
            raise complaint(
                read.text,
                0,
                f"no model has all of {', '.join(sorted(read.terms))}",
                allowed="terms that are in one model together",
            )
    except InputError as error:
        raise error.at(path=one.text_path) from None
    return read


def check_values(
    estimands: Estimands, models: Sequence[Model], scenarios: Sequence[Scenario]
) -> None:
    """Refuse an expression that has no value, or none on its scale, at the truth of a scenario.

    Raises
    ------
    InputError
        At its path, with the place in its text.
    """
    some = scenarios[:: -(-len(scenarios) // MOST_SCENARIOS) or 1]
    with Mistakes() as mistakes:
        for one in _all(estimands):
            if one.own is not None:
                mistakes.keep(_check_value, one, one.own, models, some)


def _check_value(
    one: _Asked, own: OwnEstimand, models: Sequence[Model], scenarios: Sequence[Scenario]
) -> None:
    read = _read(one, own, models)
    for model in models:
        leaves = operands_of(terms_of(model))
        for scenario in scenarios if within(read, leaves) else ():
            at = true_parameters(scenario, model)
            values = [float(step.value) for step in trace(read.program, at, leaves, gradient=False)]
            step = next((k for k, value in enumerate(values) if not np.isfinite(value)), None)
            if step is None:
                _check_scale(one, own, values[-1])
            elif read.program[step][0] == "apply":
                of = str(read.program[step][1])
                what = "division by zero" if of == "/" else f"'{of}' has no value"
                raise complaint(
                    read.text,
                    read.at[step],
                    f"{what} at the truth of a scenario, in the model '{model.name}'",
                    allowed="what has a value in all scenarios",
                ).at(path=one.text_path)


def _check_scale(one: _Asked, own: OwnEstimand, value: float) -> None:
    within_scale = {
        "identity": True,
        "log": value > 0.0,
        "logit": 0.0 < value < 1.0,
        "atanh": -1.0 < value < 1.0,
    }
    if not within_scale[own.scale]:
        raise InputError(
            f"at the truth of a scenario the value is {value:.6g}, which has no {own.scale}",
            path=f"{one.path}.scale",
            allowed="identity",
        )
