"""JSON that is nested deeper than a decoder goes: taken apart without descending into it.

The API server takes objects 9,000 levels deep; decoders give up at about a thousand, even where
they only have to find the end of a value.
"""

import re

LEVELS = 200
"""Levels of an object that are read where the whole of it can't be: more than the schema has."""

# A text that never ends is one to the end of the document: else each quote in it begins another.
_MARKS = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)|[\[{\]}]', re.DOTALL)
_OPEN = b"[{"


def taken_apart(text: bytes, levels: int) -> tuple[bytes, list[bytes]]:
    """The document with every list and object below `levels` replaced by its number, and what was
    there, by number. Time is linear. What is no JSON stays none."""
    outside: list[bytes] = []
    inside: list[bytes] = []
    depth = begin = end = 0
    for mark in _MARKS.finditer(text):
        first = text[mark.start()]
        if first == 0x22:  # a text: brackets in it mean nothing
            continue
        if first in _OPEN:
            depth += 1
            if depth == levels + 1:
                begin = mark.start()
        else:
            if depth == levels + 1:
                outside += (text[end:begin], b"%d" % len(inside))
                end = mark.end()
                inside.append(text[begin:end])
            depth -= 1
    outside.append(text[end:])
    return b"".join(outside), inside


def shallow(text: bytes, levels: int = LEVELS) -> bytes:
    """The document as far as `levels` go."""
    return taken_apart(text, levels)[0]
