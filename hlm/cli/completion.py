"""Print a script that has a shell complete commands and options.

    eval "$(hlm completion bash)"        # in .bashrc
    eval "$(hlm completion zsh)"         # in .zshrc, after compinit
    hlm completion fish | source         # in config.fish

The words are those of this version: made from its own parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from hlm.cli.new import TEMPLATES
from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["SHELLS", "add_arguments", "run"]


@dataclass(frozen=True)
class _Option:
    flag: str
    text: str
    takes_value: bool
    repeats: bool
    values: tuple[str, ...]


@dataclass(frozen=True)
class _Command:
    name: str
    text: str
    options: tuple[_Option, ...]
    firsts: tuple[str, ...]
    """What its first argument may be; empty if that is a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))


def run(options: argparse.Namespace) -> int:
    """Print the script, return 0."""
    if options.shell not in SHELLS:
        raise InputError(
            f"no completion for '{options.shell}'",
            allowed=", ".join(SHELLS),
            suggestion=nearest(options.shell, SHELLS),
        )
    print(SHELLS[options.shell](list(_commands(options.parser))))
    return 0


def _commands(parser: argparse.ArgumentParser) -> Iterator[_Command]:
    firsts = {"new": tuple(TEMPLATES), "completion": tuple(SHELLS)}
    children = next(a.choices for a in _actions(parser) if isinstance(a.choices, dict))
    for name, child in children.items():
        options = tuple(_option(a, flag) for a in _actions(child) for flag in a.option_strings)
        text, _, _ = (child.description or "").partition("\n")
        yield _Command(name, text.rstrip("."), options, firsts.get(name, ()))


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no other list of them


def _option(action: argparse.Action, flag: str) -> _Option:
    return _Option(
        flag,
        (action.help or "") % vars(action),
        takes_value=action.nargs != 0,
        repeats=type(action).__name__ == "_AppendAction",
        values=tuple(map(str, action.choices or ())),
    )


def _bash(commands: Sequence[_Command]) -> str:
    """Return a function of Bash; where it finds nothing, Bash completes the names of files."""
    known = [(c.name, c.name, c.firsts) for c in commands if c.firsts]
    known += [(c.name, o.flag, o.values) for c in commands for o in c.options if o.values]
    words = [
        f"'{name} {before}') words={quote(' '.join(found))} ;;" for name, before, found in known
    ]
    flags = [
        f"'{c.name} '*) [[ $word != -* ]] || words={quote(' '.join(o.flag for o in c.options))} ;;"
        for c in commands
    ]
    cases = "\n            ".join(words + flags)
    return f"""\
_hlm() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words=
    if ((COMP_CWORD == 1)); then
        words={quote(" ".join(c.name for c in commands))}
    else
        case "${{COMP_WORDS[1]}} ${{COMP_WORDS[COMP_CWORD - 1]}}" in
            {cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _hlm hlm"""


def _zsh(commands: Sequence[_Command]) -> str:
    """Return a function of Zsh, for a file `_hlm` in its path of functions or to be evaluated."""
    names = "\n        ".join(quote(f"{c.name}:{c.text}") for c in commands)
    cases = "\n        ".join(
        f"{c.name}) _arguments {' '.join(map(quote, _zsh_arguments(c)))} ;;" for c in commands
    )
    return f"""\
#compdef hlm
_hlm() {{
    local -a commands=(
        {names}
    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    shift words
    ((CURRENT--))
    case $words[1] in
        {cases}
    esac
}}
if [[ $funcstack[1] == _hlm ]]; then _hlm "$@"; else compdef _hlm hlm; fi"""


def _zsh_arguments(command: _Command) -> Iterator[str]:
    for option in command.options:
        text = option.text
        for sign in "\\[]:":
            text = text.replace(sign, f"\\{sign}")
        values = f"({' '.join(option.values)})" if option.values else "_files"
        repeats, value = "*" * option.repeats, f":value:{values}" * option.takes_value
        yield f"{repeats}{option.flag}[{text}]{value}"
    if command.firsts:
        yield f"1:word:({' '.join(command.firsts)})"
    yield "*:file:_files"


def _fish(commands: Sequence[_Command]) -> str:
    """Return commands of Fish."""
    lines = []
    for command in commands:
        name = command.name
        lines.append(f"-n __fish_use_subcommand -f -a {name} -d {_fish_quote(command.text)}")
        within = f"-n '__fish_seen_subcommand_from {name}'"
        if command.firsts:
            lines.append(f"{within} -a '{' '.join(command.firsts)}'")
        for option in command.options:
            dashes = "-l" if option.flag.startswith("--") else "-s"
            value = f" -x -a '{' '.join(option.values)}'" if option.values else " -r"
            lines.append(
                f"{within} {dashes} {option.flag.lstrip('-')}{value * option.takes_value}"
                f" -d {_fish_quote(option.text)}"
            )
    return "\n".join(f"complete -c hlm {line}" for line in lines)


def _fish_quote(text: str) -> str:
    """Return a word of Fish, which unlike others has backslashes between single quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS: dict[str, Callable[[Sequence[_Command]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
