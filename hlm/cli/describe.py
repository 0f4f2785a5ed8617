"""Describe a study in words: a record after ADEMP and a paragraph on methods for a paper.

hlm describe config/ogorek2012.yaml --format latex --output ogorek2012.tex
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.cli.place import PLAN, RESULTS, add_allow_code, study_or_plan

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file, or its folder of results")
    parser.add_argument(
        "--format",
        choices=("markdown", "latex"),
        default="markdown",
        help="default %(default)s",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        help=f"where the results are, if STUDY is a file; default: {RESULTS}. Where there are "
        "none of this very study, only what its file says is told",
    )
    parser.add_argument("--output", metavar="FILE", help="write there, not to the screen")
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Describe, print or write, return 0."""
    from hlm.describe import record, to_latex, to_markdown
    from hlm.disk import write_text
    from hlm.plan import Plan

    study = study_or_plan(options.study, allow_code=options.allow_code)
    if isinstance(study, Plan):
        found = record(study, options.study)
    else:
        folder = Path(options.results or RESULTS) / study.name
        plan = Plan.read(folder / PLAN) if (folder / PLAN).is_file() else None
        found = record(plan, folder) if plan and plan.hash == study.hash else record(study)
    text = {"markdown": to_markdown, "latex": to_latex}[options.format](found)
    if options.output is None:
        print(text, end="")
    else:
        write_text(options.output, text)
    return 0
