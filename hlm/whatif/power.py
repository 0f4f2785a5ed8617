"""A study -> how often its tests reject, over one of its numbers; where that is often enough.

Beside power stands the size: the rate of rejections in a twin of each scenario, which lacks what is
tested and is made of the same random numbers. A replicate without a test counts neither way, and
how many do is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.precision import Target
from hlm.whatif.against_nominal import violated
from hlm.whatif.asked_terms import terms_named, usual_terms
from hlm.whatif.curves import Reader, theories_of
from hlm.whatif.met import SELECTION, goal_of
from hlm.whatif.part import only
from hlm.whatif.power_points import Twins, number_varied, points_over, twins_of, with_twins
from hlm.whatif.preview import REPLICATES, growing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from hlm.scenario import Scenario
    from hlm.study import Study
    from hlm.study.numeric import Numeric
    from hlm.whatif.against_nominal import Violated
    from hlm.whatif.curves import Curve
    from hlm.whatif.preview_results import Results

__all__ = ["Power", "power", "power_growing"]

TARGET = 0.8
"""The power to be reached, unless the user says otherwise."""


@dataclass(frozen=True)
class Power:
    """Rates over one number of a study.

    Attributes
    ----------
    study : Study
    over : Numeric or None
        What is varied; None where nothing is.
    measure : str
    target : float or None
        The value to be reached, from below, or for a width from above.
    data_sets : int
        Drawn so far, of twins too.
    reader : Reader
    results : Results
        From which the curves are read.
    """

    study: Study
    over: Numeric | None
    measure: str
    target: float | None
    data_sets: int
    reader: Reader
    results: Results

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """The measure of each term by each fit, over the number; none without replicates."""
        return tuple(self.reader.curves(self.results)) if self.data_sets else ()

    @cached_property
    def violated(self) -> tuple[Violated, ...]:
        """What the violated assumptions of the study do, if it has any."""
        if not self.data_sets or self.measure == SELECTION:
            return ()
        reader = self.reader
        found = violated(self.results, reader.points, reader.twins, self.measure)
        shown = reader.shown
        return tuple(one for one in found if shown is None or one.model in shown)

    def plot(self) -> Figure:
        """Draw the curves: what is simulated, what is known in closed form, and the target."""
        from hlm.whatif.power_figure import power_curves

        return power_curves(self)

    @property
    def is_rejection(self) -> bool:
        """Whether it is about power and size."""
        return self.measure == "rejection"


def power(study: Study, **options: Any) -> Power:
    """Return the rates of rejections of a study's tests; see `power_growing`.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="trial", seed=1, replicates=100,
    ...     truth={"formula": "y ~ arm + (1 | school)", "fixed": {"(Intercept)": 0, "arm": 0.5},
    ...            "random": {"school": {"sd": {"(Intercept)": 0.3}}}, "residual": {"sd": 1}},
    ...     design={"units": 20, "rows": 20,
    ...             "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}}},
    ...     grid={"design.units": [10, 20]},
    ...     models={"trial": "y ~ arm + (1 | school)"},
    ...     estimation={"methods": ["reml"]},
    ... )
    >>> found = power(study, terms=["arm"], replicates=200)
    >>> [(point.at, point.word) for point in found.curves[0].points]
    [(10, 'power'), (20, 'power')]
    """
    *_, last = power_growing(study, **options)
    return last


def power_growing(
    study: Study,
    *,
    terms: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    scenarios: Sequence[Scenario] | None = None,
    over: str | None = None,
    values: Sequence[float] | None = None,
    measure: str = "rejection",
    target: float | None = None,
    replicates: int = REPLICATES,
    mcse: float | None = None,
    cores: int | None = None,
) -> Iterator[Power]:
    """Yield what is known after each piece of work.

    Parameters
    ----------
    study : Study
    terms : sequence of str, optional
        Coefficients and tests; by default all that is tested.
    models, methods : sequence of str, optional
        By default all of the study.
    scenarios : sequence of Scenario, optional
        Of the study, those that are looked at; by default all.
    over : str, optional
        The number that is varied, by its path or an end of it, such as ``units``; by default the
        only one with levels in the grid, or the number of units if it has any.
    values : sequence of number, optional
        Its values, where they are not those of the grid.
    measure : str
        The rate of rejections, any other measure of a term, or ``selection``: how often each
        criterion chooses each model.
    target : float, optional
        The value to be reached; by default a power of 0.8, and no value of other measures.
    replicates : int
        Data sets of each scenario; with `mcse` the most.
    mcse : float, optional
        Stop where the measure has this Monte Carlo standard error.
    cores : int, optional

    Raises
    ------
    InputError
        A term, or a number, is none of the study's; or a number has no values.
    """
    chosen = None if measure == SELECTION else models
    study = only(study, models=chosen, methods=methods, scenarios=scenarios)
    named = terms_named(study.models, terms or (), place="terms") or usual_terms(study.models)
    varied = number_varied(study, over, values)
    points = points_over(study, varied, values)
    twins = twins_of(points, study.models, named) if measure == "rejection" else Twins({}, {})
    if mcse is not None and not mcse > 0.0:
        raise InputError(f"{mcse} is not allowed", path="mcse", allowed="a number above 0")
    wanted = TARGET if target is None and measure == "rejection" else target
    goal = None if wanted is None else goal_of(measure, wanted)
    if measure == SELECTION and (mcse is not None or terms):
        raise InputError("a rate of selection has no term, and no MCSE to stop at", path="terms")
    targets = [Target(measure, term, mcse) for term in named if mcse is not None]
    alone = {one.scenario.key: one for one in with_twins(points, twins)}
    theories = theories_of(points, study, measure, named)
    reader = Reader(study, varied, measure, goal, points, twins, theories, models)
    for found in growing(
        study,
        replicates=replicates,
        scenarios=[one.scenario for one in alone.values()],
        levels=[one.levels for one in alone.values()],
        terms=named,
        targets=targets,
        cores=cores,
    ):
        drawn = sum(found.replicates_of(one.scenario.key) for one in alone.values())
        yield Power(study, varied, measure, wanted, drawn, reader, found)
