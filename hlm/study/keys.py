"""The key of a scenario: a hash of the values that define its data.

Values at their defaults are left out, so that a key of the study file that comes later does not
change the keys of studies that do not use it.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from hlm.distributions import STANDARD_NORMAL, written
from hlm.study.schema_rows import RowList
from hlm.study.truth import canonical

if TYPE_CHECKING:
    from hlm.study.generators import Code
    from hlm.study.schema import Design, Truth
    from hlm.study.truth import Parameters

__all__ = ["scenario_key"]


def scenario_key(
    truth: Truth,
    design: Design,
    found: Parameters,
    *,
    common: bool,
    code: Code | None = None,
    twin_of: str = "",
) -> str:
    """Return 16 hexadecimal digits that stand for a truth, a design and `common` random numbers.

    They do not depend on the order of keys, nor on how a formula or a correlation is written, nor
    on where the file of a generator, `code`, lies. A twin has the random numbers of the scenario
    with the key `twin_of`, so its data are not those of the same truth alone, nor is its key.
    """
    values: dict[str, Any] = {
        "truth": truth.model_dump(by_alias=True, exclude_defaults=True),
        "design": design.model_dump(by_alias=True, exclude_defaults=True),
    }
    if common:
        values["common_random_numbers"] = True
    if twin_of:
        values["twin_of"] = twin_of
    if code is not None:
        values["design"]["generator"] = code.identity
    if isinstance(design.rows, RowList):
        values["design"]["rows"] = _shortest(design.rows.list_)
    if not values["truth"].get("uncertain"):
        values["truth"].pop("uncertain", None)
    values["truth"]["formula"] = canonical(found.formula)
    for part in values["truth"]["random"].values():
        part.pop("cor", None)
        lower = [row[:i] for i, row in enumerate(found.cor)]
        if any(any(row) for row in lower):
            part["cor"] = lower
        part.pop("distribution", None)
        if (shapes := _shapes(found)) is not None:
            part["distribution"] = shapes
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _shapes(found: Parameters) -> Any:
    """Return what random effects are made of: None if they are normal, else one, or by name."""
    if not isinstance(found.effects, tuple):
        return None if found.effects == STANDARD_NORMAL else written(found.effects)
    named = zip(found.formula.effects, found.effects, strict=True)
    return {term.name: written(shape) for term, shape in named if shape != STANDARD_NORMAL}


def _shortest(sizes: list[int]) -> Any:
    """Return a list of rows, which is repeated, without what it repeats itself; one as a number."""
    n = len(sizes)
    period = next(k for k in range(1, n + 1) if n % k == 0 and sizes == sizes[:k] * (n // k))
    return sizes[0] if period == 1 else {"list": sizes[:period]}
