"""The key `robust`: the study again under violated assumptions, one more axis of its grid.

A violation is a phrase such as ``chisq(1) effects``, several of them together, or values under
their paths as in a level of the grid. Each scenario with one is the twin of the scenario without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hlm.distributions import SHAPES, read_call, written
from hlm.errors import InputError, Mistakes, nearest
from hlm.study.grid import Axis, Derived, keys_of_path, names_of_terms, put
from hlm.study.messages import shown
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hlm.scenario import Scenario

__all__ = [
    "SameMean",
    "Violation",
    "check_has_nominal",
    "check_violates",
    "read_violations",
    "violation_axis",
    "violation_changes",
]

Keys: TypeAlias = tuple[str, ...]

EVERY = "*"
"""Stands for each group of random effects."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class _Value(NamedTuple):
    """A value that a violation sets: its path or keys, itself, and where in the study it stands."""

    at: str | Keys
    value: Any
    place: str


@dataclass(frozen=True)
class Violation:
    """A violation of assumptions, as written.

    Attributes
    ----------
    label : str
    values : tuple of (str or tuple of str, value, str)
        The path or the keys of each value that it sets, the value, and where it stands.
    """

    label: str
    values: tuple[_Value, ...]


@dataclass(frozen=True)
class SameMean:
    """Numbers of rows that differ between units, with the mean that they have without.

    Attributes
    ----------
    cv : float
        Their standard deviation over their mean.

    Examples
    --------
    >>> SameMean(0.5).of(20), SameMean(0.5).of({"list": [5, 15]})
    ({'mean': 20, 'cv': 0.5}, {'mean': 10.0, 'cv': 0.5})
    """

    cv: float

    def of(self, value: Any) -> Any:
        """Return the value of `design.rows` in the place of one of equal sizes.

        Raises
        ------
        InputError
            The value has no mean to keep.
        """
        if isinstance(value, dict) and value.keys() & {"mean", "total"}:
            return {**value, "cv": self.cv}
        if isinstance(value, dict) and isinstance(sizes := value.get("list"), list):
            value = sum(sizes) / len(sizes)
        if isinstance(value, int | float):
            return {"mean": value, "cv": self.cv}
        raise InputError(
            f"no unequal sizes can be made of {shown(value)}",
            path="design.rows",
            allowed="sizes cv where design.rows is a number, a list, or has a mean or a total",
        )


class _Phrase(NamedTuple):
    """A way to write a violation: an example, which begins or ends as all do, and its meaning."""

    example: str
    pattern: str
    keys: Keys
    value: Callable[[str], Any]


def _shape(text: str) -> str:
    return written(read_call(text))


PHRASES = (
    _Phrase(
        "chisq(1) effects", r"(.+) effects", ("truth", "random", EVERY, "distribution"), _shape
    ),
    _Phrase("t(5) residuals", r"(.+) residuals", ("truth", "residual", "distribution"), _shape),
    _Phrase("ar1 0.3", rf"ar1 ({_NUMBER})", ("truth", "residual", "ar1"), float),
    _Phrase(
        "variance by unit cv 0.5",
        rf"variance by unit cv ({_NUMBER})",
        ("truth", "residual", "variance"),
        lambda cv: {"by": "unit", "cv": float(cv)},
    ),
    _Phrase(
        "sizes cv 0.5", rf"sizes cv ({_NUMBER})", ("design", "rows"), lambda cv: SameMean(float(cv))
    ),
    _Phrase("missing 0.1", rf"missing ({_NUMBER})", ("design", "missing", "rows"), float),
    _Phrase(
        "dropout 0.3",
        rf"dropout ({_NUMBER})",
        ("design", "missing", "dropout"),
        lambda share: {"weibull": {"share": float(share)}},
    ),
)
"""The phrases, with the values that they set."""

_ALLOWED = (
    f"{', '.join(phrase.example for phrase in PHRASES)}; several in a list under a name; or a "
    "mapping of paths to values under a name"
)

_OF_SHAPES = {
    **dict.fromkeys(("effects", "effect", "ranef", "intercepts", "slopes", "random"), "effects"),
    **dict.fromkeys(("residuals", "residual", "errors", "error", "noise", "resid"), "residuals"),
}
_OTHERS = {
    **dict.fromkeys(("ar1", "ar", "ar(1)", "autocorrelation", "autoregressive", "corar1"), "ar1"),
    **dict.fromkeys(("variance", "variances", "heteroscedasticity", "heteroscedastic"), "variance"),
    **dict.fromkeys(("heteroskedasticity", "heteroskedastic"), "variance"),
    **dict.fromkeys(("sizes", "size", "unequal", "unbalanced", "rows", "cv"), "sizes"),
    **dict.fromkeys(("missing", "missingness", "mcar"), "missing"),
    **dict.fromkeys(("dropout", "drop-out", "attrition"), "dropout"),
}
"""What users call phrases, by their last or their first word."""


