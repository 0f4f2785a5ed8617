"""What a report says of a study beside its numbers: the question, the origin, the checklist."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from hlm.describe import NOT_GIVEN, checklist
from hlm.describe.written_as import anchor
from hlm.operations.manifest import made_by
from hlm.plan.study_summary import summary
from hlm.words.inferences import joined
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hlm.plan import Plan
    from hlm.report.finding import Finding

__all__ = ["checklist_html", "done_html", "files_html", "findings_html", "origin_html"]

FILES = {
    "explorer.html": "choose measure, term, models and form, and read any number",
    "measures.csv": "every measure, with its Monte Carlo standard error and its n (also .parquet)",
    "differences.csv": "differences between methods, models, inferences and policies, in pairs",
    "selection.csv": "how often each model is chosen",
    "margins.csv": "how far apart the criteria of the models are",
    "accounting.csv": "what became of the fits",
    "scenarios.csv": "the points of the grid",
    "estimates.parquet": "the estimates of each replicate",
    "fits.parquet": "the fits of each replicate",
    "tests.parquet": "the F tests and likelihood ratio tests of each replicate",
    "predictions.parquet": "the errors of predictions of each replicate",
    "audit.csv": "a sample of data sets fitted by another program",
}
"""Files beside the report, and what they hold."""


def done_html(plan: Plan) -> str:
    """Say what was drawn and fitted, and how often."""
    of_study = summary(plan)
    precision = f"<p>{escape(of_study['precision'])}</p>" if of_study["precision"] else ""
    done = of_study["done"]
    return f"<p>{escape(done[:1].upper() + done[1:])}.</p>{precision}"


def findings_html(findings: Sequence[Finding], figures: Sequence[str]) -> str:
    """Write findings, each with links to the figures that show it.

    Parameters
    ----------
    findings : sequence of Finding
    figures : sequence of str
        The names of the study's figures, in their order.
    """
    return "\n".join("\n".join(_finding(one, figures)) for one in findings)


def _finding(finding: Finding, figures: Sequence[str]) -> Iterator[str]:
    yield f'<div class="finding"><h3>{escape(finding.title)}</h3><div>'
    shown = [
        f'<a href="#figure-{escape(name)}">Figure {figures.index(name) + 1}</a>'
        for name in finding.figures
        if name in figures
    ]
    see = f' <span class="see">({joined(shown)})</span>' if shown else ""
    yield f"<p>{escape(finding.sentence)}{see}</p>"
    yield _items(finding.details)
    if finding.by_model:
        yield f"<details><summary>Each model</summary>{_items(finding.by_model)}</details>"
    yield "</div></div>"


def _items(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def origin_html(plan: Plan, folder: Path, study: str) -> str:
    """Say from what the results were made, and how to make and check them again.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    study : str
        The name of the study file in commands.
    """
    of_study, made = summary(plan), made_by(plan, folder)
    rows = {
        "Study": f"{plan.study}, {of_study['hash']}",
        "Seed": str(plan.seed),
        "Rule of the data": f"version {plan.data_version}",
        "Code": f"hlm, fingerprint of what simulates and fits {plan.code}",
    }
    if made:
        versions = ["; ".join(f"{k} {v}" for k, v in one.items() if k != "batches")
                    for one in made["versions"]]  # fmt: skip
        machines = [_machine(one) for one in made["machines"]]
        times = made["times"]
        rows |= {
            "Versions": "; or ".join(versions),
            "Machine": "; or ".join(dict.fromkeys(machines)),
            "Fitted": f"{times['started']} to {times['finished']}, "
            f"{times['fit_seconds']:,.0f} seconds of one processor",
        }
    else:
        rows["Versions"] = joined(of_study["versions"])
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
    commands = (
        f"hlm run {study}       # again, to the same numbers\n"
        f"hlm verify {study}    # checksums, and some data sets computed again\n"
        f"hlm replay {study}    # a data set, as rows"
    )
    return f"<dl>{listed}</dl>\n<pre>{escape(commands)}</pre>"


def _machine(one: dict[str, str]) -> str:
    kind = ", ".join(filter(None, (one.get("cpu"), one.get("system"))))
    return f"{kind} ({counted(int(one['batches']), 'batch', 'batches')})"


def files_html(plan: Plan, *, audited: bool) -> str:
    """List the files of results beside the report with what they hold."""
    lacking = {
        "tests.parquet": "tests" not in plan.kinds,
        "predictions.parquet": "predictions" not in plan.kinds,
        "audit.csv": not audited,
    }
    rows = "".join(
        f'<dt><a href="{escape(name)}">{escape(name)}</a></dt><dd>{escape(words)}</dd>'
        for name, words in FILES.items()
        if not lacking.get(name)
    )
    return f"<dl>{rows}</dl>"


def checklist_html(plan: Plan, folder: Path) -> str:
    """Write the checklist of reports, each row with a link to where it is answered."""
    rows = checklist(plan, folder)
    given = sum(row.answer != NOT_GIVEN for row in rows)
    body = "\n".join(
        f'<tr{"" if row.where else " class=none"}><td class="number">{row.number}</td>'
        f"<td>{escape(row.item)}</td><td>{escape(row.answer)}</td>"
        f"<td>{_link(row.where)}</td><td>{escape(row.source)}</td></tr>"
        for row in rows
    )
    head = "".join(
        f'<th scope="col">{words}</th>' for words in ("No.", "Item", "Answer", "Where", "Asked by")
    )
    return (
        f"<p>{given} of {len(rows)} items are answered; a block <code>about</code> in the study "
        "file answers those that need words. Asked for by M (Morris, White and Crowther, 2019), "
        "S (Siepe and others, 2024), P (Pawel and others, 2024), W (White and others, 2023), "
        "N (Pawel, Kook and Reeve, 2024), K (Koehler, Brown and Haneuse, 2009), B (Boulesteix and "
        "others), R (packages for simulation studies).</p>\n"
        '<div class="scroll" role="region" tabindex="0" aria-label="Checklist">'
        f'<table class="described"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def _link(where: str) -> str:
    return f'<a href="#{anchor(where)}">{escape(where)}</a>' if where else ""
