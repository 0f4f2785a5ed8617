"""The tables that a study asks for: whether it has what is to be in them, and what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes, nearest, together
from hlm.study.messages import shown, validate
from hlm.study.schema_part import Part
from hlm.study.schema_tables import EXAMPLE, Table, Tables
from hlm.study.table_titles import name_of, title_of, usual_measures
from hlm.table_layout import Layout, has_measure
from hlm.table_spec import TABLES, TableSpec, lacking_tables
from hlm.words.levels import is_level
from hlm.words.measures import OF_PREDICTIONS, OF_TERMS, RATES
from hlm.words.nouns import counted
from hlm.words.table_words import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hlm.table_layout import Known
    from hlm.table_spec import Asked

__all__ = [
    "MOST_ASKED_PAGES",
    "check_fits",
    "readable_tables",
    "spec_of",
    "table_from",
    "tables_of",
]

MOST_ASKED_PAGES = 200
"""A table is not split into more even where a user says so."""

_SHOWN = {**OF_TERMS, **OF_PREDICTIONS, **RATES}


class _Asked(Part):
    """The key `tables` by itself."""

    tables: Tables | None = None


def readable_tables(written: Any, mistakes: Mistakes) -> list[str | Table | None] | None:
    """Return the tables of a study file that can be read, and say of the others why not.

    None stands for the usual ones. What is wrong in one table keeps no other from being checked.
    """
    if not isinstance(written, list):
        validate(_Asked, {"tables": written})
        return None
    found: list[str | Table | None] = []
    for place, one in enumerate(written):
        try:
            found += validate(_Asked, {"tables": [one]}).tables or ()
        except InputError as error:
            mistakes.add(_moved(error, "tables[0]", f"tables[{place}]"))
            found.append(None)
    return found


def tables_of(
    tables: Sequence[str | Table | None] | None, known: Known, *, violated: bool
) -> Asked:
    """Return the tables that a study asks for; None for the usual ones.

    Parameters
    ----------
    tables : sequence of str, Table or None, optional
        From `readable_tables`.
    known : Known
        What the study has. Without `levels`, factors are not looked at.
    violated : bool
        Whether it has violated assumptions.

    Raises
    ------
    InputError
        At the paths of all that is wrong.
    """
    if tables is None:
        return None
    lacking = lacking_tables(known, violated=violated)
    usual = [name for name in TABLES if name not in lacking]
    found: list[str | TableSpec] = []
    with Mistakes() as mistakes:
        for place, one in enumerate(tables):
            path = f"tables[{place}]"
            if isinstance(one, str):
                if one == "all":
                    found += usual
                else:
                    mistakes.keep(_check_name, one, lacking, path)
                    found.append(one)
            elif one is not None:
                spec = mistakes.keep(_placed, one, known, path)
                found += [] if spec is None else [spec]
        if not mistakes.found:
            _check_names(found, known, mistakes)
    return tuple(found)


def _placed(one: Table, known: Known, path: str) -> TableSpec:
    """Return a table whose mistakes are at a path."""
    try:
        spec = spec_of(one, known)
        if known.levels:
            check_fits(spec, known)
    except InputError as error:
        raise _moved(error, "", path) from None
    return spec


def _moved(error: InputError, old: str, new: str) -> InputError:
    """Return mistakes whose paths begin at another place."""

    def place(path: str) -> str:
        below = path.removeprefix(old)
        return f"{new}{'' if below[:1] in ('', '.', '[') else '.'}{below}"

    return together(
        InputError(
            one.problem, path=place(one.path or ""), allowed=one.allowed, suggestion=one.suggestion
        )
        for one in error.errors
    )


def spec_of(table: Table, known: Known) -> TableSpec:
    """Return what a user asks of a table, once it is checked against what the study has.

    Raises
    ------
    InputError
        At the paths, below the table, of all that is wrong.
    """
    with Mistakes() as mistakes:
        terms, measures = _several(table.terms), _several(table.measures)
        if not (terms or measures or table.part):
            mistakes.add(
                InputError("a table of nothing", allowed=f"measures, terms or part, as {EXAMPLE}")
            )
        if terms and table.part:
            problem = "part and terms say two things of one table"
            mistakes.add(InputError(problem, path="part", allowed="one of the two"))
        own: dict[str, tuple[Sequence[str], Iterable[str], str]] = {
            "measures": (measures, _SHOWN, "measure"),
            "terms": (terms, known.terms, "term"),
            "models": (_several(table.models), known.names, "model"),
            "methods": (_several(table.methods), known.methods, "method"),
            "inferences": (_several(table.inferences), known.inferences, "inference"),
            "policies": (_several(table.policies), known.policies, "policy"),
        }
        for key, (names, there, what) in own.items():
            _check_each(names, there, f"the study has no {what}", key, mistakes)
        varied = (*known.factors, *(d for d in DIMENSIONS if d != "policy" or known.policies[1:]))
        across, split = _several(table.across), _several(table.split)
        split = () if split == ("none",) else split
        for key, names in (("across", across), ("split", split)):
            if known.levels or not names:
                problem = "the grid does not vary"
                _check_each(names, varied, problem, key, mistakes, "grid.")
        for place, name in enumerate(split):
            if name in across:
                problem = f"'{name}' goes across and is split by"
                path = _at("split", place, split)
                mistakes.add(InputError(problem, path=path, allowed="one of the two"))
        scenarios = _scenarios(table, known, mistakes) if known.levels else ()
        if not mistakes.found:
            _check_measures(table.part, terms, measures, known, mistakes)
    usual = measures or usual_measures(table.part, terms, known)
    return TableSpec(
        name=table.name or name_of(usual, terms, table.part or ""),
        title=table.title or title_of(usual, terms, table.part or ""),
        measures=usual,
        part=table.part or "",
        terms=terms,
        models=_several(table.models),
        methods=_several(table.methods),
        inferences=_several(table.inferences),
        policies=_several(table.policies),
        scenarios=scenarios,
        across=across,
        split=None if table.split is None else split,
        mcse=table.mcse,
        digits=None if table.digits == "auto" else table.digits,
        n=table.n,
        caption=" ".join((table.caption or "").split()),
    )


def table_from(written: Mapping[str, Any], known: Known) -> TableSpec:
    """Return a table from what a user writes of it: a mapping as in a study file.

    Raises
    ------
    InputError
        At the paths, below the table, of all that is wrong.
    """
    return spec_of(validate(Table, dict(written)), known)


def check_fits(spec: TableSpec, known: Known, *, wide: bool = False) -> None:
    """Refuse a table that has nothing in it, too many pages, or more columns than a page holds.

    Parameters
    ----------
    spec : TableSpec
    known : Known
    wide : bool
        Whether it may be wider than a page.

    Raises
    ------
    InputError
    """
    layout = Layout.of(spec, known)
    if not layout.fits:
        raise InputError(
            "no model has all that the table asks for: these measures of these terms, by these "
            "methods and inferences",
            allowed="fewer conditions",
        )
    if len(layout.pages) > MOST_ASKED_PAGES:
        raise InputError(
            f"{len(layout.pages):,} pages",
            path="split",
            allowed=f"at most {MOST_ASKED_PAGES}: fewer factors, or fewer levels by `scenarios`",
        )
    if not wide and layout.columns > layout.most_columns:
        raise InputError(
            f"{counted(layout.columns, 'column')} of numbers, and a page has room for about "
            f"{layout.most_columns}",
            path="across" if spec.across else "measures",
            allowed="fewer measures, fewer levels by `scenarios`, or `split` in place of `across`"
            if spec.across
            else "fewer measures",
        )


def _check_name(name: str, lacking: dict[str, str], path: str) -> None:
    if name not in TABLES:
        raise InputError(
            f"there is no table '{name}'",
            path=path,
            allowed=f"all, {', '.join(TABLES)}; or a mapping such as {EXAMPLE}",
            suggestion=f"{{measures: {name}}}" if name in _SHOWN else nearest(name, TABLES),
        )
    if name in lacking:
        there = ", ".join(one for one in TABLES if one not in lacking)
        problem = f"the study has no table '{name}': {lacking[name]}"
        raise InputError(problem, path=path, allowed=there)


def _check_each(
    names: Sequence[str],
    there: Iterable[str],
    problem: str,
    key: str,
    mistakes: Mistakes,
    prefix: str = "",
) -> None:
    """Say which of some names are not there, and which are twice."""
    known = list(there)
    for place, name in enumerate(names):
        path = _at(key, place, names)
        if name not in known:
            last = name.removeprefix(prefix).rpartition(".")[2]
            near = nearest(name, known) or (last if last in known else nearest(last, known))
            allowed = ", ".join(known) or "nothing"
            mistakes.add(
                InputError(f"{problem} '{name}'", path=path, allowed=allowed, suggestion=near)
            )
        elif name in names[:place]:
            mistakes.add(InputError(f"'{name}' is there twice", path=path, allowed="each once"))


def _scenarios(
    table: Table, known: Known, mistakes: Mistakes
) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Return the levels that a table is restricted to, as the grid has them."""
    kept: dict[str, tuple[Any, ...]] = {}
    for name, asked in table.scenarios.items():
        levels = known.factors.get(name, ())
        if not levels:
            _check_each([name], known.factors, "the grid does not vary", "scenarios", mistakes)
            continue
        found = []
        for place, one in enumerate(asked if isinstance(asked, list) else [asked]):
            same = [level for level in levels if is_level(level, str(one))]
            found += same
            if not same:
                path = f"scenarios.{name}" + (f"[{place}]" if isinstance(asked, list) else "")
                mistakes.add(
                    InputError(
                        f"{name} has no level {shown(one)}",
                        path=path,
                        allowed=", ".join(map(str, levels)),
                        suggestion=nearest(str(one), map(str, levels)),
                    )
                )
        kept[name] = tuple(level for level in levels if level in found)
    there = all(kept.values()) and not any(
        all(point[name] in levels for name, levels in kept.items()) for point in known.levels
    )
    if kept and there and not mistakes.found:
        problem = "the study has no scenario of all these levels"
        mistakes.add(InputError(problem, path="scenarios", allowed="levels that keep one or more"))
    return tuple(kept.items())