def read_violations(given: Any) -> tuple[Violation, ...]:
    """Read the violations of a study, but for where their paths lead.

    Parameters
    ----------
    given : list or dict
        The key `robust`.

    Raises
    ------
    InputError
        A phrase is not known, or a name is taken.

    Examples
    --------
    >>> [one] = read_violations(["ar1 0.3"])
    >>> one.label, one.values[0].at, one.values[0].value
    ('ar1 0.3', ('truth', 'residual', 'ar1'), 0.3)
    """
    named = given.items() if isinstance(given, dict) else [(_plain(one), one) for one in given]
    found: list[Violation] = []
    with Mistakes() as mistakes:
        for number, (label, value) in enumerate(named):
            place = f"robust.{label}" if isinstance(given, dict) else f"robust[{number}]"
            one = mistakes.keep(_violation, label, value, place)
            if one is None:
                continue
            if any(one.label == other.label for other in found):
                mistakes.add(InputError(f"'{label}' is there twice", path=place))
            found.append(one)
    return tuple(found)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _violation(label: str, value: Any, place: str) -> Violation:
    if label == NOMINAL:
        raise InputError(
            f"'{NOMINAL}' is the study itself, which is always there",
            path=place,
            allowed="violations, with other names",
        )
    if isinstance(value, dict):
        values = [_Value(path, one, f"{place}.{path}") for path, one in value.items()]
    elif isinstance(value, list):
        with Mistakes() as mistakes:
            read = [mistakes.keep(_phrase, one, f"{place}[{k}]") for k, one in enumerate(value)]
        values = [one for one in read if one is not None]
    else:
        values = [_phrase(value, place)]
    return Violation(label, tuple(values))


def _phrase(text: str, place: str) -> _Value:
    for phrase in PHRASES:
        match = re.fullmatch(phrase.pattern, _plain(text))
        if match:
            try:
                return _Value(phrase.keys, phrase.value(match[1]), place)
            except InputError as error:  # no such distribution
                of = phrase.example.split()[-1]
                near = f"{error.suggestion} {of}" if error.suggestion else None
                meant = f"{match[1].removesuffix(' random')} {of}"
                raise InputError(
                    error.problem,
                    path=place,
                    allowed=error.allowed,
                    suggestion=meant if _meant(meant) == meant else near,
                ) from None
    raise InputError(
        f"{shown(text)} is no violated assumption",
        path=place,
        allowed=_ALLOWED,
        suggestion=_meant(_plain(text)),
    )


def _meant(text: str) -> str | None:
    """Return the phrase that is most like a text."""
    *before, last = text.split() or [""]
    if _is_shape(text):
        return f"{text} effects"
    of = nearest(last.lower(), _OF_SHAPES)
    if of is not None:
        shape = " ".join(before).removesuffix(" random")
        return f"{shape if _is_shape(shape) else 'chisq(1)'} {_OF_SHAPES[of]}"
    known = nearest(text.lower().split(" ")[0], _OTHERS)
    if known is None:
        return None
    (example,) = (one.example for one in PHRASES if one.example.startswith(_OTHERS[known]))
    numbers = re.findall(rf"(?<![\w.(])({_NUMBER})(%?)", text)
    if not numbers:
        return example
    number, per_cent = numbers[-1]
    return re.sub(rf"{_NUMBER}$", f"{float(number) / 100:g}" if per_cent else number, example)


def _is_shape(text: str) -> bool:
    try:
        read_call(text)
    except InputError:
        return False
    return text.partition("(")[0] in SHAPES


