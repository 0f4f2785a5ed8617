"""The likelihood ratio tests of a study: which models have the terms, and what is left of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.kinds import Cor, Sd, parameters_of
from hlm.estimands.names import factors_of
from hlm.formula import terms_in
from hlm.scenario import RatioTest
from hlm.study.f_tests import named_coefficients

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hlm.formula import Formula

__all__ = ["check_ratio_tests", "named_tests", "ratio_tests_of"]

Pair = tuple[int, int]


def named_tests(written: Mapping[str, Sequence[str]] | Sequence[str]) -> dict[str, list[str]]:
    """Return tests by name; a list of terms is of a test of each, under its name.

    Examples
    --------
    >>> named_tests(["x", "sd_x|g"])
    {'x': ['x'], 'sd_x|g': ['sd_x|g']}
    """
    if isinstance(written, list | tuple):
        return {term: [term] for term in written}
    return {name: list(terms) for name, terms in written.items()}  # type: ignore[union-attr]


def ratio_tests_of(formula: Formula, tests: Mapping[str, Sequence[str]]) -> tuple[RatioTest, ...]:
    """Return the tests whose terms a formula has, all of them, and which leave it a model.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> formula = parse("y ~ x + (1 + x | g)")
    >>> ratio_tests_of(formula, {"x": ["x"], "slopes": ["sd_x|g"], "a": ["a"]})
    (RatioTest(name='x', fixed=(0,), blocks=((0, 1),)), RatioTest(name='slopes', fixed=(0, 1), blocks=((0,),)))
    """  # noqa: E501 - one line is what Python prints
    found = (_ratio_test(formula, name, wanted) for name, wanted in tests.items())
    return tuple(test for test in found if test is not None and test.fixed)


def _ratio_test(formula: Formula, name: str, wanted: Sequence[str]) -> RatioTest | None:
    """Return one test; None if the formula lacks a term, or what is left of it is no model."""
    own, random = named_coefficients(formula), _random_part(formula)
    coefficients: set[str] = set()
    effects: set[int] = set()
    pairs: set[Pair] = set()
    for term in wanted:
        one = random.get(term)
        if isinstance(one, Sd):
            effects.add(one.place)
        elif isinstance(one, Cor):
            pairs.add(one.places)
        elif factors_of(term) in own:
            coefficients.update(own[factors_of(term)])
        else:
            return None
    blocks: list[tuple[int, ...]] = []
    start = 0
    for size in formula.blocks:
        block = [place for place in range(start, start + size) if place not in effects]
        parts = _apart(block, pairs)
        if parts is None:
            return None
        blocks += parts
        start += size
    fixed = [place for place, term in enumerate(formula.fixed) if term.name not in coefficients]
    return RatioTest(name, tuple(fixed), tuple(blocks))


def _random_part(formula: Formula) -> dict[str, Sd | Cor]:
    """Return the sds and correlations by name."""
    found = parameters_of(terms_in(formula))
    return {one.name: one for one in found if isinstance(one, Sd | Cor)}


def _apart(block: Sequence[int], pairs: Collection[Pair]) -> list[tuple[int, ...]] | None:
    """Take a block apart where pairs are not correlated; None if the rest is no blocks.

    In a block each effect is correlated with each other, and with none outside.

    Examples
    --------
    >>> _apart([0, 1, 2], [(1, 0), (2, 0)]), _apart([0, 1, 2], [(1, 0)])
    ([(0,), (1, 2)], None)
    """
    together = {
        a: tuple(b for b in block if a == b or (max(a, b), min(a, b)) not in pairs) for a in block
    }
    parts = list(dict.fromkeys(together.values()))
    return parts if sum(map(len, parts)) == len(block) else None


def check_ratio_tests(
    written: Mapping[str, Sequence[str]] | Sequence[str],
    f_tests: Collection[str],
    formulas: Sequence[Formula],
) -> None:
    """Refuse a test of a term that no model has, or of some that none has together or can lack.

    Raises
    ------
    InputError
        At the path of the test.
    """
    known: dict[str, str] = {}
    for formula in formulas:
        for factors, names in named_coefficients(formula).items():
            known.setdefault(":".join(factors), names[0] if len(names) == 1 else ":".join(factors))
        known.update({name: name for name in _random_part(formula)})
    with Mistakes() as mistakes:
        if isinstance(written, list | tuple):
            for place, term in enumerate(written):
                path = f"estimation.lrt[{place}]"
                if term in written[:place]:
                    mistakes.add(_twice(path, term))
                else:
                    mistakes.keep(_check_test, path, term, [(path, term)], known, formulas)
            named = {term: f"estimation.lrt[{k}]" for k, term in enumerate(written)}
        else:
            for name, terms in written.items():  # type: ignore[union-attr]
                path = f"estimation.lrt.{name}"
                places = [(f"{path}[{k}]", term) for k, term in enumerate(terms)]
                mistakes.keep(_check_test, path, name, places, known, formulas)
            named = {name: f"estimation.lrt.{name}" for name in written}
        for name, path in named.items():
            if name in f_tests:
                problem = f"an F test is called '{name}' too"
                mistakes.add(InputError(problem, path=path, allowed="a name of its own"))


def _twice(path: str, term: str) -> InputError:
    return InputError(f"'{term}' is there twice", path=path, allowed="each term once")


def _check_test(
    path: str,
    name: str,
    places: Sequence[tuple[str, str]],
    known: Mapping[str, str],
    formulas: Sequence[Formula],
) -> None:
    """Refuse one test; `places` are the paths of its terms with these."""
    terms = [term for _, term in places]
    keys = [term if term in known else ":".join(factors_of(term)) for term in terms]
    with Mistakes() as mistakes:
        for k, (own_path, term) in enumerate(places):
            if keys[k] in keys[:k]:
                mistakes.add(_twice(own_path, term))
            elif keys[k] not in known:
                mistakes.add(
                    InputError(
                        f"no model has a term '{term}' to be tested",
                        path=own_path,
                        allowed=", ".join(known.values()),
                        suggestion=nearest(term, known.values()),
                    )
                )
    whole = [formula for formula in formulas if all(_has(formula, term) for term in terms)]
    if not whole:
        raise InputError(
            f"no model has all of {', '.join(terms)}",
            path=path,
            allowed="terms that are in one model together",
        )
    found = [_ratio_test(formula, name, terms) for formula in whole]
    if all(test is None for test in found):
        raise InputError(
            f"without {', '.join(terms)} no model can be fitted: of its random effects, some are "
            "correlated with one that is not correlated with all of them",
            path=path,
            allowed="correlations without which blocks of correlated effects are left",
        )
    if not any(test is not None and test.fixed for test in found):
        raise InputError(
            "no coefficient is left", path=path, allowed="tests that leave a coefficient"
        )


def _has(formula: Formula, term: str) -> bool:
    return term in _random_part(formula) or factors_of(term) in named_coefficients(formula)
