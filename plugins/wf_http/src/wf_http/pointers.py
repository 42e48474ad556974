"""JSON pointers (RFC 6901)."""

import re
from typing import Any

_FORM = re.compile(r"(?:/(?:[^/~]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9]\d*")


def is_pointer(text: str) -> bool:
    """Whether a text is a JSON pointer."""
    return _FORM.fullmatch(text) is not None


def follow(pointer: str, document: Any) -> Any:
    """What stands there. Raises LookupError where nothing does."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not _INDEX.fullmatch(name):
                raise LookupError(pointer)
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(pointer)
    return document
