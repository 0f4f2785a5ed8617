"""Fit a sample of a study's data sets again by another program, and compare.

    hlm audit results/ogorek2012 --n 200
    hlm audit config/ogorek2012.yaml

Data sets of all scenarios alike, half of them chosen because a fit to them is singular or took
long, are drawn again as rows and fitted by R's lme4, by statsmodels and by glmm, whichever is
installed. Both optima are judged by the same definition of the criterion. Degrees of freedom,
p-values and F tests, by each inference of the study, are held against lmerTest's and pbkrtest's
where these are installed, and Satterthwaite's against glmm's; what no program has is named.
Writes audit.csv and audit.html beside the results; `hlm run STUDY --audit N` makes the table part
of the report. Exit status 1 if the other program found a lower criterion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError
from hlm.words.nouns import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["add_arguments", "run"]

FAILED = 1

MOST_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument("--n", type=int, default=200, metavar="N", help="data sets; default 200")
    parser.add_argument(
        "--engine",
        action="append",
        default=[],
        metavar="E",
        help="lme4, statsmodels or glmm; may be given again; default: what is installed",
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="of the sample; default: another each time"
    )


def run(options: argparse.Namespace) -> int:
    """Audit, print the table; return 0 if no criterion is lower than ours."""
    from hlm.audit import SAME, available_engines, each_fit, not_compared, run_audit, words
    from hlm.cli.sentences import aligned
    from hlm.operations.sample import seed_of

    if options.n < 1:
        raise InputError(f"{options.n} data sets", path="--n", allowed="1 or more")
    allow_code = options.allow_code
    folder = find_results(options.study, options.results, allow_code=allow_code).folder
    engines = available_engines(options.engine)
    seed = seed_of(options.seed)
    table, summary = run_audit(folder, engines, n=options.n, seed=seed, allow_code=allow_code)
    for line in aligned([list(words(summary)), *words(summary).to_numpy().tolist()]):
        print(line)
    print(f"criteria within {SAME:g} are of the same optimum; coefficients and SEs compared there,")
    print("df, p-values and F tests where neither fit is singular; -: nothing to compare with")
    if missing := not_compared(table):
        print(f"no engine has anything by: {', '.join(missing)}")
    print("engines:", "; ".join(f"{engine.name} {engine.version}" for engine in engines))
    print(f"data sets drawn again: criteria as in the files to {table['replayed'].abs().max():.0e}")
    fits = each_fit(table)
    print(f"{counted(len(fits), 'fit')} in {folder}/audit.csv (this sample: --seed {seed})")
    lower = fits[fits["difference"] > SAME].sort_values("difference", ascending=False)
    for line in _lower(lower):
        print(line)
    return FAILED if len(lower) else 0


def _lower(lower: pd.DataFrame) -> Iterator[str]:
    """Name the fits in which the other program was better."""
    for row in lower.head(MOST_SHOWN).itertuples():
        yield (
            f"{row.engine} is lower by {row.difference:.1e}: scenario {row.scenario}, "
            f"replicate {row.replicate}, {row.model}, {row.method}"
        )
    if len(lower) > MOST_SHOWN:
        yield f"and in {counted(len(lower) - MOST_SHOWN, 'more fit')}"
