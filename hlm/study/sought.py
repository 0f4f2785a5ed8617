"""The key `solve`, checked against the models and the numbers of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.criteria import OF_INFORMATION, USUAL
from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.kinds import FTest, RatioTestOf
from hlm.estimands.model_estimands import estimands_of
from hlm.estimands.names import of_ratio_test, of_test
from hlm.formula import terms_of
from hlm.inference import RATIO_TESTS
from hlm.study.numeric import find_number, numbers_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Model
    from hlm.study.numeric import Numeric
    from hlm.study.schema_solve import FromTo, Solve

__all__ = ["MOST", "SIZES", "Sought", "Varied", "Wanted", "sought_in"]

SIZES = ("design.units", "design.rows")
"""The paths of whole numbers, of which more never harm."""

LEAST, MOST = 2.0, {"design.units": 2000.0, "design.rows": 200.0}
"""The ends of the ranges of sizes of which the user names none; the least may have to be larger."""

OF_TARGETS = {"power": "rejection", "width": "ci_width", "coverage": "coverage"}
"""What the file calls a measure of terms -> its name in results."""

METHODS = ("reml", "ml")


@dataclass(frozen=True)
class Wanted:
    """A measure that shall reach a value.

    Attributes
    ----------
    measure : str
        ``'rejection'``, ``'ci_width'``, ``'coverage'``, as in results; or ``'selection'``.
    of : str
        The term or test; of a selection the model that is to be chosen.
    value : float
    model, method, inference : str
        Of which fit; of a selection the method alone.
    criterion : str
        By which the model is chosen.
    """

    measure: str
    of: str
    value: float
    model: str
    method: str
    inference: str = ""
    criterion: str = ""

    @property
    def at_least(self) -> bool:
        """Whether the measure shall be at least the value; a width at most."""
        return self.measure != "ci_width"

    @property
    def is_share(self) -> bool:
        """Whether it is a proportion of data sets."""
        return self.measure != "ci_width"

    @property
    def word(self) -> str:
        """What the file calls the measure."""
        names = {measure: name for name, measure in OF_TARGETS.items()}
        return names.get(self.measure, self.measure)

    @property
    def label(self) -> str:
        """The measure and what it is of.

        Examples
        --------
        >>> Wanted("rejection", "x:a", 0.8, "full", "reml", "satterthwaite").label
        'power of x:a'
        >>> Wanted("selection", "slopes", 0.9, "", "reml", criterion="aic").label
        'selection of slopes by AIC'
        """
        by = f" by {self.criterion.upper()}" if self.criterion else ""
        return f"{self.word} of {self.of}{by}"

    @property
    def fit(self) -> str:
        """Of which fit it is, in words."""
        if self.measure == "selection":
            return self.method.upper()
        return f"model {self.model}, {self.method.upper()}, {self.inference}"


@dataclass(frozen=True)
class Varied:
    """A number that is sought, with the range that the user gives.

    Attributes
    ----------
    number : Numeric
    least, most, step, multiple_of : float or None
        None where the user leaves it open.
    """

    number: Numeric
    least: float | None = None
    most: float | None = None
    step: float | None = None
    multiple_of: float | None = None

    @property
    def path(self) -> str:
        """Its path in the study."""
        return self.number.path

    @property
    def name(self) -> str:
        """Its short name, which a cost may use."""
        return self.number.name

    @property
    def is_size(self) -> bool:
        """Whether it is a number of units or of rows."""
        return self.path in SIZES


@dataclass(frozen=True)
class Sought:
    """What `hlm solve` is asked.

    Attributes
    ----------
    wanted : tuple of Wanted
    varied : tuple of Varied
    cost : str or None
    budget : float or None
    precision : float
    """

    wanted: tuple[Wanted, ...]
    varied: tuple[Varied, ...]
    cost: str | None
    budget: float | None
    precision: float


def sought_in(part: Solve, tree: Mapping[str, Any], models: Sequence[Model]) -> Sought:
    """Check what is sought against the rest of the study.

    Parameters
    ----------
    part : Solve
    tree : mapping
        The study as written, with what data give it.
    models : sequence of Model

    Raises
    ------
    InputError
        No model has a term, or not by that method or inference; nothing is called as what varies;
        a target that is no target.
    """
    with Mistakes() as mistakes:
        mistakes.keep(_check_fit, part, models)
        wanted = [one for one in _wanted(part, tree, models, mistakes) if one is not None]
        varied = [mistakes.keep(_varied, name, one, tree) for name, one in part.ranges.items()]
        there = [one for one in varied if one is not None]
        mistakes.keep(_check_distinct, there)
        if not mistakes.found:
            mistakes.keep(_check_inference, part, wanted)
        mistakes.keep(_check_cost, part, there, tree)
    return Sought(tuple(wanted), tuple(there), part.cost, part.budget, part.precision)


def _check_fit(part: Solve, models: Sequence[Model]) -> None:
    names = [model.name for model in models]
    if part.model is not None and part.model not in names:
        raise InputError(
            f"there is no model '{part.model}'",
            path="solve.model",
            allowed=", ".join(names),
            suggestion=nearest(part.model, names),
        )
    its = [model for model in models if part.model in (None, model.name)]
    methods = [name for name in METHODS if any(name in model.methods for model in its)]
    if part.method is not None and part.method not in methods:
        raise InputError(
            f"no fits by '{part.method}'", path="solve.method", allowed=", ".join(methods)
        )


def _wanted(
    part: Solve, tree: Mapping[str, Any], models: Sequence[Model], mistakes: Mistakes
) -> Iterator[Wanted | None]:
    for name, measure in OF_TARGETS.items():
        for term, value in (getattr(part.target, name) or {}).items():
            path = f"solve.target.{name}.{term}"
            yield mistakes.keep(_of_term, measure, term, value, part, models, path)
    for criterion, chosen in (part.target.selection or {}).items():
        for model, value in chosen.items():
            yield mistakes.keep(_of_selection, criterion, model, value, part, tree, models)


def _of_term(
    measure: str, word: str, value: float, part: Solve, models: Sequence[Model], path: str
) -> Wanted | None:
    """Return the target of a term, in the first model that has it."""
    its = [model for model in models if part.model in (None, model.name)]
    if not its:
        return None  # which is said of the model
    named = (word, of_test(word), of_ratio_test(word))
    found = [(m, one) for name in named for m in its for one in estimands_of(m) if one.name == name]
    if not found:
        names = list(dict.fromkeys(one.name for m in its for one in estimands_of(m)))
        raise InputError(
            f"{'no model has' if part.model is None else 'the model has no'} term '{word}'"
            if part.model is not None
            else f"no model has a term '{word}'",
            path=path,
            allowed=", ".join(name for name in names if _has(measure, _named(name, its))),
            suggestion=nearest(word, names),
        )
    model, one = found[0]
    if not _has(measure, one):
        others = [e.name for e in estimands_of(model) if _has(measure, e)]
        what = {"rejection": "is not tested", "ci_width": "has no interval"}
        raise InputError(
            f"'{one.name}' {what.get(measure, 'has no interval')}",
            path=path,
            allowed=", ".join(others),
        )
    alpha = 1.0 - model.level
    if measure == "rejection" and value <= alpha * (1.0 + 1e-9):
        raise InputError(
            f"a power of {value:g} is that of a test of nothing",
            path=path,
            allowed=f"above {alpha:.4g}, the level of the test",
        )
    method = part.method if part.method in model.methods else model.methods[0]
    ways = _inferences(model, one)
    inference = part.inference if part.inference in ways else ways[0]
    return Wanted(measure, one.name, value, model.name, method, inference)


def _named(name: str, models: Sequence[Model]) -> Estimand:
    return next(one for model in models for one in estimands_of(model) if one.name == name)


def _has(measure: str, one: Estimand) -> bool:
    """Tell whether a term has a measure: power what is tested, the others what has limits."""
    if measure == "rejection":
        return one.tests_zero and one.part in ("fixed", "tests")
    return one.part in ("fixed", "random") and one.of_one_fit


def _inferences(model: Model, one: Estimand) -> tuple[str, ...]:
    """Return the inferences that a model has of a term, in the order of results."""
    if isinstance(one, RatioTestOf):
        return tuple(RATIO_TESTS)
    return model.df if one.part == "fixed" or isinstance(one, FTest) else model.limits


def _check_inference(part: Solve, wanted: Sequence[Wanted]) -> None:
    """Refuse an inference that no target has; those that lack it have their first one."""
    if part.inference is None or any(one.inference == part.inference for one in wanted):
        return
    known = list(dict.fromkeys(one.inference for one in wanted if one.inference))
    raise InputError(
        f"no target has the inference '{part.inference}'",
        path="solve.inference",
        allowed=", ".join(known) or None,
        suggestion=nearest(part.inference, known),
    )


def _of_selection(
    criterion: str,
    model: str,
    value: float,
    part: Solve,
    tree: Mapping[str, Any],
    models: Sequence[Model],
) -> Wanted:
    path = f"solve.target.selection.{criterion}"
    names = [one.name for one in models]
    criteria = (tree.get("selection") or {}).get("criteria") or USUAL.criteria
    if criterion not in criteria:
        raise InputError(
            f"no model is chosen by '{criterion}'",
            path=path,
            allowed=", ".join(criteria),
            suggestion=nearest(criterion, criteria),
        )
    if model not in names or len(names) == 1:
        raise InputError(
            f"there is no model '{model}'" if model not in names else "there is no other model",
            path=f"{path}.{model}",
            allowed=", ".join(names) if model not in names else "two models or more",
            suggestion=nearest(model, names) if model not in names else None,
        )
    method = part.method or _method_of_selection(criterion, model, models)
    return Wanted("selection", model, value, "", method, criterion=criterion)


def _method_of_selection(criterion: str, model: str, models: Sequence[Model]) -> str:
    """Return the method by which criteria compare: REML where all have the same fixed part."""
    own = next(one for one in models if one.name == model).methods
    fixed = {terms_of(one).fixed for one in models if "reml" in one.methods}
    unlike = len(fixed) > 1 and criterion in OF_INFORMATION
    return "ml" if unlike and "ml" in own else own[0]


def _varied(word: str, given: FromTo, tree: Mapping[str, Any]) -> Varied:
    place = f"solve.vary.{word}"
    number = find_number(tree, word, place=place)
    for name, levels in (tree.get("grid") or {}).items():
        held = name not in (number.path, *SIZES) and not name.startswith(("truth.", "design."))
        if held and isinstance(levels, dict) and number.path in _paths(levels):
            raise InputError(
                f"the grid varies '{number.path}' together with others, as '{name}'",
                path=place,
                allowed="a number that the grid does not vary, or varies by itself",
            )
    found = Varied(number, given.from_, given.to, given.step, given.multiple_of)
    if found.is_size:
        _check_whole(found, place)
    elif found.least is None or found.most is None:
        missing = [key for key, v in (("from", found.least), ("to", found.most)) if v is None]
        example = abs(number.value or 0.5)
        raise InputError(
            f"no range of '{number.name}' is known: {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            path=place,
            allowed=f"such as {{from: 0, to: {2.0 * example:g}}}",
        )
    elif found.least < 0.0 < found.most and number.path.startswith("truth.fixed."):
        raise InputError(
            f"the range from {found.least:g} to {found.most:g} is on both sides of 0",
            path=place,
            allowed="one side: the smallest effect is sought that meets the target",
        )
    return found


def _paths(levels: Mapping[str, Any]) -> set[str]:
    return {path for level in levels.values() if isinstance(level, dict) for path in level}


def _check_whole(varied: Varied, place: str) -> None:
    least = {"design.units": 2, "design.rows": 1}[varied.path]
    written = {
        "from": varied.least,
        "to": varied.most,
        "step": varied.step,
        "multiple_of": varied.multiple_of,
    }
    with Mistakes() as mistakes:
        for key, value in written.items():
            at_least = least if key in ("from", "to") else 1
            if value is not None and (value != int(value) or value < at_least):
                mistakes.add(
                    InputError(
                        f"{value:g} is not allowed",
                        path=f"{place}.{key}",
                        allowed=f"a whole number, at least {at_least}",
                    )
                )


def _check_distinct(varied: Sequence[Varied]) -> None:
    paths = [one.path for one in varied]
    for path in paths:
        if paths.count(path) > 1:
            raise InputError(f"'{path}' varies twice", path="solve.vary", allowed="each once")


def _check_cost(part: Solve, varied: Sequence[Varied], tree: Mapping[str, Any]) -> None:
    """Refuse a cost of unknown numbers, and several numbers without a cost."""
    if part.cost is None:
        if len(varied) > 1:
            raise InputError(
                f"{len(varied)} numbers vary, and nothing says which design is best",
                path="solve.cost",
                allowed=f"a cost, such as 300 * {varied[0].name} + 20 * "
                f"{varied[0].name} * {varied[1].name}",
            )
        return
    # The solver is needed only where there is a cost.
    from hlm.solver import Variable
    from hlm.solver.cost_expression import growing_cost, read_cost

    ranges = [
        Variable(
            one.name,
            LEAST if one.least is None else one.least,
            max(MOST[one.path], 2.0 * (one.least or 0.0)) if one.most is None else one.most,
            step=None,
        )
        for one in varied
    ]
    names = {one.name for one in varied}
    fixed = [
        Variable(one.name, value, value, step=None)
        for one in numbers_in(tree)
        for value in [float(one.value or min(one.gridded, default=LEAST))]
        if one.path in SIZES and one.name not in names
    ]
    told_only = len(varied) == 1 and not varied[0].is_size and part.budget is None
    try:
        if told_only:  # what the smallest effect is does not depend on it
            read_cost(part.cost, [one.name for one in (*ranges, *fixed)])
        else:
            growing_cost(part.cost, [*ranges, *fixed])
    except InputError as error:
        raise error.at(path="solve.cost") from None
