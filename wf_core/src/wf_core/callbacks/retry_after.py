"""The header Retry-After: how long a server puts us off."""

import math
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = 3600.0
"""A server may put us off for an hour at a time, in seconds."""


def seconds(header: str | None, now: float) -> float | None:
    """Bounded seconds until a Retry-After (a number or a date) at `now` (epoch seconds).

    None where there is no header, or it makes no sense.
    """
    if header is None:
        return None
    text = header.strip()
    try:
        wait = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), MAX_RETRY_AFTER) if math.isfinite(wait) else MAX_RETRY_AFTER
