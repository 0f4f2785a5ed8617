"""The measures of a study over its grid: bias, coverage, selection, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS, is_asked_for
from hlm.figures.multiples import Look, small_multiples
from hlm.figures.style import blank
from hlm.plan.report import FIGURES, TABLES
from hlm.results.shown import in_order, of_first_policy, with_inference, with_words
from hlm.words.criteria_words import CRITERION_WORDS
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import INFERENCES, inference_words, joined
from hlm.words.levels import WORDS, level_words, span
from hlm.words.measures import MEASURES, RATES, Measure
from hlm.words.notes import not_shown, on_fewer, unbounded, without_true_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["failure_rates", "measure_against_units", "outcome_shares", "selection_rates"]

MOST_TERMS, MOST_ROWS = 6, 12
"""The terms that a figure shows, and the rows of panels if each inference has its own."""

_KEYS = ["scenario", "model", "method", "kind", "term"]


def measure_against_units(
    measures: pd.DataFrame,
    measure: str = "bias",
    *,
    term: str | Sequence[str] = "fixed",
    method: str | None = None,
    level: float | Mapping[str, float] = 0.95,
    at: Mapping[str, Any] | None = None,
    remarks: Sequence[str] = (),
) -> Figure:
    """Draw one measure against the number of units.

    The panels are the next factors of the study's grid and, where there are several, the terms;
    each model has its mark, filled for fits by REML and hollow for fits by ML. The bars reach
    1.96 Monte Carlo standard errors to either side; those of shares are Wilson's limits. A grey
    line marks no error or, for coverage and for the rejection of a true null hypothesis, the
    nominal level. Lines of text below
    name the terms without a true value and those for which there is no room, and say where a
    measure does not rest on all replicates.

    Where terms have several inferences, each inference has its mark if the study has one model,
    and its row of panels if it has more.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    measure : str
        One of the measures in it, such as ``'bias'`` or ``'coverage'``.
    term : str or sequence of str
        Terms by name, or ``'fixed'``, ``'random'`` or ``'tests'`` for all of one part. There is
        room for six, or for fewer if each has several rows of panels. Of a part, the terms that a
        study asks for in `estimation.estimands` come first; of terms by name, the first do.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    level : float or mapping of str to float
        The confidence level of the study's intervals, or that of each model.
    at : dict, optional
        The level at which to hold a factor of the grid that has no place among the panels.
    remarks : sequence of str
        Sentences for the foot of the figure.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such measure or term.
    """
    _check(measure, list(MEASURES), "measure")
    measures = with_words(of_first_policy(measures))
    every = _terms(measures, term)
    asked = with_inference(measures)
    asked = asked.assign(key=asked["kind"] + " " + asked["term"])
    if method is not None:
        asked = asked[asked["method"] == method]
    models, inferences = _models(measures), _inferences(asked, measure, every)
    by_inference = len(inferences) > 1 and len(models) == 1
    each = 1 if by_inference else max(1, len(inferences))
    room = min(MOST_TERMS, max(1, MOST_ROWS // each))
    found = _first_those_asked_for(every, room) if _is_part(term) else every[:room]
    asked = asked[asked["key"].isin(found)]
    frame = asked[(asked["measure"] == measure) & asked["estimate"].notna()]
    missing = without_true_value(frame, asked, measure)
    missing += not_shown(_words_but(measures, every, found), _table_of(measure, term))
    missing += remarks
    if frame.empty:
        return blank(" ".join([f"No value of {measure} in this study.", *missing]))
    frame = _beside(frame, asked, "n_total", "unbounded")
    frame, words = _in_rows(frame, found, inferences if each > 1 else [])
    levels = {m: level[m] if isinstance(level, Mapping) else level for m in frame["model"].unique()}
    if by_inference:
        (of_all,) = set(levels.values())
        models = [inference_words(name) for name in inferences]
        frame = frame.assign(model=frame["inference"].map(inference_words))
        levels = dict.fromkeys(models, of_all)
    look = _look(measure, levels, words, missing)
    if look.whole and (frame["true"] == 0).all():  # rates of false alarms alone are near the level
        look = replace(look, whole=False, from_zero=True)
    if by_inference:
        look = replace(look, series="Inference")
    elif each > 1:
        look = replace(look, scale="key")
    return small_multiples(frame, look, row="row", at=at, models=models)


def selection_rates(
    selection: pd.DataFrame,
    criterion: str = "aic",
    *,
    replicates: int | None = None,
    remarks: Sequence[str] = (),
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw how often a criterion prefers each model, over the grid, for each method.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.
    criterion : str
        Such as 'aic'.
    replicates : int, optional
        The data sets of each scenario: with it, the figure says where a rate rests on fewer.
    remarks : sequence of str
        Sentences for the figure.
    at : dict, optional
        As in `measure_against_units`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such criterion.
    """
    _check(criterion, selection["criterion"].drop_duplicates().tolist(), "criterion")
    by = CRITERION_WORDS.get(criterion, criterion)
    frame = selection[selection["criterion"] == criterion].rename(columns={"rate": "estimate"})
    frame = frame[frame["estimate"].notna()].sort_values("method", ascending=False, kind="stable")
    if frame.empty:
        return blank(f"No choice by {by} in this study: on every data set a fit fails.")
    look = Look(
        label=f"Share of data sets for which the model is chosen by {by}",
        ends=(0, 1),
        shares=True,
        whole=True,
        words={key: f"fitted by {word}" for key, word in METHODS.items()},
        notes=lambda shown: [*_on_fewer_data_sets(shown["n"], replicates), *remarks],
    )
    return small_multiples(frame, look, row="method", at=at, models=_models(selection))


