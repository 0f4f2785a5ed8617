"""What `hlm solve` found -> lines of text: the answer, what it rests on, how to report it."""

from __future__ import annotations

from math import isfinite, log10
from typing import TYPE_CHECKING

import numpy as np

from hlm.closed_forms import ClosedForm
from hlm.measures.share_limits import share_limits
from hlm.solver.answer import normal_of
from hlm.versions import __version__
from hlm.whatif.solution import design_cost
from hlm.words.aligned import aligned
from hlm.words.levels import level_words
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.solver import Design, Estimate, Point, Tally
    from hlm.study.ranges import Ranges
    from hlm.study.sought import Wanted
    from hlm.whatif.solution import Solution, Solved

__all__ = ["answer_words", "question_lines", "solution_lines"]

UNLIKE = 2.58
"""A closed form differs from what was simulated if so many standard errors are between: 99 %."""


def solution_lines(solution: Solution) -> Iterator[str]:
    """Yield the question, the answer or a table of answers, and a paragraph to report it."""
    yield from question_lines(solution)
    yield ""
    if len(solution.answers) > 1:
        yield from _table(solution)
        for one in solution.answers:
            notes = [*_notes(solution, one)]
            yield from (f"{_at(one)}: {note}" for note in notes)
    else:
        yield from _in_full(solution, solution.answers[0])
    yield ""
    yield from _paragraph(solution)


def question_lines(solution: Solution) -> Iterator[str]:
    """Yield what is sought: the targets, which fits they are of, and what varies."""
    sought = solution.sought
    for one in sought.wanted:
        yield f"{solution.study.name}: {one.label} {_bound(one)} ({one.fit})"
    if sought.budget is not None:
        yield f"as much as a budget of {sought.budget:,g} allows; cost: {sought.cost}"
    elif sought.cost is not None:
        yield f"{'at the least cost' if len(sought.varied) > 1 else 'cost'}: {sought.cost}"
    varied = solution.answers[0].ranges if solution.answers else None
    for name, low, high, step in _spans(varied) if varied else ():
        steps = "" if step in (None, 1.0) else f", in steps of {step:g}"
        yield f"{name} from {low:g} to {high:g}{steps}"


def _spans(ranges: Ranges) -> Iterator[tuple[str, float, float, float | None]]:
    low = ranges.natural(tuple(one.bounds[0] for one in ranges.variables))
    high = ranges.natural(tuple(one.bounds[1] for one in ranges.variables))
    for name, a, b, one in zip(ranges.names, low, high, ranges.variables, strict=True):
        yield name, min(a, b), max(a, b), one.step


def _bound(one: Wanted) -> str:
    return f"{'at least' if one.at_least else 'at most'} {one.value:g}"


def _at(one: Solved) -> str:
    return ", ".join(f"{name} {level_words(level)}" for name, level in one.levels.items())


def answer_words(one: Solved, point: Point | None = None) -> str:
    """Say a design: `20 units`, `x 0.4953`, `12 units, 8 rows`."""
    point = one.point if point is None else one.ranges.natural(point)
    assert point is not None
    return ", ".join(
        f"{value:,g} {varied.name}" if varied.is_size else f"{varied.name} {value:g}"
        for varied, value in zip(one.ranges.varied, point, strict=True)
    )


def _in_full(solution: Solution, one: Solved) -> Iterator[str]:
    if one.answer.design is not None:
        yield answer_words(one)
        yield from (f"  {line}" for line in _details(solution, one))
    yield from (f"  {note}" for note in _notes(solution, one))
    yield f"  {_effort(one)}"


def _details(solution: Solution, one: Solved) -> Iterator[str]:
    """Yield size or cost with its interval, the targets there, and the designs beside."""
    exact = one.exact
    if exact is not None and not one.answer.at_least_size:
        yield f"the targets are met from {_precise(*exact)}, {_level(one)} interval"
        few, many = sorted(one.ranges.signs[0] * x for x in one.answer.admissible)
        if one.ranges.varied[0].is_size and few != many:
            yield f"that is {few:g} to {many:g} {one.ranges.names[0]}"
    if one.answer.at_least_size:
        yield "the targets are met by the least that may be"
    if one.cost is not None:
        yield f"cost {design_cost(one):,.10g}{_least_cost(solution, one)}"
    for wanted, tally in zip(solution.sought.wanted, _fresh(one), strict=True):
        low, high = _limits(wanted, tally, one.answer.level)
        yield (
            f"{wanted.label} {_number(tally.mean, tally.mcse)}, {_level(one)} interval "
            f"{_number(low, tally.mcse)} to {_number(high, tally.mcse)}, "
            f"in {tally.n_drawn:,} fresh data sets"
        )
    for design in one.answer.neighbours:
        yield f"beside it {_beside(solution, one, design)}"


def _least_cost(solution: Solution, one: Solved) -> str:
    found = one.answer.exact
    if len(one.ranges.variables) == 1 or found is None or solution.sought.budget is not None:
        return ""
    least = _precise(found.value, found.low, found.high)
    return f"; the least cost is {least}, {_level(one)} interval"


