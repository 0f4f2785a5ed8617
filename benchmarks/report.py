"""The tables that are printed."""

from __future__ import annotations

import os
import platform
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np

import hlm
from benchmarks.cases import by_row, cases, hard_case, shaped, unequal
from benchmarks.engines import WORSE, Result, compare, hlm_criteria, stacked, versions
from benchmarks.optimum import SAME, STARTS, Rivals, ask_lme4, fit_groups
from benchmarks.stages import (
    MATHACHIEVE,
    compile_seconds,
    import_seconds,
    lmer_seconds,
    refits_per_second,
)
from benchmarks.timing import Timing, time_case, time_shapes
from benchmarks.whatif import (
    AT_LEAST,
    PROMPT,
    answers,
    mcpower_version,
    per_data_set,
    phases,
)
from benchmarks.whatif import SETS as WHATIF_SETS
from hlm.datasets import load_mathachieve
from hlm.kernels.search import FEW_ROWS

if TYPE_CHECKING:
    from benchmarks.cases import Case
    from benchmarks.growth import Growth

__all__ = [
    "print_cases",
    "print_engines",
    "print_growth",
    "print_machine",
    "print_once",
    "print_optimum",
    "print_rows",
    "print_shapes",
    "print_whatif",
]

SETS, SETS_SLOW, SETS_HARD = 20, 3, 60

KR_BUDGET, PROFILE_BUDGET = 3.0, 30.0
"""What these may cost, over the plain fit."""

SIZES_BUDGET = 1.5
"""What a data set of unequal units may cost, over the most of equal units and as many rows."""

SHAPE_BUDGET = 2.0
"""What a data set that is not normal may cost, over the most of one that is."""

BESIDE = 1.2
"""What Kenward-Roger beside Satterthwaite may cost, over Kenward-Roger alone."""


def print_machine() -> None:
    """Say what is measured, and on what kind of machine."""
    print(
        f"hlm {hlm.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"Numba {numba.__version__}; {versions()}\n"
        f"{_processor()}, {os.cpu_count()} cores, of which one is used"
    )


