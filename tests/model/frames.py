"""The data frames that lme4.R fits, made the same way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hlm.datasets import load_mathachieve

REFERENCE = Path(__file__).parents[1] / "reference"

# Milliken & Johnson (1992), productivity scores: data set Machines of R's nlme.
SCORES = {
    "A": "52 52.8 53.1 51.8 52.8 53.1 60 60.2 58.4 51.1 52.3 50.3 50.9 51.8 51.4 46.4 44.8 49.2",
    "B": "62.1 62.6 64 59.7 60 59 68.6 65.8 69.7 63.2 62.8 62.2 64.8 65 65.4 43.7 44.2 43",
    "C": "67.5 67.2 66.9 61.5 61.7 62.3 70.8 70.6 71 64.1 66.2 64 72.1 72 71.1 62 61.4 60.5",
}


def made() -> pd.DataFrame:
    """Return 196 rows in 25 units with columns of every kind."""
    d = pd.read_csv(REFERENCE / "sim_unbalanced.csv")
    k = np.arange(len(d))
    d = d.assign(w=1.0 + k % 3, z=np.sin(k), f=np.array(["b", "a", "c"])[k % 3])
    d["g"] = pd.Categorical(d["f"], categories=["c", "a", "b"])
    d = d.assign(flag=k % 4 == 0, k3=k % 3, both=d["x"] + d["a"], year=1990 + k % 21)
    d = d.assign(since=d["year"] - 2000, small=d["x"] * 1e-8, large=d["a"] * 1e8)
    return d.assign(**{f"c{j}": np.cos(j * k) for j in range(1, 13)})


def holes() -> pd.DataFrame:
    """Return the same with missing values."""
    d, k = made(), np.arange(len(made()))
    return d.assign(y=d["y"].where(k % 17 != 0), x=d["x"].where(k % 23 != 0))


def machines() -> pd.DataFrame:
    """Return 54 scores of 6 workers at 3 machines."""
    score = [float(number) for text in SCORES.values() for number in text.split()]
    return pd.DataFrame(
        {
            "Worker": [str(worker) for _ in range(3) for worker in np.repeat(np.arange(1, 7), 3)],
            "Machine": np.repeat(list(SCORES), 18),
            "score": score,
        }
    )


FRAMES = {"made": made, "holes": holes, "machines": machines, "mathachieve": load_mathachieve}
