"""Where shares leave the band that chance gives about their nominal level: coverage, and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hlm.estimands.kinds import PARTS
from hlm.report.bias_finding import PART_WORDS
from hlm.report.finding import (
    BAND,
    Finding,
    Places,
    by_chance,
    each_model,
    greatest,
    in_percent,
    of_all,
    region,
    rejections,
)
from hlm.words.inferences import joined
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from hlm.scenario import Model

__all__ = ["coverage_findings", "size_findings"]


@dataclass(frozen=True)
class _Share:
    """What a share is called, one and several, which side is worse, and what shows it."""

    one: str
    several: str
    worse: Literal["low", "high"]
    figures: tuple[str, ...]


_SIZE = _Share(
    "rejection rate of true hypotheses",
    "rejection rates of true hypotheses",
    "high",
    ("size_fixed", "size_tests"),
)


def coverage_findings(measures: pd.DataFrame, models: Iterable[Model]) -> Iterator[Finding]:
    """Yield a finding on the coverage of the fixed effects, and one on that of the random part.

    Parameters
    ----------
    measures : DataFrame
        Rows of `measures` with the words of their terms, of one policy.
    models : iterable of Model
        For the levels of their intervals.
    """
    level = {model.name: model.level for model in models}
    rows = measures[measures["measure"] == "coverage"]
    for part, words in PART_WORDS.items():
        of = f"of intervals of {words}"
        name = _Share(f"coverage {of}", f"coverages {of}", "low", (f"coverage_{part}",))
        title = f"Coverage, {words.removeprefix('the ')}"
        yield from _band(rows[rows["kind"].isin(PARTS[part])], level, title, name)


def size_findings(measures: pd.DataFrame, models: Iterable[Model]) -> Iterator[Finding]:
    """Yield a finding on how often hypotheses that are true are rejected.

    Parameters
    ----------
    measures : DataFrame
        Rows of `measures` with the words of their terms, of one policy.
    models : iterable of Model
        For the levels of their tests.
    """
    alpha = {model.name: 1.0 - model.level for model in models}
    rejected = rejections(measures)
    true = rejected[rejected["true"] == 0]
    yield from _band(true, alpha, "Size of tests", _SIZE)
    if true.empty and len(rejected):
        said = "No hypothesis that is tested is true, so nothing is seen of the size of tests."
        yield Finding("Size of tests", said)


def _band(
    rows: pd.DataFrame, levels: dict[str, float], title: str, share: _Share
) -> Iterator[Finding]:
    """Yield how many shares leave their band, and which; nothing where there are none."""
    rows = rows[rows["estimate"].notna() & (rows["n"] > 0)].reset_index(drop=True)
    n = len(rows)
    if not n:
        return
    # A model that a criterion chooses has no level of its own: it is that of the others.
    nominal = rows["model"].map(levels).astype(float).fillna(next(iter(levels.values())))
    half = BAND * (nominal * (1.0 - nominal) / rows["n"]) ** 0.5
    gap = (rows["estimate"] - nominal) / half
    k = int((gap.abs() > 1.0).sum())
    least, most = rows["estimate"].min(), rows["estimate"].max()
    span = "" if n == 1 else f" They go from {in_percent(least)} to {in_percent(most)}."
    said = (
        f"{of_all(n, k)} {share.one if n == 1 else share.several} {noun(k, 'lies', 'lie')} "
        f"outside {_band_words(nominal, half)}{_which(gap)}; by chance alone "
        f"{by_chance(n)} would.{span}"
    )
    places = Places.of(rows)
    lines = (
        f"{model}: {_sides(gap[own.index])} of {len(own):,}; {'; '.join(ends)}."
        for model, own in each_model(rows)
        if (ends := list(_extremes(own, gap, share, places.of_one_model())))
    )
    ends = [f"{end[0].upper()}{end[1:]}." for end in _extremes(rows, gap, share, places)]
    details = [" ".join(ends)] if ends else []
    yield Finding(title, said, tuple(details), tuple(lines), share.figures)


def _band_words(nominal: pd.Series, half: pd.Series) -> str:
    """Say what the band is, with its ends if all rows have one."""
    levels, halves = nominal.round(12).unique(), half.round(12).unique()
    if len(levels) > 1:
        return f"their nominal level ± {BAND} MCSEs"
    level, ends = float(levels[0]), ""
    if len(halves) == 1:
        low, high = max(0.0, level - halves[0]), min(1.0, level + halves[0])
        ends = f" ({in_percent(low)} to {in_percent(high)})"
    return f"{100.0 * level:g}% ± {BAND} MCSEs{ends}"


def _sides(gap: pd.Series) -> str:
    """Say how many shares are beyond each end of their band; `gap` is in halves of it."""
    counts = {"low": int((gap < -1.0).sum()), "high": int((gap > 1.0).sum())}
    words = [f"{count:,} too {side}" for side, count in counts.items() if count]
    return joined(words) if words else ""


def _which(gap: pd.Series) -> str:
    """Say on which sides shares are outside; of one alone, without its number."""
    words = _sides(gap)
    return f", {words.removeprefix('1 ') if (gap.abs() > 1.0).sum() == 1 else words}" * bool(words)


def _extremes(rows: pd.DataFrame, gap: pd.Series, share: _Share, places: Places) -> Iterator[str]:
    """Yield which share is furthest off on either side, the worse first, and where that side is."""
    gap = gap[rows.index]
    for side in ("low", "high") if share.worse == "low" else ("high", "low"):
        beyond = rows[gap < -1.0 if side == "low" else gap > 1.0]
        if len(beyond):
            row = greatest(rows, -gap if side == "low" else gap)
            where = region(beyond, rows, places.factors) if len(beyond) > 1 else ""
            yield (
                f"{side}est: {places.words(row)}: {in_percent(row['estimate'], row['mcse'])}"
                f"{f' (all too {side} have {where})' if where else ''}"
            )
