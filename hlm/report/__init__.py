"""The report of a study: what was asked and found, figures, tables, methods, provenance."""
