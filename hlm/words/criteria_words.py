"""The criteria by which a model is chosen, in words."""

from __future__ import annotations

__all__ = ["CRITERION_WORDS", "REML_NOTE", "selected_by"]

CRITERION_WORDS = {
    "aic": "AIC",
    "aicc": "AICc",
    "bic": "BIC",
    "lrt": "likelihood-ratio tests",
    "lrt-mixture": "likelihood-ratio tests (mixture)",
}
"""Every criterion, as a study file names it, in a sentence or a heading."""

SHORT = CRITERION_WORDS | {"lrt": "LRT", "lrt-mixture": "LRT mixture"}

REML_NOTE = (
    "REML criteria of models with different fixed parts are compared here as if they were "
    "likelihoods of the same data, which they are not."
)


def selected_by(criterion: str) -> str:
    """Return what the models that a criterion chooses are called together.

    No model of a study has such a name.

    Examples
    --------
    >>> selected_by("lrt")
    'selected (LRT)'
    """
    return f"selected ({SHORT[criterion]})"
