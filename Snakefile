"""A Monte Carlo study of hierarchical linear models: study file -> tables, figures, report."""

import os
import sys

from snakemake.exceptions import WorkflowError

from hlm.errors import InputError
from hlm.inference.variants import kernels_of, name_of
from hlm.operations.fingerprint import fingerprint
from hlm.operations.leftovers import ROUND
from hlm.operations.lock import is_held_by_parent
from hlm.operations.prepare import makes_no_results, open_plan, plan_of_run
from hlm.operations.slurm import become_own_task
from hlm.plan import holdings
from hlm.plan.report import EXPLORER, figure_pages, planned_figures, planned_tables
from hlm.report import REPORT
from hlm.results import SUMMARIES
from hlm.plan.study_summary import summary

become_own_task()

STUDY = config.get("study", "config/ogorek2012.yaml")
RESULTS = config.get("results", "results")

# Jobs have one thread each. Snakemake says so to the linear algebra libraries, not to numba.
os.environ.update(NUMBA_NUM_THREADS="1")

# Jobs read this file again, and so does the report: they find the plan made.
try:
    if workflow.is_main_process:
        plan = plan_of_run(
            STUDY,
            RESULTS,
            batch_seconds=config.get("batch_seconds"),
            only_look=makes_no_results(sys.argv),
            allow_code=config.get("allow_code") is True,
        )
        # What the captions and the first page of the report say of the study.
        config["report"] = summary(plan)
    else:
        plan = open_plan(STUDY, RESULTS)
except InputError as error:
    raise WorkflowError(str(error)) from None


# Data sets to be fitted again by another program, for a table of the report; usually none.
AUDITED = int(config.get("audit", 0))
ENGINES = []
if AUDITED and workflow.is_main_process:
    from hlm.audit import available_engines

    ENGINES = [f"{engine.name} {engine.version}" for engine in available_engines()]

# A parameter, not an input: where nodes share no folder, it travels with the code.
FOLDER = os.path.normpath(f"{RESULTS}/{plan.study}")
# In a round that is not about all scenarios, their measures lie apart from those of the study.
SUMMARY = f"{FOLDER}/{ROUND}" if plan.is_partial else FOLDER
CACHE = os.path.normpath(f"{RESULTS}/.cache")
PLAN = f"{FOLDER}/plan.json"
workflow.configfiles += [STUDY, PLAN]

# What each batch needs compiled. By batch and not by study: a model that is added must not give
# the batches that are there another input, or they would all be done again.
NEEDED = {
    batch.name: name_of(kernels_of(batch.models, lanes=batch.lanes))
    for batch in plan.batches
}


def compiled(wildcards):
    return f"{CACHE}/kernels-{NEEDED[wildcards.batch]}"


# The pages of the tables, each with the table that it is of and what readers see.
TABLES = {
    page: (table, title)
    for table in planned_tables(plan)
    for page, title in zip(table.pages, table.titles)
}


# The batches that each chunk of scenarios is summarized from. A single chunk needs no job of its
# own: that of `summarize` does its work.
HELD = holdings(plan)
AT_ONCE = len(HELD) == 1


report: "workflow/report/workflow.rst"


pathvars:
    cache=CACHE,
    study=FOLDER,
    summary=SUMMARY,


wildcard_constraints:
    batch="[0-9a-f]{12}",
    chunk="[0-9]+",
    kernels="[a-z0-9+-]+",


# Only for --sdm apptainer: an image of your own in which this package is installed.
container: config.get("container", "hlm.sif")


localrules:
    all,


# Where the study asks for a precision, a call makes one round: the measures that say which
# scenarios have it. `hlm run` calls until all have, and then for the rest.
rule all:
    input:
        (
            [
                expand("<study>/{kind}.parquet", kind=plan.kinds),
                expand("<study>/{kind}.csv", kind=SUMMARIES),
                expand("<study>/figures/{page}.pdf", page=figure_pages(plan)),
                expand("<study>/tables/{page}.tex", page=TABLES),
                f"<study>/{EXPLORER}",
                f"<study>/{REPORT}",
                ["<study>/audit.html"] if AUDITED else [],
            ]
            if plan.is_settled
            else "<summary>/measures.parquet"
        ),


onsuccess:
    if not plan.is_settled and not is_held_by_parent(FOLDER):
        print(
            "One round is done; the same command begins the next, until all scenarios have"
        )
        print("the precision that the study asks for. hlm run does them all.")


# Not ancient() where it is an input: Snakemake 9.27 runs nothing downstream of a rule that it
# reruns if the way there is ancient, not even what is missing.
rule compile_kernels:
    output:
        touch("<cache>/kernels-{kernels}"),
    log:
        "<cache>/kernels-{kernels}.log",
    benchmark:
        "<cache>/kernels-{kernels}.benchmark.tsv"
    params:
        code=fingerprint("kernels"),
    script:
        "workflow/scripts/compile_kernels.py"


rule fit:
    input:
        kernels=compiled,
    output:
        tables=expand("<study>/parts/{{batch}}.{kind}.parquet", kind=plan.kinds),
        receipt="<study>/parts/{batch}.json",
    log:
        "<study>/logs/fit/{batch}.log",
    benchmark:
        "<study>/benchmarks/fit/{batch}.tsv"
    params:
        plan=PLAN,
        code=fingerprint("fit"),
    script:
        "workflow/scripts/fit.py"


