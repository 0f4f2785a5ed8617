"""The fits of tests/reference, each with its data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from hlm import datasets

FOLDER = Path(__file__).parent.parent / "reference"

PACKAGED = {
    "mathachieve": datasets.load_mathachieve,
    "ogorek2012": datasets.load_ogorek2012,
    "sleepstudy": datasets.load_sleepstudy,
}


@dataclass(frozen=True)
class Reference:
    """One fit by lme4; `printed` has the fields of the README."""

    name: str
    number: int

    @property
    def printed(self) -> dict[str, Any]:
        return _fits(self.name)[self.number]

    @property
    def frame(self) -> pd.DataFrame:
        return _frame(self.name)

    def __str__(self) -> str:
        method = "reml" if self.printed["reml"] else "ml"
        return f"{self.name}: {self.printed['formula']} [{method}]"


@cache
def _fits(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text())["fits"]


@cache
def _frame(name: str) -> pd.DataFrame:
    return PACKAGED[name]() if name in PACKAGED else pd.read_csv(FOLDER / f"{name}.csv")


def all_references() -> list[Reference]:
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [Reference(name, k) for name in names for k in range(len(_fits(name)))]