def _beside(solution: Solution, one: Solved, design: Design) -> str:
    measures = ", ".join(
        f"{wanted.label} {_estimate(found)}"
        for wanted, found in zip(solution.sought.wanted, design.measures, strict=True)
    )
    cost = (
        "" if one.cost is None else f", cost {float(one.cost(np.array([design.point]))[0]):,.10g}"
    )
    return f"{answer_words(one, design.point)}: {measures}{cost}"


def _estimate(found: Estimate) -> str:
    error = (found.high - found.low) / 4.0
    return (
        f"{_number(found.value, error)} "
        f"({_number(found.low, error)} to {_number(found.high, error)})"
    )


def _notes(solution: Solution, one: Solved) -> Iterator[str]:
    """Yield what a reader must know besides: why there is no answer, closed forms, lost fits."""
    yield from _unreached(solution, one)
    for place, wanted in enumerate(solution.sought.wanted):
        yield from _beside_closed(one, wanted, place)
    if one.closed_size is not None and one.exact is not None:
        low, high = one.exact[1:]
        apart = "" if low <= one.closed_size <= high else _beyond(one, low, high)
        yield f"by the closed form: {one.ranges.names[0]} {one.closed_size:g}{apart}"
    if one.fresh is not None:
        yield from _lost(solution.sought.wanted, one)
    if one.answer.design is not None and not one.answer.precise:
        yield "the interval is wider than was asked for: the search ended with its data sets"


def _beyond(one: Solved, low: float, high: float) -> str:
    """Say that a closed form is beyond the interval, unless it is so by rounding alone."""
    step = one.ranges.variables[0].step or 0.0
    assert one.closed_size is not None
    return "" if low - step < one.closed_size < high + step else ", beyond the interval"


def _unreached(solution: Solution, one: Solved) -> Iterator[str]:
    lost = one.answer.unreached
    if lost is None:
        if one.answer.design is None:
            yield "no design has any fit that gives the measure"
        return
    wanted = solution.sought.wanted[one.answer.goals.index(lost.goal)]
    within = "within the budget" if solution.sought.budget is not None else "in the range"
    yield f"no design {within} is known to reach {wanted.label} {_bound(wanted)}"
    low, high = _limits(wanted, lost.best, one.answer.level)
    yield (
        f"it comes nearest with {answer_words(one, lost.point)}: "
        f"{_number(lost.best.mean, lost.best.mcse)}, {_level(one)} interval "
        f"{_number(low, lost.best.mcse)} to {_number(high, lost.best.mcse)}"
    )
    if one.no_effect[one.answer.goals.index(lost.goal)]:
        yield f"{wanted.of} is 0 in the truth, so no size finds it more often than its test errs"
    elif lost.plateau is not None:
        yield (
            f"with ever more {one.ranges.names[0]} it levels off at {_estimate(lost.plateau)}: "
            "something else must change"
        )
    elif len(one.ranges.variables) == 1:
        yield f"it may be reached beyond the range of {one.ranges.names[0]}"


def _beside_closed(one: Solved, wanted: Wanted, place: int) -> Iterator[str]:
    """Say what the closed form gives, and whether what was simulated differs."""
    found = one.closed[place]
    if not isinstance(found, ClosedForm):
        yield f"closed form of {wanted.label}: none, {found.reason}"
        return
    value = found.power if wanted.measure == "rejection" else found.width
    tally = one.fresh.tallies[place] if one.fresh else None
    tally = tally or (one.answer.unreached.best if one.answer.unreached else None)
    error = tally.mcse if tally is not None and tally.n else 0.0
    yield f"closed form of {wanted.label}: {_number(value, error or 0.001)}, {found.reason}"
    if tally is None or not error:
        return
    distance = (tally.mean - value) / (error**2 + found.error**2) ** 0.5
    if abs(distance) > UNLIKE:
        more = "above" if distance > 0.0 else "below"
        why = "the closed form is an approximation here" if not found.exact else (
            "the closed form is of all data sets, and what was simulated of fits that count"
        )  # fmt: skip
        yield f"what was simulated is {abs(distance):.1f} standard errors {more} that: {why}"


def _lost(wanted: Sequence[Wanted], one: Solved) -> Iterator[str]:
    """Say how many fits failed or are singular, and which replicates do not count."""
    assert one.fresh is not None
    drawn = one.fresh.drawn
    for place, target in enumerate(wanted):
        tally = one.fresh.tallies[place]
        failed, singular = one.fresh.failed[place], one.fresh.singular[place]
        yield (
            f"fits for {target.label}: {_percent(failed, drawn)} failed, "
            f"{_percent(singular, drawn)} singular"
        )
        if tally.n < tally.n_drawn:
            miss = f"; counted as misses, {tally.mean * tally.n / tally.n_drawn:.3f}"
            yield (
                f"{tally.n_drawn - tally.n:,} of {tally.n_drawn:,} data sets have no "
                f"{target.word} of {target.of} and do not count"
                f"{miss if target.is_share and tally.n else ''}"
            )


