"""Random damage to everything that is read: each input is accepted or named in an `InputError`.

    python -m tests.fuzz.campaign --minutes 20 --seed 1

Texts are mutated: pieces of the grammar put in, parts cut, doubled, swapped, single bytes changed.
An input that raises anything else, or takes longer than a limit, is printed and ends the campaign.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError
from hlm.formula import parse
from hlm.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parents[2]
Reader = Callable[[str], object]

LONGEST = 5.0
"""Seconds that one input may take."""

FORMULAS = (
    "y ~ x * a + (1 + x | unit)",
    "log(y) ~ I(x^2) + factor(g):x + offset(o) + (1 + x || g)",
    "y ~ 0 + (a + b + c)^2 - a:b + (0 + x | g) + (1 | g)",
)
FORMULA_PIECES = (
    *("y", "x", "`a b`", "1", "0", "2.5", "1e3", "~", "+", "-", "*", "/", ":", "^", "**", "|"),
    *("||", "%in%", "(", ")", ",", "I(", "log(", "factor(", "offset(", ".", "$", "(1 | g)", "é"),
    *("\n", "'", "\x00", "9" * 30, "(" * 50, "x^9^9^9", "__import__('os')", "\u2212", "\u202e"),
)
STUDY_PIECES = (
    *(
        "\t",
        "\n",
        "  ",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<: ",
        "!!python/object:os .",
    ),
    *("!", "|", ">", "'", '"', "%", "@", "`", "#", "---\n", "...", "~", "null", "true", ".inf"),
    *(".nan", "-1", "1e400", "0x10", "1_000", "9" * 40, "../..", "/", "grid", "cor", "sd", "é"),
    *(
        "{poisson: 5}",
        "{mean: 5, cv: 0.5}",
        "ar1: 0.5",
        "mean_of: x",
        "icc: 0.3",
        "waves: ",
        "by: ",
    ),
    *("{total: 30}", "logistic: ", "previous", "variance: ", "missing: ", "correlated: ", "null"),
    *("truth.fixed.x", "design.units", "\x00", "\ufeff", "name: ", "y ~ x + (1 | unit)", "unit"),
)
EVERY_KEY = """\
name: all
seed: 1
replicates: 4
truth:
  formula: y ~ x + xm + a + s + (1 + x | unit)
  fixed: {(Intercept): 1, x: 0.5, xm: 0.5, a: 0.3, sq: 1}
  random: {unit: {sd: {(Intercept): 0.5, x: 0.2}, cor: 0.1}}
  residual: {sd: 1, variance: {by: s, ratio: {q: 2}}, ar1: {cor: 0.4, time: t}}
design:
  units: 14
  rows: {mean: 8, cv: 0.4, redrawn: true}
  covariates:
    a: {level: unit, balanced: [0, 1]}
    s: {level: unit, categories: {p: 0.5, q: 0.5}, reference: p}
    x: {level: row, icc: 0.3}
    u: {level: row, distribution: lognormal(0.5), mean: 5}
    v: {level: row, distribution: uniform, low: 1, high: 2}
    t: {level: row, grid: {from: 0, to: 9}}
    xm: {mean_of: x}
    xl: {latent_mean_of: x}
    xc: {centred: x, at: unit}
    xe: {measures: x, reliability: 0.8}
  correlated: {pair: {of: [u, v], cor: 0.4}}
  missing:
    rows: 0.1
    units: 0.05
    logistic: {(Intercept): -3, x: 0.5}
    dropout: {waves: [0, 0.1, 0.2]}
grid:
  design.rows: {mean: {mean: 8, cv: 0.4}, list: {list: [8, 9]}, all: {total: 120, cv: 0.3},
    poisson: {poisson: 8}, nb: {negative_binomial: {mean: 8, size: 3}}, any: {uniform: [5, 9]}}
  truth.residual.variance: {none: null, units: {by: unit, cv: 0.3},
    power: {power_of: v, exponent: -0.5}, exponential: {exponential_of: x, rate: 0.2}}
  design.missing.dropout: {none: null, late: {weibull: {share: 0.3, shape: 2}},
    random: {logistic: {(Intercept): -3, previous: 0.3, y: 0.1}}}
