"""Pages that are made of the program: the keys of the study file and the commands.

Each has its heading and first words in the repository; the rest is appended as Sphinx reads it.
"""

from __future__ import annotations

import argparse
import json
import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from examples_of_keys import as_yaml, example_of, trees_of
from study_keys import keys_of

from hlm import figures
from hlm.cli import COMMANDS
from hlm.words.measures import MCSE_FORMULAS, MEASURES, OF_PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from study_keys import Key

    from hlm.words.measures import Measure

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "config" / "study.schema.json"
PYTHON = {
    "A study": ["hlm.study.Study"],
    "What if": [
        "hlm.whatif.preview",
        "hlm.whatif.Results",
        "hlm.whatif.power.power",
        "hlm.whatif.power.power_growing",
        "hlm.whatif.power.Power",
        "hlm.whatif.curves.Curve",
        "hlm.whatif.curves.PowerPoint",
        "hlm.whatif.solving.solve",
        "hlm.whatif.solution.Solution",
        "hlm.whatif.solution.Solved",
    ],
    "One data set": [
        "hlm.model.lmer",
        "hlm.model.LmerFit",
        "hlm.model.anova",
        "hlm.model.lmer_each",
    ],
    "Measures of performance": [
        "hlm.measures.performance",
        "hlm.measures.differences",
        "hlm.measures.likelihood_ratio",
        "hlm.measures.factor_effects",
    ],
    "Figures": [f"hlm.figures.{name}" for name in figures.__all__],
    "Tables": ["hlm.tables.wide_table", "hlm.tables.selection_table", "hlm.tables.to_latex"],
    "Mistakes": ["hlm.errors.InputError"],
}
"""What the reference of the package has, in its order."""

EXAMPLES = Path(__file__).parent / "examples.yaml"

NEEDS = {
    "true": "a true value",
    "se": "standard errors",
    "limits": "limits",
    "reference": "a reference method",
}

WIDTH = 76
"""Characters of a line of a usage."""

STUDIES = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "config" / "README.md"]


def keys_page() -> Iterator[str]:
    """Yield the parts of the reference of keys."""
    trees = trees_of([*STUDIES, *sorted((ROOT / "docs").glob("*.md")), EXAMPLES])
    for key in keys_of(json.loads(SCHEMA.read_text(encoding="utf-8"))):
        if "." not in key.path:
            yield f"## {key.path}"
        yield key_entry(key, example_of(key.path, trees))


def key_entry(key: Key, used: str) -> str:
    """Write what is known of a key."""
    default = written(key.default)
    kinds = "; or ".join(key.types) + (", required" if key.required else "")
    options = [f":type: {kinds}", f":default: {default}" if default else ""]
    shown = [as_yaml({key.path.rpartition(".")[2]: one}) for one in key.examples] or [used]
    examples = "\n".join(one for one in shown if one)
    parts = [
        "\n".join(["`" * 4 + f"{{confval}} {key.path}", *filter(None, options)]),
        " ".join(escaped(one) for one in key.descriptions),
        "\n".join(kind_line(*kind) for kind in key.kinds),
        f"```yaml\n{examples}\n```" if examples else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n" + "`" * 4


def kind_line(needed: list[str], others: list[str], description: str) -> str:
    """Write one of several kinds of mapping: which keys it needs, and which it may have."""
    keys = ", ".join([*(f"**`{one}`**" for one in needed), *(f"`{one}`" for one in others)])
    return f"- {keys}. {escaped(description)}"


def written(default: Any) -> str:
    """Write a default as in a study file; there is no word for a key that is absent."""
    return "" if default is None or isinstance(default, dict) else f"`{as_yaml(default)}`"


def commands_page() -> Iterator[str]:
    """Yield the parts of the reference of commands."""
    for name, module in COMMANDS.items():
        command = argparse.ArgumentParser(prog=f"hlm {name}", description=module.__doc__)
        module.add_arguments(command)
        yield f"## hlm {name}"
        yield from command_parts(command)


def command_parts(command: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the description, the usage, the arguments and the options of a command."""
    yield f"```{{program}} {command.prog}\n```"
    for paragraph in (command.description or "").strip().split("\n\n"):
        is_code = paragraph.startswith(("    ", "hlm "))
        yield f"```text\n{dedent(paragraph)}\n```" if is_code else escaped(paragraph)
    command.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
    yield f"```text\n{command.format_usage().removeprefix('usage: ').rstrip()}\n```"
    for action in command._actions:
        choices = ",".join(map(str, action.choices or ()))
        shown = action.metavar or (f"{{{choices}}}" if choices else "")
        value = f" {shown}" if shown and action.nargs != 0 else ""
        names = ", ".join(f"{name}{value}" for name in action.option_strings) or str(shown)
        text = (action.help or "") % {**vars(action), "prog": command.prog}
        yield f"```{{option}} {names}\n{escaped(text[:1].upper() + text[1:])}\n```"


def measures_page() -> Iterator[str]:
    """Yield the parts of the reference of measures."""
    rows = ["| measure | formula | Monte Carlo standard error | needs |", "|---|---|---|---|"]
    for name, one in {**MEASURES, **OF_PREDICTIONS}.items():
        formulas = escaped(one.formula), escaped(MCSE_FORMULAS.get(name, "none"))
        rows.append(f"| `{name}` | {' | '.join(formulas)} | {needs(one)} |")
    yield "\n".join(rows)
    yield (
        "Of medians x[1], x[2], ... are the estimates, or the widths, in ascending order, c is "
        "(n + 1)/2 - sqrt(n), rounded, and z the normal quantile by which these two hold the "
        "median as often as they do (Price and Bonett, 2001); r is the ratio without one replicate "
        "each; e and l are the mean squared errors of a data set, of the predictor and of least "
        "squares."
    )


def needs(measure: Measure) -> str:
    """Say what there must be beside the estimates."""
    words = [NEEDS[word] for word in measure.needs.split(", ") if word]
    return ", ".join([*words, *filter(None, [measure.where.replace("true", "true value")])])


def python_page() -> Iterator[str]:
    """Yield the parts of the reference of the package."""
    for heading, names in PYTHON.items():
        yield f"## {heading}"
        for name in names:
            module, _, last = name.rpartition(".")
            found = getattr(import_module(module), last)
            kind = "class" if isinstance(found, type) else "function"
            lines = [f".. currentmodule:: {module}", "", f".. auto{kind}:: {last}"]
            more = ["   :members:", "   :exclude-members: __init__"] if kind == "class" else []
            yield "\n".join(["```{eval-rst}", *lines, *more, "```"])


def escaped(text: str) -> str:
    """Write plain text as Markdown, leaving what is in backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part[:1] == "`" else re.sub(r"([*_<>\[\]$])", r"\\\1", part) for part in parts
    )


PAGES = {
    "docs/reference/study-keys": keys_page,
    "docs/reference/commands": commands_page,
    "docs/reference/measures": measures_page,
    "docs/reference/python": python_page,
}


def append_made(_: Sphinx, docname: str, source: list[str]) -> None:
    """Append to a page what is made of the program."""
    if docname in PAGES:
        source[0] += "\n" + "\n\n".join(part for part in PAGES[docname]() if part) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Have pages completed as they are read."""
    app.connect("source-read", append_made)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
