"""What can be a header. Apart from `building`, which brings what speaks HTTP along."""

import re

OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that follow from the request, and can't be given."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


def is_header(name: str) -> bool:
    """Whether it can be the name of a header."""
    return _NAME.fullmatch(name) is not None


def is_value(text: str) -> bool:
    """Whether a header can hold it: printable ASCII."""
    return _VALUE.fullmatch(text) is not None