def _check_measures(
    part: str | None,
    terms: Sequence[str],
    measures: Sequence[str],
    known: Known,
    mistakes: Mistakes,
) -> None:
    """Say which measures none of the terms has."""
    estimands = [
        one
        for name, kinds in known.terms.items()
        for one in kinds
        if (name in terms if terms else part in (None, one.part))
    ]
    rates = [name for name in measures if name in RATES]
    if rates and (terms or part or len(rates) < len(measures)):
        mistakes.add(
            InputError(
                f"{' and '.join(rates)} are of fits, not of terms",
                path="measures",
                allowed=f"a table of their own: {{measures: [{', '.join(RATES)}]}}",
            )
        )
        return
    if part and not estimands:
        there = dict.fromkeys(one.part for kinds in known.terms.values() for one in kinds)
        problem = f"the study has no {part}"
        mistakes.add(InputError(problem, path="part", allowed=", ".join(there)))
        return
    shown_of = [name for name in _SHOWN if any(has_measure(one, name) for one in estimands)]
    for place, name in enumerate(measures):
        if name not in shown_of and name not in RATES:
            of = " of these terms" if terms or part else ""
            mistakes.add(
                InputError(
                    f"the study has no {name}{of}",
                    path=_at("measures", place, measures),
                    allowed=", ".join(shown_of),
                )
            )


