"""Power as lines of text: a table, where the target is met, and what differs from theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.cli.shown_table import cell, keyed_lines, named_key, percent_of
from hlm.versions import __version__
from hlm.words.levels import level_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.whatif.curves import Curve, PowerPoint, Rate
    from hlm.whatif.power import Power

__all__ = ["power_lines"]


def power_lines(found: Power, seconds: float) -> list[str]:
    """Return all that is said of the power of a study.

    Parameters
    ----------
    found : Power
    seconds : float
        That it took so far.
    """
    head = f"{found.study.name}: {found.data_sets:,} data sets in {seconds:.1f} s"
    if not found.curves:
        return [head]
    pairs = [(curve, point) for curve in found.curves for point in curve.points]
    has_size = any(point.size is not None for _, point in pairs)
    has_certain = any(point.certain is not None for _, point in pairs)
    has_closed = any(point.closed is not None for _, point in pairs)
    word = _word(found)
    keys = [_keys(found, curve, point) for curve, point in pairs]
    of_twins = {"power as written": has_certain, "size": has_size}
    shown = [name for name, there in of_twins.items() if there]
    cells = [_cells(point, word, shown, has_closed=has_closed) for _, point in pairs]
    return [
        head,
        *keyed_lines(keys, cells),
        *(line for curve in found.curves for line in _verdict(found, curve)),
        *(line for curve in found.curves for line in _remarks(found, curve)),
        *_violated(found),
        *_paragraph(found),
    ]


def _word(found: Power) -> str:
    words = {point.word for curve in found.curves for point in curve.points}
    return words.pop() if len(words) == 1 else found.measure


def _keys(found: Power, curve: Curve, point: PowerPoint) -> dict[str, str]:
    """Return what tells a row from the others, that which is varied last."""
    return {**_curve_keys(curve), **_at(found, point)}


def _curve_keys(curve: Curve) -> dict[str, str]:
    return _own_keys(curve.levels, curve.model, curve.method, curve.term, curve.inference)


def _own_keys(
    levels: Mapping[str, Any], model: str, method: str, term: str, inference: str
) -> dict[str, str]:
    named = {name: level_words(value) for name, value in levels.items()}
    own = {"model": model, "method": method.upper(), "term": term}
    return {**named, **own, "inference": inference}


def _at(found: Power, point: PowerPoint) -> dict[str, str]:
    if found.over is None or point.at is None:
        return {}
    return {found.over.name: level_words(point.at)}


def _cells(
    point: PowerPoint, word: str, of_twins: Sequence[str], *, has_closed: bool
) -> dict[str, str]:
    """Return the numbers of a row; those of twins as they are named in `of_twins`."""
    cells = {word: _number(point.rate), "95 % interval": _interval(point.rate)}
    if has_closed:
        cells["closed form"] = "" if point.closed is None else f"{point.closed.value:.3f}"
    known = {"power as written": point.certain, "size": point.size}
    for name in of_twins:
        rate = known[name]
        cells[name] = "" if rate is None else _number(rate)
        cells[f"{name}, 95 %"] = "" if rate is None else _interval(rate)
    cells["replicates"] = f"{point.rate.drawn:,}"
    return {**cells, "failed": percent_of(point.failed), "singular": percent_of(point.singular)}


def _number(rate: Rate) -> str:
    return f"{rate.value:.3f}"


def _interval(rate: Rate) -> str:
    return f"{rate.low:.3f} to {rate.high:.3f}"


def _named(curve: Curve) -> str:
    """Return what a curve is of, in words."""
    return ", ".join(named_key(name, value) for name, value in _curve_keys(curve).items() if value)


def _verdict(found: Power, curve: Curve) -> Iterator[str]:
    """Say where the target is met."""
    if found.over is None or found.target is None or not curve.points:
        return
    name = found.over.name
    what = f"{curve.points[-1].word} {found.target:g}"
    if curve.met is None:
        first, last = curve.points[0], curve.points[-1]
        known = " and ".join(f"{_number(p.rate)} at {name} {p.at:g}" for p in (first, last))
        yield f"{_named(curve)}: {what} is not met between these values; it is {known}"
        return
    met = curve.met
    whole = f", so {met.admissible:,}" if met.admissible is not None else ""
    yield (
        f"{_named(curve)}: {what} at {name} {met.at:.4g} "
        f"(95 % interval {_end(met.low, 'less')} to {_end(met.high, 'more')}){whole}"
    )


def _remarks(found: Power, curve: Curve) -> Iterator[str]:
    """Say on how many replicates rates rest, and what closed forms lack."""
    for point in curve.points:
        where = ", ".join([_named(curve), *(f"{k} {v}" for k, v in _at(found, point).items())])
        rate = point.rate
        if rate.n < rate.drawn:
            as_none = rate.value * rate.n / rate.drawn if rate.n else 0.0
            counted = f"; counted as no rejections: {as_none:.3f}" if found.is_rejection else ""
            yield (
                f"{where}: {rate.drawn - rate.n:,} of {rate.drawn:,} replicates have no value "
                f"and do not count{counted}"
            )
        if point.closed is not None and point.differs:
            yield (
                f"{where}: {rate.value:.3f} differs from the closed form, "
                f"{point.closed.value:.3f}, by more than its error: {point.closed.reason}"
            )


def _end(limit: float | None, beyond: str) -> str:
    return beyond if limit is None else f"{limit:.4g}"


def _violated(found: Power) -> Iterator[str]:
    """Say what each violated assumption does to power and size, in a table of its own."""
    rows = found.violated
    if not rows:
        return
    yield ""
    yield "less the nominal one, paired by data set"
    keys, cells = [], []
    for row in rows:
        at = {} if found.over is None or row.at is None else {found.over.name: level_words(row.at)}
        keys.append({**_own_keys(row.levels, row.model, row.method, row.term, row.inference), **at})
        gap, error = cell(row.difference, row.mcse)
        one = {row.word: gap, "MCSE": error}
        if any(other.size is not None for other in rows):
            known = ("", "") if row.size is None else cell(*row.size)
            one |= {"size": known[0], "MCSE of size": known[1]}
        cells.append(one)
    yield from keyed_lines(keys, cells)


def _paragraph(found: Power) -> Iterator[str]:
    """Yield a paragraph for a paper, where one curve reaches the target."""
    curve = found.curves[0]
    met = curve.met
    if len(found.curves) > 1 or met is None or found.over is None or found.target is None:
        return
    (model,) = (one for one in found.study.models if one.name == curve.model)
    inference = f" ({curve.inference})" if curve.inference else ""
    drawn = {point.rate.drawn for point in curve.points}
    each = f"{min(drawn):,}" if len(drawn) == 1 else f"{min(drawn):,} to {max(drawn):,}"
    word, name = curve.points[-1].word, found.over.name
    yield ""
    yield "To report it:"
    yield (
        f"The {word} of {curve.term} was simulated (hlm {__version__}, seed {found.study.seed}): "
        f"{each} data sets for each of {len(curve.points)} values of {name}. Data followed "
        f"{curve.points[0].scenario.formula} and were fitted with {model.formula} by "
        f"{curve.method.upper()}{inference}."
    )
    yield (
        f"It is {found.target:g} at {name} = {met.at:.4g} (95 % interval for Monte Carlo error: "
        f"{_end(met.low, 'less')} to {_end(met.high, 'more')})."
    )
    sizes = [point.size.value for point in curve.points if point.size is not None]
    if sizes:
        yield f"Without the effect the test rejected in {min(sizes):.3f} to {max(sizes):.3f}."
    most = max(point.failed for point in curve.points)
    lost = "No fit failed" if most == 0.0 else f"At most {percent_of(most)} of the fits failed"
    yield f"{lost}; at most {percent_of(max(p.singular for p in curve.points))} were singular."
