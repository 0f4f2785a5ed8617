"""Which terms, tests and measures a question is about, from the words of its asker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.model_estimands import estimands_of
from hlm.estimands.names import of_ratio_test, of_test
from hlm.precision import WITH_MCSE
from hlm.scenario import INTERCEPT
from hlm.words.measures import MEASURES, RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Model

__all__ = ["MEASURED", "measure_named", "terms_named", "usual_terms"]

MEASURED = tuple(name for name in WITH_MCSE if name in MEASURES and name not in RATES)
"""The measures of terms that a question may be about."""

_OTHER_NAMES = {
    **dict.fromkeys(("power", "size", "alpha", "type_1", "rejections", "assurance"), "rejection"),
    **dict.fromkeys(("width", "interval_width", "precision"), "ci_width"),
    **dict.fromkeys(("se", "model_based_se"), "model_se"),
    **dict.fromkeys(("sd", "emp_se"), "empirical_se"),
}


def usual_terms(models: Sequence[Model]) -> tuple[str, ...]:
    """Return what is tested: coefficients but the constant, contrasts, and tests.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> usual_terms([Model("m", "y ~ x + (1 | g)", tests=(("t", ("x",)),))])
    ('x', 'F(t)')
    """
    return tuple(dict.fromkeys(one.name for one in _all(models) if _is_tested(one)))


def _all(models: Sequence[Model]) -> Iterable[Estimand]:
    return (one for model in models for one in estimands_of(model))


def _is_tested(one: Estimand) -> bool:
    if one.part == "fixed":
        return one.tests_zero and one.name != INTERCEPT
    return one.part == "tests"


def terms_named(models: Sequence[Model], words: Iterable[str], *, place: str) -> tuple[str, ...]:
    """Return the terms and tests that words name, as results have them.

    A test may be called by its own name alone.

    Parameters
    ----------
    models : sequence of Model
    words : iterable of str
        Such as ``x:a``, ``F(treatment)`` or ``treatment``.
    place : str
        Where the user wrote them, for messages.

    Raises
    ------
    InputError
        No model has a term of that name.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> models = [Model("m", "y ~ x + (1 | g)", tests=(("t", ("x",)),))]
    >>> terms_named(models, ["t", "x"], place="--term")
    ('F(t)', 'x')
    """
    known = list(dict.fromkeys(one.name for one in _all(models)))
    with Mistakes() as mistakes:
        found = [mistakes.keep(_term, word, known, place) for word in words]
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _term(word: str, known: Sequence[str], place: str) -> str:
    for name in (word, of_test(word), of_ratio_test(word)):
        if name in known:
            return name
    raise InputError(
        f"no model has a term '{word}'",
        path=place,
        allowed=", ".join(known),
        suggestion=nearest(word, known),
    )


def measure_named(word: str, *, place: str, others: Sequence[str] = ()) -> str:
    """Return the measure that a word names; `power` and `size` are rates of rejection.

    Parameters
    ----------
    word : str
    place : str
        Where the user wrote it, for messages.
    others : sequence of str
        What it may be besides.

    Raises
    ------
    InputError
        There is no such measure.

    Examples
    --------
    >>> measure_named("power", place="--measure"), measure_named("bias", place="--measure")
    ('rejection', 'bias')
    """
    name = _OTHER_NAMES.get(word.lower(), word)
    known = [*MEASURED, *others]
    if name not in known:
        raise InputError(
            f"'{word}' is no measure",
            path=place,
            allowed=", ".join(["power", *known]),
            suggestion=nearest(word, ["power", "width", *known]),
        )
    return name
