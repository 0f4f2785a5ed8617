"""Receipts: what a finished batch wrote, with what and where, as JSON beside its files.

A receipt is written last. A batch without one is not finished; a file that does not have the size
and the checksum that its receipt names is damaged.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.disk import write_text
from hlm.errors import InputError
from hlm.operations.machine import machine
from hlm.scenario import DATA_VERSION
from hlm.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FileStamp",
    "Receipt",
    "checksum",
    "make_receipt",
    "read_receipt",
    "receipt_file",
    "stamp",
    "write_receipt",
]

VERSIONED = ("hlm", "numpy", "numba", "llvmlite", "scipy", "pyarrow")


class FileStamp(NamedTuple):
    """A file's name, its size and its checksum."""

    name: str
    bytes: int
    blake2b: str


@dataclass(frozen=True)
class Receipt:
    """What is known of a finished batch.

    Attributes
    ----------
    batch : str
        Its name.
    files : dict of str to FileStamp
        `estimates`, `fits` and, in a study with F tests, `tests`.
    code : str
        Fingerprint of the code that simulated and fitted.
    versions : dict of str to str
        Of Python and the libraries.
    machine : dict of str to str
        See `hlm.operations.machine.machine`.
    started, finished : str
        ISO 8601, in UTC.
    seconds : float
        Between the two, by a clock that does not jump.
    data_version : int
        Version of the rule by which the data were drawn.
    """

    batch: str
    files: dict[str, FileStamp]
    code: str
    versions: dict[str, str]
    machine: dict[str, str]
    started: str
    finished: str
    seconds: float
    data_version: int = DATA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as builtin types, for JSON."""
        files = {kind: file._asdict() for kind, file in self.files.items()}
        return {**asdict(self), "files": files}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Receipt:
        """Read what `to_dict` wrote."""
        files = {kind: FileStamp(**file) for kind, file in data["files"].items()}
        return cls(**{"data_version": 1, **data, "files": files})


def make_receipt(
    batch: str, files: Mapping[str, str | Path], *, code: str, seconds: float
) -> Receipt:
    """Describe files that were finished just now, by this process.

    Parameters
    ----------
    batch : str
        The batch's name.
    files : mapping of str to path
        `estimates`, `fits` and, in a study with F tests, `tests`.
    code : str
        Fingerprint of the code that simulated and fitted.
    seconds : float
        What it took.
    """
    finished = datetime.now(UTC)
    started = datetime.fromtimestamp(finished.timestamp() - seconds, UTC)
    return Receipt(
        batch=batch,
        files={kind: stamp(path) for kind, path in files.items()},
        code=code,
        versions=versions(VERSIONED) | {"python": platform.python_version()},
        machine=machine(),
        started=started.isoformat(timespec="seconds"),
        finished=finished.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
    )


def receipt_file(parts: str | Path, batch: str) -> Path:
    """Return where the receipt of a batch lies in the folder of the parts."""
    return Path(parts) / f"{batch}.json"


def write_receipt(path: str | Path, receipt: Receipt) -> None:
    """Write a receipt, whole or not at all.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "e").write_text("all")
    ...     receipt = make_receipt("0a", {"estimates": f"{folder}/e"}, code="c", seconds=2.0)
    ...     write_receipt(f"{folder}/0a.json", receipt)
    ...     back = read_receipt(f"{folder}/0a.json")
    >>> back == receipt, back.files["estimates"].bytes
    (True, 3)
    """
    write_text(path, json.dumps(receipt.to_dict(), indent=1))


def read_receipt(path: str | Path) -> Receipt:
    """Read a receipt.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    try:
        return Receipt.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"not a receipt that can be read: {error}", file=path) from None


def stamp(path: str | Path) -> FileStamp:
    """Return a file's name, size and checksum."""
    path = Path(path)
    return FileStamp(path.name, path.stat().st_size, checksum(path))


def checksum(path: str | Path) -> str:
    """Return the BLAKE2b checksum of a file's content, 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=32)).hexdigest()
