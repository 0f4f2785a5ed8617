"""A study, resolved: its scenarios and models as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.scenario import Model, Scenario
from hlm.study.design import covariates
from hlm.study.grid import axes, cross
from hlm.study.keys import scenario_key
from hlm.study.messages import validate
from hlm.study.models import (
    Candidate,
    candidates,
    check_finite,
    check_identified,
    check_true_values,
    check_variables,
)
from hlm.study.reading import place, read_text, read_tree
from hlm.study.schema import Design, StudyFile, Truth
from hlm.study.truth import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hlm.formula import Formula
    from hlm.study.grid import Axis
    from hlm.study.reading import Lines

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """A Monte Carlo study, read and checked.

    Attributes
    ----------
    name : str
    seed, replicates : int
    scenarios : tuple of Scenario
        The points of the grid, its first key varying slowest.
    levels : tuple of dict
        For each scenario, the level of each axis of the grid under the axis's short name.
    example : int
        Position in `scenarios` of the one to show by a picture of its data: that of the values
        above the grid if it is a point of the grid, else the one in the grid's middle.
    models : tuple of Model
    text : str
        The file as read.
    hash : str
        32 hexadecimal digits of the text.
    """

    name: str
    seed: int
    replicates: int
    scenarios: tuple[Scenario, ...]
    levels: tuple[dict[str, Any], ...]
    example: int
    models: tuple[Model, ...]
    text: str
    hash: str

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read a study file.

        Raises
        ------
        InputError
            If it cannot be read or there is a mistake in it.
        """
        return cls.from_text(read_text(path), file=path)

    @classmethod
    def from_text(cls, text: str, *, file: str | Path | None = None) -> Study:
        """Read a study from its text; `file` is where messages say it comes from.

        Examples
        --------
        >>> study = Study.from_text('''
        ... name: tiny
        ... seed: 1
        ... replicates: 10
        ... truth:
        ...   formula: y ~ 1 + (1 | unit)
        ...   fixed: {(Intercept): 0}
        ...   random: {unit: {sd: {(Intercept): 1}}}
        ...   residual: {sd: 1}
        ... design: {units: 5, rows: 4}
        ... grid: {design.units: [5, 10]}
        ... models: {mean: y ~ 1 + (1 | unit)}
        ... ''')
        >>> study.levels
        ({'units': 5}, {'units': 10})
        >>> study.scenarios[1].n_units, study.models[0].methods
        (10, ('reml', 'ml'))
        """
        tree, lines = read_tree(text, file=file)
        try:
            return cls(**_resolve(tree), text=text, hash=_hash(text))
        except InputError as error:
            raise error.at(file=place(file, _line(error.path, lines))) from None


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _line(path: str | None, lines: Lines) -> int | None:
    """Find the line of a path, or of the nearest one above it that is written."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def _resolve(tree: dict[str, Any]) -> dict[str, Any]:
    """Check the study and cross its grid."""
    study = validate(StudyFile, tree)
    models = candidates(study)
    truth = parameters(study.truth)
    for candidate in _formulas(models, truth.formula):
        check_variables(candidate, truth.formula, tuple(study.design.covariates))
    found = axes(study.grid, study.model_dump(by_alias=True, include={"truth", "design"}))
    levels, scenarios = _cross(found, tree, models)
    own = scenario_key(study.truth, study.design, truth)
    return {
        "name": study.name,
        "seed": study.seed,
        "replicates": study.replicates,
        "scenarios": scenarios,
        "levels": levels,
        "example": _example(own, [scenario.key for scenario in scenarios], found),
        "models": tuple(model for _, model in models),
    }


def _formulas(models: Sequence[tuple[Candidate, Model]], formula: Formula) -> tuple[Candidate, ...]:
    """Return every formula whose variables the design must have."""
    return (Candidate("truth", "truth.formula", formula), *(candidate for candidate, _ in models))


def _cross(
    found: Sequence[Axis], tree: Mapping[str, Any], models: Sequence[tuple[Candidate, Model]]
) -> tuple[tuple[dict[str, Any], ...], tuple[Scenario, ...]]:
    """Make and check the scenario of every point of the grid."""
    levels: dict[str, dict[str, Any]] = {}
    scenarios = []
    for labels, values in cross(found, {part: tree[part] for part in ("truth", "design")}):
        try:
            scenario = _scenario(values, models)
            if scenario.key in levels:
                problem = f"the same data as in the scenario {_named(levels[scenario.key])}"
                raise InputError(problem, path="grid")
        except InputError as error:
            raise _in_scenario(error, found, labels) from None
        levels[scenario.key] = labels
        scenarios.append(scenario)
    return tuple(levels.values()), tuple(scenarios)


def _example(own: str, keys: Sequence[str], found: Sequence[Axis]) -> int:
    """Find the scenario with that key, or else the middle level of every axis."""
    if own in keys:
        return keys.index(own)
    place = 0
    for axis in found:
        place = place * len(axis.levels) + len(axis.levels) // 2
    return place


def _scenario(values: Mapping[str, Any], models: Sequence[tuple[Candidate, Model]]) -> Scenario:
    truth = validate(Truth, values["truth"], path="truth")
    design = validate(Design, values["design"], path="design")
    found = parameters(truth)
    formula = found.formula
    scenario = Scenario(
        key=scenario_key(truth, design, found),
        n_units=design.units,
        n_rows=design.rows,
        covariates=covariates(design, response=formula.response, group=formula.random[0].group),
        formula=formula.text,
        fixed=found.fixed,
        sd=found.sd,
        cor=found.cor,
        sigma=float(truth.residual.sd),
    )
    names = tuple(covariate.name for covariate in scenario.covariates)
    for candidate in _formulas(models, formula):
        check_variables(candidate, formula, names)
        check_finite(candidate, scenario)
    for candidate, model in models:
        check_identified(candidate, scenario)
        check_true_values(model, scenario)
    return scenario


def _named(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in labels.items())


def _in_scenario(error: InputError, found: Sequence[Axis], labels: Mapping[str, Any]) -> InputError:
    """Name the scenario, and the axis where a level of it is the mistake."""
    if not found:
        return error
    path = error.path or ""
    varied = ((axis.path, whole) for axis in found for whole in axis.paths)
    axis = next((name for name, whole in varied if f"{path}.".startswith(f"{whole}.")), None)
    return InputError(
        f"{error.problem} (scenario {_named(labels)})",
        path=f"grid.{axis}" if axis else path,
        allowed=error.allowed,
        suggestion=error.suggestion,
    )
