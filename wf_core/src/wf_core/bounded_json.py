"""Reading JSON that somebody else wrote: what it would cost is known before it is read.

A few bytes can stand for many: 1 MB of `[[],[],...` becomes 40 MB of Python's objects, and what is
nested deeply ends whatever walks over it. So depth and cost are told from the bytes alone, in one
pass, and only what keeps within both is decoded.
"""

import json
import re
from collections.abc import Iterator
from typing import Never

from wf_core.model.spec import Json

MAX_DEPTH = 64
"""How deep arrays and objects may be nested."""
MAX_COST = 16 * 1024 * 1024
"""Bytes of memory that the decoded document, its text included, may take."""

_CONTAINER = 240
_ITEM = 64
"""Bytes, at most, of an array or object by itself, and of each item or key with its slot."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class BadJsonError(ValueError):
    """It is no JSON, or more of it than is read; str() says what, to follow the document's name."""


def decode(content: bytes) -> Json:
    """The document in UTF-8. Raises BadJsonError, before anything is allocated for it."""
    _judge(content)
    try:
        found: Json = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise BadJsonError("is no JSON: it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise BadJsonError(f"is no JSON: {error}") from None
    return found


def cost(content: bytes) -> int:
    """Bytes of memory, at most, that the decoded document would take; where that is more than
    MAX_COST, any figure above it."""
    # One character beyond ASCII makes a whole text of Python's take up to four bytes each.
    wide = b"\\u" in content or not content.isascii()
    text = 2 * len(content) * (4 if wide else 1)
    total = text + _structure(content)
    if total <= MAX_COST or text > MAX_COST:
        return total
    # What stands in texts is no structure; few documents have to be looked at so closely.
    total = text
    for gap in _outside_strings(content):
        total += _structure(gap) or _ITEM
        if total > MAX_COST:
            break
    return total


def _structure(content: bytes) -> int:
    items = content.count(b",") + content.count(b":")
    return _CONTAINER * _containers(content) + _ITEM * items


def _containers(content: bytes) -> int:
    return content.count(b"[") + content.count(b"{")


def _outside_strings(content: bytes) -> Iterator[bytes]:
    """What stands between strings, one after the other: a copy without them would be made of as
    many pieces as there are strings, at fifty times the size."""
    end = 0
    for string in _STRING.finditer(content):
        yield content[end : string.start()]
        end = string.end()
    yield content[end:]


def _judge(content: bytes) -> None:
    if cost(content) > MAX_COST:
        raise BadJsonError(
            f"would take more than {MAX_COST >> 20} MiB of memory once read, more than is allowed: "
            "make it smaller"
        )
    if _containers(content) <= MAX_DEPTH:
        return
    depth = 0
    for gap in _outside_strings(content):
        for each in gap.translate(None, _NO_BRACKET):
            depth += 1 if each in b"[{" else -1
            if depth > MAX_DEPTH:
                raise BadJsonError(f"is nested more than {MAX_DEPTH} deep")


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON number")
