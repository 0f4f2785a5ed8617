"""Which replicates count: the policies, in words."""

from __future__ import annotations

__all__ = ["CONVERGED", "OF_POLICIES", "POLICIES"]

POLICIES = {
    "all": "all fits",
    "converged": "converged fits",
    "nonsingular": "converged fits that are not singular",
    "absent_as_miss": "all fits, an interval that is absent being a miss",
}
"""Every policy, as a study file names it, in words."""

CONVERGED = ("ok", "partly_identified")
"""The statuses of fits that have converged: the search ended at a minimum."""

OF_POLICIES = {"absent_as_miss": ("n_total", "coverage", "rejection")}
"""The measures of a policy that has not all of them."""
