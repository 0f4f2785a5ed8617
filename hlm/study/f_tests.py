"""The F tests of a study: which models have the coefficients, and under which names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.names import factors_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.formula import Formula

__all__ = ["check_tests", "named_coefficients", "tests_of"]


def tests_of(
    formula: Formula, tests: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the tests whose coefficients a formula has, all of them, under its own names.

    A term that has several coefficients stands for all of them.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> tests_of(parse("y ~ x * a + (1 | g)"), {"a": ["a", "a:x"], "b": ["b"]})
    (('a', ('a', 'x:a')),)
    """
    own = named_coefficients(formula)
    return tuple(
        (name, tuple(one for coefficient in wanted for one in own[factors_of(coefficient)]))
        for name, wanted in tests.items()
        if all(factors_of(coefficient) in own for coefficient in wanted)
    )


def named_coefficients(formula: Formula) -> dict[tuple[str, ...], list[str]]:
    """Return the coefficients that a name may stand for: one, or those of a term with several."""
    own: dict[tuple[str, ...], list[str]] = {}
    for term in formula.fixed:
        if term.written and term.written != term.name:
            own.setdefault(factors_of(term.written), []).append(term.name)
    return own | {factors_of(term.name): [term.name] for term in formula.fixed}


def check_tests(tests: Mapping[str, Sequence[str]], formulas: Sequence[Formula]) -> None:
    """Refuse a test of a coefficient that no model has, or of some that none has together.

    Raises
    ------
    InputError
        At the path of the test.
    """
    known: dict[tuple[str, ...], str] = {}
    terms = [term for formula in formulas for term in formula.fixed]
    for name in [*(term.name for term in terms), *(term.written for term in terms)]:
        if name:
            known.setdefault(factors_of(name), name)
    with Mistakes() as mistakes:
        for name, wanted in tests.items():
            mistakes.keep(_check_test, f"estimation.tests.{name}", wanted, known, formulas)


def _check_test(
    path: str,
    wanted: Sequence[str],
    known: Mapping[tuple[str, ...], str],
    formulas: Sequence[Formula],
) -> None:
    with Mistakes() as mistakes:
        for place in range(len(wanted)):
            mistakes.keep(_check_coefficient, f"{path}[{place}]", wanted[: place + 1], known)
    if not any(tests_of(formula, {path: wanted}) for formula in formulas):
        raise InputError(
            f"no model has all of {', '.join(wanted)}",
            path=path,
            allowed="coefficients that are in one model together",
        )


def _check_coefficient(
    path: str, wanted: Sequence[str], known: Mapping[tuple[str, ...], str]
) -> None:
    """Refuse the last of some coefficients if it is unknown or among those before."""
    *others, coefficient = wanted
    if factors_of(coefficient) in map(factors_of, others):
        problem = f"'{coefficient}' is there twice"
        raise InputError(problem, path=path, allowed="each coefficient once")
    if factors_of(coefficient) not in known:
        raise InputError(
            f"no model has a coefficient '{coefficient}'",
            path=path,
            allowed=", ".join(known.values()),
            suggestion=nearest(coefficient, known.values()),
        )
