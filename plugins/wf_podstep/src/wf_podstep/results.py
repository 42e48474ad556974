"""What a pod's container said it made."""

from wf_core import bounded_json
from wf_core.model.spec import Parameters

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
    # Found from its end, since a log of many short lines takes twenty times its size as a list.
    before = f"\n{text}"
    begins = max(before.rfind(f"\n{MARK}"), before.rfind(f"\r{MARK}"))
    if begins < 0:
        return None
    line = text[begins + len(MARK) :].partition("\n")[0].partition("\r")[0]
    return _object(line, "its last line WF_RESULT", "")


def _object(text: str, where: str, hint: str) -> Parameters:
    try:
        value = bounded_json.decode(text.encode("utf-8", "replace"))
    except bounded_json.BadJsonError as error:
        raise BadResultError(f"{where} {error}{hint}") from error
    if not isinstance(value, dict):
        raise BadResultError(f"{where} must hold a JSON object, such as {{}}")
    return value
