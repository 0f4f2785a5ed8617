"""Check the results of a study against their manifest, and compute a sample of them again.

    hlm verify results/ogorek2012 --n 200
    hlm verify config/ogorek2012.yaml

Every file must have the checksum that manifest.json names. A random sample of replicates is drawn
and fitted again; on the same kind of machine with the same versions all numbers must be the same.
Data that another version of the rule for random numbers has drawn cannot be, which is said. Data
of a generator of your own are drawn again with --allow-code, by the code that the results keep.
Exit status 1 if something is not as it should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from hlm.operations.kept_replicates import KeptReplicates
    from hlm.operations.recompute import Difference
    from hlm.plan import Plan

__all__ = ["add_arguments", "run"]

FAILED = 1

TOLERANCE = 1e-6
"""Relative difference that another kind of machine, or other versions, may make."""

MOST_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument(
        "--n", type=int, default=100, metavar="N", help="replicates to compute again; default 100"
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="of the sample; default: another each time"
    )


def run(options: argparse.Namespace) -> int:
    """Check files, then numbers; return 0 if all is well."""
    from hlm.operations.kept_replicates import KeptReplicates
    from hlm.operations.manifest import read_manifest

    if options.n < 0:
        raise InputError(f"{options.n} replicates", path="--n", allowed="0 or more")
    allow_code = options.allow_code
    folder = find_results(options.study, options.results, allow_code=allow_code).folder
    manifest = read_manifest(folder)
    good = _files(folder, manifest)
    if not good:
        return FAILED
    results = KeptReplicates(folder, allow_code=allow_code)
    if results.plan.wanted != manifest["wanted"]:
        raise InputError(
            "the study was planned anew since the results were made",
            file=folder,
            allowed="results of a run that was brought to its end: hlm run",
        )
    return 0 if options.n == 0 or _numbers(results, manifest, options.n, options.seed) else FAILED


def _files(folder: Path, manifest: dict[str, Any]) -> bool:
    from hlm.operations.recompute import check_files

    wrong = list(check_files(folder, manifest["files"]))
    for name, problem in wrong[:MOST_SHOWN]:
        print(f"{folder}/{name}: {problem}")
    if len(wrong) > MOST_SHOWN:
        print(f"and {len(wrong) - MOST_SHOWN} more")
    n = len(manifest["files"])
    good = n - len(wrong)
    print(f"{good:,} of {counted(n, 'file')} {noun(good, 'is', 'are')} as manifest.json says")
    return not wrong


def _numbers(results: KeptReplicates, manifest: dict[str, Any], n: int, seed: int | None) -> bool:
    import numpy as np

    from hlm.operations.recompute import redraw
    from hlm.operations.sample import seed_of, stratified

    plan = results.plan
    seed = seed_of(seed)
    rng = np.random.default_rng(seed)
    drawn = stratified(n, [plan.replicates_of(s.key) for s in plan.scenarios], rng)
    pairs = [pair for pair in zip(plan.scenarios, drawn, strict=True) if len(pair[1])]
    checked = list(redraw(results, pairs))
    differences = [item for _, items in checked for item in items]
    verdict = counted(len(differences), "differs", "differ") if differences else "all the same"
    again = counted(len(checked), "replicate")
    numbers = counted(sum(count for count, _ in checked), "number")
    print(f"{again} drawn and fitted again: {numbers}, {verdict}")
    print(f"(this sample: --n {n} --seed {seed})")
    others = list(_others(manifest, plan))
    for line in (*others, *_shown(differences)):
        print(line)
    return all(others and item.size <= TOLERANCE for item in differences)


def _others(manifest: dict[str, Any], plan: Plan) -> Iterator[str]:
    """Say what is other here than where the results were made."""
    from hlm.operations.machine import arithmetic
    from hlm.operations.prepare import code_of_fits

    allowed = f"differences up to {TOLERANCE:g} are allowed"
    if manifest["code"]["fits"] != code_of_fits(plan.generators):
        yield f"other code, or other versions of libraries, made the results: {allowed}"
    if {kind["arithmetic"] for kind in manifest["machines"]} != {arithmetic()}:
        yield f"another kind of machine made the results: {allowed}"


def _shown(differences: list[Difference]) -> Iterator[str]:
    for item in sorted(differences, key=lambda item: -item.size)[:MOST_SHOWN]:
        place = " ".join(str(part) for part in item.place)
        yield f"  {place}: {item.column} was {item.old!r}, is {item.new!r}"
