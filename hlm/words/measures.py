"""The measures of performance: what each is called, how it is defined, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from hlm.words.levels import MINUS

__all__ = [
    "MCSE_FORMULAS",
    "MEASURES",
    "NEED_TRUE",
    "OF_HYPOTHESES",
    "OF_INFERENCE",
    "OF_ONE_TRUTH",
    "OF_PREDICTIONS",
    "OF_TERMS",
    "RATES",
    "TEST_KINDS",
    "WITHOUT_MCSE",
    "Measure",
]

Need: TypeAlias = Literal["", "true", "se", "limits", "true, se", "true, limits", "reference"]


@dataclass(frozen=True)
class Measure:
    """One measure of performance of an estimator.

    Attributes
    ----------
    formula : str
        Of the estimates b, their true value t, standard errors s and limits L and U.
    heading : str
        Of a column of a table.
    label : str
        Of the axis of a figure; `{level}` stands for the level of the intervals, `{alpha}` for
        that of the tests.
    noun : str
        Within a sentence.
    needs : str
        What there must be beside the estimates: a true value, standard errors, limits (which may
        be made from standard errors), or estimates by a reference method.
    nominal : str
        The value of an estimator without fault: 0, the level of the intervals, that of the tests
        where the hypothesis is true, or none.
    kind : str
        Of number: a `value` may have either sign, a `size` starts at 0, a `share` ends at 1, and
        a `relative` error is a fraction that is shown as a percentage.
    where : str
        The true values for which there is the measure, if not all.
    """

    formula: str
    heading: str
    label: str
    noun: str
    needs: Need = ""
    nominal: Literal["", "zero", "level", "alpha"] = ""
    kind: Literal["value", "size", "share", "relative"] = "value"
    where: Literal["", "true is 0", "true is not 0"] = ""

    @property
    def is_inferred(self) -> bool:
        """Whether it depends on the inference, not on the estimates alone."""
        return "se" in self.needs or "limits" in self.needs

    @property
    def has_level(self) -> bool:
        """Whether its nominal value is a level that the study sets."""
        return self.nominal in ("level", "alpha")


MEASURES = {
    "mean": Measure("mean(b)", "Mean", "Mean of the estimates", "the mean"),
    "median": Measure("median(b)", "Median", "Median of the estimates", "the median"),
    "bias": Measure(
        "mean(b) - t",
        "Bias",
        f"Bias (mean estimate {MINUS} true value)",
        "bias",
        needs="true",
        nominal="zero",
    ),
    "relative_bias": Measure(
        "mean((b - t)/t)",
        "Rel. bias",
        "Relative bias (% of the true value)",
        "bias",
        needs="true",
        nominal="zero",
        kind="relative",
    ),
    "median_bias": Measure(
        "median(b) - t",
        "Median bias",
        f"Bias (median estimate {MINUS} true value)",
        "bias",
        needs="true",
        nominal="zero",
    ),
    "empirical_se": Measure(
        "sd(b)",
        "Emp. SE",
        "Empirical standard error",
        "the empirical standard error",
        kind="size",
    ),
    "mse": Measure(
        "mean((b - t)^2)",
        "MSE",
        "Mean squared error",
        "mean squared error",
        needs="true",
        kind="size",
    ),
    "rmse": Measure(
        "sqrt(mse)",
        "RMSE",
        "Root mean squared error",
        "root mean squared error",
        needs="true",
        kind="size",
    ),
    "winsorized_bias": Measure(
        "mean(b, clipped) - t",
        "Wins. bias",
        "Bias of the clipped estimates",
        "bias of the clipped estimates",
        needs="true",
        nominal="zero",
    ),
    "winsorized_se": Measure(
        "sd(b, clipped)",
        "Wins. SE",
        "Standard deviation of the clipped estimates",
        "the standard deviation of the clipped estimates",
        kind="size",
    ),
    "winsorized_rmse": Measure(
        "root of mean((b, clipped, - t)^2)",
        "Wins. RMSE",
        "Root mean squared error of the clipped estimates",
        "root mean squared error of the clipped estimates",
        needs="true",
        kind="size",
    ),
    "clipped": Measure(
        "share of b beyond the quartiles by 3 IQR",
        "Clipped",
        "Share of estimates clipped",
        "the share of estimates clipped",
        kind="share",
    ),
    "relative_precision": Measure(
        "(sd(reference)/sd(b))^2 - 1",
        "Precision",
        "Gain in precision (%)",
        "the gain in precision",
        needs="reference",
        nominal="zero",
        kind="relative",
    ),
    "model_se": Measure(
        "sqrt(mean(s^2))",
        "Model SE",
        "Mean model standard error",
        "the mean standard error",
        needs="se",
        kind="size",
    ),
    "relative_error_se": Measure(
        "model_se/sd(b) - 1",
        "SE error",
        "Error of the model standard error (%)",
        "the error of the standard error",
        needs="se",
        nominal="zero",
        kind="relative",
    ),
    "relative_bias_variance": Measure(
        "mean(s^2)/var(b) - 1",
        "Var. error",
        "Error of the model variance (%)",
        "the error of the variance",
        needs="se",
        nominal="zero",
        kind="relative",
    ),
    "coverage": Measure(
        "share of L <= t <= U",
        "Coverage",
        "Coverage of the {level} interval",
        "coverage",
        needs="true, limits",
        nominal="level",
        kind="share",
    ),
    "below": Measure(
        "share of U < t",
        "Below",
        "Share of {level} intervals below the true value",
        "the share of intervals below",
        needs="true, limits",
        kind="share",
    ),
    "above": Measure(
        "share of L > t",
        "Above",
        "Share of {level} intervals above the true value",
        "the share of intervals above",
        needs="true, limits",
        kind="share",
    ),
    "bias_eliminated_coverage": Measure(
        "share of L <= mean(b) <= U",
        "Coverage of mean",
        "Bias-eliminated coverage of the {level} interval",
        "coverage",
        needs="limits",
        nominal="level",
        kind="share",
    ),
    "rejection": Measure(
        "share of L > 0 or U < 0",
        "Rejection",
        "Rejection rate of the test at {alpha}",
        "the rejection rate",
        needs="limits",
        nominal="alpha",
        kind="share",
    ),
    "ci_width": Measure(
        "mean(U - L)",
        "Mean width",
        "Mean width of the {level} interval",
        "the mean width",
        needs="limits",
        kind="size",
    ),
    "median_ci_width": Measure(
        "median(U - L)",
        "Width",
        "Median width of the {level} interval",
        "the median width",
        needs="limits",
        kind="size",
    ),
    "type_s": Measure(
        "share of rejections with b on the wrong side of 0",
        "Type S",
        "Share of significant estimates of the wrong sign",
        "the share of wrong signs",
        needs="true, limits",
        kind="share",
        where="true is not 0",
    ),
    "type_m": Measure(
        "mean(abs(b)/abs(t)) of rejections",
        "Type M",
        "Exaggeration by significant estimates",
        "the exaggeration",
        needs="true, limits",
        kind="size",
        where="true is not 0",
    ),
    "rejection_01": Measure(
        "share of p < 0.01",
        "p < 0.01",
        "Share of p-values below 0.01",
        "the rejection rate",
        needs="true, se",
        kind="share",
        where="true is 0",
    ),
    "rejection_05": Measure(
        "share of p < 0.05",
        "p < 0.05",
        "Share of p-values below 0.05",
        "the rejection rate",
        needs="true, se",
        kind="share",
        where="true is 0",
    ),
    "rejection_10": Measure(
        "share of p < 0.10",
        "p < 0.10",
        "Share of p-values below 0.10",
        "the rejection rate",
        needs="true, se",
        kind="share",
        where="true is 0",
    ),
    "ks_distance": Measure(
        "largest distance of the distribution of p from the uniform one",
        "KS distance",
        "Distance of p-values from uniform",
        "the distance of p-values from uniform",
        needs="true, se",
        kind="share",
        where="true is 0",
    ),
    "ks_p_value": Measure(
        "p-value of that distance",
        "KS p",
        "P-value of the distance of p-values from uniform",
        "the p-value of uniformity",
        needs="true, se",
        kind="share",
        where="true is 0",
    ),
}
"""Every measure of a term that can be shown, by its name in `measures.parquet`."""

OF_HYPOTHESES = {
    "power": Measure(
        "share of L > 0 or U < 0",
        "Power",
        "Power of the test at {alpha}",
        "power",
        needs="true, limits",
        kind="share",
        where="true is not 0",
    ),
    "size": Measure(
        "share of L > 0 or U < 0",
        "Size",
        "Size of the test at {alpha} (rejection of true hypotheses)",
        "size",
        needs="true, limits",
        nominal="alpha",
        kind="share",
        where="true is 0",
    ),
}
"""The rate of rejection, by whether the hypothesis is false or true; results have it as one."""

OF_TERMS = MEASURES | OF_HYPOTHESES
"""Every measure of a term that a figure can show."""

OF_PREDICTIONS = {
    "prediction_rmse": Measure(
        "sqrt(prediction_mse)",
        "RMSE",
        "Root mean squared error of units' coefficients",
        "the error of predictions",
        kind="size",
    ),
    "prediction_mse": Measure(
        "mean over units and data sets of (b_i - t_i)^2",
        "MSE",
        "Mean squared error of units' coefficients",
        "the error of predictions",
        kind="size",
    ),
    "prediction_ratio": Measure(
        "prediction_mse / that of least squares, of the same units",
        "MSE / least squares'",
        "Mean squared error in units of that of least squares",
        "the ratio of errors",
        kind="size",
    ),
    "prediction_difference": Measure(
        "prediction_mse - that of least squares, of the same units",
        f"MSE {MINUS} least squares'",
        f"Mean squared error {MINUS} that of least squares",
        "the difference of errors",
        nominal="zero",
    ),
}
"""Every measure of how well coefficients of units are predicted."""

RATES = {"singular": "Singular fits", "failed": "Failed fits"}
"""The rates of what becomes of fits."""

WITHOUT_MCSE = ("ks_distance", "ks_p_value")
"""The measures that have no Monte Carlo standard error: of a test of all replicates together."""

NEED_TRUE = tuple(name for name, measure in MEASURES.items() if "true" in measure.needs)
"""The measures that there are only where there is a true value."""

OF_ONE_TRUTH = ("relative_error_se", "relative_bias_variance", "bias_eliminated_coverage")
"""The measures by which estimates scatter for chance alone, about a value that is one and the same
in all data sets, though it need not be known."""

TEST_KINDS = ("test", "ratio_test")
"""The kinds of terms that are tests: F tests and likelihood ratio tests."""

OF_INFERENCE = (
    *(name for name in MEASURES if MEASURES[name].is_inferred),
    *("unbounded", "absent"),
)
"""The measures that each inference has its own of, with the shares of unbounded and of absent
intervals."""

_OF_MEDIAN = "(x[n - c + 1] - x[c])/(2 z)"

MCSE_FORMULAS = {
    **{
        name: "sqrt(p (1 - p)/n)"
        for name, one in MEASURES.items()
        if one.kind == "share" and name not in WITHOUT_MCSE
    },
    **dict.fromkeys(("mean", "bias"), "sd(b)/sqrt(n)"),
    **dict.fromkeys(("median", "median_bias", "median_ci_width"), _OF_MEDIAN),
    "relative_bias": "sd((b - t)/t)/sqrt(n)",
    "empirical_se": "sd(b)/sqrt(2 (n - 1))",
    "mse": "sd((b - t)^2)/sqrt(n)",
    "rmse": "sd((b - t)^2)/(2 rmse sqrt(n))",
    "winsorized_bias": "sd(b, clipped)/sqrt(n)",
    "winsorized_se": "sd(b, clipped)/sqrt(2 (n - 1))",
    "winsorized_rmse": "sd((b, clipped, - t)^2)/(2 winsorized_rmse sqrt(n))",
    "relative_precision": "2 (sd(reference)/sd(b))^2 sqrt((1 - cor(b, reference)^2)/(n - 1))",
    "model_se": "sd(s^2)/(2 model_se sqrt(n))",
    "relative_error_se": "(model_se/sd(b)) sqrt(var(s^2)/(4 n model_se^4) + 1/(2 (n - 1)))",
    "relative_bias_variance": "sqrt((n - 1) mean((r - mean(r))^2))",
    "ci_width": "sd(U - L)/sqrt(n)",
    "type_m": "sd(abs(b)/abs(t))/sqrt(n)",
    "prediction_mse": "sd(e)/sqrt(n)",
    "prediction_rmse": "sd(e)/(2 prediction_rmse sqrt(n))",
    "prediction_ratio": "sd(e - prediction_ratio l)/(mean(l) sqrt(n))",
    "prediction_difference": "sd(e - l)/sqrt(n)",
}
"""The Monte Carlo standard error of each measure that has one, with n the replicates on which it
rests and p the share itself. Of medians x[1], x[2], ... are the estimates, or the widths, in
ascending order, c is (n + 1)/2 - sqrt(n), rounded, and z the normal quantile by which these two
hold the median as often as they do (Price and Bonett, 2001); r is the ratio without one replicate
each; e and l are the mean squared errors of a data set, of the predictor and of least squares."""
