"""What a receiver's answer means: delivered, to be repeated, or given up (semantics F)."""

from http import HTTPStatus

from wf_core.callbacks.retry_after import seconds
from wf_core.ports import Delivered, Receipt

_REPEATED = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


def judge(status: int, retry_after: str | None, *, ignore_not_found: bool, now: float) -> Receipt:
    """The receipt for an HTTP status; `retry_after` is the header as it came, `now` the time."""
    if 200 <= status < 300 or (status == HTTPStatus.NOT_FOUND and ignore_not_found):
        return Receipt(Delivered.DELIVERED)
    error = f"the receiver answered {status}{_phrase(status)}"
    if status in _REPEATED or status >= 500:
        return Receipt(Delivered.RETRY, error, seconds(retry_after, now))
    if 300 <= status < 400:
        error += "; redirects are not followed: name the final address in spec.callback.url"
    return Receipt(Delivered.DROPPED, error)


def _phrase(status: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    return f" {known[status]}" if status in known else ""
