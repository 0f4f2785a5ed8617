"""A measure of performance over the grid: bias, coverage, power, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard, Unpack

import numpy as np

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS, is_asked_for
from hlm.figures.facets import Places, points_in
from hlm.figures.multiples import Look, small_multiples
from hlm.figures.style import blank
from hlm.pictures.arrangement import varied
from hlm.results.shown import in_order, of_first_policy, with_inference, with_words
from hlm.words.inferences import INFERENCES, inference_words
from hlm.words.levels import FITTED, OF_FIT, WORDS, level_words, said
from hlm.words.measures import OF_HYPOTHESES, OF_TERMS, TEST_KINDS, Measure
from hlm.words.notes import not_shown, on_fewer, unbounded, without_true_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Prepared", "measure_against_units", "prepared", "source_of"]

MOST_TERMS, MOST_ROWS = 6, 12
"""The terms that a figure shows, and the rows of panels if each inference has its own."""

WANTED_POWER = 0.8
"""The power that a grey line marks, which most studies are planned for."""

_ABSENT = {"power": "No hypothesis is false", "size": "No hypothesis is true"}

MODEL, INFERENCE = "model", "inference"
_KEYS = ["scenario", "model", "method", "kind", "term"]


@dataclass(frozen=True)
class Prepared:
    """What there is to draw of a measure, whatever the layout.

    Attributes
    ----------
    frame : DataFrame
        The columns of the grid, `model` (what colours tell apart), `method`, `estimate`, `mcse`,
        `n`, `row` (the term, with its inference where several have rows of their own), and others.
    look : Look
    models : list of str
        The values of `model` in the order of their marks.
    points : list of dict
        The levels of all scenarios.
    """

    frame: pd.DataFrame
    look: Look
    models: list[str]
    points: list[dict[str, Any]]


def measure_against_units(
    measures: pd.DataFrame,
    measure: str = "bias",
    *,
    term: str | Sequence[str] = "fixed",
    method: str | None = None,
    level: float | Mapping[str, float] = 0.95,
    colour: str = "",
    remarks: Sequence[str] = (),
    **places: Unpack[Places],
) -> Figure:
    """Draw one measure over the grid, against the number of units where that varies.

    The panels are the next factors of the study's grid and, where there are several, the terms;
    each model has its mark, filled for fits by REML and hollow for fits by ML. The bars reach
    1.96 Monte Carlo standard errors to either side; those of shares are Wilson's limits. A grey
    line marks no error, a power of 80% or, for coverage and for tests of true hypotheses, the
    nominal level, in the band that chance alone gives. Lines of text below name the terms without
    a true value and those for which there is no room, and say where a measure does not rest on
    all replicates.

    Where terms have several inferences, each inference has its mark if the study has one model,
    and its row of panels if it has more.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    measure : str
        One of the measures in it, such as ``'bias'`` or ``'coverage'``; or ``'power'`` or
        ``'size'``, the rejection rates of false and of true hypotheses.
    term : str or sequence of str
        Terms by name, or ``'fixed'``, ``'random'`` or ``'tests'`` for all of one part. There is
        room for six, or for fewer if each has several rows of panels. Of a part, the terms that a
        study asks for in `estimation.estimands` come first; of terms by name, the first do.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    level : float or mapping of str to float
        The confidence level of the study's intervals, or that of each model.
    colour : str
        What colours tell apart: ``'model'``, ``'inference'`` or a factor of the grid.
    remarks : sequence of str
        Sentences for the foot of the figure.
    **places
        Where factors go, and which page is drawn: see `hlm.figures.facets.Places`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such measure or term.
    """
    found = prepared(
        measures, measure, term=term, method=method, level=level, colour=colour, remarks=remarks
    )
    if isinstance(found, str):
        return blank(found)
    places.setdefault("points", found.points)
    return small_multiples(found.frame, found.look, row="row", models=found.models, **places)


def prepared(
    measures: pd.DataFrame,
    measure: str,
    *,
    term: str | Sequence[str],
    method: str | None = None,
    level: float | Mapping[str, float] = 0.95,
    colour: str = "",
    apart: bool = False,
    remarks: Sequence[str] = (),
) -> Prepared | str:
    """Return what there is to draw of a measure, or why there is nothing.

    The parameters are those of `measure_against_units`, and `apart`, whether models are a factor
    of the panels although colours tell them apart.
    """
    _check(measure, list(OF_TERMS), "measure")
    measures = with_words(of_first_policy(measures))
    every = _terms(measures, term)
    asked = with_inference(measures)
    asked = asked.assign(key=asked["kind"] + " " + asked["term"])
    if method is not None:
        asked = asked[asked["method"] == method]
    source = source_of(measure)
    models, inferences = _models(measures), _inferences(asked, source, every)
    several = len(inferences) > 1
    by_inference = several and (colour == INFERENCE or (len(models) == 1 and not colour))
    each = 1 if by_inference else max(1, len(inferences))
    room = min(MOST_TERMS, max(1, MOST_ROWS // each))
    found = _first_those_asked_for(every, room) if _is_part(term) else every[:room]
    asked = asked[asked["key"].isin(found)]
    frame = asked[(asked["measure"] == source) & asked["estimate"].notna()]
    frame = _of_hypotheses(frame, measure)
    is_of_tests = asked["kind"].isin(TEST_KINDS).all()
    missing = [] if is_of_tests else without_true_value(frame, asked, measure)
    missing += not_shown(_words_but(measures, every, found), "measures.csv")
    missing += remarks
    if frame.empty:
        return " ".join([f"No value of {measure} in this study.", *missing])
    frame = _beside(frame, asked, "n_total", "unbounded")
    frame, words = _in_rows(frame, found, inferences if each > 1 else [])
    levels = {m: level[m] if isinstance(level, Mapping) else level for m in frame["model"].unique()}
    look = _look(measure, levels, words, missing)
    if each > 1:
        look = replace(look, scale="key")
    if measure == "rejection" and (frame["true"] == 0).all():  # rates of false alarms alone
        look = replace(look, whole=False, from_zero=True)
    points = points_in(measures)
    if not by_inference and colour in ("", MODEL) and not apart:
        return Prepared(frame, look, models, points)
    return _coloured(frame, look, levels, points, INFERENCE if by_inference else colour)


def source_of(measure: str) -> str:
    """Return the name in `measures` of what a measure is read from.

    Examples
    --------
    >>> source_of("power"), source_of("bias")
    ('rejection', 'bias')
    """
    return "rejection" if measure in OF_HYPOTHESES else measure


def _of_hypotheses(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of hypotheses that are false, for power, or true, for size.

    A test whose hypothesis is false has no one true value.
    """
    if measure == "size":
        return frame[frame["true"] == 0]
    if measure == "power":
        is_test = frame["kind"].isin(TEST_KINDS)
        return frame[(frame["true"] != 0) & (frame["true"].notna() | is_test)]
    return frame


