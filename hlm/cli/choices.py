"""What a user chooses of results by options: terms, models and so on, and the scenarios.

Their names are those of a study file under `figures` and `tables`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, together

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

__all__ = ["add_many", "add_scenarios", "chosen_by", "levels_in", "of_options"]


def add_many(parser: argparse.ArgumentParser, many: Mapping[str, str]) -> None:
    """Declare options that may be given several times, each with its name in a study file."""
    for name, several in many.items():
        parser.add_argument(
            f"--{name}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"one of the {several} that are shown; default: all",
        )


def add_scenarios(parser: argparse.ArgumentParser) -> None:
    """Declare the option that chooses scenarios."""
    parser.add_argument(
        "--at",
        metavar="FACTOR=LEVEL",
        action="append",
        default=[],
        help="scenarios that are shown, such as icc=0.2 or units=10,rows=5; default: all",
    )


def chosen_by(
    options: argparse.Namespace, one: Iterable[str], many: Mapping[str, str]
) -> dict[str, Any]:
    """Return what is given, by its name in a study file."""
    chosen: dict[str, Any] = {name: getattr(options, name) for name in one}
    chosen |= {several: getattr(options, name) or None for name, several in many.items()}
    chosen["scenarios"] = levels_in(options.at) or None
    return {name: value for name, value in chosen.items() if value is not None}


def levels_in(words: Iterable[str]) -> dict[str, list[str]]:
    """Read levels of factors: those of one factor are alternatives.

    Examples
    --------
    >>> levels_in(["units=10,rows=5", "units=30"])
    {'units': ['10', '30'], 'rows': ['5']}
    >>> levels_in(["site=Rome, Italy,rows=5"])
    {'site': ['Rome, Italy'], 'rows': ['5']}
    """
    found: dict[str, list[str]] = {}
    # A label may hold commas: only one before a factor's name parts two levels.
    for word in (part for one in words for part in re.split(r",(?=[^,=]*=)", one)):
        factor, equals, level = word.partition("=")
        if not (factor and equals and level):
            raise InputError(f"'{word}' is no level of a factor", path="--at", allowed="icc=0.2")
        found.setdefault(factor.strip(), []).append(level.strip())
    return found


def of_options(error: InputError, many: Mapping[str, str], measure: str) -> InputError:
    """Return mistakes with the options that they are in.

    Parameters
    ----------
    error : InputError
        One or several, by the names of a study file.
    many : mapping of str to str
        As in `add_many`.
    measure : str
        What a study file calls the first argument.
    """
    options = {several: f"--{name}" for name, several in many.items()}
    options |= {measure: "MEASURE", "scenarios": "--at"}

    def of_option(one: InputError) -> InputError:
        key = re.split(r"[.\[]", one.path or "")[0]
        path = options.get(key, f"--{key}") if key else None
        return InputError(one.problem, path=path, allowed=one.allowed, suggestion=one.suggestion)

    return together(of_option(one) for one in error.errors)
