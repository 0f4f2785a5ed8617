"""A figure as a reader chooses it: what of the results it shows, and how it is laid out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LAYOUTS", "OF_REPLICATES", "FigureChoice"]

LAYOUTS = {
    "lines": "over the grid",
    "nested-loop": "as a nested loop",
    "lollipop": "as lollipops",
    "heat": "as a heat map",
    "zip": "Intervals of replicates (zip plot)",
    "swarm": "Estimates of replicates",
    "ridges": "Densities of estimates",
    "se": "Standard errors against estimates",
}
"""How a figure may be laid out, as a study file says it, in words."""

OF_REPLICATES = ("zip", "swarm", "ridges", "se")
"""The layouts that show replicates, and no measure of them."""


@dataclass(frozen=True, kw_only=True)
class FigureChoice:
    """A figure, as a study file or a command asks for it. What is empty is not narrowed.

    Attributes
    ----------
    name : str
        What its files are called.
    title : str
    measure : str
        Empty where the layout shows replicates.
    layout : str
        One of `LAYOUTS`.
    part : str
        ``'fixed'``, ``'random'`` or ``'tests'``: all terms of it. Empty where `terms` are named.
    terms : tuple of str
    x : str
        The factor along the axis.
    panels : tuple of str, optional
        The factors of the panels: side by side, and one below the other.
    colour : str
        What colours tell apart: ``'model'``, ``'inference'`` or a factor.
    scenarios : tuple of (str, tuple)
        Factors with the levels that are shown.
    models, methods, inferences : tuple of str
    """

    name: str
    title: str = ""
    measure: str = ""
    layout: str = "lines"
    part: str = ""
    terms: tuple[str, ...] = ()
    x: str = ""
    panels: tuple[str, ...] | None = None
    colour: str = ""
    scenarios: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    inferences: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether more is chosen than a measure and a part, as the catalogue does."""
        return self != FigureChoice(
            name=self.name, title=self.title, measure=self.measure, part=self.part
        )

    def shows(self, levels: Mapping[str, Any]) -> bool:
        """Tell whether it shows the scenario of these levels.

        Examples
        --------
        >>> FigureChoice(name="a", scenarios=(("rows", (5, 15)),)).shows({"rows": 30})
        False
        """
        return all(levels.get(factor) in found for factor, found in self.scenarios)

    def to_dict(self) -> dict[str, Any]:
        """Return what is chosen as builtin types, for JSON."""
        usual = asdict(FigureChoice(name=""))
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the choice of `to_dict`.

        Examples
        --------
        >>> one = FigureChoice(name="a", panels=("rows",), scenarios=(("cor", (0.9,)),))
        >>> FigureChoice.from_dict(one.to_dict()) == one
        True
        """
        own = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        pairs = ((factor, tuple(found)) for factor, found in data.get("scenarios", ()))
        return cls(**own | {"scenarios": tuple(pairs)})
