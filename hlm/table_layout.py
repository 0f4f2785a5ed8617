"""What a table that a user asks for will hold: its rows, columns and pages, known from the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from hlm.estimands.model_estimands import catalogue, estimands_of, rank
from hlm.inference import RATIO_TESTS
from hlm.words.criteria_words import selected_by
from hlm.words.fitting import METHODS
from hlm.words.inferences import INFERENCES
from hlm.words.measures import OF_HYPOTHESES, OF_PREDICTIONS, OF_TERMS, RATES
from hlm.words.predictors import PREDICTORS
from hlm.words.table_words import (
    DIMENSIONS,
    column_words,
    heading_of,
    level_in_words,
    short_words,
)
from hlm.words.type_widths import text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.criteria import Selection
    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Model
    from hlm.table_spec import TableSpec

__all__ = [
    "LEAST_SEPARATION",
    "LEAST_SIZE",
    "MOST_PAGES",
    "MOST_ROWS",
    "TEXT_WIDTH",
    "Known",
    "Layout",
    "Page",
    "has_measure",
]

MOST_ROWS = 40
"""A table with more is split, unless the user says otherwise."""

MOST_PAGES = 20
"""A table is not split by itself into more."""

TEXT_WIDTH = 469.75
"""Points, of a text 6.5 inches wide."""

LEAST_SIZE, LEAST_SEPARATION = 7, 1.7
"""The smallest type of a table, and half the space between its columns, in points."""

_OF_P_VALUES = ("rejection_01", "rejection_05", "rejection_10", "ks_distance", "ks_p_value")
_OF_TESTS = ("rejection", *OF_HYPOTHESES, *_OF_P_VALUES)


@dataclass(frozen=True)
class Known:
    """What a study has that a table may show.

    Attributes
    ----------
    models : tuple of Model
    levels : tuple of dict
        For each scenario, the level of each factor.
    selection : Selection
    policies : tuple of str
    """

    models: tuple[Model, ...]
    levels: tuple[dict[str, Any], ...]
    selection: Selection
    policies: tuple[str, ...]

    @classmethod
    def of(cls, study: Any) -> Known:
        """Take it of a study or a plan."""
        return cls(tuple(study.models), tuple(study.levels), study.selection, tuple(study.policies))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The models, and those that criteria choose where their estimates are measured."""
        own = (model.name for model in self.models)
        if not self.selection.estimate:
            return tuple(own)
        return (*own, *map(selected_by, self.selection.criteria))

    @cached_property
    def factors(self) -> dict[str, tuple[Any, ...]]:
        """The factors of the grid that vary, each with its levels: numbers by size."""
        return _levels_of(self.levels)

    @cached_property
    def terms(self) -> dict[str, tuple[Estimand, ...]]:
        """The estimands of all models by name, in the order of a table."""
        found = sorted(catalogue(self.models).values(), key=rank)
        names = dict.fromkeys(one.name for one in found)
        return {name: tuple(one for one in found if one.name == name) for name in names}

    @cached_property
    def inferences(self) -> tuple[str, ...]:
        """The inferences and predictors of all models."""
        ways = {
            way for model in self.models for one in estimands_of(model) for way in _ways(model, one)
        }
        return tuple(name for name in (*INFERENCES, *PREDICTORS) if name in ways)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The methods of all models."""
        own = {method for model in self.models for method in model.methods}
        return tuple(name for name in METHODS if name in own)


@dataclass(frozen=True)
class Page:
    """One page of a table.

    Attributes
    ----------
    name, title : str
        What its files are called, and what readers see.
    where : dict
        The levels that it shows of what the table is split by.
    """

    name: str
    title: str
    where: dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """What a table will hold.

    Attributes
    ----------
    spec : TableSpec
    fits : tuple of dict
        For each combination of `term`, `model`, `method` and `inference` that it shows, these.
    points : tuple of dict
        The points of the grid that it shows.
    policies : tuple of str
    term_words : dict
        What each term is called.
    """

    spec: TableSpec
    fits: tuple[dict[str, Any], ...]
    points: tuple[dict[str, Any], ...]
    policies: tuple[str, ...]
    term_words: dict[str, str]

    @classmethod
    def of(cls, spec: TableSpec, known: Known) -> Layout:
        """Lay out a table of what a study has."""
        points = tuple(
            point
            for point in known.levels
            if all(point.get(name) in levels for name, levels in spec.scenarios)
        )
        words = {name: kinds[0].words for name, kinds in known.terms.items()}
        policies = spec.policies or known.policies[:1]
        return cls(spec, _fits(spec, known), points, policies, words)

    @cached_property
    def levels(self) -> dict[str, tuple[Any, ...]]:
        """What varies, factors and dimensions, each with the levels that the table shows."""
        found = {**_levels_of(self.points), "policy": self.policies}
        for name in DIMENSIONS[:-1]:
            found[name] = tuple(dict.fromkeys(fit[name] for fit in self.fits))
        return {name: levels for name, levels in found.items() if len(levels) > 1}

    @cached_property
    def split(self) -> tuple[str, ...]:
        """What the table is split by: what the user says, or the first factors if it is long."""
        if self.spec.split is not None:
            return self.spec.split
        apart: tuple[str, ...] = ()
        first = [*_levels_of(self.points), "term", "model"]
        for name in (one for one in first if one in self.levels):
            if self.rows(apart) <= MOST_ROWS:
                break
            if name not in self.spec.across:
                apart = (*apart, name)
        return apart if len(self._combinations(apart)) <= MOST_PAGES else ()

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The pages of the table."""
        if not self.split:
            return (Page(self.spec.name, self.spec.title, {}),)
        combined = self._combinations(self.split)
        names = ["_".join([self.spec.name, *map(_slug, self.split, one)]) for one in combined]
        if len(set(names)) < len(names):  # levels that differ in signs that no file name has
            names = [f"{self.spec.name}_{place + 1}" for place in range(len(combined))]
        return tuple(
            Page(
                name,
                ", ".join([self.spec.title, *map(self.in_words, self.split, one)]),
                dict(zip(self.split, one, strict=True)),
            )
            for name, one in zip(names, combined, strict=True)
        )

    @cached_property
    def groups(self) -> tuple[tuple[Any, ...], ...]:
        """The levels of what goes across, for each group of columns."""
        return self._combinations(self.spec.across)

    @property
    def columns(self) -> int:
        """The number of columns of numbers."""
        of_each = 2 if self.spec.mcse == "columns" else 1
        return len(self.groups) * len(self.spec.measures) * of_each

    @cached_property
    def most_columns(self) -> int:
        """About how many columns of numbers a page is wide enough for, from the left."""

        def width(texts: Iterable[str]) -> float:
            wide = max(text_width(text, LEAST_SIZE) for text in texts)
            return wide + 2 * LEAST_SEPARATION

        keys = [name for name in self.levels if name not in (*self.spec.across, *self.split)]
        used = sum(width(self.words(key, v) for v in self.levels[key]) for key in keys)
        n, last = 0, self.spec.across[-1:]
        for group, measure in product(self.groups, self.spec.measures):
            alone = last and len(self.spec.measures) == 1
            heading = column_words(last[0], group[-1]) if alone else heading_of(measure)
            errors = [["(0.0123)"]] if self.spec.mcse == "columns" else []
            for texts in [["(0.0123)", *heading.split()], *errors]:
                used += width(texts)
                n += used <= TEXT_WIDTH
        return n

    def words(self, name: str, level: Any) -> str:
        """Return the words for a level below a heading."""
        return self.term_words[level] if name == "term" and level else short_words(name, level)

    def in_words(self, name: str, level: Any) -> str:
        """Return the words for a level that stand by themselves, or as a heading of columns."""
        return self.words(name, level) if name == "term" else level_in_words(name, level)

    def rows(self, split: Sequence[str]) -> int:
        """Return the most rows of a page, where the table is split so."""
        away = {*self.spec.across}

        def seen(rows: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], set[tuple[Any, ...]]]:
            found: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
            for row in rows:
                page = tuple(row[name] for name in split if name in row)
                found.setdefault(page, set()).add(
                    tuple(v for name, v in row.items() if name not in away and name not in split)
                )
            return found

        parts = (self.fits, self.points, tuple({"policy": one} for one in self.policies))
        most = [max(map(len, seen(part).values()), default=0) for part in parts]
        return most[0] * most[1] * most[2]

    def _combinations(self, names: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
        """Return the combinations of levels that there are, in order."""
        every = (self.levels.get(name) or self._single(name) for name in names)
        there = [
            {tuple(row[name] for name in names if name in row) for row in rows}
            for rows in (self.fits, self.points)
        ]
        of_fits = [place for place, name in enumerate(names) if name in DIMENSIONS[:-1]]
        of_points = [place for place, name in enumerate(names) if name not in DIMENSIONS]
        return tuple(
            one
            for one in product(*every)
            if tuple(one[place] for place in of_fits) in there[0]
            and tuple(one[place] for place in of_points) in there[1]
        )

    def _single(self, name: str) -> tuple[Any, ...]:
        if name == "policy":
            return self.policies
        rows = self.fits if name in DIMENSIONS else self.points
        return tuple(dict.fromkeys(row[name] for row in rows))


def has_measure(one: Estimand, measure: str) -> bool:
    """Tell whether a term has a measure, as far as its kind tells.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> of = {one.name: one for one in estimands_of(Model("m", "y ~ x + (1 | g)"))}
    >>> has_measure(of["x"], "rejection"), has_measure(of["sigma"], "rejection")
    (True, False)
    """
    if one.part == "predictions":
        return measure in OF_PREDICTIONS
    if one.part == "tests":
        return measure in _OF_TESTS
    if measure in (*_OF_TESTS, "type_s", "type_m"):
        return one.tests_zero
    return measure in OF_TERMS and OF_TERMS[measure].needs != "reference"


def _levels_of(points: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found = {}
    for name in points[0] if points else ():
        levels = list(dict.fromkeys(point[name] for point in points))
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in levels)
        if len(levels) > 1:
            found[name] = tuple(sorted(levels) if numbers else levels)
    return found


def _fits(spec: TableSpec, known: Known) -> tuple[dict[str, Any], ...]:
    """Return the combinations of term, model, method and inference that a table shows."""
    inferred = any(
        name in OF_PREDICTIONS or (name in OF_TERMS and OF_TERMS[name].is_inferred)
        for name in spec.measures
    )
    of_fits = set(spec.measures) <= {*RATES}
    keep = {
        "model": spec.models or known.names,
        "method": spec.methods or known.methods,
        "inference": spec.inferences or (*known.inferences, ""),
    }
    found = []
    for name, model in _with_selected(known):
        for one in [None] if of_fits else estimands_of(model):
            if one is not None and not _is_shown(spec, one):
                continue
            ways = _ways(model, one) if one is not None and inferred else ("",)
            for method, way in product(model.methods, ways):
                row = {"model": name, "method": method, "inference": way}
                if all(row[key] in names for key, names in keep.items()):
                    found.append({"term": one.name if one else "", **row})
    terms, methods = list(known.terms), list(METHODS)
    ways_in_order = ["", *INFERENCES, *PREDICTORS]
    return tuple(
        sorted(
            found,
            key=lambda row: (
                terms.index(row["term"]) if row["term"] else 0,
                known.names.index(row["model"]),
                methods.index(row["method"]),
                ways_in_order.index(row["inference"]),
            ),
        )
    )


def _with_selected(known: Known) -> list[tuple[str, Model]]:
    """Return the models by name; one that is chosen may have the terms of any."""
    own = [(model.name, model) for model in known.models]
    chosen = known.names[len(known.models) :]
    return [*own, *((name, model) for name in chosen for model in known.models)]


def _is_shown(spec: TableSpec, one: Estimand) -> bool:
    named = one.name in spec.terms if spec.terms else not spec.part or one.part == spec.part
    return named and any(has_measure(one, measure) for measure in spec.measures)


def _ways(model: Model, one: Estimand) -> tuple[str, ...]:
    """Return the inferences of a term, or the predictors."""
    if one.kind == "ratio_test":
        return tuple(RATIO_TESTS)
    ways = {"random": model.limits, "predictions": tuple(PREDICTORS)}
    return ways.get(one.part, model.df)


def _slug(name: str, level: Any) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{name}-{level}").strip("-.")
