"""What `hlm check` says of the design that a study seeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.study.elsewhere import tree_of
from hlm.study.searches import sought_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.study import Study
    from hlm.study.sought import Varied

__all__ = ["sought_lines"]


def sought_lines(study: Study) -> Iterator[str]:
    """Yield what `hlm solve` will look for; nothing where the study has no key `solve`."""
    if not tree_of(study).get("solve"):
        return
    sought = sought_of(study)
    for one in sought.wanted:
        yield f"sought: {one.label} {'at least' if one.at_least else 'at most'} {one.value:g}"
    yield f"by {', '.join(map(_range, sought.varied))}"
    if sought.cost is not None:
        limit = "" if sought.budget is None else f" within {sought.budget:,g}"
        yield f"cost: {sought.cost}{limit}"


def _range(one: Varied) -> str:
    ends = [f"{word} {x:g}" for word, x in (("from", one.least), ("to", one.most)) if x is not None]
    return " ".join([one.name, *ends])
