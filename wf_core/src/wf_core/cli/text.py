"""Times and foreign text as people read them in a terminal."""

import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def clock(at: float) -> str:
    """The local time of day."""
    return datetime.datetime.fromtimestamp(at).strftime("%H:%M:%S")


def stamp(at: float) -> str:
    """The local date and time of day."""
    return datetime.datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def zoned(at: float) -> str:
    """As RFC 3339 in UTC, for programs: a local time without its zone means nothing elsewhere."""
    from wf_core.codec.writing import rfc3339  # the codec brings YAML along

    return rfc3339(at)


def duration(seconds: float) -> str:
    """`0.4s`, `12s`, `3m05s`, `2h10m` or `4d03h`; never negative."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def one_line(text: str) -> str:
    """Text of a hook on one line, without what would steer the terminal."""
    return inert(" ".join(text.split()))


def inert(line: str) -> str:
    """A line of foreign text without what would steer the terminal; tabs stay."""
    return "".join(
        each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in line
    )


def shortened(line: str, most: int) -> str:
    """At most that many letters; what is cut shows as `...`."""
    return line if len(line) <= most else line[: most - 3] + "..."


def plural(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
