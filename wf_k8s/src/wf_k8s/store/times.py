"""Kubernetes' times and the model's."""

import datetime

LATEST = 253402300799.0
"""The last second of the year 9999, as epoch seconds: no time is written that is later."""


def rfc3339(at: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the microsecond where there is a fraction. What is no
    time of ours (somebody wrote it into a status) becomes the nearest that can be written."""
    when = datetime.datetime.fromtimestamp(min(max(at, 0.0), LATEST), datetime.UTC)
    return when.isoformat().replace("+00:00", "Z")


def whole_seconds(at: float) -> str:
    """The same in whole seconds, as `metav1.Time` has them."""
    return rfc3339(float(int(at)))


def micro_time(at: float) -> str:
    """The same with six digits, as `metav1.MicroTime` wants them."""
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def epoch_seconds(text: str) -> float:
    """RFC 3339 to epoch seconds. Raises ValueError."""
    return datetime.datetime.fromisoformat(text).timestamp()