rule compact:
    input:
        parts=expand(
            "<study>/parts/{batch.name}.{kind}.parquet",
            batch=plan.batches,
            kind=plan.kinds,
        ),
        receipts=expand("<study>/parts/{batch.name}.json", batch=plan.batches),
    output:
        tables=expand("<study>/{kind}.parquet", kind=plan.kinds),
        scenarios="<study>/scenarios.parquet",
        scenarios_csv="<study>/scenarios.csv",
    log:
        "<study>/logs/compact.log",
    benchmark:
        "<study>/benchmarks/compact.tsv"
    params:
        **({"reached": plan.standing.reached} if plan.standing else {}),
        plan=PLAN,
        code=fingerprint("compact"),
        wanted=plan.wanted,
    script:
        "workflow/scripts/compact.py"


rule summarize_chunk:
    input:
        parts=lambda wildcards: expand(
            "<study>/parts/{batch}.{kind}.parquet",
            batch=HELD[int(wildcards.chunk)],
            kind=plan.kinds,
        ),
        receipts=lambda wildcards: expand(
            "<study>/parts/{batch}.json",
            batch=HELD[int(wildcards.chunk)],
        ),
    output:
        **{
            kind: temp(f"<summary>/chunks/{{chunk}}.{kind}.parquet")
            for kind in SUMMARIES
        },
    log:
        "<study>/logs/summarize/{chunk}.log",
    benchmark:
        "<study>/benchmarks/summarize/{chunk}.tsv"
    params:
        plan=PLAN,
        code=fingerprint("summarize"),
        wanted=plan.wanted,
    script:
        "workflow/scripts/summarize_chunk.py"


rule summarize:
    input:
        **(
            {
                "parts": expand(
                    "<study>/parts/{batch}.{kind}.parquet",
                    batch=HELD[0],
                    kind=plan.kinds,
                )
            }
            if AT_ONCE
            else {
                kind: expand(
                    f"<summary>/chunks/{{chunk}}.{kind}.parquet",
                    chunk=range(len(HELD)),
                )
                for kind in SUMMARIES
            }
        ),
        receipts=rules.compact.input.receipts,
    output:
        **{kind: f"<summary>/{kind}.parquet" for kind in SUMMARIES},
        csv=expand("<summary>/{kind}.csv", kind=SUMMARIES),
    log:
        "<study>/logs/summarize.log",
    benchmark:
        "<study>/benchmarks/summarize.tsv"
    params:
        plan=PLAN,
        code=fingerprint("summarize"),
        wanted=plan.wanted,
        at_once=AT_ONCE,
    script:
        "workflow/scripts/summarize.py"


# All that readers look at, in one job: to start a job and load libraries takes longer than most
# tables and pages. The only job with two processes, which draw and write side by side.
rule present:
    input:
        **{kind: rules.summarize.output[kind] for kind in SUMMARIES},
        estimates="<study>/estimates.parquet",
        audit=["<study>/audit.html"] if AUDITED else [],
    output:
        *[
            report(
                f"<study>/figures/{page}.png",
                caption=f"workflow/report/{figure.caption}.rst",
                category="Figures",
                subcategory=figure.section,
                labels={"figure": figure.title, "page": str(place)},
            )
            for figure in planned_figures(plan)
            for place, page in enumerate(figure.pages, start=1)
        ],
        expand("<study>/figures/{page}.pdf", page=figure_pages(plan)),
        *[
            report(
                f"<study>/tables/{page}.html",
                caption=f"workflow/report/{table.caption}.rst",
                category="Tables",
                labels={"table": title},
            )
            for page, (table, title) in TABLES.items()
        ],
        expand(
            "<study>/tables/{page}.{kind}",
            page=TABLES,
            kind=["csv", "tex", "md"],
        ),
        report(
            "<study>/study.html",
            caption="workflow/report/study.rst",
            category="Study",
            labels={"page": "Study file"},
        ),
        report(
            "<study>/scenarios.html",
            caption="workflow/report/scenarios.rst",
            category="Study",
            labels={"page": "Points of the grid"},
        ),
        f"<study>/{EXPLORER}",
        f"<study>/{REPORT}",
    log:
        "<study>/logs/present.log",
    benchmark:
        "<study>/benchmarks/present.tsv"
    threads: 2
    params:
        plan=PLAN,
        code=fingerprint("present"),
        wanted=plan.wanted,
        pictured=plan.pictured,
        tabled=plan.tabled,
        example=plan.example,
        audited=AUDITED,
    script:
        "workflow/scripts/present.py"


rule audit:
    input:
        tables=rules.compact.output.tables,
    output:
        csv="<study>/audit.csv",
        html=report(
            "<study>/audit.html",
            caption="workflow/report/audit.rst",
            category="Study",
            labels={"page": "Audit"},
        ),
    log:
        "<study>/logs/audit.log",
    benchmark:
        "<study>/benchmarks/audit.tsv"
    params:
        plan=PLAN,
        code=fingerprint("audit"),
        wanted=plan.wanted,
        audited=AUDITED,
        engines=ENGINES,
    script:
        "workflow/scripts/audit.py"
