"""Reading what the API server says besides objects: `Status` bodies and Retry-After."""

from collections.abc import Mapping

import msgspec

from wf_k8s.client.errors import Cause, GoneError, RefusedError
from wf_k8s.client.nested import shallow

LONGEST_WAIT = 300.0
"""Seconds that Retry-After is believed at most."""


class _Cause(msgspec.Struct):
    field: str = ""
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] | None = None
    retryAfterSeconds: float | None = None  # noqa: N815


class _Status(msgspec.Struct):
    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: _Details | None = None


_decoder = msgspec.json.Decoder(_Status)
_json = msgspec.json.Decoder(msgspec.Raw)


def refusal(
    what: str, code: int, body: bytes, headers: Mapping[str, str] | None = None
) -> RefusedError | GoneError:
    """The error of an answer with an error status, or of an ERROR event (`code` 0: the body's).

    A body that is no Status (a proxy's page, half an answer) is shown as it is, cut short.
    """
    try:
        status = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:200].decode("utf-8", "replace").strip()
        status = _Status(message=text)
    code = code or status.code or 500
    message = status.message or status.reason or "no reason was given"
    if code == 410 or status.reason in ("Expired", "Gone"):
        return GoneError(f"{what}: {message}")
    causes = (status.details.causes if status.details else None) or ()
    return RefusedError(
        code,
        status.reason,
        message,
        what=what,
        causes=[Cause(each.field, each.reason, each.message) for each in causes],
        after=retry_after(headers or {}, status.details.retryAfterSeconds if status.details else 0),
    )


def whole(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether all of an answer came. Where neither header tells its length, it ends with the
    connection, and half of it looks like all of it to whoever does not read the JSON."""
    if "Content-Length" in headers or "Transfer-Encoding" in headers:
        return True
    try:
        try:
            _json.decode(body)
        except RecursionError:
            _json.decode(shallow(body))
    except msgspec.DecodeError:
        return False
    return True


def retry_after(headers: Mapping[str, str], said: float | None = None) -> float | None:
    """Seconds to wait, from the header or else the body; None where neither says a number."""
    header = headers.get("Retry-After", "")
    seconds = float(header) if header.isdigit() else said
    return min(seconds, LONGEST_WAIT) if seconds else None
