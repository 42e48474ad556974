"""What a pod's container said it made."""

import json
from typing import Never

from wf_core.model.spec import Json, Parameters

MARK = "WF_RESULT "
"""What begins the line of a log that holds the result."""

MOST_MESSAGE = 4096


class BadResultError(ValueError):
    """A result that looks like one and can't be used; str() is the sentence."""


def of_message(message: str) -> Parameters | None:
    """The attributes in a termination message; None where it holds some other text, or nothing."""
    text = message.strip()
    if not text.startswith("{"):
        return None
    hint = ""
    if len(message.encode()) >= MOST_MESSAGE:
        hint = f"; Kubernetes keeps {MOST_MESSAGE} bytes of it: say `resultFrom: log` for more"
    return _object(text, "what it left in $WF_RESULT", hint)


def of_log(text: str) -> Parameters | None:
    """The attributes in the last line of a log that begins with the mark; None without one."""
    lines = [line for line in text.splitlines() if line.startswith(MARK)]
    return _object(lines[-1].removeprefix(MARK), "its last line WF_RESULT", "") if lines else None


def _object(text: str, where: str, hint: str) -> Parameters:
    try:
        value: Json = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadResultError(f"{where} is no JSON: {error}{hint}") from error
    if not isinstance(value, dict):
        raise BadResultError(f"{where} must hold a JSON object, such as {{}}")
    return value


def _refuse_constant(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON number")
