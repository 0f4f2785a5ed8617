"""What a study takes from data sets, put where a study would write it.

So whatever reads a study, and the keys of its scenarios, know the values and no data sets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hlm.data_source import Source
from hlm.errors import InputError
from hlm.study.messages import shown, validate
from hlm.study.pilot_data import read_pilot
from hlm.study.pilot_fit import Estimates, estimates_of, fit_pilot, remarks_of
from hlm.study.pilot_sampling import sampling_of
from hlm.study.pilot_units import covariates_of, pilot_design
from hlm.study.schema import Design, PilotFit
from hlm.study.truth import read_formula

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hlm.errors import Mistakes
    from hlm.formula import Formula
    from hlm.model import LmerFit

    Part = dict[str, Any] | None

__all__ = ["FromData", "from_data", "place_of"]


@dataclass(frozen=True)
class FromData:
    """A study with the values that data sets give.

    Attributes
    ----------
    tree : dict
        The study as written, but with values in the place of data. Where a fit fails that would
        give estimates, they are 0 and 1.
    sources : tuple of Source
        The data sets.
    unknown : tuple of str
        The sections that could not be filled, and are None.
    complete : bool
        Whether data gave all that they should.
    """

    tree: dict[str, Any]
    sources: tuple[Source, ...]
    unknown: tuple[str, ...]
    complete: bool


def from_data(written: Mapping[str, Any], folder: Path, mistakes: Mistakes) -> FromData:
    """Read the data that a study names, and fill in what they give.

    Parameters
    ----------
    written : mapping
        The study, though there may be mistakes in it.
    folder : Path
        That of the study file: files are relative to it.
    mistakes : Mistakes
        To which what is wrong is added.
    """
    before, tree, sources = len(mistakes.found), dict(written), []
    for section, key, fill in (("truth", "fit", _truth), ("design", "from", _design)):
        if _has(written, section, key):
            filled, source = fill(tree, folder, mistakes)
            tree |= filled
            sources += [source] if source else []
    unknown = tuple(key for key in tree if tree[key] is None and written[key] is not None)
    return FromData(tree, tuple(sources), unknown, len(mistakes.found) == before)


def place_of(path: str, written: Mapping[str, Any]) -> str:
    """Return where a study has what is at a path: a formula of the truth may be its fit's.

    Examples
    --------
    >>> place_of("truth.formula", {"truth": {"fit": {"formula": "y ~ x + (1 | g)"}}})
    'truth.fit.formula'
    """
    of_fit = _has(written, "truth", "fit") and "formula" not in written["truth"]
    return "truth.fit.formula" if path == "truth.formula" and of_fit else path


def _has(written: Mapping[str, Any], section: str, key: str) -> bool:
    part = written.get(section)
    return isinstance(part, dict) and part.get(key) is not None


def _truth(
    tree: Mapping[str, Any], folder: Path, mistakes: Mistakes
) -> tuple[dict[str, Any], Source | None]:
    """Fill the truth with the estimates of a fit; None if its formula cannot be read.

    How uncertain they are is put where the truth or the grid asks for it.
    """
    written = dict(tree["truth"])
    fit = written.pop("fit")
    wanted = mistakes.keep(validate, PilotFit, fit, path="truth.fit")
    if wanted is not None:
        written.setdefault("formula", wanted.formula)
    found = mistakes.keep(_fitted, wanted, folder) if wanted is not None else None
    if "formula" not in written:
        return {"truth": None}, None
    formula = mistakes.keep(_formula, written["formula"], place_of("truth.formula", tree))
    if formula is None:
        return {"truth": None}, None
    fit, source = found or (None, None)
    estimates = Estimates.unknown(formula) if fit is None else estimates_of(fit)
    whole = {"truth": estimates.truth(written)}
    if "grid" in tree:
        whole["grid"] = tree["grid"]
    if not _asks_for_fit(whole):
        return whole, source
    sampling, stay = (None, ()) if fit is None else sampling_of(fit, formula, written)
    source = source and replace(source, remarks=(*source.remarks, *_stays(stay)))
    return _with_sampling(whole, sampling), source


def _asks_for_fit(whole: dict[str, Any]) -> bool:
    """Tell whether a truth or a grid asks how uncertain the estimates of a fit are."""
    return _with_sampling(whole, None) != whole


def _with_sampling(whole: dict[str, Any], sampling: Any) -> dict[str, Any]:
    """Return a truth, and a grid, with that in the place of the word `fit`."""

    def filled(uncertain: Any) -> Any:
        is_from = isinstance(uncertain, dict) and uncertain.get("from") == "fit"
        return {**uncertain, "from": sampling} if is_from else uncertain

    def levels(path: str, values: Any) -> Any:
        change = {"truth.uncertain": filled, "truth.uncertain.from": _word(sampling)}.get(path)
        if change and isinstance(values, dict):
            return {label: change(value) for label, value in values.items()}
        return (
            [change(value) for value in values] if change and isinstance(values, list) else values
        )

    found, truth = dict(whole), whole["truth"]
    if "uncertain" in truth:
        found["truth"] = {**truth, "uncertain": filled(truth["uncertain"])}
    if isinstance(grid := whole.get("grid"), dict):
        found["grid"] = {path: levels(path, values) for path, values in grid.items()}
    return found


def _word(sampling: Any) -> Callable[[Any], Any]:
    return lambda value: sampling if value == "fit" else value


def _stays(paths: Sequence[str]) -> Iterator[str]:
    """Say of which parameters the fit knows no standard error."""
    if paths:
        yield f"at the boundary, and so without a standard error, not drawn: {', '.join(paths)}"


def _formula(text: Any, path: str) -> Formula:
    if not isinstance(text, str):
        raise InputError(f"{shown(text)} is not allowed", path=path, allowed="text")
    return read_formula(text, path=path, levels={})


def _fitted(wanted: PilotFit, folder: Path) -> tuple[LmerFit, Source]:
    formula = read_formula(wanted.formula, path="truth.fit.formula", levels={})
    data = read_pilot(wanted.data, wanted.codes, folder=folder, place="truth.fit.data")
    fit = fit_pilot(formula, wanted.method, data)
    source = Source("truth.fit", data.name, data.blake2b, remarks_of(fit, data))
    return fit, source


def _design(
    tree: Mapping[str, Any], folder: Path, mistakes: Mistakes
) -> tuple[dict[str, Any], Source | None]:
    """Fill the design with the units of a data set; None if they cannot be read."""
    written = dict(tree["design"])
    named = {key: written.pop(key) for key in Design.of_data if key in written}
    wanted = mistakes.keep(validate, Design, {**named, "units": 2, "rows": 1}, path="design")
    formula = _formula_of(tree)
    if wanted is None or formula is None:
        return {"design": None}, None
    part, source = mistakes.keep(_filled, wanted, written, formula, folder) or (None, None)
    return {"design": part}, source


def _formula_of(tree: Mapping[str, Any]) -> Formula | None:
    """Return the truth's formula, of which it is said elsewhere if it cannot be read."""
    truth = tree.get("truth")
    try:
        return _formula(truth.get("formula") if isinstance(truth, dict) else None, "")
    except InputError:
        return None


