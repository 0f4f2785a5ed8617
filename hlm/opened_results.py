"""The results of a study in Python: its tables as frames, and figures of what one chooses."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.pictures.figure_catalogue import catalogue_names, chosen_by_name
from hlm.pictures.figure_checks import choice_of
from hlm.plan import Plan
from hlm.plan.report import planned_figure
from hlm.results.files import read_frame
from hlm.study.messages import validate
from hlm.study.schema_figures import ChosenFigure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from hlm.plan.report import PlannedFigure
    from hlm.tables.asked_table import AskedTable

__all__ = ["Results"]

PLAN = "plan.json"


class Results:
    """The results of a study, in the folder that `hlm run` has made.

    Parameters
    ----------
    folder : path
        Such as ``results/ogorek2012``.
    allow_code : bool
        Whether a generator of the study may run, for pictures of a data set.

    Attributes
    ----------
    folder : Path
    plan : Plan
        The study as it was run.

    Raises
    ------
    InputError
        The folder has no plan.

    Examples
    --------
    >>> import tempfile
    >>> from hlm import Results, Study
    >>> from hlm.plan import make_plan
    >>> study = Study.of(
    ...     name="tiny", seed=1, replicates=20,
    ...     truth={"formula": "y ~ x + (1 | unit)", "fixed": {"(Intercept)": 0, "x": 1},
    ...            "random": {"unit": {"sd": {"(Intercept)": 1}}}, "residual": {"sd": 1}},
    ...     design={"units": 5, "rows": 4, "covariates": {"x": {"level": "row"}}},
    ...     grid={"design.units": [5, 10]},
    ...     models={"right": "y ~ x + (1 | unit)"},
    ... )
    >>> folder = tempfile.TemporaryDirectory()
    >>> make_plan(study).write(f"{folder.name}/plan.json")
    >>> study.preview(replicates=20).measures.to_parquet(f"{folder.name}/measures.parquet")
    >>> results = Results(folder.name)
    >>> figure = results.plot("bias", terms="x", x="units")
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['5', '10']
    >>> print(results.table("bias", terms="x", across="units"))  # doctest: +ELLIPSIS
    **Bias, x**
    <BLANKLINE>
    | Method | Bias: 5 units | Bias: 10 units |
    ...
    >>> sorted(results.measures["term"].unique())
    ['', '(Intercept)', 'sd_(Intercept)|unit', 'sigma', 'x']
    >>> folder.cleanup()
    """

    def __init__(self, folder: str | Path, *, allow_code: bool = False) -> None:
        self.folder = Path(folder)
        if not (self.folder / PLAN).is_file():
            allowed = "the folder of a study that was run, such as results/ogorek2012"
            raise InputError("no results of a study", file=self.folder, allowed=allowed)
        self.plan = Plan.read(self.folder / PLAN, allow_code=allow_code)

    def __repr__(self) -> str:
        """Return where they are."""
        return f"Results({str(self.folder)!r})"

    @cached_property
    def measures(self) -> pd.DataFrame:
        """The measures of performance, a row for each scenario, model, method, term and measure."""
        return self._table("measures")

    @cached_property
    def differences(self) -> pd.DataFrame:
        """The differences between models, methods and so on, on the same data sets."""
        return self._table("differences")

    @cached_property
    def selection(self) -> pd.DataFrame:
        """How often each criterion chooses each model."""
        return self._table("selection")

    @cached_property
    def accounting(self) -> pd.DataFrame:
        """What became of the fits."""
        return self._table("accounting")

    def plot(self, measure: str | None = None, *, page: int = 1, **chosen: Any) -> Figure:
        """Draw a figure of what is chosen.

        Parameters
        ----------
        measure : str, optional
            A measure, such as ``'coverage'`` or ``'power'``; or, with nothing else, the name of a
            figure of the catalogue, such as ``'coverage_fixed'``.
        page : int
            Where the panels do not hold all scenarios.
        **chosen
            What a study file may say of a figure under `figures`: `terms` or `part`, `layout`,
            `x`, `panels`, `colour`, `scenarios`, `models`, `methods`, `inferences`, `title`.

        Returns
        -------
        Figure

        Raises
        ------
        InputError
            For all that the study does not have, at once.
        """
        from hlm.figures.chosen_figure import draw_choice

        figure = self.planned(measure, **chosen)
        if not 1 <= page <= len(figure.pages):
            allowed = f"1 to {len(figure.pages)}"
            raise InputError(f"the figure has no page {page}", path="page", allowed=allowed)
        return draw_choice(figure.choice, self.plan, self.folder, page=page)

    def table(self, *measures: str, **asked: Any) -> AskedTable:
        """Make a table of what is chosen: shown by a notebook, and text for papers.

        Parameters
        ----------
        *measures : str
            The columns, such as ``'bias', 'coverage'``; by default those of the usual table.
        **asked
            What a study file may say of a table under `tables`: `terms` or `part`, `models`,
            `methods`, `inferences`, `policies`, `scenarios`, `across`, `split`, `mcse`, `digits`,
            `n`, `title`.

        Returns
        -------
        AskedTable
            With `md()`, `tex()`, `csv()`, `html()` and its unrounded `numbers`.

        Raises
        ------
        InputError
            For all that the study does not have, at once.
        """
        from hlm.tables.asked_table import asked_table

        return asked_table(self.plan, self.folder, *measures, **asked)

    def planned(self, measure: str | None = None, **chosen: Any) -> PlannedFigure:
        """Return what the figure of `plot` is called, how many pages it has and what it shows."""
        if measure is not None and not chosen and measure in catalogue_names(self.plan):
            return planned_figure(chosen_by_name(measure, self.plan), self.plan)
        asked = {"measure": measure, **chosen}
        given = {name: value for name, value in asked.items() if value is not None}
        named = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
        return planned_figure(choice_of(validate(ChosenFigure, named), self.plan), self.plan)

    def _table(self, name: str) -> pd.DataFrame:
        return read_frame(self.folder / f"{name}.parquet")
