"""Fingerprints of the code behind each stage, so that an edit reruns what depends on it.

Snakemake compares the text of rules and the times of scripts but knows nothing of the modules
that a script imports. A fingerprint hashes those: the modules that a stage imports from `hlm`,
the modules that these import, and the scripts in other languages and the data in their folders; the
versions of the libraries that any of them imports; and the scripts of the workflow, because their
times say nothing: every checkout sets them.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.pipeline_files import pipeline_files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STAGES", "closure", "fingerprint", "import_statements", "libraries"]

PACKAGE = Path(__file__).parents[1]

STAGES: dict[str, tuple[str, ...]] = {
    "kernels": ("hlm.simulate", "hlm.fits"),
    "fit": ("hlm.stages.fit",),
    "compact": ("hlm.stages.compact",),
    "summarize": ("hlm.stages.summarize",),
    "present": ("hlm.report.present",),
    "audit": ("hlm.audit",),
}
"""The modules that the script of each stage imports."""

READ = {"present": ("report/*.rst",)}
"""What a stage reads in the folder of the workflow."""

CARRIERS = {stage: {"pyarrow", "pandas"} for stage in ("kernels", "fit")}
"""Libraries that a stage imports only to write and read its numbers, or to show rows with labels:
they do not change the numbers."""

DATA = {".R", ".csv", ".gz", ".html", ".css", ".js", ".LICENSE"}
"""Endings of what the package has beside its modules; an editor's copies have others."""

DISTRIBUTIONS = {"yaml": "PyYAML"}
"""Modules whose distribution has another name."""


FOR_TYPE_CHECKERS = re.compile(rb"^([ \t]*)if TYPE_CHECKING:\n(?:(?:\1[ \t]+.*)?\n)*", re.MULTILINE)
STATEMENT = re.compile(
    rb"^[ \t]*(from [\w.]+ import (?:\([^)]*\)|[^(\n]+)|import [\w., ]+)", re.MULTILINE
)


@cache
def fingerprint(stage: str, generators: tuple[str, ...] = ()) -> str:
    """Return 12 hexadecimal digits that change when the code of a stage does.

    Parameters
    ----------
    stage : str
        A key of `STAGES`.
    generators : tuple of str
        The sources of the user's generators, which count with the libraries that they import.

    Examples
    --------
    >>> len(fingerprint("fit"))
    12
    """
    total = sha256()
    for module in sorted(closure(*STAGES[stage])):
        total.update(module.encode() + _source(module))
    for path in sorted(_beside(stage)):
        total.update(path.name.encode() + path.read_bytes())
    for pattern in (f"scripts/*{stage}*.py", *READ.get(stage, ())):
        for path in sorted((pipeline_files() / "workflow").glob(pattern)):
            total.update(path.read_bytes())
    for library in libraries(stage):
        total.update(f"{library} {_version(library)}".encode())
    for source in generators:
        total.update(source.encode())
        for library in sorted(_libraries(_imported(source.encode())) - {*libraries(stage)}):
            total.update(f"{library} {_version(library)}".encode())
    return total.hexdigest()[:12]


def libraries(stage: str) -> list[str]:
    """Return the libraries that make the numbers of a stage: all that its modules import.

    Examples
    --------
    >>> libraries("fit")
    ['llvmlite', 'numba', 'numpy', 'scipy']
    """
    imported = {name for module in closure(*STAGES[stage]) for name in _external(module)}
    return sorted(imported - CARRIERS.get(stage, set()))


def closure(*modules: str) -> set[str]:
    """Return these modules of `hlm` and all that they import of it, directly or not.

    A package that is only on the way to a module does not count: to import `hlm.results.files`
    says nothing of what else `hlm.results` offers.

    Examples
    --------
    >>> sorted(closure("hlm.distributions.binary"))
    ['hlm.distributions.base', 'hlm.distributions.binary']
    >>> "hlm.errors" in closure("hlm.results.files")
    True
    """
    found: set[str] = set()
    waiting = [module for module in modules if _path(module)]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_imports(module))
    return found


def _imports(module: str) -> frozenset[str]:
    return frozenset(name for name in _all_imports(module) if _path(name))


def _external(module: str) -> frozenset[str]:
    """Return the libraries that a module imports, which are neither `hlm` nor Python's own."""
    return _libraries(_all_imports(module))


def _libraries(imported: frozenset[str]) -> frozenset[str]:
    tops = {name.partition(".")[0] for name in imported}
    return frozenset(tops - {PACKAGE.name} - sys.stdlib_module_names)


@cache
def _all_imports(module: str) -> frozenset[str]:
    return _imported(import_statements(_source(module)))


def import_statements(source: bytes) -> bytes:
    r"""Return the import statements of a module alone, one below the other.

    A module of `hlm` is taken apart by its lines, for to parse all of them takes half a second of
    each run. It has no such statement in a string, nor two in a line.

    Examples
    --------
    >>> import_statements(b"import ast\nif TYPE_CHECKING:\n    import re\nx = 1\n")
    b'import ast'
    """
    return b"\n".join(STATEMENT.findall(FOR_TYPE_CHECKERS.sub(b"", source)))


def _imported(source: bytes) -> frozenset[str]:
    tree = ast.parse(source)
    return frozenset(name for node in _statements(tree) for name in _targets(node))


def _beside(stage: str) -> set[Path]:
    """Return the scripts in other languages and the data beside the modules of a stage."""
    folders = {path.parent for module in closure(*STAGES[stage]) if (path := _path(module))}
    return {
        path
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and path.suffix in DATA and path.name[0] != "."
    }


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree but for what is there for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _statements(child)


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from inside
        if not all(_path(name) for name in inside):
            yield node.module


@cache
def _path(module: str) -> Path | None:
    """Return the file of a module of `hlm`, None for anything else."""
    top, *parts = module.split(".")
    if top != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*parts)
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def _source(module: str) -> bytes:
    path = _path(module)
    return path.read_bytes() if path else b""


def _version(library: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return "none"
