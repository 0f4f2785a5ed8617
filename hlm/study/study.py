"""A study, resolved: its scenarios and models as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import yaml

from hlm.criteria import USUAL, Selection
from hlm.distributions import read_call
from hlm.errors import InputError, Mistakes, together
from hlm.formula import formula_in
from hlm.pictures.figure_checks import choices_of
from hlm.scenario import Model, Scenario
from hlm.study.asked import check_values
from hlm.study.asked_tables import readable_tables, tables_of
from hlm.study.design import (
    covariates,
    levels_in,
    mean_rows,
    possible_rows,
    right_covariates,
    rows_of,
    typical_rows,
)
from hlm.study.effect_sizes import completed, resolved
from hlm.study.fraction import check_keys, middle, picks_of
from hlm.study.from_data import from_data, place_of
from hlm.study.generators import check_generated, read_code, sources_of, try_generator
from hlm.study.grid import cross, labels_at
from hlm.study.identified import check_finite, check_identified
from hlm.study.keys import scenario_key
from hlm.study.messages import validate
from hlm.study.models import (
    Candidate,
    check_levels,
    check_predictions,
    check_true_values,
    check_variables,
    models_of,
)
from hlm.study.outline import Outline
from hlm.study.reading import place, read_text, read_tree
from hlm.study.replicates import check_precision, precision_of
from hlm.study.robust import check_has_nominal, check_violates
from hlm.study.schema import Design, StudyFile, Truth
from hlm.study.schema_about import check_primary
from hlm.study.selected import selection_of
from hlm.study.shapes import by_effect
from hlm.study.sought import sought_in
from hlm.study.structure import (
    autocorrelation,
    check_left,
    check_structure,
    correlated,
    missing,
    variance,
)
from hlm.study.truth import parameters, read_formula
from hlm.study.uncertain_parameters import check_not_varied, drawn_of
from hlm.table_layout import Known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.data_source import Source
    from hlm.figure_choice import FigureChoice
    from hlm.precision import Precision
    from hlm.study.generators import Code
    from hlm.study.grid import Axis
    from hlm.study.reading import Lines
    from hlm.table_spec import Asked

__all__ = ["Study", "resolve"]


@dataclass(frozen=True)
class Study:
    """A Monte Carlo study, read and checked.

    Attributes
    ----------
    name : str
    seed, replicates : int
        Data sets of each scenario; where the study asks for a precision, the fewest.
    scenarios : tuple of Scenario
        The points of the grid, or those of them that the study has, its first key varying
        slowest.
    levels : tuple of dict
        For each scenario, the level of each axis of the grid under the axis's short name.
    picks : tuple of tuple of int
        For each scenario, the number of the level of each key of the grid.
    example : int
        Position in `scenarios` of the one to show by a picture of its data: that of the values
        above the grid if it is a point of the grid, else the one nearest to the grid's middle.
    models : tuple of Model
    text : str
        The file as read.
    hash : str
        32 hexadecimal digits of the text.
    sources : tuple of Source
        The data sets from which it takes values, and the files of its generators.
    selection : Selection
        How one of the models is chosen.
    policies : tuple of str
        Which replicates count, the one that figures and tables show first.
    precision : Precision, optional
        The Monte Carlo standard errors that are to be reached, in the place of a number.
    figures : tuple of FigureChoice, optional
        Those that the file asks for; the usual ones if it says nothing.
    folder : str
        What the files that it names are relative to.
    allow_code : bool
        Whether its generator may run.
    tables : tuple of str or TableSpec, optional
        Those that it asks for; None for the usual ones.
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
    sources: tuple[Source, ...] = ()
    selection: Selection = USUAL
    policies: tuple[str, ...] = ("all",)
    precision: Precision | None = None
    figures: tuple[FigureChoice, ...] | None = None
    picks: tuple[tuple[int, ...], ...] = ()
    folder: str = ""
    allow_code: bool = False
    tables: Asked = None

    def replicates_of(self, key: str) -> int:  # noqa: ARG002 - of all scenarios alike
        """Return the number of replicates of the scenario with that key, as for a plan."""
        return self.replicates

    @classmethod
    def load(cls, path: str | Path, *, allow_code: bool = False) -> Study:
        """Read a study file.

        Parameters
        ----------
        path : path
        allow_code : bool
            Whether a generator that it names may run: code of the user's, which is tried out here.

        Raises
        ------
        InputError
            If it cannot be read or there is a mistake in it.
        """
        return cls.from_text(read_text(path), file=path, allow_code=allow_code)

    @classmethod
    def from_text(
        cls, text: str, *, file: str | Path | None = None, allow_code: bool = False
    ) -> Study:
        """Read a study from its text; `file` is where it comes from.

        Messages name it, and the files that the study names are relative to its folder.
        `allow_code` is as in `load`.

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
        written = read_tree(text, file=file)
        found: list[tuple[int | None, InputError]] = [*written.twice]
        try:
            resolved = resolve(written.tree, Path(file or "").parent, allow_code=allow_code)
        except InputError as error:
            errors = [_at(place_of(one.path or "", written.tree), one) for one in error.errors]
            found += [(_line(one.path, written.lines), one) for one in errors]
        if found:
            ordered = sorted(found, key=lambda item: item[0] or 0)
            raise together(error.at(file=place(file, line)) for line, error in ordered)
        folder = str(Path(file or "").parent)
        study = cls(**resolved, text=text, hash=_hash(text), folder=folder, allow_code=allow_code)
        if written.tree.get("solve") is not None:
            _check_search(study, file, written.lines)
        return study

    @classmethod
    def of(cls, *, folder: str | Path = "", allow_code: bool = False, **sections: Any) -> Study:
        """Make a study of its sections, as a study file has them.

        Parameters
        ----------
        folder : path
            What files that it names are relative to.
        allow_code : bool
            As in `load`.
        **sections
            `name`, `seed`, `replicates`, `truth`, `design`, `models`, and so on.

        Raises
        ------
        InputError
            If there is a mistake in it.

        Examples
        --------
        >>> study = Study.of(
        ...     name="tiny", seed=1, replicates=10,
        ...     truth={"formula": "y ~ 1 + (1 | unit)", "fixed": {"(Intercept)": 0},
        ...            "random": {"unit": {"sd": {"(Intercept)": 1}}}, "residual": {"sd": 1}},
        ...     design={"units": 5, "rows": 4},
        ...     models={"mean": "y ~ 1 + (1 | unit)"},
        ... )
        >>> study.scenarios[0].n_units
        5
        """
        text = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
        file = Path(folder) / f"{sections.get('name', 'study')}.yaml" if folder else None
        return cls.from_text(text, file=file, allow_code=allow_code)

    def preview(self, **options: Any) -> Any:
        """Draw, fit and measure the first replicates here and now: `hlm.whatif.preview`."""
        # What is imported lies above this module in no order of imports: only who asks pays.
        return import_module("hlm.whatif").preview(self, **options)

    def power(self, **options: Any) -> Any:
        """Say how often tests reject, over one of its numbers: `hlm.whatif.power`."""
        return import_module("hlm.whatif.power").power(self, **options)

    def solve(self, **options: Any) -> Any:
        """Find the design that meets targets here and now: `hlm.whatif.solving.solve`."""
        return import_module("hlm.whatif.solving").solve(self, **options)


def _check_search(study: Study, file: str | Path | None, lines: Lines) -> None:
    """Check what the study seeks, in designs that are not in its grid."""
    from hlm.study.searches import check_search  # which makes studies at other values

    try:
        check_search(study)
    except InputError as error:
        raise together(
            one.at(file=place(file, _line(one.path, lines))) for one in error.errors
        ) from None


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _at(path: str, error: InputError) -> InputError:
    """Return an error at another path."""
    return InputError(
        error.problem, path=path or None, allowed=error.allowed, suggestion=error.suggestion
    )


def _line(path: str | None, lines: Lines) -> int | None:
    """Find the line of a path, or of the nearest one above it that is written."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def resolve(written: dict[str, Any], folder: Path, *, allow_code: bool) -> dict[str, Any]:
    """Check the study and cross its grid."""
    with Mistakes() as mistakes:
        data = from_data(written, folder, mistakes)
        tree = completed(data.tree)
        asked = mistakes.keep(readable_tables, tree.get("tables"), mistakes)
        others = {key: value for key, value in tree.items() if key != "tables"}
        study = mistakes.keep(_validated, others, data.unknown)
        levels = levels_in(study.design.covariates, study.design) if study else {}
        models = () if study is None else models_of(study, levels, mistakes)
        outline = Outline(tree, study, mistakes)
        code = mistakes.keep(
            read_code, written.get("design"), outline.axes or (), folder, allow_code=allow_code
        )
        if study is not None:
            mistakes.keep(check_not_varied, outline.axes or (), study.truth.uncertain)
        points = _points(outline, tree, mistakes)
        tried = points if code is not None else ()
        labels, scenarios = _cross(outline, tried, tree, mistakes, code or {})
        for model in models if data.complete else ():
            mistakes.keep(check_true_values, model, scenarios)
        if study is not None:
            mistakes.keep(check_precision, study.replicates, models)
            if study.about is not None and len(models) == len(study.models):
                mistakes.keep(check_primary, study.about, models)
        if study is not None and study.solve is not None and len(models) == len(study.models):
            mistakes.keep(sought_in, study.solve, tree, models)
        if data.complete:
            mistakes.keep(check_predictions, models, scenarios)
        if study is not None and data.complete and not mistakes.found:
            mistakes.keep(check_values, study.estimation.estimands, models, scenarios)
        selection = tables = None
        if study is not None and len(models) == len(study.models):
            selection = mistakes.keep(selection_of, study.selection, models, scenarios)
        if study is not None and selection is not None:
            known = Known(models, labels, selection, _names(study.policies))
            tables = mistakes.keep(tables_of, asked, known, violated=bool(study.robust))
        if study is not None and outline.axes is not None:
            precision = precision_of(study.replicates)
            own = _own_key(study, code or {})
            keys = [scenario.key for scenario in scenarios]
            resolved = {
                "name": study.name,
                "seed": study.seed,
                "replicates": precision.at_least if precision else study.replicates,
                "scenarios": scenarios,
                "levels": labels,
                "picks": points,
                "example": keys.index(own) if own in keys else middle(outline.axes, points),
                "models": models,
                "selection": selection,
                "tables": tables,
                "sources": (*data.sources, *sources_of(code or {})),
                "policies": _names(study.policies),
                "precision": precision,
            }
            complete = len(models) == len(study.models)
            resolved["figures"] = _figures(study.figures, resolved, mistakes) if complete else None
    return resolved


