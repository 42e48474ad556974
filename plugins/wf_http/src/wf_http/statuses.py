"""Lists of HTTP statuses: `404`, `4xx`, `500-504`; and what a status means by itself."""

import re
from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus

from wf_http.parameters import Request

_FORM = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.IGNORECASE)
_NOT_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_NEVER = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})
_PERHAPS = frozenset({HTTPStatus.REQUEST_TIMEOUT, 499})
"""Given up by what stands before the service: 499 is a proxy's word for that."""
_BUSY = frozenset({HTTPStatus.CONFLICT, HTTPStatus.LOCKED})
_SAFE = frozenset({"GET", "HEAD"})
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_PHRASES = {each.value: each.phrase for each in HTTPStatus}


class Weight(Enum):
    """What a status means for the attempt."""

    SUCCESS = "success"
    RETRYABLE = "retryable"
    THROTTLED = "throttled"
    FATAL = "fatal"


def numbers(text: int | str) -> range | None:
    """The statuses that one item of a list names; None where it is misspelt."""
    match = _FORM.fullmatch(str(text))
    if match is None:
        return None
    if match[1]:
        return range(int(match[1]) * 100, int(match[1]) * 100 + 100)
    first = int(match[2])
    return range(first, int(match[3] or first) + 1) or None


def listed(status: int, items: Iterable[int | str]) -> bool:
    """Whether a list names the status."""
    return any(status in (numbers(item) or ()) for item in items)


def weigh(request: Request, status: int, *, undoes: bool, repeated: bool) -> Weight:
    """What `status` means: by the request's own lists, then by itself.

    `undoes`: what is gone is undone, and what is busy may be undone later. `repeated`: the same
    request was sent before, so that a conflict may be with that one, still under way.
    """
    for weight, items in (
        (Weight.SUCCESS, request.success),
        (Weight.FATAL, request.fatal),
        (Weight.RETRYABLE, request.retryable),
    ):
        if listed(status, items):
            return weight
    done = 200 <= status < 300 or (status == HTTPStatus.SEE_OTHER and request.method not in _SAFE)
    if done or (undoes and status in GONE):
        return Weight.SUCCESS
    if status in _NOT_NOW:
        return Weight.THROTTLED
    if status in _AGAIN or (status >= 500 and status not in _NEVER):
        return Weight.RETRYABLE
    if status in _BUSY and (undoes or repeated):
        return Weight.RETRYABLE
    return Weight.FATAL


def certain(status: int) -> bool:
    """Whether a status says for sure that the request had no effect, whatever lists make of it.

    No redirect does: many a service does what it was asked and then sends its client elsewhere. Nor
    does 503: a proxy such as Envoy also says it when it passed the request on and the service broke
    off before it answered.
    """
    return status in _NEVER or (400 <= status < 500 and status not in _PERHAPS)


def words(status: int) -> str:
    """The status with its phrase, such as `404 Not Found`."""
    return f"{status} {_PHRASES[status]}" if status in _PHRASES else str(status)
