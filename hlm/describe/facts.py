"""What the results of a study say of it: how many fits there are, what became of them, by what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from hlm.operations.manifest import NAME as MANIFEST
from hlm.operations.manifest import made_by, read_manifest
from hlm.results.files import open_parquet, read_frame

if TYPE_CHECKING:
    import pandas as pd

    from hlm.plan import Plan

__all__ = ["Facts", "facts_of"]


@dataclass(frozen=True)
class Facts:
    """What is known of a study's results; all is empty where there are none.

    Attributes
    ----------
    outcomes : dict of (str, str) to dict of str to int
        (model, method) -> outcome -> the number of fits, over all scenarios; `n` all of them.
    mcses : dict of str to float
        Measure -> its largest Monte Carlo standard error.
    measures : tuple of str
        The measures that there are.
    made : dict
        By which versions, on which machines and when, as the manifest has it; empty where neither
        the receipts of all batches nor a manifest are there.
    """

    outcomes: dict[tuple[str, str], dict[str, int]]
    mcses: dict[str, float]
    measures: tuple[str, ...]
    made: dict[str, Any]

    @property
    def there(self) -> bool:
        """Whether there are results."""
        return bool(self.outcomes)

    def total(self, outcome: str) -> int:
        """Return the number of fits with an outcome, `n` for all of them."""
        return sum(own.get(outcome, 0) for own in self.outcomes.values())

    @property
    def failed(self) -> int:
        """The number of fits that gave no estimates to count on."""
        return self.total("n") - self.total("converged")


def facts_of(plan: Plan, folder: str | Path | None) -> Facts:
    """Read what the folder of a study's results says; of none, nothing.

    Parameters
    ----------
    plan : Plan
    folder : path, optional
    """
    there = folder is not None and (Path(folder) / "accounting.parquet").is_file()
    if folder is None or not there:
        return Facts({}, {}, (), {})
    folder = Path(folder)
    largest = _largest(folder / "measures.parquet", plan.policies[0])
    made = made_by(plan, folder)
    if not made and (folder / MANIFEST).is_file():
        made = read_manifest(folder)
    return Facts(
        _outcomes(read_frame(folder / "accounting.parquet")),
        {name: mcse for name, mcse in largest.items() if mcse is not None},
        tuple(largest),
        made,
    )


def _largest(path: Path, policy: str) -> dict[str, float | None]:
    """Return the measures of a policy, each with its largest Monte Carlo standard error."""
    with open_parquet(path) as file:
        rows = file.read(columns=["measure", "mcse", "policy"])
    rows = rows.filter(pc.equal(rows["policy"], policy))
    known = pc.if_else(pc.is_nan(rows["mcse"]), None, rows["mcse"])
    found = rows.set_column(1, "mcse", known).group_by("measure", use_threads=False)
    return dict(zip(*found.aggregate([("mcse", "max")]).to_pydict().values(), strict=True))


def _outcomes(accounts: pd.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (model, method), own in accounts.groupby(["model", "method"], sort=False):
        counts = own.groupby("outcome", sort=False)["count"].sum()
        first = own["outcome"].iloc[0]
        n = int(own.loc[own["outcome"] == first, "n"].sum())
        found[str(model), str(method)] = {
            "n": n,
            **{str(name): int(count) for name, count in counts.items()},
        }
    return found