def _figures(
    written: str | list[Any], resolved: Mapping[str, Any], mistakes: Mistakes
) -> tuple[FigureChoice, ...] | None:
    """Return the figures that the file asks for, where all that they can show is known."""
    known = SimpleNamespace(**{**resolved, "selection": resolved["selection"] or USUAL})
    if isinstance(written, str) or not known.scenarios:
        return None
    return mistakes.keep(choices_of, written, known)


def _names(one_or_more: str | list[str]) -> tuple[str, ...]:
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)


def _validated(tree: Mapping[str, Any], unknown: Sequence[str]) -> StudyFile | None:
    """Check the study against the schema; say nothing of sections that data should have given."""
    try:
        return validate(StudyFile, tree)
    except InputError as error:
        others = [one for one in error.errors if one.path not in unknown]
        if not others:
            return None
        raise together(others) from None


def _own_key(study: StudyFile, code: Mapping[str, Code]) -> str:
    """Return the key of the values above the grid; empty if they are no scenario."""
    try:
        truth = _raw(study.truth, study.design)
    except InputError:  # of these numbers of units and rows
        return ""
    common = study.common_random_numbers
    found = parameters(truth, levels_in(study.design.covariates, study.design))
    own = code.get(study.design.generator or "")
    return scenario_key(truth, study.design, found, common=common, code=own)


