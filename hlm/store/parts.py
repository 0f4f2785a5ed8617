"""The files of the batches, held against their receipts: what is damaged is named and moved aside.

A damaged file is renamed to `*.corrupt`, for whoever wants to see it, and its receipt goes with
it: without a receipt the batch is not finished, so the next run computes it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError
from hlm.store.receipts import checksum, read_receipt, receipt_file
from hlm.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.store.receipts import FileStamp, Receipt

__all__ = ["check_alike", "check_part", "check_sizes", "part_file"]

SHOWN = 3
"""Batches named in a message."""


def part_file(parts: str | Path, batch: str, kind: str) -> Path:
    """Return where the estimates, the fits or the tests of a batch lie."""
    return Path(parts) / f"{batch}.{kind}.parquet"


def check_sizes(parts: str | Path, batch: str, kinds: Sequence[str]) -> Receipt | None:
    """Return the receipt of a batch if its files are there and have the sizes that it names.

    A receipt of fewer kinds of files, of a run that wanted no F tests, is deleted.

    Parameters
    ----------
    parts : path
    batch : str
    kinds : sequence of {'estimates', 'fits', 'tests'}
        The files that it must have.

    Returns
    -------
    Receipt or None
        None if the batch is not finished, or something of it has gone.

    Raises
    ------
    InputError
        The receipt is damaged, or a file has another size; it has been moved aside.
    """
    path = receipt_file(parts, batch)
    if not path.exists():
        return None
    receipt = _read(path)
    if not receipt.files.keys() >= set(kinds):
        path.unlink()
        return None
    for kind in kinds:
        file = part_file(parts, batch, kind)
        if not file.exists():
            return None
        if (size := file.stat().st_size) != receipt.files[kind].bytes:
            raise _damaged(path, file, f"{size:,} bytes", receipt.files[kind])
    return receipt


def check_part(parts: str | Path, batch: str, kind: str) -> Receipt:
    """Return the receipt of a batch after comparing one of its files with it, every byte.

    Parameters
    ----------
    parts : path
    batch : str
    kind : {'estimates', 'fits', 'tests'}

    Raises
    ------
    InputError
        The file or the receipt is missing or damaged; what is damaged has been moved aside.
    """
    file, path = part_file(parts, batch, kind), receipt_file(parts, batch)
    receipt = _read(path)
    if not file.exists() or kind not in receipt.files:
        raise InputError("no such file", file=file, allowed=_ask_to_run_again())
    expected, size = receipt.files[kind], file.stat().st_size
    if size != expected.bytes:
        raise _damaged(path, file, f"{size:,} bytes", expected)
    if (found := checksum(file)) != expected.blake2b:
        raise _damaged(path, file, f"checksum {found[:12]}", expected)
    return receipt


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
        if receipt.code != code:
            raise InputError(
                f"made by other code of hlm ({receipt.code}) than this run's ({code})",
                file=receipt_file(parts, receipt.batch),
                allowed="one version of the code in one table; delete this receipt and run again",
            )
    for what, of in (
        ("NumPy", lambda receipt: receipt.versions["numpy"]),
        ("Numba", lambda receipt: receipt.versions["numba"]),
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
        raise InputError("no such file", file=path, allowed=_ask_to_run_again())
    try:
        return read_receipt(path)
    except InputError as error:
        raise InputError(
            f"{error.problem}; moved to {_set_aside(path)}",
            file=path,
            allowed=_ask_to_run_again(),
        ) from None


def _damaged(receipt: Path, file: Path, found: str, expected: FileStamp) -> InputError:
    wanted = f"{expected.bytes:,} bytes with checksum {expected.blake2b[:12]}"
    _set_aside(receipt)
    return InputError(
        f"damaged: {found} where its receipt says {wanted}; moved to {_set_aside(file)}",
        file=file,
        allowed=_ask_to_run_again(),
    )


def _set_aside(path: Path) -> str:
    """Rename a file that is damaged; another job may have been faster."""
    aside = path.with_name(f"{path.name}.corrupt")
    if path.exists():
        path.replace(aside)
    return aside.name


def _ask_to_run_again() -> str:
    return "the file as it was written; run the study again to make it anew"
