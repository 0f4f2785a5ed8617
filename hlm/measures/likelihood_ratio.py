r"""Likelihood ratio tests of nested models, on one fit or on all data sets of a study.

The statistic is the difference of two criteria, -2 log L. Under the smaller model it is chi-square
with as many degrees of freedom as it has parameters less; where it lacks one of the larger's
random effects, a variance is on the boundary, and the distribution is a half and half mixture of
chi-square with k and k + 1 df (Self & Liang 1987; Stram & Lee 1994), k the covariances that go
with the variance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, nearest
from hlm.kernels.limits import chi_square_p
from hlm.measures.input_table import as_frame, names, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["chi_square_p", "likelihood_ratio"]


def likelihood_ratio(
    fits: Any,
    null: str,
    alternative: str,
    *,
    by: str | Sequence[str] = ("scenario", "method"),
    boundary: bool = False,
) -> pd.DataFrame:
    """Test one model of a study against another on every data set.

    Parameters
    ----------
    fits : pandas frame, Arrow table or stream, or mapping of columns
        One row per fit: `replicate`, `model`, `criterion`, `npar` and the `by` columns, as in
        fits.parquet. REML criteria are comparable only if the fixed parts are the same.
    null, alternative : str
        The names of the smaller and the larger model.
    by : str or list of str
        What else tells data sets and fits apart.
    boundary : bool
        The alternative has one random effect more: p-values by the mixture.

    Returns
    -------
    pandas frame
        The `by` columns, replicate, statistic, df, p_value; NaN where a fit failed.

    Raises
    ------
    InputError
        If a column or a model is missing, or the null has not fewer parameters.

    Examples
    --------
    >>> fits = {"replicate": [0, 0, 1, 1], "model": ["ri", "rs", "ri", "rs"], "npar": [4, 6, 4, 6],
    ...         "criterion": [100.0, 92.0, 90.0, 89.9]}
    >>> likelihood_ratio(fits, "ri", "rs", by=[]).round(4)
       replicate  statistic  df  p_value
    0          0        8.0   2   0.0183
    1          1        0.1   2   0.9512
    """
    frame, keys = as_frame(fits), [*names(by), "replicate"]
    require(frame, [("by", key) for key in keys])
    require(frame, [(name, name) for name in ("model", "criterion", "npar")])
    known = sorted(map(str, frame["model"].unique()))
    for path, name in (("null", null), ("alternative", alternative)):
        if name not in known:
            raise InputError(
                f"there is no model '{name}'",
                path=path,
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
    values = [*keys, "criterion", "npar"]
    small = frame.loc[frame["model"] == null, values]
    large = frame.loc[frame["model"] == alternative, values]
    pairs = small.merge(large, on=keys, suffixes=("_null", ""), validate="one_to_one")
    df = pairs["npar"] - pairs["npar_null"]
    if (df <= 0).any():
        raise InputError(
            f"'{null}' has as many parameters as '{alternative}'", path="null", allowed="fewer"
        )
    statistic = pairs["criterion_null"] - pairs["criterion"]
    return pairs[keys].assign(
        statistic=statistic, df=df, p_value=chi_square_p(statistic, df, boundary=boundary)
    )