def _raw(truth: Truth, design: Design) -> Truth:
    """Return a truth with coefficients and sds in the place of effect sizes."""
    if truth.effect_sizes is None:
        return truth
    levels = levels_in(design.covariates, design)
    if design.generator is not None:  # no effect size needs what its covariates are like
        return resolved(truth, None, levels)
    formula = read_formula(truth.formula, path="truth.formula", levels=levels)
    group = formula.random[0].group
    found = covariates(design, response=formula.response, group=group)
    if not {*formula.variables} <= {covariate.name for covariate in found}:
        return resolved(truth, None, levels)
    return resolved(truth, (found, typical_rows(design)), levels)


def _points(
    outline: Outline, tree: Mapping[str, Any], mistakes: Mistakes
) -> tuple[tuple[int, ...], ...]:
    """Return the points of the grid that the study has; none where it cannot be told."""
    right = mistakes.passes(check_keys, tree)
    if not right or outline.axes is None:
        return ()
    points = mistakes.keep(picks_of, outline.axes, tree) or ()
    return points if mistakes.passes(check_has_nominal, outline.axes, points, tree) else ()


def _cross(
    outline: Outline,
    points: Sequence[tuple[int, ...]],
    tree: Mapping[str, Any],
    mistakes: Mistakes,
    code: Mapping[str, Code],
) -> tuple[tuple[dict[str, Any], ...], tuple[Scenario, ...]]:
    """Make and check the scenario of every point of the grid.

    What is wrong in many of them alike is said of the first.
    """
    levels: dict[str, dict[str, Any]] = {}
    scenarios = []
    common = tree.get("common_random_numbers") is True
    said: set[tuple[str | None, ...]] = set()
    axes = outline.axes or ()
    sections = {key: tree[key] for key in ("truth", "design") if key in tree}
    if any("distribution" in keys[2:-1] for axis in axes for keys in axis.keys):
        sections = by_effect(sections)
    nominal: dict[tuple[int, ...], Scenario] = {}
    for point in points:
        labels, rest = labels_at(axes, point), _rest_of(axes, point)
        is_violated = rest != point
        if is_violated and rest not in nominal:  # what is wrong with it has been said
            continue
        twin = nominal[rest] if is_violated else None
        try:
            ((_, values),) = cross(axes, [point], sections)
            scenario = _scenario(values, outline.models, code, common=common, twin=twin)
            at = next(iter(axes[-1].places[point[-1]].values())) if is_violated else "grid"
            if twin is not None:
                check_violates(scenario, twin, at)
            if scenario.key in levels:
                problem = f"the same data as in the scenario {_named(levels[scenario.key])}"
                raise InputError(problem, path=at)
        except InputError as error:
            found = [(_kind(one, axes, labels), one) for one in error.errors]
            for kind, one in found:
                if kind not in said:
                    mistakes.add(_in_scenario(one, axes, labels))
            said.update(kind for kind, _ in found)
            continue
        nominal.setdefault(point, scenario)
        levels[scenario.key] = labels
        scenarios.append(scenario)
    return tuple(levels.values()), tuple(scenarios)


