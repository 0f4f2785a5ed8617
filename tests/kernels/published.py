"""Small published data sets, as printed with the R packages nlme and lme4."""

from __future__ import annotations

import numpy as np
import pandas as pd

_DISTANCE = """
26 25 29 31  21.5 22.5 23 26.5  23 22.5 24 27.5  25.5 27.5 26.5 27  20 23.5 22.5 26
24.5 25.5 27 28.5  22 22 24.5 26.5  24 21.5 24.5 25.5  23 20.5 31 26  27.5 28 31 31.5
23 23 23.5 25  21.5 23.5 24 28  17 24.5 26 29.5  22.5 25.5 25.5 26  23 24.5 26 30
22 21.5 23.5 25  21 20 21.5 23  21 21.5 24 25.5  20.5 24 24.5 26  23.5 24.5 25 26.5
21.5 23 22.5 23.5  20 21 21 22.5  21.5 22.5 23 25  23 23 23.5 24  20 21 22 21.5
16.5 19 19 19.5  24.5 25 28 28
"""

_SCORE = """
52.0 52.8 53.1  51.8 52.8 53.1  60.0 60.2 58.4  51.1 52.3 50.3  50.9 51.8 51.4  46.4 44.8 49.2
62.1 62.6 64.0  59.7 60.0 59.0  68.6 65.8 69.7  63.2 62.8 62.2  64.8 65.0 65.4  43.7 44.2 43.0
67.5 67.2 66.9  61.5 61.7 62.3  70.8 70.6 71.0  64.1 66.2 64.0  72.1 72.0 71.1  62.0 61.4 60.5
"""

_YIELD = """
1545 1440 1440 1520 1580  1540 1555 1490 1560 1495  1595 1550 1605 1510 1560
1445 1440 1595 1465 1545  1595 1630 1515 1635 1625  1520 1455 1450 1480 1445
"""

_YIELD2 = """
7.298 3.846 2.434 9.566 7.990  5.220 6.556 0.608 11.788 -0.892  0.110 10.386 13.434 5.510 8.166
2.212 4.852 7.092 9.288 4.980  0.282 9.014 4.458 9.446 7.198  1.722 4.782 8.106 0.758 3.758
"""

_TRAVEL = "55 53 54  26 37 32  78 91 85  92 100 96  49 51 50  80 85 83"


def _numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def orthodont() -> pd.DataFrame:
    """Load the growth of 16 boys and 11 girls (Potthoff and Roy 1964); female is 0 or 1."""
    subject = np.repeat(np.arange(27), 4)
    return pd.DataFrame(
        {
            "distance": _numbers(_DISTANCE),
            "age": np.tile([8.0, 10.0, 12.0, 14.0], 27),
            "age11": np.tile([-3.0, -1.0, 1.0, 3.0], 27),
            "female": (subject >= 16).astype(float),
            "Subject": subject,
        }
    )


def machines() -> pd.DataFrame:
    """Load the scores of six workers on three machines, three times each."""
    return pd.DataFrame(
        {
            "score": _numbers(_SCORE),
            "Machine": np.repeat(["A", "B", "C"], 18),
            "Worker": np.tile(np.repeat(np.arange(6), 3), 3),
        }
    )


def dyestuff() -> pd.DataFrame:
    """Load the yield of six batches, five samples each."""
    return pd.DataFrame({"Yield": _numbers(_YIELD), "Batch": np.repeat(np.arange(6), 5)})


def dyestuff2() -> pd.DataFrame:
    """Load the simulated data of Box and Tiao (1973) with no variance between batches."""
    return pd.DataFrame({"Yield": _numbers(_YIELD2), "Batch": np.repeat(np.arange(6), 5)})


def rail() -> pd.DataFrame:
    """Load the travel time of six rails, three times each."""
    return pd.DataFrame({"travel": _numbers(_TRAVEL), "Rail": np.repeat(np.arange(6), 3)})
