"""Figures as users ask for them, held against what a study has: all mistakes at once."""

from __future__ import annotations

import re
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.kinds import PARTS
from hlm.estimands.model_estimands import catalogue
from hlm.figure_choice import LAYOUTS, OF_REPLICATES, FigureChoice
from hlm.pictures.arrangement import MOST, varied
from hlm.pictures.figure_catalogue import (
    OF_TERMS,
    PART_WORDS,
    chosen_by_name,
    default_names,
    measure_names,
    rates_of,
    terms_of_study,
    title_of,
)
from hlm.pictures.figure_pages import INFERENCE, MODEL, is_stacked, points_of
from hlm.words.levels import FITTED, is_level, level_words
from hlm.words.measures import OF_PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hlm.results.shown import Planned

__all__ = ["FigureSpec", "choice_of", "choices_of"]

MOST_FACTORS = 2
"""Factors of panels: side by side, and one below the other."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class FigureSpec(Protocol):
    """What a user may say of a figure: `hlm.study.schema_figures.ChosenFigure` has it."""

    @property
    def name(self) -> str | None: ...  # noqa: D102

    @property
    def title(self) -> str | None: ...  # noqa: D102

    @property
    def measure(self) -> str | None: ...  # noqa: D102

    @property
    def layout(self) -> str: ...  # noqa: D102

    @property
    def part(self) -> str | None: ...  # noqa: D102

    @property
    def terms(self) -> list[str]: ...  # noqa: D102

    @property
    def x(self) -> str | None: ...  # noqa: D102

    @property
    def panels(self) -> list[str] | None: ...  # noqa: D102

    @property
    def colour(self) -> str | None: ...  # noqa: D102

    @property
    def scenarios(self) -> dict[str, Any]: ...  # noqa: D102

    @property
    def models(self) -> list[str]: ...  # noqa: D102

    @property
    def methods(self) -> list[str]: ...  # noqa: D102

    @property
    def inferences(self) -> list[str]: ...  # noqa: D102


def choices_of(
    specs: Sequence[str | FigureSpec], study: Planned, *, path: str = "figures"
) -> tuple[FigureChoice, ...]:
    """Return the figures that a study file asks for, by name or in full.

    Parameters
    ----------
    specs : sequence of str or FigureSpec
    study : Study or Plan
    path : str
        Where they stand.

    Raises
    ------
    InputError
        At the paths of all that is wrong.
    """
    found: dict[str, str] = {}
    choices = []
    with Mistakes() as mistakes:
        for place, spec in enumerate(specs):
            at = f"{path}[{place}]"
            choice = mistakes.keep(_choice, spec, study, at)
            if choice is None:
                continue
            if choice.name in found:
                problem = f"a second figure of the name '{choice.name}'"
                allowed = f"name: {choice.name}-2, for {found[choice.name]} has it"
                mistakes.add(InputError(problem, path=at, allowed=allowed))
            found.setdefault(choice.name, at)
            choices.append(choice)
    return tuple(choices)


def _choice(spec: str | FigureSpec, study: Planned, path: str) -> FigureChoice:
    if not isinstance(spec, str):
        return choice_of(spec, study, path=path)
    try:
        return chosen_by_name(spec, study)
    except InputError as error:
        names = ", ".join(default_names(study))
        raise InputError(
            error.problem,
            path=path,
            allowed=f"{names}, or MEASURE_PART such as median_bias_fixed; or a mapping such as "
            "{measure: coverage, terms: [...]}",
            suggestion=error.suggestion,
        ) from None


def choice_of(spec: FigureSpec, study: Planned, *, path: str = "") -> FigureChoice:
    """Return a figure as it is asked for in full, held against what a study has.

    Raises
    ------
    InputError
        At the paths of all that is wrong.
    """
    dot = f"{path}." if path else ""
    points = [*study.levels]
    known = varied(points)
    by_name = {model.name: model for model in study.models}
    methods = sorted({method for model in study.models for method in model.methods}, reverse=True)
    with Mistakes() as mistakes:
        check = _Checks(mistakes, dot)
        check.names([spec.layout], LAYOUTS, "layout", "layout")
        part = _part(spec, study, check)
        _check_measure(spec, study, part, check)
        check.names(spec.models, by_name, "models", "model")
        check.names(spec.methods, methods, "methods", "method")
        inferences = dict.fromkeys(i for m in study.models for i in (*m.df, *m.limits))
        check.names(spec.inferences, inferences, "inferences", "inference")
        if spec.x is not None:
            check.names([spec.x], known, "x", "factor that the study varies")
        if spec.colour is not None:
            allowed = [MODEL, INFERENCE, *known]
            check.names([spec.colour], allowed, "colour", "factor that the study varies")
        panels = spec.panels or []
        several = [MODEL] if len(study.models) > 1 else []
        check.names(panels, [*known, *several], "panels", "factor that the study varies")
        scenarios = _scenarios(spec.scenarios, points, check)
        _check_places(spec, check)
    choice = FigureChoice(
        name=spec.name or _name(spec, part),
        title=spec.title or _title(spec, part),
        measure=spec.measure or "",
        layout=spec.layout,
        part=part,
        terms=tuple(spec.terms) or _main(spec, study, part),
        x=spec.x or "",
        panels=None if spec.panels is None else tuple(FITTED if p == MODEL else p for p in panels),
        colour="" if spec.colour in (None, MODEL) else spec.colour,
        scenarios=scenarios,
        models=tuple(spec.models),
        methods=tuple(spec.methods),
        inferences=tuple(spec.inferences),
    )
    if not any(choice.shows(one) for one in points):
        words = ", ".join(f"{k}: {_or(v)}" for k, v in scenarios)
        raise InputError(
            f"no scenario has {words}",
            path=f"{dot}scenarios",
            allowed="levels that one of the study's scenarios has together",
        )
    _check_room(choice, study, dot)
    return choice


def _main(spec: FigureSpec, study: Planned, part: str) -> tuple[str, ...]:
    """Return the term whose replicates are shown where none is named: the last of a part."""
    return terms_of_study(study, part)[-1:] if spec.layout in OF_REPLICATES else ()


class _Checks:
    """Where mistakes of a figure go."""

    def __init__(self, mistakes: Mistakes, dot: str) -> None:
        self.mistakes, self.dot = mistakes, dot

    def add(self, problem: str, key: str, allowed: str, suggestion: str | None = None) -> None:
        """Keep a mistake at a key of the figure."""
        path = f"{self.dot}{key}"
        error = InputError(problem, path=path, allowed=allowed, suggestion=suggestion)
        self.mistakes.add(error)

    def names(self, found: Sequence[str], known: Iterable[str], key: str, what: str) -> None:
        """Keep the names that there are not, and those that are there twice."""
        allowed = list(known)
        for place, name in enumerate(found):
            at = key if key in ("x", "colour", "layout", "part") else f"{key}[{place}]"
            if name not in allowed:
                there = ", ".join(allowed) or "nothing: the study has one scenario"
                self.add(f"'{name}' is no {what}", at, there, nearest(name, allowed))
            elif name in found[:place]:
                self.add(f"'{name}' is there twice", at, "each once")


def _part(spec: FigureSpec, study: Planned, check: _Checks) -> str:
    """Return the part whose terms are shown; of terms by name, that of the first."""
    if spec.measure in (*OF_PREDICTIONS, *rates_of(study)):
        if spec.terms:
            check.add(f"'{spec.measure}' is of no terms", "terms", "a measure of terms")
        return ""
    if spec.terms and spec.part:
        check.add("part and terms say two things", "part", "one of the two")
    known = catalogue(study.models).values()
    parts = {one.name: part for part in PART_WORDS for one in known if one.kind in PARTS[part]}
    check.names(spec.terms, parts, "terms", "term")
    check.names([spec.part] if spec.part else [], dict.fromkeys(parts.values()), "part", "part")
    own = spec.part if spec.part in PART_WORDS else None
    return own or next((parts[name] for name in spec.terms if name in parts), "fixed")


def _check_measure(spec: FigureSpec, study: Planned, part: str, check: _Checks) -> None:
    if spec.layout in OF_REPLICATES:
        if spec.measure is not None:
            problem = f"layout {spec.layout} shows replicates, and no measure"
            others = [name for name in LAYOUTS if name not in OF_REPLICATES]
            check.add(problem, "measure", f"no measure, or layout {', '.join(others)}")
        return
    of_predictions = OF_PREDICTIONS if terms_of_study(study, "predictions") else ()
    known = [*(measure_names(study, part or "fixed")), *of_predictions, *rates_of(study)]
    if spec.measure is None:
        check.add("no measure", "measure", ", ".join(known))
    elif spec.measure not in known:
        problem = f"the study has no measure '{spec.measure}'"
        of = f" of the {PART_WORDS[part]}" if spec.measure in OF_TERMS else ""
        check.add(problem + of, "measure", ", ".join(known), nearest(spec.measure, known))


def _scenarios(
    asked: Mapping[str, Any], points: Sequence[Mapping[str, Any]], check: _Checks
) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Return the levels of factors that are shown, as the study has them."""
    found = []
    for factor, wanted in asked.items():
        if factor not in points[0]:
            near = nearest(factor, points[0])
            allowed = ", ".join(points[0]) or "nothing: the study has no grid"
            check.add(f"no factor '{factor}'", f"scenarios.{factor}", allowed, near)
            continue
        known = list(dict.fromkeys(one[factor] for one in points))
        own = []
        for one in wanted if isinstance(wanted, list) else [wanted]:
            level = [label for label in known if is_level(label, str(one))]
            own += level
            if not level:
                allowed = ", ".join(map(level_words, known))
                near = nearest(str(one), map(str, known))
                check.add(f"no level {one} of '{factor}'", f"scenarios.{factor}", allowed, near)
        found.append((factor, tuple(own)))
    return tuple(found)


