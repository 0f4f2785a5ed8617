"""Check a study file and say what running it will take.

hlm check config/ogorek2012.yaml
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.cli.place import add_allow_code
from hlm.cli.precision_lines import policy_lines, precision_lines
from hlm.cli.sentences import aligned, duration, size
from hlm.cli.snakemake_profile import check_cores
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["add_arguments", "run"]

MOST_ROWS = 20
ENDS = 5
DEFAULT_LEVEL = 0.95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="default %(default)s")
    parser.add_argument(
        "--no-pilot",
        action="store_false",
        dest="pilot",
        help="predict without simulating and fitting some data sets first",
    )
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Load, plan, print, return 0."""
    from hlm.cli.implied_lines import implied_lines
    from hlm.cli.shape_lines import shape_lines
    from hlm.cli.sought_lines import sought_lines
    from hlm.cli.true_values import true_value_lines
    from hlm.cli.uncertain_lines import uncertain_lines
    from hlm.plan import make_plan
    from hlm.study import Study

    check_cores(options.cores)
    study = Study.load(options.study, allow_code=options.allow_code)
    plan = make_plan(study)
    parts = (
        _contents(plan),
        implied_lines(plan),
        uncertain_lines(plan),
        shape_lines(plan),
        true_value_lines(plan),
        sought_lines(study),
    )
    lines = [list(part) for part in parts]
    print("\n\n".join("\n".join(part) for part in lines if part))
    print(flush=True)
    ratio, rounds = 1.0, 0
    if options.pilot:
        from hlm.operations.expected_precision import expected_standing, measures_of_pilot
        from hlm.operations.pilot import try_out

        ratio, tried = try_out(plan)
        measures = measures_of_pilot(plan, tried)
        for line in (*precision_lines(plan, measures, [one.n for one in tried]), ""):
            print(line)
        warnings = list(policy_lines(plan, tried))
        for line in (*warnings, *[""] * bool(warnings)):
            print(line)
        if plan.precision:
            standing, rounds = expected_standing(plan, measures)
            plan = make_plan(study, standing=standing)
    for line in _costs(plan, options.cores, ratio, rounds):
        print(line)
    return 0


def _contents(plan: Plan) -> Iterator[str]:
    replicates = f"{plan.replicates} {noun(plan.replicates, 'replicate')}"
    if plan.precision:
        replicates = f"{plan.precision.at_least} to {plan.precision.at_most} replicates"
    yield f"{plan.study}: {counted(len(plan.scenarios), 'scenario')} of {replicates}"
    yield f"seed {plan.seed}"
    if plan.scenarios[0].common_random_numbers:
        yield "random numbers common to the scenarios with as many units and rows"
    for source in plan.sources:
        yield from (f"{source.key}: {remark}" for remark in source.remarks)
    yield ""
    unequal = not all(scenario.is_balanced for scenario in plan.scenarios)
    missing = any(scenario.missing for scenario in plan.scenarios)
    more = [*["n_obs"] * (unequal or missing), *["left"] * missing]
    names = ["", "scenario", *plan.levels[0], "n_units", "n_rows", *more]
    rows = [
        [position + 1, scenario.key, *levels.values(), *_sizes(plan, scenario)[: 2 + len(more)]]
        for position in _shown(len(plan.scenarios))
        for scenario, levels in [(plan.scenarios[position], plan.levels[position])]
    ]
    if len(rows) < len(plan.scenarios):
        left_out = f"({len(plan.scenarios) - len(rows)} more)"
        rows.insert(ENDS, ["...", left_out, *[""] * (len(names) - 2)])
    yield from aligned([names, *rows])
    yield ""
    width = max(len(model.name) for model in plan.models)
    for model in plan.models:
        methods = ", ".join(method.upper() for method in model.methods)
        df, limits = ", ".join(model.df), ", ".join(model.limits)
        limits = "" if limits == "wald" else f"; limits: {limits}"
        level = "" if model.level == DEFAULT_LEVEL else f"; level: {model.level:g}"
        draws = f"; bootstrap: {model.bootstrap}" if model.bootstrap else ""
        way = f"{methods}; df: {df}{limits}{draws}{level}"
        yield f"{model.name:<{width}}  {model.formula}  ({way})"


def _sizes(plan: Plan, scenario: Scenario) -> list[Any]:
    """Return the numbers of units, of rows, of rows in all, and of those that are left."""
    from hlm.simulate import rows_left

    rows = scenario.typical_rows
    least, most = (rows, rows) if isinstance(rows, int) else (min(rows), max(rows))
    written = f"{least}" if least == most else f"{least} to {most}"
    about = "" if isinstance(scenario.n_rows, int | tuple) or least == most else "about "
    left = f"{rows_left(scenario, plan.seed, plan.replicates):.1f}" if scenario.missing else ""
    return [scenario.n_units, f"{about}{written}", f"{about}{scenario.n_obs}", left]


def _costs(plan: Plan, cores: int, ratio: float, rounds: int) -> Iterator[str]:
    from hlm.operations.forecast import forecast

    cost = forecast(plan, ratio, rounds=max(1, rounds))
    fits = plan.all_replicates * sum(len(m.methods) for m in plan.models)
    if plan.precision:
        numbers = [plan.replicates_of(scenario.key) for scenario in plan.scenarios]
        written = " to ".join(f"{n:,}" for n in sorted({min(numbers), max(numbers)}))
        ends = f"about {written} replicates of a scenario, in {counted(rounds, 'round')}"
        yield ends if rounds else f"the first round, of {written} replicates of each scenario:"
    batches = counted(cost.batches, "batch", "batches")
    jobs, files = counted(cost.jobs, "job"), counted(cost.files, "file")
    yield f"{counted(fits, 'fit')} in {batches}: {jobs}, {files}"
    hours = f"{cost.core_seconds / 3600.0:.2g}"
    yield (
        f"about {hours} {noun(float(hours), 'core-hour')}, "
        f"{duration(cost.wall_seconds(cores))} on {counted(cores, 'core')}"
    )
    yield (
        f"about {size(cost.kept_bytes)} of results, "
        f"and {size(cores * cost.temporary_bytes)} of disk while it runs"
    )


def _shown(count: int) -> list[int]:
    """Return the positions of the scenarios that are listed: all, or the first and the last."""
    if count <= MOST_ROWS:
        return list(range(count))
    return [*range(ENDS), *range(count - ENDS, count)]
