"""`manifest.json`: what made the results of a study, and the checksum of every file."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.disk import write_text
from hlm.errors import InputError
from hlm.operations.fingerprint import PACKAGE, STAGES, fingerprint
from hlm.operations.receipts import checksum, read_receipt, receipt_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.operations.receipts import Receipt
    from hlm.plan import Plan

__all__ = ["made_by", "make_manifest", "read_manifest", "write_manifest"]

NAME = "manifest.json"
FORM = 1

MAKERS = {
    "plan.json": "plan",
    "generators/*": "plan",
    "estimates.parquet": "compact",
    "fits.parquet": "compact",
    "tests.parquet": "compact",
    "predictions.parquet": "compact",
    "scenarios.parquet": "compact",
    "scenarios.csv": "compact",
    "measures.parquet": "summarize",
    "measures.csv": "summarize",
    "differences.parquet": "summarize",
    "differences.csv": "summarize",
    "accounting.parquet": "summarize",
    "accounting.csv": "summarize",
    "selection.parquet": "summarize",
    "selection.csv": "summarize",
    "figures/*": "present",
    "tables/*": "present",
    "study.html": "present",
    "scenarios.html": "present",
    "explorer.html": "present",
    "audit.csv": "audit",
    "audit.html": "audit",
    "report.html": "present",
    "workflow-report.html": "hlm run",
}
"""The files of results but the batches', and the job that makes each."""

SEEDS = (
    "numpy.random.default_rng((*purpose, block, first half of the scenario's key, second half, "
    "seed)), where block is the replicate's number // 1000 and purpose is (0,) for noise that is "
    "drawn by rows, (1,) for the random effects, (2, first half, second half) of the BLAKE2b hash "
    "of 8 bytes of its name for a covariate, and for what else has a name, such as 'residual along "
    "x': the coordinate of normal residuals along column x"
)
OF_GENERATORS = (
    "; where a generator draws, purpose is (3,) for its own numbers, and block is the replicate's "
    "number // the generator's group in plan.json"
)


def make_manifest(plan: Plan, folder: str | Path, *, study: str | Path) -> dict[str, Any]:
    """Describe the results in the folder of a study.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's, with all batches finished.
    study : path
        The study file.

    Returns
    -------
    dict
        `study` (name, file, hash), `sources` (name and checksum of each data set from which it
        takes values, and of each file of a generator), `seed`, the rule of `seeds` and its
        `data_version`; `code`
        (version, commit, fingerprint of each stage) and hash of the `lock` file; `versions` of
        libraries and kinds of `machines`, each with the number of batches; `times`; `files`:
        name, bytes, checksum (BLAKE2b) and the job that made it.

    Raises
    ------
    InputError
        The receipt of a batch is missing or damaged.
    """
    folder = Path(folder)
    receipts = _receipts(plan, folder)
    return {
        "form": FORM,
        "study": {"name": plan.study, "file": Path(study).name, "hash": plan.hash},
        "sources": [
            {"key": source.key, "data": Path(source.data).name, "blake2b": source.blake2b}
            for source in plan.sources
        ],
        "wanted": plan.wanted,
        "seed": plan.seed,
        "seeds": SEEDS + OF_GENERATORS * bool(plan.generators),
        "data_version": plan.data_version,
        "code": _code(plan),
        "lock": _lock(),
        **(made := _made_by(receipts)),
        "times": made["times"] | {"written": _iso(datetime.now(UTC).timestamp())},
        "files": [*_made(folder), *_parts(receipts)],
    }


def made_by(plan: Plan, folder: str | Path) -> dict[str, Any]:
    """Say by which versions, on which machines and when the fits of a study were made.

    That is a part of the manifest, which there is only once all else is there.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's.

    Returns
    -------
    dict
        `versions`, `machines` and `times`; nothing where a batch is not finished.
    """
    folder = Path(folder)
    if not all(receipt_file(folder / "parts", batch.name).is_file() for batch in plan.batches):
        return {}
    return _made_by(_receipts(plan, folder))


def write_manifest(plan: Plan, folder: str | Path, *, study: str | Path) -> Path:
    """Write `manifest.json` in the folder of a study and return its path."""
    path = Path(folder) / NAME
    text = json.dumps(make_manifest(plan, folder, study=study), indent=1)
    write_text(path, f"{text}\n")
    return path


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read the manifest in the folder of a study.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    path = Path(folder) / NAME
    if not path.exists():
        raise InputError(
            "there is no manifest",
            file=path,
            allowed="the folder of a study that hlm run has brought to its end, "
            "such as results/ogorek2012",
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if manifest["form"] != FORM:
            raise ValueError(f"of form {manifest['form']}, not {FORM}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"not a manifest that can be read: {error}", file=path) from None
    return manifest


def _receipts(plan: Plan, folder: Path) -> list[Receipt]:
    return [read_receipt(receipt_file(folder / "parts", batch.name)) for batch in plan.batches]


def _made_by(receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "versions": _counted([receipt.versions for receipt in receipts]),
        "machines": _counted([receipt.machine for receipt in receipts]),
        "times": {
            "started": min(receipt.started for receipt in receipts),
            "finished": max(receipt.finished for receipt in receipts),
            "fit_seconds": round(sum(receipt.seconds for receipt in receipts), 1),
        },
    }


def _code(plan: Plan) -> dict[str, Any]:
    versions = json.loads(plan.metadata()["versions"])
    return {
        "version": versions["hlm"],
        "commit": _git("rev-parse", "HEAD"),
        "edited": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "fits": plan.code,
        "stages": {stage: fingerprint(stage) for stage in STAGES},
    }


def _git(*arguments: str) -> str | None:
    """Return what git says of the source, None where there is no git or no repository."""
    command = ["git", "-C", str(PACKAGE.parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _lock() -> dict[str, str] | None:
    path = PACKAGE.parent / "requirements.lock"
    return {"file": path.name, "blake2b": checksum(path)} if path.exists() else None


def _counted(items: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the distinct items, each with how many batches have it."""
    texts = [json.dumps(item, sort_keys=True) for item in items]
    return [json.loads(text) | {"batches": texts.count(text)} for text in dict.fromkeys(texts)]


def _made(folder: Path) -> Iterator[dict[str, Any]]:
    for pattern, job in MAKERS.items():
        for path in sorted(folder.glob(pattern)):
            yield {
                "name": path.relative_to(folder).as_posix(),
                "bytes": path.stat().st_size,
                "blake2b": checksum(path),
                "job": job,
                "finished": _iso(path.stat().st_mtime),
            }


def _parts(receipts: Sequence[Receipt]) -> Iterator[dict[str, Any]]:
    for receipt in receipts:
        for file in receipt.files.values():
            yield {
                **file._asdict(),
                "name": f"parts/{file.name}",
                "job": f"fit {receipt.batch}",
                "finished": receipt.finished,
            }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
