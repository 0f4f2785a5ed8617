"""What R was asked of, and its answers: r.json, made by r.R, and tests/reference."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hlm import datasets, lmer
from tests.model.frames import REFERENCE, machines, made

if TYPE_CHECKING:
    from hlm.model.result import LmerFit

R: dict[str, Any] = json.loads(Path(__file__).with_name("r.json").read_text())


@cache
def frame(name: str) -> pd.DataFrame:
    """Return a data frame by the name that the JSON files give it."""
    makers = {"made": made, "machines": machines}
    if name in makers:
        return makers[name]()
    file = REFERENCE / f"{name}.csv"
    return pd.read_csv(file) if file.exists() else getattr(datasets, f"load_{name}")()


@cache
def fitted(name: str, formula: str, *, reml: bool = True) -> LmerFit:
    """Return a fit, made once."""
    return lmer(formula, frame(name), reml=reml)


@cache
def centred_schools() -> pd.DataFrame:
    """Return mathachieve with ses centred in each school, and each school's mean."""
    data = datasets.load_mathachieve()
    return data.assign(cses=data["ses"] - data.groupby("school")["ses"].transform("mean"))
