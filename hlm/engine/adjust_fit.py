"""Inference by the expected information for one fit, called from Python."""

from __future__ import annotations

from hlm.engine.kenward_roger import kenward_roger
from hlm.jit import entry

__all__ = ["adjust_fit"]


@entry
def adjust_fit(axes, p, units, n_obs, sigma2, parametrization, Lambda, state, out):
    """Fill `out` from the state at the minimum, as `adjust_stack` does for each fit of a stack."""
    kenward_roger(axes, p, units, n_obs, sigma2, parametrization, Lambda, state, out)
