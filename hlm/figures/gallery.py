"""A study's figures by name: from its plan and its folder of results to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.figures.catalogue import Planned, names, variables
from hlm.figures.departures import shrinkage
from hlm.figures.files import save
from hlm.figures.lines import least_squares_lines, predicted_lines, unit_values
from hlm.figures.measures import failure_rates, measure_against_units, selection_rates
from hlm.figures.style import blank
from hlm.figures.units import unit_lines, units_against_attribute
from hlm.formula import Formula, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

    from hlm.scenario import Scenario

__all__ = ["draw", "draw_all", "example", "shrinkage_of_fit"]

Floats = NDArray[np.float64]


def draw(name: str, study: Planned, folder: str | Path) -> Figure:
    """Draw one figure of a study.

    Parameters
    ----------
    name : str
        One of `names(study)`.
    study : Study or Plan
    folder : path
        The study's folder of results, with `measures.parquet` and `selection.parquet`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the study has no figure of that name.
    """
    allowed = names(study)
    if name not in allowed:
        suggestion = nearest(name, allowed)
        raise InputError(f"no figure '{name}'", allowed=", ".join(allowed), suggestion=suggestion)
    if name in ("units_against_attribute", "unit_lines", "shrinkage"):
        return _draw_example(name, study)
    if name.startswith("selection_"):
        return selection_rates(_read(study, folder, "selection"), name.removeprefix("selection_"))
    measures = _read(study, folder, "measures")
    if name == "failures":
        return failure_rates(measures)
    measure, _, part = name.rpartition("_")
    return measure_against_units(measures, measure, term=part, level=study.models[0].level)


def draw_all(
    study: Planned, folder: str | Path, only: Iterable[str] | None = None
) -> tuple[Path, ...]:
    """Draw a study's figures into the folder `figures` of its results.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    only : iterable of str, optional
        Names of figures; all of `names(study)` by default.

    Returns
    -------
    tuple of Path
        For each figure `figures/NAME.png` and `figures/NAME.pdf`.
    """
    wanted = names(study) if only is None else only
    target = Path(folder) / "figures"
    return tuple(file for name in wanted for file in save(draw(name, study, folder), target / name))


def example(study: Planned) -> Scenario:
    """Return the scenario in the middle of the grid, whose first data set the pictures show."""
    factors = {name: _distinct(levels[name] for levels in study.levels) for name in study.levels[0]}
    middle = {name: values[len(values) // 2] for name, values in factors.items()}
    return study.scenarios[study.levels.index(middle)]


def shrinkage_of_fit(fit: Any, formula: str, rows: pd.DataFrame, scenario: Scenario) -> Figure:
    """Draw how a fit's predicted lines relate to the units' least-squares lines.

    Parameters
    ----------
    fit : result of `hlm.lmer`
        Of a model whose first random block begins with the intercept and the covariate.
    formula : str
        The model's.
    rows : DataFrame
        The data that were fitted.
    scenario : Scenario
        Tells which of the columns are covariates.

    Returns
    -------
    Figure
        With no more than a sentence if the fit failed.
    """
    use = variables(scenario)
    if use.covariate is None:
        raise InputError("the picture needs a row covariate, and the scenario has none")
    if not np.isfinite(fit.theta).all():
        return blank("The model could not be fitted to the example.")
    parsed = parse(formula)
    unit_names = [c.name for c in scenario.covariates if c.level == "unit"]
    fixed = dict(zip(fit.coef_names, fit.beta, strict=True))
    mean = predicted_lines(
        parsed, fixed, unit_values(rows, unit_names, use.unit), use.covariate, use.other_rows
    )
    columns = _line_columns(parsed, use.covariate)
    departures = np.asarray(fit.ranef(), dtype=float)[:, columns]
    own = least_squares_lines(rows, use.response, use.covariate, use.other_rows, unit=use.unit)
    return shrinkage(
        ols=own,
        blup=mean + departures,
        mean=mean,
        psi=_covariance(parsed, fit.theta, fit.sigma)[np.ix_(columns, columns)],
        names=(f"Intercept ({use.response} at {use.covariate} = 0)", f"Slope of {use.covariate}"),
    )


def _draw_example(name: str, study: Planned) -> Figure:
    from hlm.simulate import draw_rows

    scenario = example(study)
    rows = pd.DataFrame(draw_rows(scenario, study.seed, 0))
    if name == "units_against_attribute":
        return units_against_attribute(rows, scenario)
    if name == "unit_lines":
        return unit_lines(rows, scenario)
    from hlm.model import lmer

    return shrinkage_of_fit(lmer(scenario.formula, rows), scenario.formula, rows, scenario)


def _line_columns(formula: Formula, covariate: str) -> list[int]:
    effects = [term.name for block in formula.random for term in block.terms]
    return [effects.index("(Intercept)"), effects.index(covariate)]


def _covariance(formula: Formula, theta: Floats, sigma: float) -> Floats:
    """Return Psi = sigma^2 Lambda Lambda', theta being the columns of Lambda's lower triangles."""
    sizes = [len(block.terms) for block in formula.random]
    factor = np.zeros((sum(sizes), sum(sizes)))
    start, used = 0, 0
    for size in sizes:
        columns, rows = np.triu_indices(size)
        factor[start + rows, start + columns] = theta[used : used + len(rows)]
        start, used = start + size, used + len(rows)
    return sigma**2 * factor @ factor.T


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _read(study: Planned, folder: str | Path, table: str) -> pd.DataFrame:
    """Read a table of results, the models in the study's order."""
    frame = pd.read_parquet(Path(folder) / f"{table}.parquet")
    order = {model.name: place for place, model in enumerate(study.models)}
    return frame.sort_values("model", key=lambda names: names.map(order), kind="stable")