def _processor() -> str:
    """Return the processor's kind."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    kinds = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return kinds[0] if kinds else platform.machine()


def print_cases() -> list[Timing]:
    """Time and print each design, against the time to draw its normals."""
    _heading(
        "Microseconds of processor time per data set",
        "normals: NumPy's standard_normal of the same count, 65,536 at a time; the ratios' base",
        "(all): the same in one call. simulate: draw and reduce to cross-products",
        "REML, +ML: fit with SEs and Satterthwaite df; lanes: REML, sixteen data sets side by",
        "side, as long batches have it. tables: REML with limits, laid out as rows",
        "steps: Newton's, REML. F, KR, prof.: REML with an F test of all coefficients, with",
        "Kenward-Roger's df and SEs, or with profile limits of the random part, over plain REML;",
        f"KR and prof. at most {KR_BUDGET:g} and {PROFILE_BUDGET:g}",
        f"KR+S: Kenward-Roger beside Satterthwaite, over Kenward-Roger alone, at most {BESIDE:g}",
        "ratio: (simulate + REML) / normals, median (range of the middle half of the repeats), and",
        "the most it should be",
    )
    print(
        f"{'design':36}{'normals':>8}{'(all)':>8}{'simulate':>9}{'REML':>8}{'lanes':>8}{'+ML':>8}"
        f"{'tables':>8}{'steps':>7}{'F':>6}{'KR':>6}{'KR+S':>6}{'prof.':>7}{'ratio':>7}"
    )
    timings = []
    for case in cases():
        timing = time_case(case)
        timings.append(timing)
        _print_case(timing)
    return timings


def _print_case(timing: Timing) -> None:
    case = timing.case
    times = [
        timing.microseconds(task)
        for task in ("normals", "one call", "simulate", "reml", "lanes", "both", "tables")
    ]
    tested = float(np.median(timing.ratios("F test", base="reml")))
    adjusted = float(np.median(timing.ratios("kenward-roger", base="reml")))
    beside = float(np.median(timing.ratios("side by side", base="kenward-roger")))
    profiled = float(np.median(timing.ratios("profile", base="reml")))
    low, ratio, high = np.quantile(timing.ratios("simulate", "reml"), [0.25, 0.5, 0.75])
    spread = "" if np.isnan(ratio) else f" ({low:.2f}-{high:.2f})"
    most = "" if case.budget is None else f" at most {case.budget:g}"
    over = [
        name
        for name, value, budget in (
            ("ratio", ratio, case.budget or np.inf),
            ("KR", adjusted, KR_BUDGET),
            ("KR+S", beside, BESIDE),
            ("prof.", profiled, PROFILE_BUDGET),
        )
        if value > budget
    ]
    print(
        f"{case.label:36}{_us(times[0], 8)}{_us(times[1], 8)}{_us(times[2], 9)}"
        f"{''.join(_us(t, 8) for t in times[3:])}{timing.iterations:7.1f}"
        f"{tested:6.2f}{adjusted:6.2f}{beside:6.2f}{profiled:7.1f}"
        f"{_number(ratio, '7.2f')}{spread}{most}" + (f"  OVER: {', '.join(over)}" if over else "")
    )


def print_shapes() -> None:
    """Print what random effects and residuals of each family cost, beside normals by NumPy."""
    _heading(
        "Distributions: simulate + REML, random effects and residuals of one family",
        "us: per data set. normals: over NumPy's of the same count, median (range of the middle",
        f"half), at most {SHAPE_BUDGET:g} times the most of normal ones, which are drawn as sums",
        "copula: the effects by a copula, so that each is a quantile",
    )
    for case in cases()[:2]:
        _print_beside_normals(case, shaped(case), {"": SHAPE_BUDGET})


def print_rows() -> None:
    """Print what rows that are not all alike cost, beside normals by NumPy."""
    _heading(
        "Rows that are not all alike: simulate + REML",
        "us: per data set. normals: over NumPy's of the same count, median (range of the middle",
        f"half); of sizes at most {SIZES_BUDGET:g} times the most of equal units",
    )
    for case in cases()[:2]:
        held = {"sizes held, cv 0.6": unequal(case, 0.6)}
        _print_beside_normals(case, {"equal": case} | held | by_row(case), {"sizes": SIZES_BUDGET})


def _print_beside_normals(case: Case, some: dict[str, Case], most: dict[str, float]) -> None:
    """Print times of variants of a case; `most` has budgets by how names begin."""
    print(case.label)
    seconds = time_shapes(some)
    base = seconds.pop("normals")
    for name, times in seconds.items():
        low, ratio, high = np.quantile(times / base, [0.25, 0.5, 0.75])
        budgets = [
            most[start] * (case.budget or np.inf) for start in most if name.startswith(start)
        ]
        over = "  OVER" if budgets and ratio > budgets[0] else ""
        us = _us(float(np.median(times)) * 1e6, 10)
        print(f"   {name:35}{us}{ratio:8.2f} ({low:.2f}-{high:.2f}){over}")


def print_engines(timings: list[Timing]) -> None:
    """Print other engines beside hlm, on the same data sets."""
    _heading(
        "Other engines, REML, the same data sets",
        "us: per data set. /fit: over hlm's fit, which has SEs and Satterthwaite df; /whole: over",
        "hlm's simulate + fit. Only lmerTest gives df; vcovAdj (Kenward-Roger) comes after lmer.",
        "excess: the REML criterion at their theta less hlm's, greatest and least",
        f"worse: fits whose criterion is higher than hlm's by more than {WORSE:g}",
        "(lme4 1.1-31's refit of a REML fit takes n - 1 for n - p: all of its are a little worse)",
    )
    shared, general = timings[:2]
    print(
        f"{'data sets and engine':38}{'us':>10}{'/fit':>8}{'/whole':>8}"
        f"{'excess':>11}{'least':>10}{'worse':>11}"
    )
    for timing, n in (
        (shared, SETS),
        (general, SETS),
        (time_case(hard_case()), SETS_HARD),
    ):
        print_comparison(timing, n)


def print_comparison(timing: Timing, n: int) -> None:
    """Print all engines' results for the first n data sets of one design."""
    case = timing.case
    fit, whole = timing.microseconds("reml"), timing.microseconds("simulate")
    whole += fit
    ours = hlm_criteria(case, n)
    print(f"{case.label} ({n} data sets)")
    print(f"{'   hlm':38}{_us(fit, 10)}{1:8}{fit / whole:8.2f}")
    for result in compare(case.model.formula, stacked(case, n), SETS_SLOW):
        _print_result(result, fit, whole, ours)


