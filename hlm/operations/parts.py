"""The files of the batches, held against their receipts: what is damaged is named.

Checks only look. A run that holds the lock sets what is damaged aside while it plans: the file is
renamed to `*.corrupt`, for whoever wants to see it, and its receipt goes with it, without which
the batch is not finished and is computed again. Planning reads no part; so a job that finds one
damaged leaves a note beside it, and the next planning reads the parts of which there is one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.disk import write_text
from hlm.errors import InputError
from hlm.operations.receipts import checksum, read_receipt, receipt_file
from hlm.scenario import DATA_VERSION
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.operations.receipts import FileStamp, Receipt

__all__ = [
    "DamagedError",
    "check_alike",
    "check_part",
    "check_sizes",
    "note_damage",
    "part_file",
    "set_aside",
]

SHOWN = 3
"""Batches named in a message."""

_RUN_AGAIN = "the file as it was written; run the study again to make it anew"
_SET_ASIDE = "the file as it was written; run the study again to set it aside and make it anew"


class DamagedError(InputError):
    """A file of a batch is not what its receipt says, or the receipt cannot be read.

    Attributes
    ----------
    damaged : tuple of Path
        The file, and what must be set aside with it for the batch to be computed again.
    """

    def __init__(self, problem: str, *damaged: Path) -> None:
        super().__init__(problem, file=damaged[0], allowed=_SET_ASIDE)
        self.damaged = damaged


def part_file(parts: str | Path, batch: str, kind: str) -> Path:
    """Return where the estimates, the fits or the tests of a batch lie."""
    return Path(parts) / f"{batch}.{kind}.parquet"


def check_sizes(parts: str | Path, batch: str, kinds: Sequence[str]) -> Receipt | None:
    """Return the receipt of a batch if its files are there and have the sizes that it names.

    Those of which a job has left a note (`note_damage`) are read.

    Parameters
    ----------
    parts : path
    batch : str
    kinds : sequence of {'estimates', 'fits', 'tests', 'predictions'}
        The files that it must have.

    Returns
    -------
    Receipt or None
        None if the batch is not finished, or something of it has gone, or its receipt names
        fewer kinds of files, for a run that wanted no F tests.

    Raises
    ------
    DamagedError
        The receipt is damaged, or a file has another size or content.
    """
    path = receipt_file(parts, batch)
    if not path.exists():
        return None
    receipt = _read(path)
    files = {kind: part_file(parts, batch, kind) for kind in kinds}
    if not receipt.files.keys() >= set(kinds) or not all(f.exists() for f in files.values()):
        return None
    for kind, file in files.items():
        _check(receipt, kind, file, thoroughly=_note(file).exists())
    return receipt


def check_part(parts: str | Path, batch: str, kind: str) -> Receipt:
    """Return the receipt of a batch after comparing one of its files with it, every byte.

    Parameters
    ----------
    parts : path
    batch : str
    kind : {'estimates', 'fits', 'tests', 'predictions'}

    Raises
    ------
    InputError
        The file or the receipt is missing; a `DamagedError` if it is damaged.
    """
    file = part_file(parts, batch, kind)
    receipt = _read(receipt_file(parts, batch))
    if not file.exists() or kind not in receipt.files:
        raise InputError("no such file", file=file, allowed=_RUN_AGAIN)
    _check(receipt, kind, file, thoroughly=True)
    return receipt


def note_damage(error: DamagedError) -> None:
    """Leave a note beside a damaged file, for the next planning; for jobs of a run."""
    with suppress(OSError):  # a full disk: the error itself is told all the same
        write_text(_note(error.damaged[0]), f"{error.problem}\n")


def set_aside(error: DamagedError) -> list[str]:
    """Rename what is damaged; only for who holds the lock of the folder.

    Returns
    -------
    list of str
        The new names.
    """
    found = [path for path in error.damaged if path.exists()]
    for path in found:
        path.replace(_aside(path))
    _note(error.damaged[0]).unlink(missing_ok=True)
    return [_aside(path).name for path in found]


def check_alike(parts: str | Path, batches: Sequence[str], *, code: str) -> None:
    """Refuse to mix results that other code, libraries or processors have made.

    Parameters
    ----------
    parts : path
    batches : sequence of str
        All those that go into one table.
    code : str
        Fingerprint of the code that the plan was made for.

    Raises
    ------
    InputError
        Naming what differs, the batches that differ, and what to do.
    """
    receipts = [_read(receipt_file(parts, batch)) for batch in batches]
    for receipt in receipts:
        if receipt.data_version != DATA_VERSION:
            raise InputError(
                f"its data were drawn by version {receipt.data_version} of the rule for random "
                f"numbers, those of this run by version {DATA_VERSION}",
                file=receipt_file(parts, receipt.batch),
                allowed="data of one rule in one table; delete this receipt and run again",
            )
        if receipt.code != code:
            raise InputError(
                f"made by other code of hlm ({receipt.code}) than this run's ({code})",
                file=receipt_file(parts, receipt.batch),
                allowed="one version of the code in one table; delete this receipt and run again",
            )
    for what, of in (
        ("NumPy", lambda receipt: receipt.versions["numpy"]),
        ("Numba", lambda receipt: receipt.versions["numba"]),
        ("llvmlite", lambda receipt: receipt.versions["llvmlite"]),
        ("SciPy", lambda receipt: receipt.versions["scipy"]),
        ("arithmetic", lambda receipt: receipt.machine["arithmetic"]),
    ):
        groups: dict[str, list[Receipt]] = {}
        for receipt in receipts:
            groups.setdefault(of(receipt), []).append(receipt)
        if len(groups) > 1:
            raise _mixed(what, groups, parts)


def _mixed(what: str, groups: dict[str, list[Receipt]], parts: str | Path) -> InputError:
    largest = max(groups.values(), key=len)
    others = [receipt for group in groups.values() if group is not largest for receipt in group]
    found = "; ".join(
        f"{name} in {counted(len(group), 'batch', 'batches')} ({group[0].machine['cpu']})"
        for name, group in groups.items()
    )
    names = ", ".join(f"{receipt.batch}.json" for receipt in others[:SHOWN])
    if len(others) > SHOWN:
        names += f" and {len(others) - SHOWN} more"
    return InputError(
        f"batches made with different {what}, which changes last digits: {found}",
        file=parts,
        allowed=f"one kind in one table; delete {names} and run again on one kind of machine",
    )


def _read(path: Path) -> Receipt:
    if not path.exists():
        raise InputError("no such file", file=path, allowed=_RUN_AGAIN)
    try:
        return read_receipt(path)
    except InputError as error:
        raise DamagedError(error.problem, path) from None


def _check(receipt: Receipt, kind: str, file: Path, *, thoroughly: bool) -> None:
    """Compare a file with its receipt: its size, and its content if that is asked for."""
    expected, size = receipt.files[kind], file.stat().st_size
    if size != expected.bytes:
        raise _damaged(receipt, file, f"{size:,} bytes", expected)
    if thoroughly and (found := checksum(file)) != expected.blake2b:
        raise _damaged(receipt, file, f"checksum {found[:12]}", expected)


def _damaged(receipt: Receipt, file: Path, found: str, expected: FileStamp) -> DamagedError:
    wanted = f"{expected.bytes:,} bytes with checksum {expected.blake2b[:12]}"
    return DamagedError(
        f"damaged: {found} where its receipt says {wanted}",
        file,
        receipt_file(file.parent, receipt.batch),
    )


def _note(path: Path) -> Path:
    """Return where the note that a file is damaged lies."""
    return path.with_name(f"{path.name}.damaged")


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.corrupt")
