"""The packages: each imports only from those above it in the table of docs/design.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hlm
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
KERNELS = sorted((ROOT / "hlm" / "kernels").glob("*.py"))
MOST_ARGUMENTS = 7
COMPILED = {"kernel", "entry", "inlined"}

ONE_MEANING = {
    "audit": "samples fitted by other programs; the command of that name",
    "criterion": "-2 log likelihood or REML criterion, profiled, as a function of Psi",
    "describe": "a study in words; the command of that name",
    "f_tests": "F tests of a study: which there are, and how often they reject",
    "fit": "models fitted to data: to one data set, a batch of them, or a user's table",
    "identified": "whether data determine the parameters of a model",
    "inference": "standard errors, degrees of freedom, tests: of a fit, and as others have them",
    "limits": "confidence limits of the terms of a fit",
    "measures": "measures of performance: computed, in words, and the command of that name",
    "power": "how often tests reject over a number of a study; the command of that name",
    "preview": "the first replicates of a study; the command of that name",
    "ratio_tests": "likelihood ratio tests of a study: which there are, and their statistics",
    "report": "the report of a study: which figures and tables it has, and the page",
    "summarize": "from estimates to measures: of tables, and of the files of a study",
    "true_values": "what each term estimates in a scenario: found, and printed",
}
"""Names that several packages share, each with the one meaning that it has in all of them."""


def layout() -> list[list[str]]:
    """Return the parts of hlm that each row of the table names, from top to bottom."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = text.partition("## Layout\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"`hlm/(\w+)(?:\.py)?`", line.split("|")[1]) for line in table.splitlines()
            if line.startswith("| `")]  # fmt: skip
    return [row for row in rows if row]


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of hlm that a file imports, those within functions among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "hlm":
                homes = hlm._HOMES
                yield from (homes.get(name.name, f"hlm.{name.name}") for name in node.names)
            elif node.module.startswith("hlm."):
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("hlm."))


def part_of(path: Path) -> str:
    """Return the part of hlm that a file belongs to: a package, or a module beside them."""
    return path.relative_to(ROOT / "hlm").parts[0].removesuffix(".py")


FILES = [path for path in sorted((ROOT / "hlm").rglob("*.py")) if part_of(path) != "__init__"]


def test_the_table_names_every_part():
    named = [name for row in layout() for name in row]
    assert sorted(named) == sorted({part_of(path) for path in FILES})


@pytest.mark.parametrize("part", sorted({part_of(path) for path in FILES}))
def test_no_import_from_a_row_below(part):
    ranks = {name: rank for rank, row in enumerate(layout()) for name in row}
    upwards = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in FILES
        if part_of(path) == part
        for module in imported(path)
        if module.split(".")[1] != part and ranks[module.split(".")[1]] > ranks[part]
    ]
    assert not upwards


def test_parts_of_one_row_do_not_import_each_other():
    beside = {name: set(row) - {name} for row in layout()[1:] for name in row}
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in FILES
        for module in imported(path)
        if module.split(".")[1] in beside.get(part_of(path), ())
    ]
    assert not found


def test_one_name_means_one_thing():
    """A module is named for what it holds: two of one name, or one named as a package, agree."""
    homes: dict[str, set[str]] = {}
    for path in FILES:
        package = path.parent.name == part_of(path) and path.name == "__init__.py"
        name = path.parent.name if package else path.stem
        homes.setdefault(name, set()).add(part_of(path))
    homes.pop("__main__", None)
    assert {name for name, parts in homes.items() if len(parts) > 1} == set(ONE_MEANING)


def test_the_intercept_is_named_in_one_place():
    """Elsewhere it is the constant, or a property of a term; text that is read is no code."""
    found = {
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == INTERCEPT
    }
    assert found == {"hlm/scenario.py"}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernels_know_no_study(path):
    assert {module.split(".")[1] for module in imported(path)} <= {"jit", "kernels", "lanes"}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_no_kernel_has_many_arguments(path):
    counts = {
        node.name: len(node.args.args)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and COMPILED & {name.id for name in node.decorator_list if isinstance(name, ast.Name)}
    }
    assert {name: n for name, n in counts.items() if n > MOST_ARGUMENTS} == {}
