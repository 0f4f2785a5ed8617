"""The command line: ``hlm fit``, ``check``, ``run``, ``status``, ``verify``, and so on.

A mistake of the user ends with one message and exit status 2, never with a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from hlm.cli import (
    audit,
    check,
    completion,
    describe,
    explore,
    fit,
    measures,
    new,
    plot,
    power,
    preview,
    replay,
    run,
    solve,
    status,
    table,
    verify,
)
from hlm.cli import open as open_report
from hlm.cli.progress_line import CLEAR
from hlm.errors import InputError, nearest
from hlm.garbage import look_for_little_garbage
from hlm.versions import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

COMMANDS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        *(fit, new, check, preview, power, solve, run, status),
        *(open_report, explore, plot, table, describe, verify, audit, replay, measures, completion),
    )
}
INPUT_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, by default those of the process.
    """
    if argv is None:
        look_for_little_garbage()
    arguments, passed_on = _split(list(sys.argv[1:] if argv is None else argv))
    try:
        _check_command(arguments)
        options = _parser().parse_args(arguments)
        options.passed_on = passed_on
        status: int = options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(error, file=sys.stderr)
        return INPUT_ERROR
    except KeyboardInterrupt:
        again = "; the same command goes on" if arguments[0] in ("run", "solve") else ""
        print(f"{CLEAR if sys.stderr.isatty() else ''}stopped{again}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; without this the interpreter would complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Cut off what `hlm run` and `hlm solve` hand on to Snakemake."""
    if arguments[:1] in (["run"], ["solve"]) and "--" in arguments:
        cut = arguments.index("--")
        return arguments[:cut], arguments[cut + 1 :]
    return arguments, []


def _check_command(arguments: list[str]) -> None:
    """Name the nearest command where the first word is none."""
    word = next(iter(arguments), "--help")
    if not word.startswith("-") and word not in COMMANDS:
        raise InputError(
            f"unknown command '{word}'",
            allowed=", ".join(COMMANDS),
            suggestion=nearest(word, COMMANDS),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hlm", description="Monte Carlo studies of hierarchical linear models."
    )
    parser.add_argument("--version", action="version", version=f"hlm {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        summary = (command.__doc__ or "").partition("\n")[0]
        child = commands.add_parser(
            name,
            help=summary[:1].lower() + summary[1:].rstrip("."),
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(child)
        child.set_defaults(run=command.run, parser=parser)
    return parser