def _rest_of(axes: Sequence[Axis], point: tuple[int, ...]) -> tuple[int, ...]:
    """Return a point of the grid as it is without violation."""
    return (*point[:-1], 0) if axes and axes[-1].places else point


def _scenario(
    values: Mapping[str, Any],
    models: Sequence[Candidate],
    code: Mapping[str, Code],
    *,
    common: bool,
    twin: Scenario | None,
) -> Scenario:
    """Return the scenario of a truth and a design, and of which other it is the twin."""
    with Mistakes() as mistakes:
        truth = mistakes.keep(validate, Truth, values["truth"], path="truth")
        design = mistakes.keep(validate, Design, values["design"], path="design")
        if truth is not None and design is not None:
            own = code.get(design.generator or "")
            twin_of = twin.key if twin else ""
            scenario = _simulated(truth, design, own, common=common, twin_of=twin_of)
            _check_models(models, scenario, mistakes)
    return scenario


def _simulated(
    truth: Truth, design: Design, code: Code | None, *, common: bool, twin_of: str
) -> Scenario:
    """Return the scenario of a truth and a design."""
    levels = levels_in(design.covariates, design)
    check_generated(design, truth)
    by_size, truth = truth.effect_sizes, _raw(truth, design)
    found = parameters(truth, levels)
    uncertain = drawn_of(truth, found, float(truth.residual.sd or 0.0), by_size)
    formula, group, residual = found.formula, found.formula.random[0].group, truth.residual
    n_rows, generated, generator = rows_of(design), None, None
    key = scenario_key(truth, design, found, common=common, code=code, twin_of=twin_of)
    if code is not None:
        trial = try_generator(code, truth, design, found, key)
        generator, n_rows, generated = trial.generator, trial.n_rows, trial.distributions
    sizes = possible_rows(n_rows)
    with Mistakes() as mistakes:
        by_name = right_covariates(
            design, mistakes, response=formula.response, group=group, generated=generated
        )
        mistakes.keep(
            check_structure, residual, design, sorted(design.covariates), formula.response
        )
        sets = mistakes.keep(correlated, design, by_name) or ()
        spread = mistakes.keep(variance, residual, by_name)
        in_time = mistakes.keep(autocorrelation, residual, by_name, sizes)
        left_out = mistakes.keep(missing, design, sizes[-1], by_name)
        if left_out is not None:
            n_obs = round(design.units * mean_rows(n_rows))
            mistakes.keep(check_left, left_out, n_obs, len(found.fixed))
    return Scenario(
        key=key,
        n_units=design.units,
        n_rows=n_rows,
        covariates=tuple(by_name[name] for name in sorted(by_name)),
        formula=formula.text,
        fixed=found.fixed,
        sd=found.sd,
        cor=found.cor,
        sigma=float(residual.sd or 0.0),
        effects=found.effects,
        residuals=read_call(residual.distribution),
        dependence=truth.random[group].dependence,
        common_random_numbers=common,
        correlated=sets,
        variance=spread,
        autocorrelation=in_time,
        missing=left_out,
        generator=generator,
        twin_of=twin_of,
        uncertain=uncertain,
    )


