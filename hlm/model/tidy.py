"""The estimates of a fit as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.inference import RANDOM_PART
from hlm.kernels.limits import confidence_limits
from hlm.model.inferred import fitted_of, infer

if TYPE_CHECKING:
    import pandas as pd

    from hlm.model.result import LmerFit

__all__ = ["tidy"]


def tidy(fit: LmerFit, df_method: str, level: float, *, limits: str = "wald") -> pd.DataFrame:
    """Return the table of `LmerFit.tidy`."""
    import pandas as pd
    from scipy.special import stdtr

    p, (random, random_se) = len(fit.beta), fit.random
    df = fit.df(df_method)
    inferred = infer(fit, df_method)
    estimate, se = np.append(fit.beta, random), np.append(inferred.se, random_se)
    fixed = confidence_limits(fit.beta, inferred.se, df, ["identity"] * p, level)
    of_random = RANDOM_PART[limits].limits(fitted_of(fit), level)
    lower, upper = (np.append(*both) for both in zip(fixed, of_random, strict=True))
    df = np.append(df, np.full(len(random), np.nan))
    statistic = np.append(fit.beta / inferred.se, np.full(len(random), np.nan))
    p_value = 2.0 * stdtr(np.where(np.isinf(df), 1e300, df), -np.abs(statistic))
    return pd.DataFrame(
        {
            "term": fit.terms,
            "estimate": estimate,
            "se": se,
            "df": df,
            "statistic": statistic,
            "p_value": p_value,
            "lower": lower,
            "upper": upper,
        }
    )
