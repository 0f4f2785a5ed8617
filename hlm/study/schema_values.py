"""Values that several parts of the study file have."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from hlm import distributions
from hlm.errors import InputError

__all__ = [
    "SHAPE",
    "Correlation",
    "Positive",
    "Probability",
    "SafeName",
    "Shape",
    "Shapes",
    "safe_name",
]

Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(gt=0, lt=1)]


def _shape(text: Any) -> str:
    return distributions.written(distributions.read_call(text))


Shape = Annotated[str, BeforeValidator(_shape)]
Shapes = Annotated[
    Annotated[Shape, Tag("<text>")] | Annotated[dict[str, Shape], Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<text>"),
]
SHAPE = (
    "Their shape, a family written as a call: "
    + ", ".join(family.call_example for family in distributions.SHAPES.values())
    + ". What is drawn is standardized to the stated sd."
)

Correlation = Annotated[
    Annotated[float, Tag("<number>")] | Annotated[list[list[float]], Tag("<matrix>")],
    Discriminator(lambda value: "<matrix>" if isinstance(value, list) else "<number>"),
]


_SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


def safe_name(name: str) -> str:
    """Return the name of a study, which is also that of a folder.

    Raises
    ------
    InputError
        Not every file system has such a name.

    Examples
    --------
    >>> safe_name("trial-2")
    'trial-2'
    """
    if not _SAFE_NAME.fullmatch(name):
        raise InputError(
            f"the name {name!r} is not safe for files",
            allowed="letters, digits, _ . -; not first a dot; at most 64 characters",
        )
    return name


SafeName = Annotated[str, AfterValidator(safe_name)]
