"""What a study says is uncertain of its truth -> the parameters that are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, inf, log
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hlm.distributions.copula import root
from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.names import factors_of
from hlm.study.correlations import check_possible, given_matrix
from hlm.study.sized import sized_names
from hlm.uncertain import Drawable, Uncertain, read_prior, written_prior
from hlm.uncertain.drawn_truth import partial_correlations
from hlm.uncertain.priors import PRIORS, positive_like

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.study.grid import Axis
    from hlm.study.schema import EffectSizes, Truth
    from hlm.study.schema_uncertain import Sampling, UncertainTruth
    from hlm.study.truth import Parameters
    from hlm.uncertain import Prior
    from hlm.uncertain.drawn_truth import Part

    Floats = NDArray[np.float64]

__all__ = ["check_not_varied", "drawn_of", "parameter_paths"]

PATH = "truth.uncertain"


@dataclass(frozen=True)
class _Parameter:
    """A parameter of a truth: its path below `truth`, its value, and what values it may have."""

    path: str
    part: Part
    place: tuple[int, ...]
    value: float

    @property
    def range(self) -> tuple[float, float]:
        """The least value and the greatest."""
        return {"fixed": (-inf, inf), "cor": (-1.0, 1.0)}.get(self.part, (0.0, inf))

    def about(self, se: float) -> Prior | None:
        """Return the distribution about the value: normal, lognormal, or with a normal Fisher's z.

        None of a value at the boundary.
        """
        if self.part == "fixed":
            return read_prior(f"normal({self.value!r}, {se!r})")
        if self.part == "cor":
            at_end = abs(self.value) >= 1.0
            return None if at_end else read_prior(f"tanh_normal({atanh(self.value)!r}, {se!r})")
        return read_prior(f"lognormal({log(self.value)!r}, {se!r})") if self.value > 0.0 else None


def parameter_paths(formula: Formula) -> dict[str, tuple[Part, tuple[int, ...]]]:
    """Return the paths below `truth` of a formula's parameters, each with its part and place.

    The only correlation is `random.GROUP.cor`; of several, each is named by its two effects, the
    later one first, and is the partial one given the effects before both.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> list(parameter_paths(parse("y ~ x + (1 + x | g)")))[-3:]
    ['random.g.sd.x', 'random.g.cor', 'residual.sd']
    """
    group = f"random.{formula.random[0].group}"
    found: dict[str, tuple[Part, tuple[int, ...]]] = {}
    effects = [term.name for term in formula.effects]
    for k, term in enumerate(formula.fixed):
        found[f"fixed.{term.name}"] = "fixed", (k,)
    for k, name in enumerate(effects):
        found[f"{group}.sd.{name}"] = "sd", (k,)
    pairs = list(_pairs(formula.blocks))
    for i, j in pairs:
        own = f".{effects[i]}.{effects[j]}" if len(pairs) > 1 else ""
        found[f"{group}.cor{own}"] = "cor", (i, j)
    return {**found, "residual.sd": ("sigma", ())}


def _pairs(blocks: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for size in blocks:
        yield from ((start + i, start + j) for i in range(size) for j in range(i))
        start += size


def drawn_of(
    truth: Truth, found: Parameters, sigma: float, sizes: EffectSizes | None
) -> Uncertain | None:
    """Return which parameters of a truth are drawn, and how; None if none is.

    Parameters
    ----------
    truth : Truth
    found : Parameters
        Of the truth, with raw values.
    sigma : float
        The residual sd.
    sizes : EffectSizes, optional
        Those that gave raw values.

    Raises
    ------
    InputError
        A path is no parameter's, or one that effect sizes give or depend on; a distribution has
        values that the parameter cannot have; there is no fit.
    """
    if truth.uncertain is None:
        return None
    known = {one.path: one for one in _parameters(found, sigma)}
    priors: dict[str, Prior] = {}
    with Mistakes() as mistakes:
        for path, text in truth.uncertain.priors.items():
            priors[path] = read_prior(text)
            mistakes.keep(_check_path, path, known, f"{PATH}.{path}")
            if path in known:
                mistakes.keep(_check_range, known[path], priors[path])
        estimated, cor = mistakes.keep(_estimated, truth.uncertain.from_, known, priors) or ({}, ())
    every = {**priors, **estimated}
    copula = any(part.dependence == "copula" for part in truth.random.values())
    with Mistakes() as mistakes:
        for path in every:
            where = f"{PATH}.{path}" if path in priors else f"{PATH}.from"
            mistakes.keep(_check_sizes, known[path], sizes, where)
            if copula and known[path].part == "cor":
                problem = f"{path} of effects that are joined by a copula is not drawn"
                mistakes.add(InputError(problem, path=where, allowed="dependence: mixing"))
    if not every:
        return None
    whole = np.eye(len(every))
    whole[len(priors) :, len(priors) :] = cor
    drawables = (Drawable(known[k].part, known[k].place, one) for k, one in every.items())
    weights = tuple(map(tuple, root(whole).tolist())) if len(estimated) > 1 else ()
    return Uncertain(tuple(drawables), weights)


def _parameters(found: Parameters, sigma: float) -> Iterator[_Parameter]:
    values = {
        "fixed": np.array([value for _, value in found.fixed]),
        "sd": np.array(found.sd),
        "cor": partial_correlations(np.array(found.cor)),
        "sigma": np.array(sigma),
    }
    for path, (part, place) in parameter_paths(found.formula).items():
        yield _Parameter(path, part, place, float(values[part][place]))


def _check_path(path: str, known: Mapping[str, _Parameter], where: str) -> None:
    """Refuse what is no path of a parameter."""
    if path in known:
        return
    if path.removeprefix("truth.").startswith("effect_sizes"):
        raise InputError(
            "an effect size is not drawn: the raw values follow from it once",
            path=where,
            allowed=f"the path of a raw value: {', '.join(known)}",
        )
    short = path.removeprefix("truth.")
    factors = {one: factors_of(one.removeprefix("fixed.")) for one in (*known, short)}
    same = (one for one in known if factors[one] == factors[short])
    raise InputError(
        f"'{path}' is no parameter of the truth",
        path=where,
        allowed=", ".join(known),
        suggestion=next(same, None) or nearest(short, known),
    )


def _check_range(one: _Parameter, prior: Prior) -> None:
    """Refuse a distribution with values that the parameter cannot have."""
    (low, high), (least, most) = prior.support, one.range
    if least <= low and high <= most:
        return
    what = "a correlation" if one.part == "cor" else "a standard deviation"
    may = f"may be {'negative' if least == 0.0 else 'beyond -1 or 1'}"
    near = PRIORS["tanh_normal"].example if one.part == "cor" else positive_like(prior)
    raise InputError(
        f"'{written_prior(prior)}' {may}, which {what} is not",
        path=f"{PATH}.{one.path}",
        allowed="tanh_normal, uniform, truncated_normal, beta, from -1 to 1"
        if one.part == "cor"
        else "lognormal, uniform, truncated_normal, beta, all values 0 or more",
        suggestion=near,
    )


def _estimated(
    sampling: Literal["fit"] | Sampling | None,
    known: Mapping[str, _Parameter],
    priors: Collection[str],
) -> tuple[dict[str, Prior], Floats]:
    """Return the distributions that estimates give, (m), with the normals' correlations, (m, m).

    What has a distribution under its own path is left out.
    """
    path = f"{PATH}.from"
    if sampling is None:
        return {}, np.zeros((0, 0))
    if isinstance(sampling, str):
        allowed = "truth.fit, with the data and the formula; or the distribution of each parameter"
        raise InputError("there is no fit in the truth", path=path, allowed=allowed)
    names = sampling.names
    with Mistakes() as mistakes:
        for place, name in enumerate(names):
            mistakes.keep(_check_path, name, known, f"{path}.names[{place}]")
        if len(set(names)) < len(names):
            mistakes.add(InputError("a parameter is there twice", path=f"{path}.names"))
        if len(sampling.se) != len(names):
            problem = f"{len(sampling.se)} standard errors of {len(names)} parameters"
            mistakes.add(InputError(problem, path=f"{path}.se", allowed="one of each"))
        cor = mistakes.keep(given_matrix, sampling.cor, len(names), f"{path}.cor")
        if cor is not None:
            mistakes.keep(check_possible, cor, f"{path}.cor")
    found = {}
    with Mistakes() as mistakes:
        for name, se in zip(names, sampling.se, strict=True):
            about = known[name].about(se)
            if about is None:
                problem = f"'{name}' is {known[name].value:g}, at the end of its range"
                allowed = "a distribution under its own path"
                mistakes.add(InputError(problem, path=path, allowed=allowed))
            elif name not in priors:
                found[name] = about
    own = [place for place, name in enumerate(names) if name in found]
    assert cor is not None
    return found, cor[np.ix_(own, own)]


def _check_sizes(one: _Parameter, sizes: EffectSizes | None, where: str) -> None:
    """Refuse to draw what an effect size gives, or what one is a share or a multiple of."""
    if sizes is None:
        return
    written = sizes.model_dump(exclude_defaults=True)
    name = one.path.partition(".")[2]
    if one.part == "fixed" and name in sized_names({"effect_sizes": written})[0]:
        raise InputError(
            f"'{one.path}' has its value by truth.effect_sizes",
            path=where,
            allowed=f"truth.{one.path} in the place of the effect size",
        )
    if one.part in ("sd", "sigma") or sizes.r2:
        raise InputError(
            f"'{one.path}' is drawn, and truth.effect_sizes rest on it",
            path=where,
            allowed="raw values in the place of effect sizes; distributions of coefficients "
            "beside effect sizes other than r2",
        )


def check_not_varied(axes: Iterable[Axis], uncertain: UncertainTruth | None) -> None:
    """Refuse to vary by the grid what is drawn for each data set.

    Raises
    ------
    InputError
        At the key of the grid.
    """
    drawn = _paths_of(uncertain.model_dump(by_alias=True) if uncertain else None)
    axes = tuple(axes)
    for axis in axes:
        for level in axis.levels:
            for keys, value in level.items():
                if keys == ("truth", "uncertain"):
                    drawn |= _paths_of(value)
                elif keys[:2] == ("truth", "uncertain"):
                    drawn |= _paths_of({keys[2]: value})
    with Mistakes() as mistakes:
        for axis in axes:
            set_at = (place for label in axis.labels for place in axis.places_of(label))
            for path, place in dict.fromkeys(set_at):
                clash = next((k for k in drawn if f"truth.{k}.".startswith(f"{path}.")), None)
                if clash:
                    mistakes.add(
                        InputError(
                            f"'truth.{clash}' is varied here, and drawn by {PATH}",
                            path=place,
                            allowed="one of the two; what is written beside truth.fit is not drawn",
                        )
                    )


def _paths_of(uncertain: Any) -> set[str]:
    """Return the paths that are drawn, of what is written though there may be mistakes in it."""
    if not isinstance(uncertain, dict):
        return set()
    sampling = uncertain.get("from")
    names = sampling.get("names", ()) if isinstance(sampling, dict) else ()
    return {*(key for key in uncertain if key != "from"), *names}