def _filled(
    wanted: Design, written: dict[str, Any], formula: Formula, folder: Path
) -> tuple[Part, Source | None]:
    assert wanted.from_ is not None
    data = read_pilot(wanted.from_, wanted.codes, folder=folder, place="design.from")
    own = written.get("covariates", {})
    needed = [name for name in formula.variables if not isinstance(own, dict) or name not in own]
    found = pilot_design(data, formula, needed)
    redrawn = wanted.resample == "units"
    for key in ("rows",) if redrawn else ("units", "rows"):
        if key in written:
            how = "drawn with all their rows" if redrawn else "taken as they are"
            raise InputError(
                f"{key} beside the data {data.name}, whose units are {how}",
                path=f"design.{key}",
                allowed="one of the two",
                suggestion="resample: units" if key == "units" else None,
            )
    given = own if not isinstance(own, dict) else {**covariates_of(found), **own}
    whole = f"{found.n_units} units with {found.n_obs} rows"
    if redrawn:
        rows: Any = {"resampled": [*found.sizes]}
        remark = f"units drawn with replacement from the {whole} of {data.name}"
    else:
        rows = found.sizes[0] if len(set(found.sizes)) == 1 else {"list": [*found.sizes]}
        remark = f"{whole} from {data.name}, as they are"
    units = written.get("units", found.n_units)
    filled = {**written, "units": units, "rows": rows, "covariates": given}
    return filled, Source("design.from", data.name, data.blake2b, (remark,))