def _check_names(found: Sequence[str | TableSpec], known: Known, mistakes: Mistakes) -> None:
    """Refuse two tables whose files would have one name."""
    taken: dict[str, int] = {}
    for place, one in enumerate(found):
        name = one if isinstance(one, str) else one.name
        pages = [name]
        if isinstance(one, TableSpec):
            pages += [page.name for page in Layout.of(one, known).pages] if known.levels else []
        clash = next((page for page in pages if page in taken or _is_of_catalogue(one, page)), None)
        if clash is not None:
            mistakes.add(
                InputError(
                    f"two tables are called '{clash}'",
                    path=f"tables[{place}]" + ("" if isinstance(one, str) else ".name"),
                    allowed="another name for each: {name: ..., measures: ...}",
                    suggestion=None if isinstance(one, str) else f"{clash}_{place + 1}",
                )
            )
        taken.update(dict.fromkeys(pages, place))


def _is_of_catalogue(one: str | TableSpec, name: str) -> bool:
    return not isinstance(one, str) and name in TABLES


def _several(one_or_more: str | list[str] | None) -> tuple[str, ...]:
    if one_or_more is None:
        return ()
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)


def _at(key: str, place: int, names: Sequence[str]) -> str:
    return f"{key}[{place}]" if len(names) > 1 else key