def _check_places(spec: FigureSpec, check: _Checks) -> None:
    """Refuse a factor that has two places, and panels by more than two."""
    panels = spec.panels or []
    if len(panels) > MOST_FACTORS:
        problem = f"panels by {len(panels)} factors"
        allowed = "one side by side and one below; others have pages of their own"
        check.add(problem, "panels", allowed)
    alone = {"x": spec.x, "colour": spec.colour}
    places = [(key, [name] if name else []) for key, name in alone.items()] + [("panels", panels)]
    for (first, there), (second, names) in combinations(places, 2):
        for name in {*there} & {*names}:
            check.add(f"'{name}' is {first} too", second, "another factor: each has one place")


def _check_room(choice: FigureChoice, study: Planned, dot: str) -> None:
    """Refuse panels that are more than a page holds."""
    if not choice.panels or choice.layout != "lines":
        return
    points = points_of(choice, study)
    known = varied(points) if points else {}
    sizes = {name: len(known[name]) for name in choice.panels if name in known}
    beside = is_stacked(choice, study)
    groups = [sizes] if beside else [{name: size} for name, size in sizes.items()]
    for group in groups:
        count = prod(group.values())
        if count > MOST:
            named = " by ".join(f"{size} of {name}" for name, size in group.items())
            terms = ", or one term" if beside and len(group) > 1 else ""
            raise InputError(
                f"{count} panels side by side, {named}, are more than a page holds",
                path=f"{dot}panels",
                allowed=f"up to {MOST}: fewer levels under scenarios{terms}; what panels does not "
                "name has pages of its own",
            )


