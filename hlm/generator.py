"""A function of the user's that draws data sets: its source, what it is told, how it is called."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b as hash_of
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

__all__ = ["Generator", "blake2b", "not_allowed"]


@dataclass(frozen=True)
class Generator:
    r"""A function in Python that draws the design of data sets, and their response if it wants to.

    Attributes
    ----------
    file, function : str
        As the study file names them.
    source : str
        What the file holds.
    values : str
        What the function is told of the scenario, as JSON.
    group : int
        It is called for so many replicates at a time.
    responds : bool
        Whether it draws the response too.
    allowed : bool
        Whether the user has allowed it to run. No file says so, and so it is not compared.

    Examples
    --------
    >>> source = "def f(rng, values, first, last):\n    return values['units'] + last - first\n"
    >>> one = Generator("own.py", "f", source, '{"units": 7}', 10, False, allowed=True)
    >>> one.call(None, 20, 29)
    16
    >>> Generator.from_dict(one.to_dict()) == one, Generator.from_dict(one.to_dict()).allowed
    (True, False)
    """

    file: str
    function: str
    source: str
    values: str
    group: int
    responds: bool
    allowed: bool = field(default=False, compare=False)

    @property
    def blake2b(self) -> str:
        """Checksum of the source, 64 hexadecimal digits."""
        return blake2b(self.source)

    @property
    def copy(self) -> str:
        """The name of a copy of the file, which differs where the source does."""
        return f"{PurePath(self.file).stem}-{self.blake2b[:12]}.py"

    @property
    def told(self) -> dict[str, Any]:
        """What the function is told, anew each time: it may change it."""
        found: dict[str, Any] = json.loads(self.values)
        return found

    def call(self, rng: np.random.Generator, first: int, last: int) -> Any:
        """Return what the function returns for the replicates `first` to `last`, both included.

        What it prints goes to standard error: standard output may be a table.

        Raises
        ------
        InputError
            It may not run, there is none, or it fails.
        """
        self.check_allowed()
        with redirect_stdout(sys.stderr):
            try:
                return self._found()(rng, self.told, first, last)
            except (InputError, MemoryError):
                raise
            except (Exception, SystemExit) as error:
                raise InputError(_said(error, self.file, self.source)) from None

    def check_allowed(self) -> None:
        """Refuse to run without permission.

        Raises
        ------
        InputError
            The user has not allowed it.
        """
        if not self.allowed:
            raise not_allowed(self.file, self.function)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the permission as builtin types, for JSON."""
        return {key: value for key, value in asdict(self).items() if key != "allowed"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Generator:
        """Read what `to_dict` wrote; it may not run."""
        return cls(**data)

    def _found(self) -> Callable[..., Any]:
        names = vars(_module(self.file, self.source))
        found = names.get(self.function)
        if callable(found):
            return found
        own = [name for name, one in names.items() if isinstance(one, FunctionType)]
        raise InputError(
            f"{self.file} has no function '{self.function}'",
            allowed=", ".join(own) or "a function of that name",
            suggestion=nearest(self.function, own),
        )


def not_allowed(file: str, function: str, path: str = "design.generator") -> InputError:
    """Return the refusal to run a function; `path` is where a study names it."""
    return InputError(
        f"'{file}:{function}' is code, which does not run unless you allow it",
        path=path,
        allowed=f"--allow-code, once you know what {PurePath(file).name} does",
    )


def blake2b(source: str) -> str:
    """Return the checksum of a source, 64 hexadecimal digits."""
    return hash_of(source.encode(), digest_size=32).hexdigest()


@lru_cache(maxsize=64)
def _module(file: str, source: str) -> ModuleType:
    """Run a file. It is run once: what it keeps from call to call shows as other data."""
    module = ModuleType(f"generator_{blake2b(source)}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # where dataclasses of the file look for it
    exec(compile(source, file, "exec"), vars(module))
    return module


def _said(error: BaseException, file: str, source: str) -> str:
    """Say what went wrong in the file, and on which line of it."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == file else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    said = ": ".join(filter(None, [type(error).__name__, what]))
    if line is None:
        return f"{file}: {said}"
    text = "".join(source.splitlines()[line - 1 : line]).strip()
    return f"{file}, line {line}: {said}, in: {text}"
