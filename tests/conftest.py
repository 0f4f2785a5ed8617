"""The order of the tests, which `make test` shares out among cores file by file."""

from __future__ import annotations

LONGEST = (
    *("slurm", "workflow", "faults", "test_everything.py", "test_published_power.py"),
    *("test_odd_studies.py", "test_generator.py", "test_solve.py", "test_jit.py"),
    *("test_explorer_in_browser.py", "test_kernels.py", "test_docs.py", "inference", "kernels"),
    *("test_figures.py",),
)
"""The files that take longest, below this folder: first, or one core ends long after the others."""


def pytest_collection_modifyitems(config, items):
    here = config.rootpath / "tests"

    def place(item):
        path = item.path.relative_to(here) if item.path.is_relative_to(here) else item.path
        return LONGEST.index(path.parts[0]) if path.parts[0] in LONGEST else len(LONGEST)

    items.sort(key=place)