def _name(spec: FigureSpec, part: str) -> str:
    """Return a name for the files: the measure, the layout if it is not the usual, the terms.

    The names of terms have characters that files have not.
    """
    layout = [] if spec.layout == "lines" else [spec.layout]
    words = [*([spec.measure] if spec.measure else []), *layout]
    words += [_UNSAFE.sub("-", term).strip("-") for term in spec.terms] or ([part] if part else [])
    return "_".join(words)[:60]


def _title(spec: FigureSpec, part: str) -> str:
    if spec.layout in OF_REPLICATES:
        words = LAYOUTS[spec.layout]
        return f"{words}: {', '.join(spec.terms)}" if spec.terms else f"{words}, {PART_WORDS[part]}"
    if spec.measure in OF_TERMS:
        about = title_of(OF_TERMS[spec.measure], part)
        words = f"{about.rpartition(', ')[0]}: {', '.join(spec.terms)}" if spec.terms else about
    elif spec.measure in OF_PREDICTIONS:
        words = OF_PREDICTIONS[spec.measure].label
    else:
        return spec.measure or ""
    return words if spec.layout == "lines" else f"{words}, {LAYOUTS[spec.layout]}"


def _or(levels: Sequence[Any]) -> str:
    return " or ".join(map(level_words, levels))
