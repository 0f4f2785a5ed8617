"""What a user is told when something they wrote cannot be used."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["InputError", "nearest"]


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that is most like `name`, if one is near enough.

    Examples
    --------
    >>> nearest("seeed", ["seed", "name"])
    'seed'
    >>> nearest("x", ["seed", "name"]) is None
    True
    """
    matches = get_close_matches(str(name), [str(a) for a in allowed], n=1, cutoff=0.6)
    return matches[0] if matches else None


class InputError(ValueError):
    """A mistake in what the user wrote: a study file, a formula, a data file, an option.

    The command line prints it as it is and exits with status 2.

    Parameters
    ----------
    problem : str
        What is wrong, in one sentence, naming the value found.
    file : path, optional
        The file it is in.
    path : str, optional
        The place in that file, such as ``truth.random.unit.sd``.
    allowed : str, optional
        What would be accepted.
    suggestion : str, optional
        The nearest right name.

    Examples
    --------
    >>> print(InputError("unknown key 'seeed'", file="s.yaml", path="seeed",
    ...                  allowed="name, seed", suggestion="seed"))
    s.yaml: seeed: unknown key 'seeed'
      allowed: name, seed
      did you mean 'seed'?
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        path: str | None = None,
        allowed: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.path = path
        self.allowed = allowed
        self.suggestion = suggestion
        super().__init__(problem)

    def __str__(self) -> str:
        place = [str(part) for part in (self.file, self.path) if part]
        lines = [": ".join([*place, self.problem])]
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.suggestion:
            lines.append(f"  did you mean '{self.suggestion}'?")
        return "\n".join(lines)

    def at(self, *, file: str | Path | None = None, path: str | None = None) -> InputError:
        """Return the same error placed in a file, or at a path in it, where not yet placed."""
        return InputError(
            self.problem,
            file=self.file or file,
            path=self.path or path,
            allowed=self.allowed,
            suggestion=self.suggestion,
        )
