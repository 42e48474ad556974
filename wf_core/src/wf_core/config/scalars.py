"""What is written in one place of the configuration: text in, value out.

Every reader takes the text of the file, quoted or not, and raises ValueError with what it wants
instead, as the end of a sentence that begins with the value.
"""

import re
from enum import StrEnum
from typing import TypeVar

Choice = TypeVar("Choice", bound=StrEnum)

_WHOLE = re.compile(r"[-+]?[0-9]{1,15}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?=.)" + "".join(rf"(?:([0-9]+(?:\.[0-9]+)?){unit})?" for unit in _UNITS))


def text(value: str) -> str:
    """Any text but none."""
    if not value:
        raise ValueError("is empty")
    return value


def whole(value: str) -> int:
    """A whole number."""
    if not _WHOLE.fullmatch(value):
        raise ValueError("is not a whole number")
    return int(value)


def number(value: str) -> float:
    """A number."""
    if not _NUMBER.fullmatch(value):
        raise ValueError("is not a number")
    return float(value)


def truth(value: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return value == "true"


def seconds(value: str) -> float:
    """A duration in seconds: a number, or days, hours, minutes, seconds and milliseconds in that
    order.

    >>> seconds("1h30m"), seconds("500ms"), seconds("20"), seconds("7d")
    (5400.0, 0.5, 20.0, 604800.0)
    """
    if _NUMBER.fullmatch(value):
        return float(value)
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("is not a duration such as 90, 90s, 1h30m or 500ms")
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    return sum(float(amount) * unit for amount, unit in parts if amount)


def one_of(choices: type[Choice], value: str) -> Choice:
    """One of a few words."""
    try:
        return choices(value)
    except ValueError:
        raise ValueError(f"is none of {', '.join(choices)}") from None
