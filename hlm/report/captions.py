"""Captions: one source, `workflow/report`, for this page and for Snakemake's own report."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from docutils.core import publish_parts
from jinja2 import Environment

from hlm.pipeline_files import pipeline_files
from hlm.plan.study_summary import summary

if TYPE_CHECKING:
    from hlm.plan import Plan

__all__ = ["Captions"]

_SETTINGS = {
    "_disable_config": True,  # no file of the user's changes how it is written
    "halt_level": 2,
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
}


@dataclass(frozen=True)
class Captions:
    """The captions of a study's figures and tables, as HTML.

    Attributes
    ----------
    plan : Plan
    """

    plan: Plan
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def html(self, name: str) -> str:
        """Return a caption, in the elements that a figure's caption may have.

        Parameters
        ----------
        name : str
            The file's in `workflow/report`, without its ending.
        """
        if not self._known:
            self._known.update(
                report=summary(self.plan),
                made=Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False),
            )
        text = (pipeline_files() / "workflow" / "report" / f"{name}.rst").read_text("utf-8")
        # As Snakemake gives it to its captions.
        snakemake = SimpleNamespace(config={"report": self._known["report"]})
        written = self._known["made"].from_string(text).render(snakemake=snakemake)
        parts = publish_parts(written, writer="html5", settings_overrides=_SETTINGS)
        return str(parts["fragment"]).strip()