def _check_models(models: Sequence[Candidate], scenario: Scenario, mistakes: Mistakes) -> None:
    """Check the formulas of the truth and of the models against the data of a scenario."""
    truth = formula_in(scenario.formula, scenario.covariates)
    names = tuple(covariate.name for covariate in scenario.covariates)
    own = Candidate("truth", "truth.formula", truth)
    for candidate in (own, *models):
        (
            mistakes.passes(check_variables, candidate, truth, names)
            and mistakes.passes(check_levels, candidate, scenario)
            and mistakes.passes(check_finite, candidate, scenario)
            and candidate is not own
            and mistakes.passes(check_identified, candidate, scenario)
        )


def _named(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in labels.items())


def _place(error: InputError, axes: Sequence[Axis], labels: Mapping[str, Any]) -> str | None:
    """Return where in the study a mistake in a level stands: at that, or below."""
    path = f"{error.path or ''}."
    for axis in axes:
        for whole, at in axis.places_of(labels[axis.name]):
            if path.startswith((f"{whole}.", f"{whole}[")):
                is_phrase = bool(axis.places) and not at.endswith(whole)
                return at if is_phrase else f"{at}{path[len(whole) : -1]}"
    return None


def _kind(
    error: InputError, axes: Sequence[Axis], labels: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Tell mistakes apart that are not one and the same in several scenarios."""
    return error.path, error.problem if _place(error, axes, labels) else error.allowed


def _in_scenario(error: InputError, axes: Sequence[Axis], labels: Mapping[str, Any]) -> InputError:
    """Name the scenario, and the axis where a level of it is the mistake."""
    if not axes:
        return error
    return InputError(
        f"{error.problem} (scenario {_named(labels)})",
        path=_place(error, axes, labels) or error.path,
        allowed=error.allowed,
        suggestion=error.suggestion,
    )
