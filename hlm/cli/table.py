"""Print a table of measures of a study, as a paper has it.

    hlm table results/ogorek2012 coverage --term x:a --across units
    hlm table results/ogorek2012 bias rmse --part random --at cor=0.9 --method reml --format tex

Reads the measures in the folder of results, and fits nothing. The same tables are made with a
study's results where its file has them under `tables`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError, together
from hlm.table_spec import FORMATS

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

_OPTIONS = {
    "terms": "--term",
    "models": "--model",
    "methods": "--method",
    "inferences": "--inference",
    "policies": "--policy",
    "scenarios": "--at",
    "measures": "MEASURE",
}
"""The keys of a table in a study file that options have other names than."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument(
        "measures",
        metavar="MEASURE",
        nargs="*",
        help="a measure by its name, such as coverage; default: those of the usual table",
    )
    parser.add_argument(
        "--part", metavar="P", help="the terms of fixed, random, tests, predictions"
    )
    repeated = {
        "term": "a term by its name",
        "model": "a model; default: all",
        "method": "reml or ml; default: all",
        "inference": "an inference; default: all",
        "policy": "which replicates count; default: the first policy of the study",
        "across": "a factor, or term, model, method, inference, policy, with columns of its own",
        "split": "what has a table for each of its levels",
    }
    for name, words in repeated.items():
        help_words = f"{words}; may be given again"
        parser.add_argument(f"--{name}", action="append", metavar=name[:1].upper(), help=help_words)
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="FACTOR=LEVEL",
        help="a level of a factor of the grid; several by commas; may be given again",
    )
    parser.add_argument(
        "--mcse", default="brackets", metavar="WHERE", help="brackets, below, columns, none"
    )
    parser.add_argument("--digits", default="auto", metavar="N", help="default: as errors allow")
    parser.add_argument("--n", default="auto", metavar="WHEN", help="auto, always, never")
    parser.add_argument("--title", metavar="TEXT", help="what stands above")
    parser.add_argument(
        "--format", choices=FORMATS, default="md", help="default: md, which is Markdown"
    )


def run(options: argparse.Namespace) -> int:
    """Print the table; return 0."""
    from hlm.plan import Plan
    from hlm.study.asked_tables import check_fits, table_from
    from hlm.table_layout import Known
    from hlm.tables import paper_pages

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    plan = Plan.read(place.folder / "plan.json")
    known = Known.of(plan)
    try:
        spec = table_from(_written(options), known)
        check_fits(spec, known, wide=options.format != "tex")
    except InputError as error:
        raise together(_of_option(one) for one in error.errors) from None
    pages = paper_pages(plan, place.folder, spec)
    print("\n".join(getattr(page, options.format)() for page in pages), end="")
    return 0


def _written(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options as the mapping that a study file has."""
    keys = {option.lstrip("-"): key for key, option in _OPTIONS.items() if option[:2] == "--"}
    names = ("term", "model", "method", "inference", "policy", "across", "part", "title")
    found = {keys.get(name, name): getattr(options, name) for name in names}
    found |= {"measures": options.measures, "mcse": options.mcse, "n": options.n}
    found |= {"split": options.split or "none", "scenarios": _levels(options.at)}
    digits = int(options.digits) if options.digits.isdecimal() else options.digits
    return {key: value for key, value in found.items() if value} | {"digits": digits}


def _levels(asked: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in asked:
        name, equals, levels = one.partition("=")
        if not equals or not levels:
            problem = f"'{one}' names no level"
            raise InputError(problem, path="--at", allowed="FACTOR=LEVEL, such as units=30")
        found.setdefault(name, []).extend(levels.split(","))
    return found


def _of_option(error: InputError) -> InputError:
    """Return a mistake as one of the option that it is in."""
    key = (error.path or "").partition("[")[0].partition(".")[0]
    option = _OPTIONS.get(key, f"--{key}" if key else "")
    return InputError(
        error.problem, path=option or None, allowed=error.allowed, suggestion=error.suggestion
    )
