"""What a receiver's answer means: delivered, to be repeated, or given up (semantics F)."""

import math
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from wf_core.ports import Delivered, Receipt

MAX_RETRY_AFTER = 3600.0
"""A receiver may put us off for an hour at a time, in seconds."""

_REPEATED = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


def judge(status: int, retry_after: str | None, *, ignore_not_found: bool, now: float) -> Receipt:
    """The receipt for an HTTP status; `retry_after` is the header as it came, `now` the time."""
    if 200 <= status < 300 or (status == HTTPStatus.NOT_FOUND and ignore_not_found):
        return Receipt(Delivered.DELIVERED)
    error = f"the receiver answered {status}{_phrase(status)}"
    if status in _REPEATED or status >= 500:
        return Receipt(Delivered.RETRY, error, _seconds(retry_after, now))
    if 300 <= status < 400:
        error += "; redirects are not followed: name the final address in spec.callback.url"
    return Receipt(Delivered.DROPPED, error)


def _phrase(status: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    return f" {known[status]}" if status in known else ""


def _seconds(header: str | None, now: float) -> float | None:
    """Bounded seconds until a Retry-After (a number or a date); None where it makes no sense."""
    if header is None:
        return None
    text = header.strip()
    try:
        wait = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), MAX_RETRY_AFTER) if math.isfinite(wait) else MAX_RETRY_AFTER
