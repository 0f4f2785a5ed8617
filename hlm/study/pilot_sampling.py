r"""How uncertain the estimates of a pilot fit are, as a study would write it.

The coefficients have their covariance. Of the random part, eta = (Psi, sigma^2) has the asymptotic
covariance C; log sds, Fisher's z of (partial) correlations and log sigma are functions g of it, and
J C J' is their covariance, with J = dg/deta by a complex step: Im g(eta + i h)/h, exact to rounding
(Squire and Trapp 1998, SIAM Review 40, 110-112). Estimates of the two parts are independent in
large samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.estimands.names import factors_of
from hlm.study.pilot_fit import possible, rounded
from hlm.study.uncertain_parameters import parameter_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.model import LmerFit

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.complex128]

__all__ = ["sampling_of"]

STEP = 1e-20
"""Of the complex step, as a share of a standard error."""

AT_END = 1.0 - 1e-7
"""A correlation of a singular fit that is nearer to 1 or -1 is there."""


def sampling_of(
    fit: LmerFit, formula: Formula, written: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the sampling distribution of what a truth has from a fit, and what has none.

    Parameters
    ----------
    fit : LmerFit
    formula : Formula
        The truth's.
    written : mapping
        The truth as written: what has a value there is not the fit's.

    Returns
    -------
    sampling : dict
        `names`, `se` and `cor`, as in a study.
    fixed : tuple of str
        The paths of estimates at the boundary, which have no standard error.
    """
    paths = parameter_paths(formula)
    names = [path for path in paths if _is_free(path, paths[path][0], formula, fit, written)]
    covariance = _covariance(fit, formula, names)
    se = np.sqrt(np.diag(covariance))
    there = np.isfinite(se) & (se > 0.0)
    kept = np.flatnonzero(there)
    cor = covariance[np.ix_(kept, kept)] / np.outer(se[kept], se[kept])
    cor = np.round((cor + cor.T) / 2.0, 8)
    np.fill_diagonal(cor, 1.0)
    sampling = {
        "names": [names[k] for k in kept],
        "se": [rounded(float(se[k])) for k in kept],
        "cor": possible(cor).tolist(),
    }
    return sampling, tuple(names[k] for k in np.flatnonzero(~there))


def _is_free(
    path: str, part: str, formula: Formula, fit: LmerFit, written: Mapping[str, Any]
) -> bool:
    """Tell whether a parameter of the truth is the fit's: it has it, and nothing is written."""
    own = _mapping(_mapping(written.get("random")).get(formula.random[0].group))
    effects = _effects_of(fit)
    if part == "fixed":
        name = path.removeprefix("fixed.")
        has = factors_of(name) in map(factors_of, fit.coef_names)
        return has and name not in _mapping(written.get("fixed"))
    if part == "sd":
        name = path.split(".sd.", 1)[1]
        return name in effects and name not in _mapping(own.get("sd"))
    if part == "cor":
        return "cor" not in own and all(term.name in effects for term in formula.effects)
    return "sd" not in _mapping(written.get("residual"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _effects_of(fit: LmerFit) -> list[str]:
    return [name for block in fit.frame.random_names for name in block]


def _covariance(fit: LmerFit, formula: Formula, names: Sequence[str]) -> Floats:
    """Return the covariance of estimates on their scales, (m, m); NaN where there is none."""
    from hlm.model.limits import covariance_of_variances

    paths = parameter_paths(formula)
    order = {factors_of(name): k for k, name in enumerate(fit.coef_names)}
    fixed = [order[factors_of(k.removeprefix("fixed."))] for k in names if paths[k][0] == "fixed"]
    eta, of_eta = covariance_of_variances(fit)
    others = [paths[name] for name in names if paths[name][0] != "fixed"]
    J = np.empty((len(others), len(eta)))
    with np.errstate(all="ignore"):
        for k in range(len(eta)):
            step = STEP * (np.sqrt(of_eta[k, k]) or 1.0)
            moved = eta.astype(np.complex128)
            moved[k] += 1j * step
            J[:, k] = [value.imag / step for value in _unbounded(fit, formula, moved, others)]
        of_random = J @ of_eta @ J.T
    p, m = len(fixed), len(names)
    covariance = np.zeros((m, m))
    covariance[:p, :p] = fit.vcov[np.ix_(fixed, fixed)]
    covariance[p:, p:] = of_random
    return covariance


def _unbounded(
    fit: LmerFit, formula: Formula, eta: Numbers, wanted: Sequence[tuple[str, tuple[int, ...]]]
) -> Iterator[complex]:
    """Yield log sds, Fisher's z of partial correlations and log sigma; NaN at the boundary."""
    names = _effects_of(fit)
    psi = np.zeros((len(names), len(names)), dtype=np.complex128)
    for value, (a, b) in zip(eta, fit.frame.terms.elements, strict=False):
        psi[a, b] = psi[b, a] = value
    own = [term.name for term in formula.effects]
    there = [name for name in own if name in names]
    among = [names.index(name) for name in there]
    psi = psi[np.ix_(among, among)]
    scale = np.sqrt(np.diag(psi))
    partial = _partial(psi / np.outer(scale, scale)) if len(there) == len(own) else psi
    for part, place in wanted:
        if part == "sigma":
            yield np.log(eta[-1]) / 2.0
        elif part == "sd":
            value = psi[(there.index(own[place[0]]),) * 2]
            yield np.log(value) / 2.0 if value.real > 0.0 else complex(np.nan, np.nan)
        else:
            at_end = fit.singular and not abs(partial[place].real) < AT_END
            yield complex(np.nan, np.nan) if at_end else np.arctanh(partial[place])


def _partial(cor: Numbers) -> Numbers:
    """Return partial correlations as `hlm.uncertain.drawn_truth`, of complex numbers."""
    q = len(cor)
    lower, partial = np.zeros((2, q, q), dtype=np.complex128)
    for i in range(q):
        left = 1.0 + 0.0j
        for j in range(i):
            rest = cor[i, j] - (lower[i, :j] * lower[j, :j]).sum()
            lower[i, j] = rest / lower[j, j]
            partial[i, j] = lower[i, j] / np.sqrt(left)
            left -= lower[i, j] ** 2
        lower[i, i] = np.sqrt(left)
    return partial