def _print_result(result: Result, fit: float, whole: float, ours: np.ndarray) -> None:
    if result.absent:
        print(f"   {result.engine}: not installed")
        return
    us = result.seconds * 1e6
    line = f"   {result.engine:35}{us:10.0f}{us / fit:8.0f}{us / whole:8.0f}"
    if len(result.criteria):
        excess = result.excess(ours)
        worse = int((excess > WORSE).sum())
        line += f"{excess.max():11.1e}{excess.min():10.1e}{worse:5} of {len(excess):3}"
    print(line)


def print_growth(grown: Growth) -> None:
    """Print how the cost grows."""
    _heading("Growth: microseconds per data set, x drawn per row")
    print(f"{'':14}{'normals':>10}{'simulate':>10}{'REML':>10}{'steps':>8}{'ratio':>8}")
    for name, points in grown.items():
        for value, timing in points:
            times = [timing.microseconds(task) for task in ("normals", "simulate", "reml")]
            ratio = float(np.median(timing.ratios("simulate", "reml")))
            print(
                f"{name:6}{value:8}{''.join(_us(t, 10) for t in times)}"
                f"{timing.iterations:8.1f}{ratio:8.2f}"
            )


def print_optimum(groups: int = 840, sets: int = 50, rivals: int = 330) -> None:
    """Print whether other starts or lme4 found lower minima than the standard fits."""
    _heading(
        "The optimum: small data sets, 3 to 30 units of 2 to 30 rows, q = 1 to 3, REML and ML",
        f"other starts: {'; '.join(STARTS)}",
        f"lower, higher: by more than {SAME:g}",
    )
    fits = fit_groups(range(groups), sets)
    n, excess = fits.iterations.size, fits.excess
    several = np.any(fits.higher > SAME, axis=(1, 2))
    share = 100.0 * several[fits.n_obs <= FEW_ROWS].mean()
    for label, value in (
        ("data sets", f"{len(fits.summary):,}"),
        ("fits, each from the standard and five other starts", f"{n:,}"),
        ("status other than ok", f"{fits.failed:,}"),
        ("singular", f"{100.0 * fits.singular:.0f} %"),
        ("steps, mean and most", f"{fits.iterations.mean():.1f}, {fits.iterations.max():.0f}"),
        ("steps from the other starts", f"{fits.steps.mean():.1f}, {fits.steps.max()}"),
        ("other starts that did not converge", f"{np.isinf(fits.criteria).sum():,}"),
        ("fits where another start ended lower", f"{(excess > SAME).sum()}"),
        ("   by at most", f"{max(excess.max(), 0.0):.1e}"),
        ("other starts that ended higher", f"{(fits.higher > SAME).sum()} of {fits.steps.size:,}"),
        (f"data sets of up to {FEW_ROWS} rows with several minima", f"{share:.2f} %"),
        ("   of more rows", f"{several[fits.n_obs > FEW_ROWS].sum()}"),
    ):
        print(f"{label:60}{value:>20}")
    print_rivals(ask_lme4(range(groups, groups + rivals)))


def print_rivals(rivals: Rivals | None) -> None:
    """Print how good lme4's minima are."""
    if rivals is None:
        print("lme4: not installed")
        return
    n, worse = len(rivals.ours), rivals.default - rivals.ours
    best = rivals.best - rivals.ours
    bad = worse > WORSE
    for label, value in (
        ("fits by lme4 too", f"{n}"),
        ("hlm above lme4's best, by at most", f"{max(-best.min(), 0.0):.1e}"),
        (f"lme4's default above hlm by more than {WORSE:g}", f"{bad.sum()} of {n}"),
        ("   median and most of these", _spread(worse[bad])),
        ("   of these it warned of", f"{rivals.warned[bad].sum()}"),
        ("the best of five of lme4's optimizers", f"{(best > WORSE).sum()} of {n}"),
        ("   median and most of these", _spread(best[best > WORSE])),
    ):
        print(f"{label:60}{value:>20}")


