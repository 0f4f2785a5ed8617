"""What killed runs leave behind, and tables that show something else than the plan says."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hlm.disk import HALF_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hlm.plan.plan import Plan

__all__ = ["ROUND", "contents_of", "remove_leftovers", "stale_rules"]

ROUND = "round"
"""The folder, in that of the study, for the measures of a round that is not about all scenarios."""

NO_PAGES: Mapping[str, Collection[str]] = MappingProxyType({})

MADE_BY = {
    "estimates": "compact",
    "fits": "compact",
    "tests": "compact",
    "predictions": "compact",
    "scenarios": "compact",
    "measures": "summarize",
    "differences": "summarize",
    "accounting": "summarize",
    "selection": "summarize",
    "margins": "summarize",
}
"""The table -> the rule that makes it."""

BEGUN_BY = {"summarize": "summarize_chunk"}
"""The rule with which it begins, unless one job does all."""


def remove_leftovers(
    plan: Plan, folder: str | Path, pages: Mapping[str, Collection[str]] = NO_PAGES
) -> list[Path]:
    """Delete what killed jobs and an earlier form of the study have left.

    Half-written files, tables, figures and copies of generators that are no longer wanted, notes on
    damaged files, which planning has read, measures of rounds once no scenario grows. Only for who
    holds
    the lock of the folder. A job that still writes one of these files belongs to a run that was
    killed: it fails, and nobody waits for it.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    pages : mapping of str to collection of str
        A folder in it -> the names, without their endings, of figures or tables that the study
        no longer has.

    Returns
    -------
    list of path
        What was deleted.
    """
    folder = Path(folder)
    unwanted = [folder / f"{table}.parquet" for table in MADE_BY if _is_unwanted(plan, table)]
    unwanted += [
        path for inside, names in pages.items() for path in _called(folder / inside, names)
    ]
    copies = {one.copy for one in plan.generators}
    unwanted += [path for path in folder.glob("generators/*.py") if path.name not in copies]
    if plan.is_settled:
        unwanted += [path for path in folder.glob(f"{ROUND}/**/*") if path.is_file()]
    notes = folder.glob("parts/*.damaged")
    leftovers = [
        *folder.rglob(HALF_WRITTEN),
        *notes,
        *(p for p in unwanted if p.exists()),
    ]
    for path in leftovers:
        path.unlink(missing_ok=True)
    if plan.is_settled:
        shutil.rmtree(folder / ROUND, ignore_errors=True)  # empty folders
    return leftovers


def stale_rules(plan: Plan, folder: str | Path) -> list[str]:
    """Return the rules to be run whatever Snakemake thinks of the times of files.

    Snakemake knows what it did from its notes and from times of files. Neither says all: called
    without `hlm run`, in another directory, it has other notes, and clocks jump. A table says
    itself what it holds. What is gathered once no scenario grows is not looked at before.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    """
    wanted = plan.metadata()["contents"]
    stale = {
        rule
        for table, rule in MADE_BY.items()
        if not _is_unwanted(plan, table)
        and (plan.is_settled or rule != "compact")
        and (path := Path(folder) / f"{table}.parquet").exists()
        and contents_of(path) != wanted
    }
    return sorted(stale | {BEGUN_BY[rule] for rule in stale & BEGUN_BY.keys()})


def _called(folder: Path, names: Collection[str]) -> list[Path]:
    return [path for path in folder.glob("*") if path.stem in names]


def _is_unwanted(plan: Plan, table: str) -> bool:
    """Tell whether a study no longer has this table of replicates."""
    return table in ("tests", "predictions") and table not in plan.kinds


def contents_of(path: Path) -> str:
    """Return the hash of what a table shows, as it says itself; none if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, OSError):
        return "damaged"
    return metadata.get(b"contents", b"").decode()
