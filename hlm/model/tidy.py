"""The estimates of a fit as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.kernels.limits import confidence_limits

if TYPE_CHECKING:
    import pandas as pd

    from hlm.model.result import DfMethod, LmerFit

__all__ = ["tidy"]


def tidy(
    fit: LmerFit, df_method: DfMethod, level: float, *, variance_scale: bool = False
) -> pd.DataFrame:
    """Return the table of `LmerFit.tidy`."""
    import pandas as pd
    from scipy.special import stdtr

    random, random_se = fit.random
    fixed_se = fit.se
    if df_method == "kenward-roger":
        fixed_se = np.sqrt(np.diag(fit.adjusted.vcov))
    estimate, se = np.append(fit.beta, random), np.append(fixed_se, random_se)
    df = np.append(fit.df(df_method), np.full(len(random), np.nan))
    scales = [one.variance_scale if variance_scale else one.scale for one in fit.parameters]
    lower, upper = confidence_limits(estimate, se, df, scales, level)
    statistic = np.append(fit.beta / fixed_se, np.full(len(random), np.nan))
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