def violation_axis(found: Sequence[Violation], tree: dict[str, Any], grid: Sequence[Axis]) -> Axis:
    """Return the axis of violations, whose first level is the study itself.

    Parameters
    ----------
    found : sequence of Violation
    tree : dict
        The truth and the design, defaults filled in.
    grid : sequence of Axis
        The other axes.

    Raises
    ------
    InputError
        A path leads nowhere or is on the grid, or two violations are one.

    Examples
    --------
    >>> tree = {"truth": {"residual": {"ar1": None}}}
    >>> axis = violation_axis(read_violations(["ar1 0.3"]), tree, [])
    >>> axis.name, axis.labels, axis.levels
    ('assumptions', ('nominal', 'ar1 0.3'), ({}, {('truth', 'residual', 'ar1'): 0.3}))
    """
    with Mistakes() as mistakes:
        if ASSUMPTIONS in {*names_of_terms(tree), *(axis.name for axis in grid)}:
            problem = f"'{ASSUMPTIONS}' is the factor of the violations, and a name of this study"
            mistakes.add(InputError(problem, path="robust", allowed=f"no other '{ASSUMPTIONS}'"))
        read = [mistakes.keep(_level, one, tree, grid) for one in found]
        levels: list[dict[Keys, Any]] = [{}]
        places: list[dict[Keys, str]] = [{}]
        for violation, values in zip(found, read, strict=True):
            if values is None:
                continue
            level = {keys: one.value for keys, one in values.items()}
            if level in levels:
                other = found[levels.index(level) - 1].label
                problem = f"'{violation.label}' is '{other}' once more"
                mistakes.add(InputError(problem, path=violation.values[0].place))
            levels.append(level)
            places.append({keys: one.place for keys, one in values.items()})
    labels = (NOMINAL, *(one.label for one in found))
    return Axis("robust", ASSUMPTIONS, tuple(levels), labels, tuple(places))


def _level(violation: Violation, tree: dict[str, Any], grid: Sequence[Axis]) -> dict[Keys, _Value]:
    """Return the values of a violation under the keys that they are for."""
    found: dict[Keys, _Value] = {}
    with Mistakes() as mistakes:
        for value in violation.values:
            for keys in mistakes.keep(_keys, value, tree) or ():
                mistakes.keep(_check_free, keys, value, grid)
                if any(_overlap(keys, other) for other in found):
                    problem = f"'{'.'.join(keys)}' is violated twice"
                    mistakes.add(InputError(problem, path=value.place))
                found[keys] = value
    return found


def _keys(value: _Value, tree: dict[str, Any]) -> list[Keys]:
    if isinstance(value.at, str):
        return [keys_of_path(value.at, value.place, tree)]
    if EVERY not in value.at:
        return [value.at]
    return [tuple(g if k == EVERY else k for k in value.at) for g in tree["truth"]["random"]]


def _check_free(keys: Keys, value: _Value, grid: Sequence[Axis]) -> None:
    """Refuse a value that the grid varies too; one made of it is not in its place."""
    if isinstance(value.value, Derived):
        return
    for axis in grid:
        for varied in axis.keys:
            if _overlap(keys, varied):
                raise InputError(
                    f"'{'.'.join(keys)}' is on the grid, under '{axis.path}'",
                    path=value.place,
                    allowed="values that the grid does not vary",
                )


def _overlap(one: Keys, other: Keys) -> bool:
    """Tell whether two values are one, or one of them a part of the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def violation_changes(
    axis: Axis, tree: dict[str, Any]
) -> Iterator[tuple[str, Keys, dict[str, Any], dict[str, Any]]]:
    """Yield each value that a violation sets, by itself; see `hlm.study.grid.changes`."""
    for level, places in zip(axis.levels, axis.places, strict=True):
        for keys, value in level.items():
            if not isinstance(value, Derived):
                yield places[keys], keys, put(tree, keys, value), put(tree, keys, object())


def check_has_nominal(
    axes: Sequence[Axis], points: Sequence[tuple[int, ...]], tree: Mapping[str, Any]
) -> None:
    """Refuse a violation at a point of the grid at which the study itself is left out.

    Raises
    ------
    InputError
        At `keep` or `leave_out`.
    """
    if not axes or not axes[-1].places:
        return
    there = set(points)
    alone = [point for point in points if (*point[:-1], 0) not in there]
    if alone:
        named = zip(axes, alone[0], strict=True)
        point = ", ".join(f"{axis.name} = {axis.labels[pick]}" for axis, pick in named)
        raise InputError(
            f"the scenario {point} has no scenario without violation to be compared with",
            path="keep" if "keep" in tree else "leave_out",
            allowed=f"{ASSUMPTIONS}: {NOMINAL} wherever there is a violation",
        )


def check_violates(scenario: Scenario, nominal: Scenario, place: str) -> None:
    """Refuse a violation that changes nothing.

    Raises
    ------
    InputError
        At its place in the study.
    """
    if replace(scenario, key=nominal.key, twin_of="") == nominal:
        raise InputError(
            "nothing is violated: the data are those of the study itself",
            path=place,
            allowed="what is not so in the study itself",
        )
