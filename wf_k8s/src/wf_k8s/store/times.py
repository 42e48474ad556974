"""Kubernetes' times and the model's."""

import datetime


def rfc3339(at: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the microsecond where there is a fraction."""
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
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