def _coloured(
    frame: pd.DataFrame,
    look: Look,
    levels: Mapping[str, float],
    points: list[dict[str, Any]],
    colour: str,
) -> Prepared:
    """Put in the place of models what colours tell apart; several models are a factor then."""
    several = len(levels) > 1
    frame = frame.assign(**{FITTED: frame["model"]})
    if several:
        points = [{**one, FITTED: name} for one in points for name in levels]
    if colour == INFERENCE:
        there = set(frame[INFERENCE])
        known = [name for name in INFERENCES if name in there]
        names = [*known, *sorted(there - {*known})]
        words = {name: inference_words(name) for name in names}
    elif colour in ("", MODEL):
        words = {name: name for name in levels}
        colour = MODEL
    else:
        words = {level: level_words(level) for level in varied(points)[colour]}
        points = [{k: v for k, v in one.items() if k != colour} for one in points]
    frame = frame.assign(model=frame[colour].map(words))
    if colour not in (INFERENCE, MODEL):
        frame = frame.drop(columns=colour)
    if not several:
        frame = frame.rename(columns={FITTED: OF_FIT})
    if colour != MODEL:
        look = replace(look, series=_series_words(colour), models={})
    return Prepared(frame, look, [*words.values()], points)


def _series_words(colour: str) -> str:
    return "Inference" if colour == INFERENCE else said(colour)


def _look(
    measure: str, levels: Mapping[str, float], words: Mapping[str, str], missing: Sequence[str]
) -> Look:
    about = OF_TERMS[measure]
    shares = {name: 1 - level if _is_of_tests(about) else level for name, level in levels.items()}
    texts = {name: f"{100 * share:g}%" for name, share in shares.items()}
    several = " or ".join(dict.fromkeys(texts.values()))
    apart = len(set(texts.values())) > 1 and "{" in about.label

    def notes(shown: pd.DataFrame) -> list[str]:
        ends = unbounded(shown["unbounded"]) if measure == "coverage" else []
        return [*missing, *on_fewer(shown, measure), *ends]

    named = f"nominal level, {several}" if about.has_level else ""
    return Look(
        label=about.label.format(level=several, alpha=several),
        reference=lambda frame: _reference(measure, shares, frame),
        reference_label=f"power of {WANTED_POWER:.0%}" if measure == "power" else named,
        percent=about.kind == "relative",
        ends=(0, 1) if about.kind == "share" else (-np.inf, np.inf),
        shares=about.kind == "share",
        whole=measure in ("power", "rejection"),
        from_zero=about.kind == "size" or measure == "size",
        absent=_ABSENT.get(measure, "No value"),
        one_scale=about.has_level,
        band=about.has_level,
        words=words,
        models={name: f"{name} ({text})" for name, text in texts.items()} if apart else {},
        notes=notes,
    )


