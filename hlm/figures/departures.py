"""How predicted lines relate to least-squares lines: the founding article's open question.

A unit's predicted line (BLUP) is a matrix-weighted mean of its own least-squares line and of the
line that its covariates predict,

    b_i = L_i ols_i + (I - L_i) W_i beta,     L_i = Psi (Psi + sigma^2 (Z_i' Z_i)^-1)^-1,

so it moves from the first towards the second, and not along a straight line to it: where
intercepts and slopes are correlated, one informs the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike, NDArray

from hlm.errors import InputError
from hlm.figures.headers import wrap
from hlm.figures.style import GREY, INK, PAGE, Mark, marks, styled
from hlm.words.levels import MINUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ellipse_axes", "shrinkage"]

Floats = NDArray[np.float64]
_FLAT = 1e-9  # of the larger variance: what the smaller may be for rounding alone
_REGIONS: dict[float, Any] = {0.5: "-", 0.95: "--"}  # share of the random effects: line style


@styled
def shrinkage(
    *,
    ols: ArrayLike,
    blup: ArrayLike,
    mean: ArrayLike,
    psi: ArrayLike,
    names: tuple[str, str] = ("Intercept", "Slope"),
    title: str = "",
) -> Figure:
    """Draw predicted lines against per-unit least-squares lines.

    At the left each line is a point, its intercept and its slope; a thin line leads from the
    least-squares line of a unit to its predicted line. At the right the departures from the
    fixed part before and after: a point on the diagonal has not been moved, a point at height 0
    has been moved all the way to the line that the unit's covariates predict.

    Parameters
    ----------
    ols : array_like, (n_units, 2)
        Intercept and slope of each unit's own least-squares line; units with a missing value
        are left out.
    blup : array_like, (n_units, 2)
        Those of its predicted line, fixed part included.
    mean : array_like, (n_units, 2)
        Those of the fixed part at the unit's covariates.
    psi : array_like, (2, 2)
        Covariance of the random intercepts and slopes.
    names : tuple of str
        What the two numbers are called; what follows a colon only on the axes.
    title : str
        Of the legend, such as the model and the method.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes do not fit together.
    """
    before, after, centre, cov = _checked(ols, blup, mean, psi)
    figure = Figure(figsize=(PAGE, 3.9), layout=ConstrainedLayoutEngine(wspace=0.04, hspace=0.06))
    axes = figure.subplot_mosaic([["plane", "0"], ["plane", "1"]], width_ratios=[1.75, 1])
    _plane(axes["plane"], before, after, centre, cov)
    axes["plane"].set(xlabel=names[0], ylabel=names[1], title=_warning(cov))
    for k, name in enumerate(names):
        ax = axes[str(k)]
        _departures(ax, (before - centre)[:, k], (after - centre)[:, k])
        ax.set(title=f"{name.partition(':')[0]} {MINUS} fixed part", ylabel="predicted")
    axes["1"].set_xlabel("least squares")
    own, predicted, fixed = axes["plane"].get_legend_handles_labels()[0]
    handles = [own, predicted, *_region_handles(), fixed]
    heading = wrap(title, PAGE)
    figure.legend(
        handles=handles, title=heading, loc="outside upper center", ncols=3, columnspacing=2
    )
    return figure


def ellipse_axes(psi: ArrayLike, share: float) -> tuple[float, float, float]:
    """Return the ellipse that holds a share of a bivariate normal distribution.

    Its squared Mahalanobis radius is the chi-squared quantile with 2 degrees of freedom,
    -2 log(1 - share).

    Parameters
    ----------
    psi : array_like, (2, 2)
        Covariance matrix; it may be singular.
    share : float

    Returns
    -------
    width, height : float
        Full lengths of the longer and of the shorter axis.
    angle : float
        Of the longer axis, in degrees, counter-clockwise from the horizontal.

    Examples
    --------
    >>> width, height, angle = ellipse_axes([[4, 0], [0, 1]], 0.95)
    >>> round(width, 3), round(height, 3), angle % 180
    (9.791, 4.895, 0.0)
    """
    values, vectors = np.linalg.eigh(np.asarray(psi, dtype=float))
    radius = np.sqrt(-2 * np.log1p(-share))
    height, width = 2 * radius * np.sqrt(np.clip(values, 0, None))
    return float(width), float(height), float(np.degrees(np.arctan2(*vectors[::-1, 1])))


def _checked(*arrays: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    ols, blup, mean, psi = (np.asarray(array, dtype=float) for array in arrays)
    if not (ols.ndim == 2 and ols.shape[1] == 2 and ols.shape == blup.shape == mean.shape):
        shapes = f"{ols.shape}, {blup.shape} and {mean.shape}"
        raise InputError(f"ols, blup and mean have shapes {shapes}", allowed="(n_units, 2) each")
    if psi.shape != (2, 2):
        raise InputError(f"psi has shape {psi.shape}", allowed="(2, 2)")
    keep = np.isfinite(ols).all(axis=1)
    return ols[keep], blup[keep], mean[keep], psi


def _plane(ax: Axes, before: Floats, after: Floats, centre: Floats, psi: Floats) -> None:
    for share, dashes in _REGIONS.items():
        width, height, angle = ellipse_axes(psi, share)
        look: dict[str, Any] = {"fill": False, "edgecolor": GREY, "linestyle": dashes, "lw": 0.8}
        ax.add_patch(Ellipse(tuple(centre.mean(axis=0)), width, height, angle=angle, **look))
    moves = list(np.stack([before, after], axis=1))
    ax.add_collection(LineCollection(moves, colors=INK, lw=0.5, alpha=0.6))
    predicted, own = marks(["predicted", "least squares"]).values()
    own = replace(own, hollow=True)
    _points(ax, before, own, "one unit, by least squares")
    _points(ax, after, predicted, "its predicted line (BLUP)")
    fixed = Mark("black", "+", 5)
    _points(ax, centre, fixed, "fixed part, at its covariates")
    ax.autoscale_view()
    ax.grid(visible=True)


def _warning(psi: Floats) -> str:
    """Say why there are no ellipses, if there are none."""
    small, large = np.linalg.eigvalsh(psi)
    if large <= 0:
        return "Singular fit: no random effects"
    return "Singular fit: the random effects lie on a line" if small < _FLAT * large else ""


def _points(ax: Axes, at: Floats, mark: Mark, label: str) -> None:
    ax.plot(*at.T, label=label, zorder=3, **mark.look(joined=False))


def _region_handles() -> list[Line2D]:
    return [
        Line2D(
            [],
            [],
            color=GREY,
            linestyle=dashes,
            linewidth=0.8,
            label=f"random effects, {100 * share:g}% region",
        )
        for share, dashes in _REGIONS.items()
    ]


def _departures(ax: Axes, before: Floats, after: Floats) -> None:
    mark = marks(["predicted"])["predicted"]
    reach = 1.08 * np.abs(np.concatenate([before, after])).max() or 1.0
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axline((0, 0), slope=1, color=GREY, linewidth=0.8, linestyle="--")
    ax.scatter(before, after, s=12, color=mark.colour, linewidth=0, zorder=3)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.locator_params(nbins=5)
    factor = float(before @ after / (before @ before)) if before.any() else 1.0
    text = f"slope through 0: {factor:.2f}"
    ax.text(0.97, 0.06, text, transform=ax.transAxes, ha="right", va="bottom", size=7)
