"""A study -> its first replicates, drawn, fitted and measured here and now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.measures.distance import ratios
from hlm.measures.scenario_summary import MEASURES
from hlm.precision import Precision, Target
from hlm.scenario import BLOCK
from hlm.whatif.asked_terms import measure_named, terms_named
from hlm.whatif.pieces import Ask, check_cores, drawn_and_fitted
from hlm.whatif.preview_results import Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hlm.scenario import Scenario
    from hlm.study import Study
    from hlm.whatif.pieces import Piece

__all__ = ["REPLICATES", "growing", "preview"]

REPLICATES = 1000
"""Data sets of each scenario, unless the user says otherwise."""

FIRST_LOOK = 500
"""Replicates after which an MCSE is looked at for the first time."""


def preview(
    study: Study,
    *,
    replicates: int = REPLICATES,
    scenarios: Sequence[Scenario] | None = None,
    terms: str | Sequence[str] | None = None,
    mcse: float | None = None,
    measure: str = "rejection",
    cores: int | None = None,
) -> Results:
    """Draw, fit and measure the first replicates of a study.

    They are the very numbers that a run of the study keeps.

    Parameters
    ----------
    study : Study
    replicates : int
        Data sets of each scenario; with `mcse` the most of them.
    scenarios : sequence of Scenario, optional
        By default all of the study.
    terms : str or sequence of str, optional
        The terms and tests that are measured; by default all.
    mcse : float, optional
        Stop at the Monte Carlo standard error of `measure` that is reached for all these terms.
    measure : str
        What `mcse` is about, such as ``power`` or ``bias``.
    cores : int, optional
        Threads; by default as many as there are processors.

    Raises
    ------
    InputError
        No model has one of the terms, there is no such measure, or no replicates or cores.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="trial", seed=1, replicates=100,
    ...     truth={"formula": "y ~ arm + (1 | school)", "fixed": {"(Intercept)": 0, "arm": 0.5},
    ...            "random": {"school": {"sd": {"(Intercept)": 0.3}}}, "residual": {"sd": 1}},
    ...     design={"units": 20, "rows": 20,
    ...             "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}}},
    ...     models={"trial": "y ~ arm + (1 | school)"},
    ...     estimation={"methods": ["reml"]},
    ... )
    >>> found = preview(study, replicates=100, terms=["arm"])
    >>> power = found.measures.query("measure == 'rejection'")["estimate"].item()
    >>> len(found.estimates), 0.5 < power
    (400, True)
    """
    if terms is not None:
        words = [terms] if isinstance(terms, str) else terms
        terms = terms_named(study.models, words, place="terms")
    name = measure_named(measure, place="measure")
    *_, last = growing(
        study,
        replicates=replicates,
        scenarios=scenarios,
        terms=terms,
        targets=() if mcse is None else _targets(name, terms, mcse),
        cores=cores,
    )
    return last


def _targets(measure: str, terms: Iterable[str] | None, mcse: float) -> tuple[Target, ...]:
    if not mcse > 0.0:
        raise InputError(f"{mcse} is not allowed", path="mcse", allowed="above 0")
    return tuple(Target(measure, term, mcse) for term in terms or (None,))


def growing(
    study: Study,
    *,
    replicates: int = REPLICATES,
    scenarios: Sequence[Scenario] | None = None,
    levels: Sequence[dict[str, Any]] | None = None,
    terms: Sequence[str] | None = None,
    targets: Sequence[Target] = (),
    cores: int | None = None,
) -> Iterator[Results]:
    """Yield what is known after each piece of work, first with no replicates at all; see `preview`.

    The scenarios grow together, a block of replicates each in turn. One that has the MCSEs of all
    `targets` grows no more. They need not be scenarios of the study if their `levels` are given.
    """
    if replicates < 1:
        raise InputError(f"{replicates} replicates", path="replicates", allowed="1 or more")
    check_cores(cores)
    wanted = tuple(study.scenarios if scenarios is None else scenarios)
    pieces: dict[str, list[Piece]] = {scenario.key: [] for scenario in wanted}
    known = dict(zip((one.key for one in study.scenarios), study.levels, strict=True))
    now = Results(
        study,
        wanted,
        tuple(levels or [known[scenario.key] for scenario in wanted]),
        pieces,
        study.models,
        None if terms is None else tuple(terms),
    )
    yield now
    for asks in _rounds(now, replicates, targets):
        for piece in drawn_and_fitted(asks, study.models, seed=study.seed, cores=cores):
            pieces[piece.scenario.key].append(piece)
            now = replace(now)  # the same pieces, and nothing kept of what they were
            yield now


def _rounds(now: Results, most: int, targets: Sequence[Target]) -> Iterator[list[Ask]]:
    """Yield what to draw next: all at once, or until the targets are reached."""
    if not targets:
        yield list(_blocks(now.scenarios, dict.fromkeys(now.pieces, (0, most))))
        return
    rule = Precision(tuple(targets), at_least=min(FIRST_LOOK, most), at_most=most)
    open_ = dict.fromkeys(now.pieces, (0, rule.at_least))
    while open_:
        yield list(_blocks(now.scenarios, open_))
        known = _ratios(now, rule, open_)
        following = {key: rule.next_number(n, known.get(key, 0.0)) for key, (_, n) in open_.items()}
        open_ = {key: (n, following[key]) for key, (_, n) in open_.items() if following[key] > n}


def _ratios(now: Results, rule: Precision, keys: Iterable[str]) -> dict[str, float]:
    """Return the largest MCSE of each scenario, in units of its target."""
    open_ = set(keys)
    its = [place for place, one in enumerate(now.scenarios) if one.key in open_]
    scenarios = tuple(now.scenarios[place] for place in its)
    levels = tuple(now.levels[place] for place in its)
    rows = list(replace(now, scenarios=scenarios, levels=levels).measured())
    return ratios(rule, {name: [row[name] for row in rows] for name in MEASURES})


def _blocks(scenarios: Iterable[Scenario], ranges: dict[str, tuple[int, int]]) -> Iterator[Ask]:
    """Yield the ranges, a block of each scenario in turn."""
    its = [scenario for scenario in scenarios if scenario.key in ranges]
    first = min(a for a, _ in ranges.values()) // BLOCK
    last = -(-max(b for _, b in ranges.values()) // BLOCK)
    for block in range(first, last):
        for scenario in its:
            a, b = ranges[scenario.key]
            start, stop = max(a, block * BLOCK), min(b, (block + 1) * BLOCK)
            if start < stop:
                yield Ask(scenario, start, stop)