keep: [{rows: mean, variance: none}, {rows: list, variance: power, dropout: late}]
models:
  m: y ~ x + xm + a + s + (1 | unit)
  e: y ~ xe + xc + xl + (1 | unit)
estimation: {methods: [reml]}
"""
"""A study with all that rows, residuals, missing rows and covariates may be."""

TABLE_PIECES = (",", '"', "\n", "\r", "NA", "inf", "1e400", "\x00", "é", ";", "x", "9" * 400, "''")


def mutate(text: str, pieces: tuple[str, ...], rng: random.Random) -> str:
    """Damage a text in one to six places."""
    for _ in range(rng.randint(1, 6)):
        a = rng.randint(0, len(text))
        b = min(len(text), a + rng.choice((0, 0, 1, 2, 5, 20, 80)))
        match rng.randint(0, 3):
            case 0:
                text = text[:a] + rng.choice(pieces) + text[b:]
            case 1:
                text = text[:b] + text[a:b] * rng.randint(1, 3) + text[b:]
            case 2:
                c = rng.randint(0, len(text))
                text = text[:a] + text[c : c + b - a] + text[b:]
            case 3:
                text = text[:a] + chr(rng.choice((rng.randint(0, 127), 0x1F600))) + text[a + 1 :]
    return text


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError if the block takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _table_reader(folder: Path) -> Reader:
    """Return a function that writes a text to a CSV file, reads it and fits a model to it."""
    from hlm import lmer
    from hlm.datasets.table_files import read_table

    def read(text: str) -> object:
        file = folder / "table.csv"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return lmer("y ~ x + (1 | g)", read_table(str(file)))

    return read


def campaign(seconds: float, seed: int) -> dict[str, int]:
    """Read damaged formulas, study files and tables for some time; return how many of each.

    Raises
    ------
    AssertionError
        With the input that was neither read nor refused.
    """
    rng = random.Random(seed)
    studies = [path.read_text() for path in (HERE / "config").glob("*.yaml")]
    studies.append((HERE / "tests" / "workflow" / "tiny.yaml").read_text())
    studies.append(EVERY_KEY)
    table = "y,x,g\n" + "".join(f"{k % 7},{k * k % 11},{'abc'[k % 3]}\n" for k in range(24))
    with tempfile.TemporaryDirectory() as folder:
        readers: dict[str, tuple[Reader, Sequence[str], tuple[str, ...], int]] = {
            "formulas": (parse, FORMULAS, FORMULA_PIECES, 200),
            "studies": (Study.from_text, studies, STUDY_PIECES, 6),
            "tables": (_table_reader(Path(folder)), [table], TABLE_PIECES, 6),
        }
        # Kernels compile once, and not within the time of an input
        readers["tables"][0](table)
        for study in studies:
            Study.from_text(study)
        counts = dict.fromkeys(readers, 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name, (read, seeds, pieces, share) in readers.items():
                for _ in range(share):
                    text = mutate(rng.choice(seeds), pieces, rng)
                    _read(name, read, text)
                    counts[name] += 1
    return counts


def _read(name: str, read: Reader, text: str) -> None:
    try:
        with within(LONGEST), warnings.catch_warnings(), suppress(InputError):
            warnings.simplefilter("error")
            read(text)
    except Exception as error:
        raise AssertionError(f"{name}: {type(error).__name__}: {error}\n{text!r}") from error


def main() -> None:
    """Run the campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, count in campaign(60.0 * options.minutes, options.seed).items():
        print(f"{count:>12,} {name}: all were read or refused")


if __name__ == "__main__":
    main()
