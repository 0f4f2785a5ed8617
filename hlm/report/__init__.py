"""The report of a study: what was asked and found, figures, tables, methods, provenance."""

__all__ = ["REPORT", "WORKFLOW_REPORT"]

REPORT = "report.html"
"""Its name in the study's folder of results."""

WORKFLOW_REPORT = "workflow-report.html"
"""The name of Snakemake's own report, made where it is asked for."""
