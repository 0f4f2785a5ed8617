"""What a study says of itself, from the text that its plan has."""

from __future__ import annotations

from hlm.study.messages import validate
from hlm.study.reading import read_tree
from hlm.study.schema_about import About

__all__ = ["about_of"]


def about_of(text: str) -> About:
    """Return what the text of a study says under `about`; nothing where it has no such key.

    Raises
    ------
    InputError
        There is a mistake in it.

    Examples
    --------
    >>> about_of("about: {title: Few units}").title, about_of("name: s").title
    ('Few units', None)
    """
    said = read_tree(text, file=None).tree.get("about")
    return About() if said is None else validate(About, said, path="about")
