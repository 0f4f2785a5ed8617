"""The report of a study: one page about its results, which needs no network and no other file."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from hlm.describe import record, to_html
from hlm.describe.marked import said_by_user
from hlm.describe.written_as import section_to_html
from hlm.disk import write_text
from hlm.plan.report import EXPLORER, planned_figures
from hlm.report import REPORT
from hlm.report.captions import Captions
from hlm.report.found import findings
from hlm.report.picture_parts import Pictures, figures_html, folded_table, tables_html
from hlm.report.study_parts import (
    checklist_html,
    done_html,
    files_html,
    findings_html,
    origin_html,
)
from hlm.results.shown import attempt
from hlm.study.about_study import about_of
from hlm.tables.page import fragment_of, study_page
from hlm.words.assumptions import ASSUMPTIONS
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.describe import Record
    from hlm.plan import Plan

__all__ = ["write_report"]

AIMS, SOFTWARE = "Aims", "Software and reproduction"
_HERE = Path(__file__).parent


def write_report(
    plan: Plan, folder: str | Path, *, audited: bool = False, strict: bool = False
) -> Path:
    """Write the report of a study into its folder of results, and return its path.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results, with its summaries, figures and tables.
    audited : bool
        Whether a sample was fitted by another program.
    strict : bool
        Raise what may be a fault of the program, where else a sentence stands for a part.
    """
    folder = Path(folder)
    path = folder / REPORT
    write_text(path, _page(plan, folder, audited=audited, strict=strict))
    return path


def _page(plan: Plan, folder: Path, *, audited: bool, strict: bool) -> str:
    captions, said = Captions(plan), record(plan, folder)
    study = f"{plan.study}.yaml"

    def part(make: Callable[[], str]) -> str:
        return attempt(make, lambda why: f"<p>This part {escape(why)}</p>", strict=strict)

    parts: dict[str, Callable[[], str]] = {
        "aims": lambda: _aims(said),
        "done": lambda: done_html(plan),
        "found": lambda: _found(plan, folder, strict=strict),
        "figures": lambda: figures_html(plan, folder, captions, Pictures(), strict=strict),
        "tables": lambda: tables_html(plan, folder, captions, strict=strict),
        "further": lambda: _further(folder, captions, audited=audited),
        "methods": lambda: _methods(said),
        "software": lambda: section_to_html(said.section(SOFTWARE)),
        "origin": lambda: origin_html(plan, folder, study),
        "files": lambda: files_html(plan, audited=audited),
        "checklist": lambda: checklist_html(plan, folder),
        "file": lambda: fragment_of(study_page(plan.text, plan.study)),
    }
    by = " · ".join(filter(None, [f"Study {plan.study}", ", ".join(said.authors), said.date]))
    return Template(_read("report.html")).substitute(
        title=escape(said.title),
        by=escape(by),
        explorer=EXPLORER,
        style=_read("report.css"),
        script=_read("report.js"),
        reading=escape(_reading(plan)),
        **{name: part(make) for name, make in parts.items()},
    )


def _aims(said: Record) -> str:
    """Write what is asked: the record's section on it, below the page's own heading."""
    return section_to_html(said.section(AIMS)).partition("</h3>")[2]


def _found(plan: Plan, folder: Path, *, strict: bool) -> str:
    about = about_of(plan.text)
    primary = [said_by_user(name) for name in about.primary]
    found = findings(plan, folder, primary=primary, strict=strict)
    return findings_html(found, [figure.name for figure in planned_figures(plan)])


def _reading(plan: Plan) -> str:
    """Say how findings are to be read."""
    violated = any(ASSUMPTIONS in levels for levels in plan.levels)
    of = "Findings on bias, coverage, size and power are on the nominal scenarios. " * violated
    return (
        "MCSE is the Monte Carlo standard error: how far the study's own chance may have moved a "
        "number. An estimator without fault leaves a band of 1.96 MCSEs in 5% of cases; as cases "
        "share data sets, their number may well be further from that than if they did not. "
        f"{of}Tests of the intercept are left out where other terms are "
        f"tested. Measures rest on {POLICIES[plan.policies[0]]}."
    )


def _methods(said: Record) -> str:
    """Write the record but for what stands elsewhere on the page."""
    own = tuple(one for one in said.sections if one.title not in (AIMS, SOFTWARE))
    return to_html(replace(said, sections=own))


def _further(folder: Path, captions: Captions, *, audited: bool) -> str:
    """Write the points of the grid, and the audit if there was one."""
    parts = [
        folded_table(
            "scenarios",
            "Points of the grid",
            folder / "scenarios.html",
            caption=captions.html("scenarios"),
            files=["scenarios.csv"],
        )
    ]
    if audited:
        parts.append(
            folded_table(
                "audit",
                "Audit",
                folder / "audit.html",
                caption=captions.html("audit"),
                files=["audit.csv"],
            )
        )
    return "\n".join(parts)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