def _spread(values: np.ndarray) -> str:
    return f"{np.median(values):.2g}, {values.max():.2g}" if len(values) else "-"


def print_once() -> None:
    """Print what is paid once, the bootstrap, and one fit to real data."""
    _heading("Once, seconds of processor time")
    for label, seconds in (
        *compile_seconds().items(),
        ("import hlm", import_seconds("hlm")),
        ("import hlm.fits", import_seconds("hlm.fits")),
    ):
        print(f"{label:60}{seconds:9.3f}")
    for name, rate in refits_per_second().items():
        print(f"{f'bootstrap of {name}, refits per second':60}{rate:9.0f}")
    ours = lmer_seconds()
    print(f"{'hlm.lmer, MathAchieve (7185 rows, 160 schools), a data frame':60}{ours:9.4f}")
    data = load_mathachieve().assign(set=0)
    for result in compare(MATHACHIEVE, data, 0):
        if result.absent:
            print(f"   {result.engine}: not installed")
        else:
            print(f"   {result.engine:57}{result.seconds:9.4f}")


def print_whatif() -> None:
    """Print what an answer at the prompt takes, where that goes, and what mcpower takes."""
    _heading(
        "An answer at the prompt: power of x:a from 1,000 replicates of 30 x 30, kernels compiled",
        "wall: seconds from the command to its end, on all cores, median (least) of some that took",
        "turns. processor: user and system seconds, median (least)",
    )
    print(f"{'':44}{'wall':>16}{'processor':>16}")
    for answer in answers():
        most = min(
            (s for label, s in PROMPT.items() if answer.label.startswith(label)), default=inf
        )
        over = f"  OVER {most:g}" if np.median(answer.wall) > most else ""
        print(f"{answer.label:44}{_median(answer.wall)}{_median(answer.processor)}{over}")
    _heading(
        "Where it goes: three models by REML and ML, in one thread",
        "seconds of processor time, the least of some repeats",
    )
    steps = phases()
    for name, seconds in steps.items():
        print(f"{name:44}{seconds:9.3f}")
    print(f"{'together':44}{sum(steps.values()):9.3f}")
    _print_mcpower()


def _print_mcpower() -> None:
    """Print hlm beside mcpower, which draws x per row whatever the design."""
    named = f"mcpower {mcpower_version()}" if mcpower_version() else "mcpower: not installed"
    _heading(
        f"30 x 30, one model, one thread, {WHATIF_SETS} data sets a timing; {named}",
        "us: per data set, from normals to tables. times: mcpower's over it, median (range",
        f"of the middle half), at least {AT_LEAST['x per row']:g} and {AT_LEAST['one x']:g}",
    )
    found = per_data_set()
    theirs = found.get("mcpower", (np.full(1, np.nan), np.nan))[0]
    for name, (seconds, power) in found.items():
        low, ratio, high = np.quantile(theirs / seconds, [0.25, 0.5, 0.75])
        least = AT_LEAST.get(name, 0.0)
        times = "" if np.isnan(ratio) else f"{ratio:8.2f} ({low:.2f}-{high:.2f})"
        slow = f"  UNDER {least:g}" if ratio < least else ""
        us = _us(float(np.median(seconds)) * 1e6, 10)
        print(f"   {name:35}{us}{times}   power {power:.3f}{slow}")


def _median(seconds: np.ndarray) -> str:
    return f"{np.median(seconds):9.2f} ({seconds.min():.2f})"


def _heading(title: str, *notes: str) -> None:
    print(f"\n{title}")
    for note in notes:
        print(f"  {note}")


def _us(microseconds: float, width: int) -> str:
    return _number(microseconds, f"{width}.1f" if microseconds < 1000 else f"{width}.0f")


def _number(value: float, form: str) -> str:
    width = int(form.partition(".")[0])
    return "-".rjust(width) if np.isnan(value) else format(value, form)
