"""What a run of Snakemake does, told to the program that started it: one line of JSON each.

{"rule": "fit"}                     a job of this rule begins
{"error_of_job": "Error in ..."}    a job has failed; with its log, if the profile says so
{"error": "WorkflowError: ..."}     Snakemake itself cannot go on
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

__all__ = ["LogHandler", "LogHandlerSettings"]

TEXTS = {
    LogEvent.JOB_ERROR: "error_of_job",
    LogEvent.GROUP_ERROR: "error_of_job",
    LogEvent.ERROR: "error",
}


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """The one option of this plugin, `--logger-hlm-events`."""

    events: int | None = field(
        default=None,
        metadata={"help": "The open file to write to, by its descriptor.", "type": int},
    )


class LogHandler(LogHandlerBase):
    """Writes the lines to the open file that `hlm run` gives it."""

    writes_to_stream = False
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    settings: LogHandlerSettings

    def emit(self, record: LogRecord) -> None:
        """Tell what matters, and go on if nobody listens any more."""
        told = self._told(record)
        if told and self.settings.events is not None:
            with suppress(OSError):
                os.write(self.settings.events, f"{json.dumps(told)}\n".encode())

    def _told(self, record: LogRecord) -> dict[str, str]:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            return {"rule": vars(record)["rule_name"]}
        return {TEXTS[event]: self.format(record)} if event in TEXTS else {}