def _is_of_tests(about: Measure) -> bool:
    return "{alpha}" in about.label


def _reference(measure: str, shares: Mapping[str, float], frame: pd.DataFrame) -> list[float]:
    """Return the heights to compare the rows of a panel with: no error, or nominal levels."""
    about = OF_TERMS[measure]
    if measure == "power":
        return [WANTED_POWER] if len(frame) else []
    if not about.has_level:
        return [0.0] if about.nominal == "zero" else []
    if about.nominal == "alpha":  # a test of a false hypothesis has no level to keep
        frame = frame[frame["true"] == 0]
    fitted = next(name for name in (FITTED, OF_FIT, MODEL) if name in frame)
    return list(dict.fromkeys(shares[model] for model in frame[fitted].drop_duplicates()))


def _is_part(term: str | Sequence[str]) -> TypeGuard[str]:
    return isinstance(term, str) and term in PARTS


def _terms(measures: pd.DataFrame, term: str | Sequence[str]) -> list[str]:
    """Return the terms asked for, each as its kind and its name."""
    if _is_part(term):
        part = measures[measures["kind"].isin(PARTS[term])]
        return [f"{kind} {name}" for kind, name in in_order(part)]
    found = list(measures[["kind", "term"]].drop_duplicates().itertuples(index=False, name=None))
    names = [term] if isinstance(term, str) else list(term)
    for name in names:
        _check(name, [known for _, known in found if known], "term")
    return [f"{kind} {known}" for name in names for kind, known in found if known == name]


def _first_those_asked_for(keys: Sequence[str], most: int) -> list[str]:
    """Choose terms, kept in order: first those asked for, one of each kind in turn."""
    seen: dict[str, int] = {}
    ranks = {}
    for place, key in enumerate(keys):
        kind = key.partition(" ")[0]
        seen[kind] = seen.get(kind, 0) + 1
        ranks[key] = (0, seen[kind]) if is_asked_for(kind) else (1, place)
    chosen = sorted(keys, key=ranks.__getitem__)[:most]
    return [key for key in keys if key in chosen]


def _words_but(measures: pd.DataFrame, keys: Sequence[str], shown: Sequence[str]) -> list[str]:
    """Return the words for the terms that are not among those shown."""
    found = measures[["kind", "term", WORDS]].drop_duplicates(["kind", "term"])
    words = dict(zip(found["kind"] + " " + found["term"], found[WORDS], strict=True))
    return [words[key] for key in keys if key not in shown]


def _models(frame: pd.DataFrame) -> list[str]:
    return frame["model"].drop_duplicates().tolist()


def _inferences(measures: pd.DataFrame, measure: str, keys: Sequence[str]) -> list[str]:
    """Return the inferences of a measure, if a model has several of them for one of the terms."""
    own = measures[(measures["measure"] == measure) & measures["key"].isin(keys)]
    if own.groupby(["model", "key"])["inference"].nunique().max() <= 1:
        return []
    known, found = list(INFERENCES), own["inference"].drop_duplicates().tolist()
    return sorted(found, key=lambda name: known.index(name) if name in known else len(known))


def _beside(frame: pd.DataFrame, measures: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return the rows with other measures of the same term beside them, NaN where there is none."""
    for name in names:
        other = measures[measures["measure"] == name]
        keys = [*_KEYS, "inference"] if other["inference"].any() else _KEYS
        frame = frame.join(other.set_index(keys)["estimate"].rename(name), on=keys)
    return frame


def _in_rows(
    frame: pd.DataFrame, keys: Sequence[str], inferences: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Sort a frame by the row of panels of each term, or of each of its inferences; name these."""
    frame = frame.assign(row=frame["key"] + ("\n" + frame["inference"] if inferences else ""))
    order = [f"{key}\n{name}" for key in keys for name in inferences] or list(keys)
    frame = frame.sort_values("row", key=lambda rows: rows.map(order.index), kind="stable")
    words = {}
    for row, own in frame.groupby("row"):
        first, values = own.iloc[0], np.unique(own["true"].to_numpy())
        lines = [first[WORDS]]
        lines += [inference_words(first["inference"])] if inferences else []
        if len(values) == 1 and np.isfinite(values[0]):
            lines.append(f"true: {level_words(float(values[0]))}")
        words[str(row)] = "\n".join(lines)
    return frame.drop(columns="term"), words


def _check(name: str, allowed: Sequence[str], what: str) -> None:
    if name not in allowed:
        raise InputError(
            f"unknown {what} '{name}'",
            allowed=", ".join(map(str, allowed)),
            suggestion=nearest(name, allowed),
        )
