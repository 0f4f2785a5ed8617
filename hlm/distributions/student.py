"""Student's t distribution, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Symmetric
from hlm.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["StudentT"]

FAR = 1e10
"""Above it t^2 + df is t^2. No probability near 1 has a quantile so far out."""


@dataclass(frozen=True)
class StudentT(Symmetric):
    """Student's t distribution times sqrt((df - 2) / df), which makes its sd 1.

    Attributes
    ----------
    df : float
        The degrees of freedom, above 2: else the variance is infinite.

    Examples
    --------
    >>> StudentT(5.0).kurtosis, StudentT(4.0).kurtosis, StudentT(3.0).skewness
    (9.0, inf, nan)
    """

    df: float

    family = "t"
    shape = ("df",)
    call_example = "t(5)"
    synonyms = ("student", "studentt", "students", "studentst", "tdistribution")
    nanoseconds = 40.0
    nanoseconds_from_normal = 300.0

    def __post_init__(self) -> None:
        if not self.df > 2.0:
            raise InputError(
                f"the variance of t({self.df:g}) is infinite",
                allowed="degrees of freedom above 2, such as t(5): the sd is the one stated",
            )

    @property
    def skewness(self) -> float:
        """The third standardized moment, which exists above 3 degrees of freedom."""
        return 0.0 if self.df > 3.0 else nan

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment, 3 + 6 / (df - 4), finite above 4 degrees of freedom."""
        return 3.0 + 6.0 / (self.df - 4.0) if self.df > 4.0 else inf

    @property
    def _scale(self) -> float:
        """The sd of 1 over that of Student's t."""
        return sqrt((self.df - 2.0) / self.df)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, by SciPy."""
        import numpy as np
        from scipy.special import betaincinv, stdtrit

        t = np.asarray(stdtrit(self.df, probability))
        # 2 P(T < -t) is the incomplete beta function at df / (df + t^2); stdtrit fails far out
        far = np.abs(t) > FAR
        t[far] = -np.sqrt(self.df / betaincinv(self.df / 2.0, 0.5, 2.0 * probability[far]))
        return self._scale * t

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw a normal over the root of a chi-square, by NumPy."""
        import numpy as np

        drawn = rng.standard_t(self.df, size)
        return np.multiply(drawn, self._scale, out=drawn if out is None else out)
