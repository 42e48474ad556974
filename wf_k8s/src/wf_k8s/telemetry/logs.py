"""Logs as JSON, one object a line."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from wf_core.model.spec import Key


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`; `workflow` where the record is about one; `error` with
    the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        arguments = record.args if isinstance(record.args, tuple) else ()
        about = next((each for each in arguments if isinstance(each, Key)), None)
        if about is not None:
            line["workflow"] = f"{about.namespace}/{about.name}"
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def use_json(*, debug: bool, stream: TextIO | None = None) -> None:
    """From now on everything that is logged goes to `stream` (standard error) as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for each in list(root.handlers):
        root.removeHandler(each)
    root.addHandler(handler)
    logging.getLogger("wf").setLevel(logging.DEBUG if debug else logging.INFO)
