"""Which kernels models need: what is compiled once for each of them, and how a set is named.

Without numba, so that whoever plans can ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hlm.formula import terms_of
from hlm.inference import wants_expected, wants_profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.scenario import Model

__all__ = ["Kernels", "kernels_named", "kernels_of", "name_of"]


class Kernels(NamedTuple):
    """What the kernels depend on that fit models with a number of random effects together.

    Attributes
    ----------
    q : int
        The number of random effects, which is a type to Numba.
    expected : bool
        Whether an inference of one of them rests on the expected information.
    profile : bool
        Whether one of them has profile limits.
    predictions : bool
        Whether the coefficients of each unit are predicted by one of them.
    """

    q: int
    expected: bool = False
    profile: bool = False
    predictions: bool = False

    @property
    def name(self) -> str:
        """A name that is safe for files.

        Examples
        --------
        >>> Kernels(2).name, Kernels(3, expected=True, profile=True).name
        ('q2', 'q3-expected-profile')
        """
        parts = [
            f"q{self.q}",
            "expected" * self.expected,
            "profile" * self.profile,
            "predictions" * self.predictions,
        ]
        return "-".join(filter(None, parts))


def kernels_of(models: Iterable[Model]) -> list[Kernels]:
    """Return the kernels of models that are fitted together, by number of random effects.

    There is one for each number: with all that one of its models needs, for what another does not
    need takes no time.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> models = [Model("a", "y ~ x + (1 + x | g)"), Model("b", "y ~ x + (1 + x || g)"),
    ...           Model("c", "y ~ 1 + (1 | g)", df=("satterthwaite", "kenward-roger"))]
    >>> [kernels.name for kernels in kernels_of(models)]
    ['q1-expected', 'q2']
    """
    found: dict[int, Kernels] = {}
    for model in models:
        q = sum(terms_of(model).sizes)
        before = found.get(q, Kernels(q))
        found[q] = Kernels(
            q,
            before.expected or wants_expected(model.df),
            before.profile or wants_profile(model.limits),
            before.predictions or model.predictions,
        )
    return sorted(found.values())


def name_of(kernels: Iterable[Kernels]) -> str:
    """Return a name for a set of kernels, the same in every process.

    Examples
    --------
    >>> name_of([Kernels(1), Kernels(2)])
    'q1+q2'
    """
    return "+".join(one.name for one in kernels)


def kernels_named(name: str) -> list[Kernels]:
    """Return the kernels of which `name_of` gave the name.

    Examples
    --------
    >>> kernels_named("q1+q3-expected-profile") == [Kernels(1), Kernels(3, True, True)]
    True
    """
    parts = [one.split("-") for one in name.split("+")]
    ways = ("expected", "profile", "predictions")
    return [Kernels(int(q[1:]), *(way in rest for way in ways)) for q, *rest in parts]
