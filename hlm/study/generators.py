"""A design by a function of the user's: its file, what it may stand beside, and a trial of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.data_source import Source
from hlm.distributions import STANDARD_NORMAL, GeneratedRows, GeneratedUnits, read_call
from hlm.errors import InputError, Mistakes, nearest
from hlm.generator import Generator, blake2b, not_allowed
from hlm.rows.sizes import Resampled, Sizes
from hlm.study.design import ENOUGH, rows_of
from hlm.study.schema_covariates import Generated, Given, Grid, Measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hlm.distributions import Distribution
    from hlm.simulate.generated import Generated as Drawn
    from hlm.study.grid import Axis
    from hlm.study.schema import Design, Truth
    from hlm.study.truth import Parameters

__all__ = ["Code", "Trial", "check_generated", "read_code", "sources_of", "try_generator"]

PATH = "design.generator"
MAX_BYTES = 1_000_000

GROUPS = (100, 50, 25, 20, 10, 5, 4, 2, 1)
"""Replicates that a generator draws at a time: as many as fill `GROUP_ROWS`, if it can be."""

GROUP_ROWS = 1 << 18
TRIAL_ROWS, KEPT_ROWS = 400, 5000
"""Rows that are drawn on trial, at least; and of larger data sets those that are kept."""


@dataclass(frozen=True)
class Code:
    """A function of the user's, as a study names it, and its file."""

    file: str
    function: str
    source: str

    @property
    def blake2b(self) -> str:
        """Checksum of the file."""
        return blake2b(self.source)

    @property
    def identity(self) -> dict[str, str]:
        """What tells it from others: not where it lies."""
        return {"function": self.function, "blake2b": self.blake2b}


@dataclass(frozen=True)
class Trial:
    """What data sets that a generator has drawn tell of it.

    Attributes
    ----------
    generator : Generator
    n_rows : int or Sizes
        Rows of every unit if all have as many, else those of the units drawn.
    distributions : dict of str to Distribution
        Of each covariate that it draws.
    """

    generator: Generator
    n_rows: int | Sizes
    distributions: dict[str, Distribution]


def read_code(
    design: Any, axes: Sequence[Axis], folder: Path, *, allow_code: bool
) -> dict[str, Code]:
    """Read the files of the generators that a study names, without running them.

    Parameters
    ----------
    design : object
        As written; other mistakes in it are said elsewhere.
    axes : sequence of Axis
        Of the grid, which may vary the generator.
    folder : Path
        That of the study file.
    allow_code : bool

    Raises
    ------
    InputError
        A file cannot be read, or it is not allowed to run.
    """
    found: dict[str, Code] = {}
    with Mistakes() as mistakes:
        if isinstance(design, dict) and {"from", "generator"} <= design.keys():
            problem = "a generator beside the data whose units and rows are the design"
            mistakes.add(InputError(problem, path=PATH, allowed="one of from and generator"))
        for path, text in _named(design, axes):
            if not allow_code:
                file, _, function = text.rpartition(":")
                mistakes.add(not_allowed(file, function, path))
            elif text not in found:
                one = mistakes.keep(_read, text, path, folder)
                if one is not None:
                    found[text] = one
    return found


def sources_of(code: Mapping[str, Code]) -> Iterator[Source]:
    """Yield what is to be known of the files."""
    for one in code.values():
        remark = f"data sets drawn by {one.function} of {PurePath(one.file).name}"
        yield Source(PATH, one.file, one.blake2b, (remark,))


def _named(design: Any, axes: Sequence[Axis]) -> Iterator[tuple[str, str]]:
    """Yield the generators that a study names, and where."""
    own = design.get("generator") if isinstance(design, dict) else None
    if isinstance(own, str):
        yield PATH, own
    for axis in axes:
        for label, level in zip(axis.labels, axis.levels, strict=True):
            text = level.get(("design", "generator"))
            if isinstance(text, str):
                yield dict(axis.places_of(label))["design.generator"], text


def _read(text: str, path: str, folder: Path) -> Code:
    file, _, function = text.rpartition(":")
    place = folder / file
    try:
        with place.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{file} is too large", path=path, allowed=f"{MAX_BYTES} bytes")
        return Code(file, function, content.decode("utf-8-sig"))
    except OSError as error:
        others = sorted(one.name for one in place.parent.glob("*.py"))
        raise InputError(
            f"{file} cannot be read: {error.strerror}",
            path=path,
            allowed="a file in Python, relative to the study file",
            suggestion=nearest(place.name, others),
        ) from None
    except ValueError as error:
        raise InputError(f"{file} is not UTF-8 text: {error}", path=path) from None


def check_generated(design: Design, truth: Truth) -> None:
    """Refuse what cannot stand beside a generator, or without one.

    Raises
    ------
    InputError
        At the covariates, sets and effect sizes.
    """
    with Mistakes() as mistakes:
        for problem, path, allowed in _clashes(design, truth):
            mistakes.add(InputError(problem, path=path, allowed=allowed))