def failure_rates(
    measures: pd.DataFrame, *, method: str | None = None, at: Mapping[str, Any] | None = None
) -> Figure:
    """Draw the shares of singular and of failed fits over the grid.

    A fit is singular if it ends on the boundary: a variance of 0, or a correlation of -1 or 1.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    method, at
        As in `measure_against_units`.

    Returns
    -------
    Figure
    """
    frame = measures[measures["measure"].isin(list(RATES)) & measures["estimate"].notna()]
    if method is not None:
        frame = frame[frame["method"] == method]
    if frame.empty:
        return blank("No failure rates in this study.")
    frame = frame.sort_values("measure", ascending=False, kind="stable")
    look = Look(
        label="Share of fits",
        ends=(0, 1),
        shares=True,
        from_zero=True,
        words=RATES,
        notes=_on_fewer_fits,
    )
    return small_multiples(frame, look, row="measure", at=at, models=_models(measures))


def outcome_shares(accounting: pd.DataFrame, *, at: Mapping[str, Any] | None = None) -> Figure:
    """Draw what share of fits ended in each way, over the grid.

    Parameters
    ----------
    accounting : DataFrame
        A study's `accounting.parquet`.
    at
        As in `measure_against_units`.

    Returns
    -------
    Figure
        With a row of panels for each outcome but `ok` that some fit had, and for singular and
        converged fits.
    """
    happened = accounting.loc[accounting["count"] > 0, "outcome"].unique()
    rows = [
        name
        for name in dict.fromkeys([*OUTCOMES, *happened])
        if name in ("converged", "singular") or (name in happened and name != "ok")
    ]
    frame = accounting[accounting["outcome"].isin(rows)]
    if frame.empty:
        return blank("No fits in this study.")
    frame = frame.assign(estimate=frame["count"] / frame["n"], mcse=np.nan)
    frame = frame.sort_values("outcome", key=lambda names: names.map(rows.index), kind="stable")
    never = [OUTCOMES[name] for name in OUTCOMES if name not in (*rows, "ok")]
    look = Look(
        label="Share of fits",
        ends=(0, 1),
        shares=True,
        from_zero=True,
        scale="outcome",
        words=OUTCOMES,
        notes=lambda _: [f"No fit: {joined(never)}."] if never else [],
    )
    return small_multiples(frame, look, row="outcome", at=at, models=_models(accounting))


def _look(
    measure: str, levels: Mapping[str, float], words: Mapping[str, str], missing: Sequence[str]
) -> Look:
    about = MEASURES[measure]
    shares = {
        name: 1 - level if about.nominal == "alpha" else level for name, level in levels.items()
    }
    texts = {name: f"{100 * share:g}%" for name, share in shares.items()}
    several = " or ".join(dict.fromkeys(texts.values()))
    apart = len(set(texts.values())) > 1 and "{" in about.label

    def notes(shown: pd.DataFrame) -> list[str]:
        ends = unbounded(shown["unbounded"]) if measure == "coverage" else []
        return [*missing, *on_fewer(shown, measure), *ends]

    return Look(
        label=about.label.format(level=several, alpha=several),
        reference=lambda frame: _reference(about, shares, frame),
        reference_label=f"nominal level, {several}" if about.has_level else "",
        percent=about.kind == "relative",
        ends=(0, 1) if about.kind == "share" else (-np.inf, np.inf),
        shares=about.kind == "share",
        whole=about.nominal == "alpha",
        from_zero=about.kind == "size",
        words=words,
        models={name: f"{name} ({text})" for name, text in texts.items()} if apart else {},
        notes=notes,
    )


def _reference(about: Measure, shares: Mapping[str, float], frame: pd.DataFrame) -> list[float]:
    """Return the heights to compare the rows of a panel with: no error, or nominal levels."""
    if not about.has_level:
        return [0.0] if about.nominal == "zero" else []
    if about.nominal == "alpha":  # a test of a false hypothesis has no level to keep
        frame = frame[frame["true"] == 0]
    return list(dict.fromkeys(shares[model] for model in frame["model"].drop_duplicates()))


def _on_fewer_data_sets(n: pd.Series, replicates: int | None) -> list[str]:
    if replicates is None or not (n < replicates).any():
        return []
    return [f"The rates rest on {span(n)} of {replicates:,} data sets: on the others a fit fails."]


def _on_fewer_fits(shown: pd.DataFrame) -> list[str]:
    """Say on how many fits the share of singular ones rests: of a failed one it is unknown."""
    singular, failed = (shown[shown["measure"] == name]["n"] for name in ("singular", "failed"))
    if singular.empty or failed.empty or not singular.min() < failed.max():
        return []
    of = f"{span(singular)} of {span(failed)} fits"
    return [f"The share of singular fits rests on {of}: the others failed."]


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


def _table_of(measure: str, term: str | Sequence[str]) -> str:
    """Name what has a measure of all terms: the table of their part, if a study has its figure."""
    if _is_part(term) and f"{measure}_{term}" in FIGURES:
        return f"the table '{TABLES[f'performance_{term}']}'"
    return "measures.parquet"


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
