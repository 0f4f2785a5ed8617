"""The F tests of a study: which models have the coefficients, and under which names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.formula import Formula

__all__ = ["check_tests", "tests_of"]


def tests_of(
    formula: Formula, tests: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the tests whose coefficients a formula has, all of them, under its own names.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> tests_of(parse("y ~ x * a + (1 | g)"), {"a": ["a", "a:x"], "b": ["b"]})
    (('a', ('a', 'x:a')),)
    """
    own = {_key(term.name): term.name for term in formula.fixed}
    return tuple(
        (name, tuple(own[_key(coefficient)] for coefficient in wanted))
        for name, wanted in tests.items()
        if all(_key(coefficient) in own for coefficient in wanted)
    )


def check_tests(tests: Mapping[str, Sequence[str]], formulas: Sequence[Formula]) -> None:
    """Refuse a test of a coefficient that no model has, or of some that none has together.

    Raises
    ------
    InputError
        At the path of the test.
    """
    keys: dict[tuple[str, ...], str] = {}
    for formula in formulas:
        for term in formula.fixed:
            keys.setdefault(_key(term.name), term.name)
    known = list(keys.values())
    for name, wanted in tests.items():
        path = f"estimation.tests.{name}"
        for place, coefficient in enumerate(wanted):
            if _key(coefficient) not in keys:
                raise InputError(
                    f"no model has a coefficient '{coefficient}'",
                    path=f"{path}[{place}]",
                    allowed=", ".join(known),
                    suggestion=nearest(coefficient, known),
                )
            if _key(coefficient) in map(_key, wanted[:place]):
                raise InputError(
                    f"'{coefficient}' is there twice",
                    path=f"{path}[{place}]",
                    allowed="each coefficient once",
                )
        if not any(tests_of(formula, {name: wanted}) for formula in formulas):
            raise InputError(
                f"no model has all of {', '.join(wanted)}",
                path=path,
                allowed="coefficients that are in one model together",
            )


def _key(coefficient: str) -> tuple[str, ...]:
    """Tell a product whatever the order of its factors."""
    return tuple(sorted(coefficient.split(":")))
