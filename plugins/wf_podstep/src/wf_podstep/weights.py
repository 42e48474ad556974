"""What a failure counts."""

from enum import StrEnum


class Weight(StrEnum):
    """Fatal: no retry helps. Counted: against the retry limit. Ignored: another pod takes its
    place in the same attempt."""

    FATAL = "Fatal"
    COUNTED = "Counted"
    IGNORED = "Ignored"