def _percent(n: int, of: int) -> str:
    return f"{100.0 * n / of:.2g} %" if n else "none"


def _table(solution: Solution) -> Iterator[str]:
    """Yield the answers as columns: levels, design, interval, cost, measures."""
    first = solution.answers[0]
    one_only = len(first.ranges.names) == 1
    heads = [*first.levels, *first.ranges.names, *["95 % interval"] * one_only]
    heads += ["cost"] * (first.cost is not None)
    heads += [wanted.label for wanted in solution.sought.wanted] + ["MCSE", "data sets"]
    yield from aligned([heads, *(_cells(solution, one) for one in solution.answers)])


def _cells(solution: Solution, one: Solved) -> list[str]:
    cells = [level_words(level) for level in one.levels.values()]
    if one.point is None:
        cells += ["none"] * len(one.ranges.names)
        cells += ["-"] * ((len(one.ranges.names) == 1) + (one.cost is not None))
    else:
        cells += [f"{value:g}" for value in one.point]
        if one.exact is not None:
            cells += [_precise(*one.exact).partition(", ")[2] or "-"]
        cells += [f"{design_cost(one):,.10g}"] if one.cost is not None else []
    tallies = _fresh(one)
    if tallies:
        cells += [_number(tally.mean, tally.mcse) for tally in tallies]
        cells.append(_number(tallies[0].mcse, tallies[0].mcse))
    else:
        cells += ["-"] * (len(solution.sought.wanted) + 1)
    return [*cells, f"{one.data_sets:,}"]


def _paragraph(solution: Solution) -> Iterator[str]:
    """Yield a paragraph for a paper."""
    study, sought = solution.study, solution.sought
    models = {model.name: model for model in study.models}
    fits = {(one.model, one.method, one.inference): one for one in sought.wanted if one.model}
    fitted = "; ".join(
        f"{models[model].formula} by {method.upper()} ({inference})"
        for model, method, inference in fits
    )
    total = sum(one.data_sets for one in solution.answers)
    wanted = " and ".join(f"{one.label} of {_bound(one)}" for one in sought.wanted)
    yield "To report it:"
    there = any(one.answer.design is not None for one in solution.answers)
    chosen = "The design was chosen" if there else "No design within the ranges was found"
    yield (
        f"{chosen} for {wanted} by simulation (hlm {__version__}, seed {study.seed}, "
        f"{total:,} data sets). Data followed {study.scenarios[0].formula}"
        + (f" and were fitted with {fitted}." if fitted else ".")
    )
    if len(solution.answers) == 1 and solution.answers[0].answer.design is not None:
        yield from _found(solution, solution.answers[0])


def _found(solution: Solution, one: Solved) -> Iterator[str]:
    exact, name = one.exact, one.ranges.names[0]
    if exact is not None and not one.answer.at_least_size:
        value, low, high = (_sized(x, exact) for x in exact)
        yield f"It takes {name} = {value} (95 % confidence interval {low} to {high})."
    measures = "; ".join(
        f"{wanted.label} was {_number(tally.mean, tally.mcse)} (Monte Carlo standard error "
        f"{_number(tally.mcse, tally.mcse)}, {counted(tally.n, 'data set')})"
        for wanted, tally in zip(solution.sought.wanted, _fresh(one), strict=True)
    )
    yield f"With {answer_words(one)}, in data sets that had no part in the choice, {measures}."


def _effort(one: Solved) -> str:
    answer = one.answer
    return (
        f"{counted(one.data_sets, 'data set')} in {counted(answer.rounds, 'round')}, "
        f"{one.seconds:.1f} s"
    )


def _fresh(one: Solved) -> tuple[Tally, ...]:
    return one.fresh.tallies if one.fresh else ()


def _limits(wanted: Wanted, tally: Tally, level: float) -> tuple[float, float]:
    if wanted.is_share:
        low, high = share_limits(tally.mean, tally.n, level)
        return float(low), float(high)
    half = normal_of(level) * tally.mcse
    return tally.mean - half, tally.mean + half


def _level(one: Solved) -> str:
    return f"{100.0 * one.answer.level:g} %"


def _precise(value: float, low: float, high: float) -> str:
    """Write a number with its interval, to two digits of its width."""
    numbers = (value, low, high)
    return f"{_sized(value, numbers)}, {_sized(low, numbers)} to {_sized(high, numbers)}"


def _sized(x: float, numbers: Sequence[float]) -> str:
    return _number(x, (numbers[2] - numbers[1]) / 4.0)


def _number(value: float, error: float) -> str:
    """Write a number to the decimals of two digits of its error."""
    known = isfinite(error) and error > 0.0
    decimals = min(10, max(0, 1 - int(log10(error) // 1))) if known else 3
    return f"{value:,.{decimals}f}" if isfinite(value) else "none"