def _clashes(design: Design, truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Yield problem, path and what is allowed."""
    specs = design.covariates
    own = [name for name, spec in specs.items() if isinstance(spec, Generated)]
    if design.generator is None:
        for name in own:
            yield (
                f"nothing draws '{name}'",
                f"design.covariates.{name}.generated",
                "generated: true beside design.generator: FILE.py:FUNCTION",
            )
        return
    for name, spec in specs.items():
        if isinstance(spec, Grid | Given) and spec.level == "row":
            yield (
                f"fixed values of '{name}' in rows that a generator draws",
                f"design.covariates.{name}",
                "{level: row, generated: true}, or a covariate that is drawn",
            )
        if isinstance(spec, Measures) and spec.measures in own:
            yield (
                f"the variance of '{spec.measures}', which a generator draws, is not known",
                f"design.covariates.{name}.measures",
                "{level: ..., generated: true}, its error drawn by the generator",
            )
    for name, one in design.correlated.items():
        for member in set(one.of) & set(own):
            yield (
                f"'{member}' is drawn by the generator",
                f"design.correlated.{name}.of",
                "covariates that hlm draws",
            )
    if truth.effect_sizes is not None and truth.effect_sizes.r2:
        yield (
            "shares of variance need those of the covariates, which a generator draws",
            "truth.effect_sizes.r2",
            "coefficients, or other effect sizes",
        )


def try_generator(code: Code, truth: Truth, design: Design, found: Parameters, key: str) -> Trial:
    """Have a few data sets drawn, to see that they are some and what they are like.

    Parameters
    ----------
    code : Code
    truth : Truth
        With raw values.
    design : Design
    found : Parameters
        Of the truth.
    key : str
        The scenario's.

    Raises
    ------
    InputError
        It fails, or draws what it should not.
    """
    from hlm.simulate.generated import try_out  # with numba: not where no generator is tried

    n_rows = rows_of(design)
    mean = n_rows if isinstance(n_rows, int) else _mean(n_rows)
    size = design.units * mean
    group = next((n for n in GROUPS if n * size <= GROUP_ROWS), 1)
    values = _values(design, found, float(truth.residual.sd or 0.0))
    plain = Generator(
        code.file, code.function, code.source, json.dumps(values), group, False, allowed=True
    )
    one, drawn = try_out(plain, min(group, max(2, ceil(TRIAL_ROWS / size))), scenario=key)
    if one.responds:
        _check_unused(truth, found)
    kept = _kept(drawn)
    sizes = drawn.rows.sizes.ravel()
    same = len(set(sizes.tolist())) == 1
    of_kept = tuple(sizes[kept].tolist())
    starts = drawn.rows.starts
    distributions: dict[str, Distribution] = {}
    for name, own in drawn.covariates.items():
        if own.ndim == 2:
            distributions[name] = GeneratedUnits(tuple(own.ravel()[kept].tolist()))
        else:
            rows = np.concatenate([own[starts[unit] : starts[unit + 1]] for unit in kept])
            distributions[name] = GeneratedRows(of_kept, tuple(rows.tolist()))
    return Trial(one, int(sizes[0]) if same else Resampled(of_kept), distributions)


def _mean(n_rows: tuple[int, ...] | Sizes) -> float:
    return n_rows.mean if isinstance(n_rows, Sizes) else sum(n_rows) / len(n_rows)


def _values(design: Design, found: Parameters, sigma: float) -> dict[str, Any]:
    """Return what a generator is told of a scenario."""
    formula = found.formula
    specs = {k: v for k, v in sorted(design.covariates.items()) if isinstance(v, Generated)}
    return {
        "units": design.units,
        "rows": design.model_dump(by_alias=True)["rows"],
        "covariates": {name: spec.level for name, spec in specs.items()},
        "group": formula.random[0].group,
        "response": formula.response,
        "formula": formula.text,
        "fixed": dict(found.fixed),
        "sd": dict(zip((term.name for term in formula.effects), found.sd, strict=True)),
        "cor": found.cor,
        "sigma": sigma,
    }


def _kept(drawn: Drawn) -> np.ndarray:
    """Return the units of which the values are kept: all, or some at random."""
    sizes = drawn.rows.sizes.ravel()
    order = np.random.default_rng(0).permutation(len(sizes))
    few = max(ENOUGH, int(np.searchsorted(np.cumsum(sizes[order]), KEPT_ROWS, side="right")))
    return np.sort(order[:few])


def _check_unused(truth: Truth, found: Parameters) -> None:
    """Refuse what only tells how a response is drawn, where the generator draws it."""
    group, residual = found.formula.random[0].group, truth.residual
    given = {
        f"truth.random.{group}.distribution": found.effects != STANDARD_NORMAL,
        f"truth.random.{group}.dependence": truth.random[group].dependence != "mixing",
        "truth.residual.distribution": read_call(residual.distribution) != STANDARD_NORMAL,
        "truth.residual.variance": residual.variance is not None,
        "truth.residual.ar1": residual.ar1 is not None,
        "truth.uncertain": truth.uncertain is not None,
    }
    with Mistakes() as mistakes:
        for path in (path for path, there in given.items() if there):
            mistakes.add(
                InputError(
                    f"it has no effect: the generator draws '{found.formula.response}'",
                    path=path,
                    allowed="no such key, or a generator of covariates alone",
                )
            )
