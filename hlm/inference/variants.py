"""Which kernels models need: what is compiled once for each of them, and how a set is named.

Without numba, so that whoever plans can ask.
"""

from __future__ import annotations

from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from hlm.formula import terms_of
from hlm.inference import (
    wants_bootstrap,
    wants_coefficient_profile,
    wants_expected,
    wants_profile,
    wants_robust,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.scenario import Model

__all__ = ["Kernels", "has_only_own_inference", "kernels_named", "kernels_of", "name_of"]


class Kernels(NamedTuple):
    """What the kernels depend on that fit models with a number of random effects together.

    Attributes
    ----------
    q : int
        The number of random effects, which is a type to Numba.
    expected : bool
        Whether an inference of one of them rests on the expected information.
    profile : bool
        Whether one of them has profile limits of the random part.
    robust : bool
        Whether an inference of one of them is cluster-robust.
    bootstrap : bool
        Whether one of them has a bootstrap.
    coefficients : bool
        Whether one of them has profile limits of coefficients.
    predictions : bool
        Whether the coefficients of each unit are predicted by one of them.
    lanes : bool
        Whether data sets are fitted side by side where the models allow it: the numbers are the
        same, fits take a third to a fifth of the time, and there is more to compile.
    """

    q: int
    expected: bool = False
    profile: bool = False
    robust: bool = False
    bootstrap: bool = False
    coefficients: bool = False
    predictions: bool = False
    lanes: bool = False

    @property
    def name(self) -> str:
        """A name that is safe for files.

        Examples
        --------
        >>> Kernels(2).name, Kernels(3, expected=True, profile=True).name
        ('q2', 'q3-expected-profile')
        """
        return "-".join([f"q{self.q}", *(part for part in PARTS if getattr(self, part))])

    @property
    def apart(self) -> tuple[Kernels, ...]:
        """What is compiled by itself: kernels for one data set, and those for several.

        No other part touches the latter.

        Examples
        --------
        >>> [one.name for one in Kernels(2, expected=True, lanes=True).apart]
        ['q2-expected', 'q2-lanes']
        """
        one = self._replace(lanes=False)
        return (one, Kernels(self.q, lanes=True)) if self.lanes else (one,)


PARTS = Kernels._fields[1:]
"""What kernels have beyond the fit itself, where they have it."""


def kernels_of(models: Iterable[Model], *, lanes: bool = False) -> list[Kernels]:
    """Return the kernels of models that are fitted together, by number of random effects.

    There is one for each number: with all that one of its models needs, for what another does not
    need takes no time. The smaller models of likelihood ratio tests are models too. With `lanes`
    data sets are fitted side by side.

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
        wanted = Kernels(
            q,
            wants_expected(model.df),
            wants_profile(model.limits),
            wants_robust(model.df),
            wants_bootstrap(model.df, model.limits),
            wants_coefficient_profile(model.df),
            model.predictions,
            lanes and has_only_own_inference(model),
        )
        found[q] = Kernels(q, *map(or_, found.get(q, wanted)[1:], wanted[1:]))
        for test in model.lrt:
            if test.blocks:  # else by least squares
                found.setdefault(len(test.effects), Kernels(len(test.effects), lanes=lanes))
    return sorted(found.values())


def has_only_own_inference(model: Model) -> bool:
    """Tell whether a model is fitted without inference that needs its data sets again.

    A bootstrap draws others, and its fits are by themselves in any case.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> has_only_own_inference(Model("m", "y ~ x + (1 | g)"))
    True
    >>> has_only_own_inference(Model("m", "y ~ x + (1 | g)", df=("kenward-roger",)))
    False
    """
    return not (
        wants_expected(model.df)
        or wants_robust(model.df)
        or wants_coefficient_profile(model.df)
        or wants_profile(model.limits)
        or model.predictions
    )


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
    return [Kernels(int(q[1:]), *(part in rest for part in PARTS)) for q, *rest in parts]
