"""Which terms of the random part a fit of status 'partly_identified' leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.kernels.elements import open_elements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hlm.model.result import LmerFit

__all__ = ["open_terms"]


def open_terms(fit: LmerFit) -> NDArray[np.bool_]:
    """Tell the sds and correlations that the data do not determine; sigma, the last, always is."""
    return np.append(open_elements(fit.random[0][:-1], fit.frame.blocks), False)
