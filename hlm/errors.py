"""What a user is told when something they wrote cannot be used."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["InputError", "InputErrors", "Mistakes", "nearest", "together"]

P = ParamSpec("P")
T = TypeVar("T")

MOST_SHOWN = 20


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

    @property
    def errors(self) -> tuple[InputError, ...]:
        """The mistakes: this one; several of an `InputErrors`."""
        return (self,)


class InputErrors(InputError):  # noqa: N818 - there are several
    """Several mistakes; to who looks at one of them it is the first.

    Parameters
    ----------
    errors : iterable of InputError
        In the order in which they are said; of many, only the first are.

    Examples
    --------
    >>> print(InputErrors([InputError("one", path="a"), InputError("another", path="b")]))
    a: one
    b: another
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self._errors = tuple(one for error in errors for one in error.errors)
        first = self._errors[0]
        super().__init__(
            first.problem,
            file=first.file,
            path=first.path,
            allowed=first.allowed,
            suggestion=first.suggestion,
        )

    def __str__(self) -> str:
        more = len(self._errors) - MOST_SHOWN
        lines = [str(error) for error in self._errors[:MOST_SHOWN]]
        return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])

    def at(self, *, file: str | Path | None = None, path: str | None = None) -> InputError:
        """Return the same errors placed in a file, or at a path in it, where not yet placed."""
        return InputErrors(error.at(file=file, path=path) for error in self._errors)

    @property
    def errors(self) -> tuple[InputError, ...]:
        """The mistakes."""
        return self._errors


def together(errors: Iterable[InputError]) -> InputError:
    """Return one error for all of them, each said once: itself if it is the only one.

    Examples
    --------
    >>> print(together([InputError("one"), InputError("one"), InputError("another")]))
    one
    another
    """
    distinct = {str(one): one for error in errors for one in error.errors}
    found = list(distinct.values())
    return found[0] if len(found) == 1 else InputErrors(found)


class Mistakes:
    """Gathers mistakes, and raises them together at the end of a block.

    Attributes
    ----------
    found : list of InputError

    Examples
    --------
    >>> with Mistakes() as mistakes:
    ...     kept = mistakes.keep(int, "7")
    ...     mistakes.add(InputError("no number", path="a"))
    ...     mistakes.add(InputError("no name", path="b"))
    Traceback (most recent call last):
    hlm.errors.InputErrors: a: no number
    b: no name
    """

    def __init__(self) -> None:
        self.found: list[InputError] = []

    def add(self, error: InputError) -> None:
        """Keep a mistake, or several."""
        self.found.extend(error.errors)

    def keep(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what a function does; None where it raises a mistake, which is kept."""
        try:
            return function(*args, **kwargs)
        except InputError as error:
            self.add(error)
            return None

    def passes(self, check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call a check and return whether it raises no mistake; those it raises are kept."""
        before = len(self.found)
        self.keep(check, *args, **kwargs)
        return len(self.found) == before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError):
            self.add(error)
        if self.found and (error is None or isinstance(error, InputError)):
            raise together(self.found) from None
