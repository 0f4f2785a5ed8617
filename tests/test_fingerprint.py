"""A fingerprint follows the imports of a stage, all of them and no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hlm.operations import fingerprint as module
from hlm.operations.fingerprint import STAGES, closure, fingerprint, libraries


@pytest.mark.parametrize("stage", STAGES)
def test_the_closure_holds_every_module_that_is_really_imported(stage):
    inside = {name for one in STAGES[stage] for name in module._imports(one)}
    code = f"import sys, {', '.join({*STAGES[stage], *inside})}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {name for name in loaded if name.startswith("hlm.")}
    found = closure(*STAGES[stage])
    # A package on the way to a module is loaded too, but is no part of what is used.
    on_the_way = {name for name in ours if any(other.startswith(f"{name}.") for other in ours)}
    on_the_way.add("hlm")
    beyond = set().union(*(closure(name) for name in on_the_way))
    assert ours <= found | beyond


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package named hlm with three modules, of which the stage `fit` imports two."""
    folder = tmp_path / "hlm"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "entry.py").write_text("from hlm import used\n")
    (folder / "used.py").write_text("def f():\n    from hlm.lazy import g\n    return g()\n")
    (folder / "lazy.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hlm.unused\n"
    )
    (folder / "unused.py").write_text("")
    monkeypatch.setattr(module, "PACKAGE", folder)
    monkeypatch.setitem(STAGES, "fit", ("hlm.entry",))
    return folder


def forget():
    for cached in (module.fingerprint, module._all_imports, module._path, module._source):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def _fresh():
    forget()
    yield
    forget()


@pytest.mark.usefixtures("package")
def test_imports_inside_functions_count_and_those_for_types_do_not():
    assert closure("hlm.entry") == {"hlm.entry", "hlm.used", "hlm.lazy"}


@pytest.mark.parametrize(
    ("edited", "changes"),
    [("entry", True), ("used", True), ("lazy", True), ("unused", False), ("__init__", False)],
)
def test_an_edit_changes_the_fingerprint_of_what_depends_on_it(package, edited, changes):
    before = fingerprint("fit")
    path = package / f"{edited}.py"
    path.write_text(path.read_text() + "# edited\n")
    forget()
    assert (fingerprint("fit") != before) == changes


MAKERS = {
    "kernels": {"numpy", "numba", "llvmlite", "scipy"},
    "fit": {"numpy", "numba", "llvmlite", "scipy"},
    "compact": {"numpy", "pyarrow"},
    "summarize": {"numpy", "scipy", "pandas", "pyarrow"},
    "present": {"docutils", "jinja2", "matplotlib", "numba", "numpy", "pandas", "pyarrow", "scipy"},
    "audit": {"numpy", "pandas", "pyarrow", "statsmodels"},
}
"""What makes the numbers of each stage, at least."""


@pytest.mark.parametrize(("stage", "makers"), MAKERS.items(), ids=MAKERS)
def test_another_version_of_a_library_changes_the_fingerprint(stage, makers, monkeypatch):
    assert makers <= set(libraries(stage))
    before, real = fingerprint(stage), module.version
    for library in makers:
        monkeypatch.setattr(module, "version", lambda n, x=library: "9" if n == x else real(n))
        forget()
        assert fingerprint(stage) != before, library


def test_every_stage_is_looked_at():
    assert MAKERS.keys() == STAGES.keys()


@pytest.mark.parametrize("stage", STAGES)
def test_a_library_that_only_carries_numbers_reruns_no_fit(stage, monkeypatch):
    before, real = fingerprint(stage), module.version
    monkeypatch.setattr(module, "version", lambda n: "9" if n == "pyarrow" else real(n))
    forget()
    assert (fingerprint(stage) == before) == (stage in ("kernels", "fit"))


def test_a_script_in_another_language_is_part_of_its_stage(monkeypatch):
    script = module.PACKAGE / "audit" / "fit.R"
    before = {stage: fingerprint(stage) for stage in STAGES}
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: read(p) + b"#" * (p == script))
    forget()
    changed = {stage for stage in STAGES if fingerprint(stage) != before[stage]}
    assert changed == {"audit"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *((name, True) for name in ("a.R", "a.csv", "a.csv.gz")),
        *((name, False) for name in ("a.pyc", ".a.R.swp", ".#a.R", "#a.R#", "a.R~", "used.py~")),
        *((name, False) for name in ("used.py.orig", "used.py.rej", "a.csv.bak", "notes.txt")),
    ],
)
def test_files_beside_the_modules_count(name, changes, package):
    before = fingerprint("fit")
    (package / name).write_text("1")
    forget()
    assert (fingerprint("fit") != before) == changes


@pytest.mark.parametrize("path", sorted(module.PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_the_lines_that_import_are_those_of_the_whole_module(path):
    """A module is taken apart by its lines; Python's own parser finds the same imports."""
    source = path.read_bytes()
    assert module._imported(module.import_statements(source)) == module._imported(source)


def test_imports_are_found_wherever_they_stand():
    source = b"""\
from a.b import (  # why
    c,
    d as e,
)
import f.g, h as i
if TYPE_CHECKING:
    from j import k

    import l
try:
    import m
except ImportError:
    from n import *
def function():
    from o import p
    if TYPE_CHECKING:
        import q
    import r
"""
    found = module._imported(module.import_statements(source))
    assert found == module._imported(source)
    assert {"a.b.c", "a.b.d", "f.g", "h", "m", "n", "o.p", "r"} <= found
    assert not {"j", "l", "q"} & found
