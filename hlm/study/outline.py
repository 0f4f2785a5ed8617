"""A study as far as it can be understood, though there are mistakes in it.

Each part is looked at by itself, so that a mistake hides no other. Nothing is said that only
follows from a mistake elsewhere: of coefficients whose formula cannot be read, of paths into a
section that is itself wrong.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes, nearest
from hlm.formula.coding import uses_factor
from hlm.study.derived import check_sources
from hlm.study.design import Ample, levels_in
from hlm.study.design import check_names as check_covariates
from hlm.study.effect_sizes import check_sizes, resolved
from hlm.study.f_tests import check_tests
from hlm.study.grid import Axis, axes, changes
from hlm.study.identified import check_columns, check_finite
from hlm.study.messages import validate
from hlm.study.models import Candidate, check_variables, methods_of
from hlm.study.ratio_tests import check_ratio_tests
from hlm.study.robust import read_violations, violation_axis, violation_changes
from hlm.study.schema import Design, Truth
from hlm.study.schema_covariates import FINITE, OneCovariate, kind_of
from hlm.study.shapes import by_effect
from hlm.study.sized import are_whole, sized_names
from hlm.study.structure import check_structure
from hlm.study.truth import check_names, parameters, read_formula
from hlm.study.uncertain_parameters import drawn_of

if TYPE_CHECKING:
    from collections.abc import Collection, ItemsView, Iterator, Mapping
    from typing import TypeVar

    from hlm.formula import Formula, Levels
    from hlm.study import schema_covariates
    from hlm.study.schema import Method, StudyFile
    from hlm.study.schema_part import Part
    from hlm.study.truth import Parameters

    PartType = TypeVar("PartType", bound=Part)

__all__ = ["Outline"]

SECTIONS: dict[str, type[Part]] = {"truth": Truth, "design": Design}
"""The parts into which paths of the grid lead."""


class Outline:
    """The parts of a study, checked against one another.

    Parameters
    ----------
    tree : dict
        The study as written.
    study : StudyFile or None
        None if the schema does not accept the tree.
    mistakes : Mistakes
        To which what is wrong is added.

    Attributes
    ----------
    models : tuple of Candidate
        The models in which there is no mistake.
    axes : tuple of Axis or None
        None if there is a mistake in the truth, the design or the grid.
    """

    def __init__(self, tree: dict[str, Any], study: StudyFile | None, mistakes: Mistakes) -> None:
        self._tree, self._mistakes = tree, mistakes
        self._methods = _methods(study) if study else {}
        truth = study.truth if study else _part(Truth, tree, "truth")
        design = study.design if study else _part(Design, tree, "design")
        self._covariates = (
            tuple(design.covariates) if design else self._keys("design", "covariates")
        )
        self._levels = self._known_levels(design)
        self._unknown, self._maybe_text = self._without_levels(design)
        self._own = self._read("truth", "truth.formula", self._at("truth", "formula"))
        named, free = self._truth_is_named(), self._covariates_are_free()
        self.models = tuple(self._right_models())
        self._check_tests()
        sections = {"truth": truth if named else None, "design": design if free else None}
        found = self._axes(study, sections)
        violated = self._violations(study, sections, found)
        right = truth and named and self._own and mistakes.keep(_parameters, truth, self._levels)
        sourced = self._sources_are_named(design)
        structured = self._structure_is_named(truth, design) if named and free else False
        self.axes: tuple[Axis, ...] | None = None
        if right and structured and sourced and sections["design"] and violated is not None:
            self.axes = None if found is None else (*found, *violated)
        if self.axes is None:
            self._check_levels(sections, violated or ())
            self._check_models(design if free and sourced else None)

    def _at(self, *keys: str) -> Any:
        """Return what is written under some keys, None if there is nothing."""
        here: Any = self._tree
        for key in keys:
            here = here.get(key) if isinstance(here, dict) else None
        return here

    def _keys(self, *keys: str) -> tuple[str, ...] | None:
        """Return the keys of what should be a mapping, None if it is none."""
        found = self._at(*keys)
        return tuple(found) if isinstance(found, dict) else None

    def _read(self, name: str, path: str, text: Any) -> Candidate | None:
        """Read a formula, if it is one and not of covariates whose levels are not known."""
        if not isinstance(text, str):
            return None
        formula = self._mistakes.keep(read_formula, text, path=path, levels=self._levels)
        if formula is None or uses_factor(formula, self._unknown, self._maybe_text):
            return None
        return Candidate(name, path, formula)

    def _known_levels(self, design: Design | None) -> dict[str, Levels]:
        """Return the levels of the covariates in which there is no mistake."""
        if design:
            return levels_in(design.covariates, design)
        specs = {name: _covariate(spec) for name, spec in self._specs().items()}
        return levels_in({name: spec for name, spec in specs.items() if spec})

    def _without_levels(self, design: Design | None) -> tuple[set[str], set[str]]:
        """Name the covariates whose levels are not known, and those that may be labels of them."""
        unknown = (
            {}
            if design
            else {name: spec for name, spec in self._specs().items() if name not in self._levels}
        )
        return {*unknown}, {name for name, spec in unknown.items() if kind_of(spec) in FINITE}

    def _specs(self) -> dict[str, Any]:
        written = self._at("design", "covariates")
        return written if isinstance(written, dict) else {}

    def _truth_is_named(self) -> bool:
        """Check the names in the truth, as far as its formula can be read."""
        if self._own is None:
            return True
        formula, text = self._own.formula, self._at("truth", "formula")
        fixed, groups = self._keys("truth", "fixed"), self._keys("truth", "random")
        sds, shaped = (
            {group: self._keys("truth", "random", group, key) for group in groups or ()}
            for key in ("sd", "distribution")
        )
        passes = self._mistakes.passes
        known = passes(check_variables, self._own, None, self._covariates)
        named = None if groups is None else sds
        sized = self._sized(formula)
        right = known and passes(
            partial(check_names, sized=sized), formula, text, fixed, named, shaped
        )
        return passes(check_sizes, formula, text, self._at("truth")) and right

    def _sized(self, formula: Formula) -> tuple[Collection[str], Collection[str]]:
        """Return the coefficients and random effects that may have values by effect sizes."""
        sizes = self._at("truth", "effect_sizes")
        if not isinstance(sizes, dict) or are_whole(sizes):
            return sized_names(self._at("truth"))
        return [term.name for term in formula.fixed], [term.name for term in formula.effects]

    def _covariates_are_free(self) -> bool:
        """Check the names of the covariates, as far as they are known."""
        if self._own is None or self._covariates is None:
            return True
        response, group = self._own.formula.response, self._own.formula.random[0].group
        return self._mistakes.passes(
            check_covariates, self._covariates, response=response, group=group
        )

    def _sources_are_named(self, design: Design | None) -> bool:
        """Check what covariates come from, as far as they are known."""
        known = design.covariates if design else {}
        specs = {name: known.get(name) or _covariate(spec) for name, spec in self._specs().items()}
        return self._mistakes.passes(check_sources, {**specs, **known})

    def _structure_is_named(self, truth: Truth | None, design: Design | None) -> bool:
        """Check the names in residuals, missing rows and sets, as far as they are known."""
        if truth is None or design is None or self._own is None or self._covariates is None:
            return True
        passes, response = self._mistakes.passes, self._own.formula.response
        return passes(check_structure, truth.residual, design, self._covariates, response)

    def _right_models(self) -> Iterator[Candidate]:
        """Yield the models that can be read and use what there is.

        A variable that the truth lacks too is said to be missing there, and not again; so is the
        group of a truth that has no values for it.
        """
        truth = self._own.formula if self._own else None
        said = truth.variables if truth else ()
        groups = self._keys("truth", "random")
        if truth and groups is not None and truth.random[0].group not in groups:
            truth = None
        for candidate in self._candidates():
            if self._mistakes.passes(
                check_variables, candidate, truth, self._covariates, passed_over=said
            ):
                yield candidate

    def _candidates(self) -> Iterator[Candidate]:
        for name in self._keys("models") or ():
            spec, path = self._at("models", name), f"models.{name}"
            if isinstance(spec, dict):
                spec, path = spec.get("formula"), f"{path}.formula"
            candidate = self._read(name, path, spec)
            if candidate is not None:
                yield replace(candidate, methods=self._methods.get(name, ()))

    def _check_tests(self) -> None:
        """Check the tests, unless a model is wrong that might have their terms."""
        if len(self.models) < len(self._keys("models") or ("unknown",)):
            return
        tests = self._at("estimation", "tests")
        tests = tests.items() if isinstance(tests, dict) else ()
        texts = {name: wanted for name, wanted in tests if _is_list(wanted, of=str)}
        formulas = [model.formula for model in self.models]
        self._mistakes.keep(check_tests, texts, formulas)
        ratios = self._at("estimation", "lrt")
        if isinstance(ratios, dict):
            ratios = {name: own for name, own in ratios.items() if _is_list(own, of=str) and own}
        elif not _is_list(ratios, of=str):
            ratios = ()
        self._mistakes.keep(check_ratio_tests, ratios, texts, formulas)

    def _axes(
        self, study: StudyFile | None, sections: Mapping[str, Part | None]
    ) -> tuple[Axis, ...] | None:
        """Read the grid; None if it is wrong.

        Of a path into a section that is wrong itself only the first step is looked at.
        """
        written = study.grid if study else self._at("grid") or {}
        if not isinstance(written, dict):
            return None
        wrong = {key: SECTIONS[key].varied_keys() for key, part in sections.items() if part is None}
        skipped = tuple(f"{key}.{step}." for key, steps in wrong.items() for step in steps)
        grid = {
            path: levels
            for path, levels in written.items()
            if (study or _are_levels(levels))
            and not any(f"{one}.".startswith(skipped) for one in _paths_of(path, levels))
        }
        tree = {
            key: dict.fromkeys(wrong[key]) if part is None else part.varied()
            for key, part in sections.items()
        }
        found = self._mistakes.keep(axes, grid, by_effect(tree))
        return found if len(grid) == len(written) else None

    def _violations(
        self,
        study: StudyFile | None,
        sections: Mapping[str, Part | None],
        grid: tuple[Axis, ...] | None,
    ) -> tuple[Axis, ...] | None:
        """Read the violated assumptions as one more axis, if there are any; None if it is wrong.

        Where their paths lead is looked at only where nothing else is wrong that they lead into.
        """
        written = study.robust if study else self._at("robust")
        if written is None:
            return ()
        if not study and not _are_violations(written):
            return None
        found = self._mistakes.keep(read_violations, written)
        tree = {key: part.varied() for key, part in sections.items() if part is not None}
        if found is None or grid is None or len(tree) < len(sections):
            return None
        axis = self._mistakes.keep(violation_axis, found, by_effect(tree), grid)
        return None if axis is None else (axis,)

    def _check_levels(
        self, sections: Mapping[str, Part | None], violated: tuple[Axis, ...]
    ) -> None:
        """Check each level of the grid, and each violation, by itself.

        Of a level only what is wrong at its own place is said, and only if it would not be so of
        any other: then it is the place that is wrong.
        """
        grid = {path: levels for path, levels in self._grid() if _are_levels(levels)}
        tree = {
            key: self._at(key) if part is None else part.varied() for key, part in sections.items()
        }
        tree = by_effect(tree)
        said: set[tuple[str | None, str]] = set()
        violations = (one for axis in violated for one in violation_changes(axis, tree))
        for place, keys, changed, whatever in chain(changes(grid, tree), violations):
            path = ".".join(keys)
            of_any = {one.problem for one in _found_at(path, whatever)}
            for one in _found_at(path, changed):
                if one.problem not in of_any and (one.path, one.problem) not in said:
                    said.add((one.path, one.problem))
                    self._mistakes.add(_moved(one, path, place))

    def _check_models(self, design: Design | None) -> None:
        """Check the formulas against the design above the grid.

        Of numbers of units and rows nothing is said, which the grid may be meant to change; and
        nothing at all if it may be meant to change covariates.
        """
        paths = [one for path, levels in self._grid() for one in _paths_of(path, levels)]
        if design is None or self._own is None or any(map(_may_change_covariates, paths)):
            return
        if design.generator is not None:  # of whose covariates nothing is known
            return
        response, group = self._own.formula.response, self._own.formula.random[0].group
        try:
            data = Ample.of(design, response=response, group=group)
        except InputError:  # of these numbers of units and rows
            return
        passes = self._mistakes.passes
        for candidate in (self._own, *self.models):
            (
                design.covariates.keys() >= {*candidate.formula.variables}
                and passes(check_finite, candidate, data)
                and candidate is not self._own
                and passes(check_columns, candidate, data)
            )

    def _grid(self) -> ItemsView[str, Any]:
        """Return what is written in the grid, if it can be read."""
        written = self._at("grid")
        return (written if isinstance(written, dict) else {}).items()


def _parameters(truth: Truth, levels: Mapping[str, Levels]) -> Parameters:
    """Check a truth, but for what depends on the design."""
    raw = resolved(truth, None, levels)
    found = parameters(raw, levels)
    drawn_of(raw, found, float(raw.residual.sd or 0.0), truth.effect_sizes)
    return found


def _covariate(spec: Any) -> schema_covariates.Covariate | None:
    """Return a covariate of a design that is wrong elsewhere; None if it is wrong itself."""
    try:
        return validate(OneCovariate, {"covariate": spec}).covariate
    except InputError:
        return None


def _found_at(path: str, tree: Mapping[str, Any]) -> list[InputError]:
    """Return what is wrong in a section at a path or below it."""
    key = path.split(".")[0]
    try:
        validate(SECTIONS[key], tree[key], path=key)
    except InputError as error:
        below = (f"{path}.", f"{path}[")
        return [one for one in error.errors if f"{one.path}.".startswith(below)]
    return []


def _moved(error: InputError, path: str, place: str) -> InputError:
    """Return what is wrong at a path as wrong at the place in the grid that sets it."""
    return InputError(
        error.problem,
        path=f"{place}{(error.path or path)[len(path) :]}",
        allowed=error.allowed,
        suggestion=error.suggestion,
    )


def _may_change_covariates(path: str) -> bool:
    """Tell whether a path of the grid, which may be misspelt, may lead to a covariate."""
    section, _, rest = path.partition(".")
    counts = nearest(rest, Design.known_keys()) in ("units", "rows")
    return bool(rest) and nearest(section, SECTIONS) != "truth" and not counts


def _methods(study: StudyFile) -> dict[str, tuple[Method, ...]]:
    return {name: methods_of(spec, study.estimation) for name, spec in study.models.items()}


def _part(part: type[PartType], tree: Mapping[str, Any], key: str) -> PartType | None:
    """Return a part of a study that is wrong elsewhere; None if the part is wrong itself."""
    try:
        return validate(part, tree.get(key))
    except InputError:
        return None


def _are_levels(value: Any) -> bool:
    return _is_list(value) or (isinstance(value, dict) and bool(value))


def _are_violations(value: Any) -> bool:
    """Tell whether a value is phrases, or phrases, lists of them and mappings under names."""
    if not isinstance(value, dict):
        return _is_list(value, of=str)
    return bool(value) and all(
        isinstance(one, str) or _is_list(one, of=str) or (isinstance(one, dict) and bool(one))
        for one in value.values()
    )


def _paths_of(path: str, levels: Any) -> list[str]:
    """Return a path of the grid, and the paths that may be in its levels."""
    below = levels.values() if isinstance(levels, dict) else ()
    return [path, *(str(one) for level in below if isinstance(level, dict) for one in level)]


def _is_list(value: Any, *, of: type = object) -> bool:
    """Tell whether a value is a list with something in it, all of a type."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, of) for one in value)
