"""The inferences: what each way to degrees of freedom, tests and limits is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["INFERENCES", "Inference", "inference_words", "joined", "way_of"]


@dataclass(frozen=True)
class Inference:
    """How an inference is named.

    Attributes
    ----------
    name : str
        In a table, or in the title of a panel.
    way : str
        In a sentence: whose degrees of freedom, or how the limits of the random part are made.
    tests : str
        What the t tests in the summary of a fit use.
    """

    name: str
    way: str
    tests: str = ""


INFERENCES = {
    "satterthwaite": Inference("Satterthwaite", "Satterthwaite's", "Satterthwaite's method"),
    "satterthwaite-expected": Inference(
        "Satterthwaite (expected information)",
        "Satterthwaite's (expected information)",
        "Satterthwaite's method with expected information",
    ),
    "kenward-roger": Inference("Kenward-Roger", "Kenward and Roger's", "Kenward-Roger's method"),
    "cr2": Inference("CR2", "CR2's", "cluster-robust standard errors (CR2)"),
    "between-within": Inference(
        "Between-within", "between-within", "between-within degrees of freedom"
    ),
    "residual": Inference("Residual df", "residual", "residual degrees of freedom"),
    "infinite": Inference("Normal (z)", "infinite", "the normal distribution"),
    "bootstrap": Inference("Bootstrap", "by parametric bootstrap", "the parametric bootstrap"),
    "wald": Inference("Wald", "by Wald's method"),
    "wald-variance": Inference("Wald (variances)", "on the scale of variances"),
    "profile": Inference("Profile likelihood", "by profile likelihood"),
    "chi-square": Inference("Chi-square", "by chi-square"),
    "mixture": Inference("Mixture of chi-squares", "by the mixture of chi-squares"),
}
"""Every inference by its name in a study file or in results: those of coefficients and F tests,
those of the random part, of which some are of both, then those of likelihood ratio tests."""

BOOTSTRAP = "bootstrap"
"""The one inference without degrees of freedom or a standard error of a formula's."""

PROFILE = "profile"
"""The one that has limits only."""


def inference_words(name: str) -> str:
    """Return an inference's name in words.

    Examples
    --------
    >>> inference_words("infinite"), inference_words("wald")
    ('Normal (z)', 'Wald')
    """
    return INFERENCES[name].name if name in INFERENCES else name


def way_of(df: Collection[str], limits: Iterable[str], level: float) -> str:
    """Say how the standard errors and the limits of a model are made.

    Parameters
    ----------
    df, limits : collection of str
        The inferences of the coefficients, and those of the random part.
    level : float
        Confidence level of the limits.

    Examples
    --------
    >>> way_of(["satterthwaite"], ["wald"], 0.95)
    "Satterthwaite's degrees of freedom and 95% limits"
    >>> way_of(["infinite"], ["wald", "profile"], 0.9)  # doctest: +NORMALIZE_WHITESPACE
    "infinite degrees of freedom and 90% limits, those of the random part by Wald's method and
    by profile likelihood"
    >>> way_of(["infinite", "profile"], ["wald"], 0.95)
    'infinite degrees of freedom and 95% limits, those of coefficients also by profile likelihood'
    """
    ways = list(limits)
    random = f", those of the random part {joined(map(_way, ways))}" if ways != ["wald"] else ""
    by_df = [_way(name) for name in df if name not in (BOOTSTRAP, PROFILE)]
    found = [f"{joined(by_df)} degrees of freedom"] if by_df else []
    found += [INFERENCES[BOOTSTRAP].tests] if BOOTSTRAP in df else []
    profiled = ", those of coefficients also by profile likelihood" if PROFILE in df else ""
    if not found:
        return f"{100 * level:g}% limits by profile likelihood{random}"
    return f"{joined([*found, f'{100 * level:g}% limits'])}{profiled}{random}"


def joined(words: Iterable[str]) -> str:
    """Join words by commas, the last two by and.

    Examples
    --------
    >>> joined(["a", "b", "c"]), joined(["a"])
    ('a, b and c', 'a')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _way(name: str) -> str:
    return INFERENCES[name].way if name in INFERENCES else name
