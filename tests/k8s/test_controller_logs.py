"""Each line of a controller's log is one JSON object."""

import json
import logging
from typing import Any

from wf_core.model.spec import Key
from wf_k8s.telemetry.logs import JsonFormatter


def formatted(message: str, *arguments: object, error: BaseException | None = None) -> Any:
    """What becomes of a record."""
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("wf.k8s", logging.WARNING, "f", 1, message, arguments, info)
    record.created = 1_800_000_000.25
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_says_when_who_and_what() -> None:
    assert formatted("it is %s", "late") == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "warning",
        "logger": "wf.k8s",
        "message": "it is late",
    }


def test_a_line_about_a_workflow_names_it_in_full() -> None:
    assert formatted("%s: stuck", Key("default", "order"))["workflow"] == "default/order"


def test_several_lines_and_a_traceback_stay_one_line() -> None:
    told = formatted("one\ntwo", error=ValueError("bad"))
    assert told["message"] == "one\ntwo"
    assert "ValueError: bad" in told["error"]
