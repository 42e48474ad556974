"""What the API server says: the status, the headers and the body of an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

_encode = msgspec.json.Encoder().encode
_REASONS = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@attrs.frozen
class Reply:
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


def failure(
    code: int,
    message: str,
    *,
    causes: Sequence[tuple[str, str]] = (),
    reason: str = "",
    after: int | None = None,
) -> Reply:
    """A `Status`; `causes` are fields and what is wrong with them, `after` the Retry-After."""
    details: dict[str, Any] = {}
    if causes:
        details["causes"] = [
            {"field": field, "reason": "FieldValueInvalid", "message": said}
            for field, said in causes
        ]
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason or _REASONS[code],
        "details": details,
        "code": code,
    }
    return Reply(code, _encode(status), {} if after is None else {"Retry-After": str(after)})
