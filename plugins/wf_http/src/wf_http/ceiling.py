"""How much of an answer the operator lets any step read, whatever its document asks for.

A new document that asks for more is refused. What is stored already goes on, and reads that much.
"""

import os

VARIABLE = "WF_HTTP_MAX_RESPONSE_BYTES"
USUAL = 4 * 1024 * 1024
"""Where the operator says nothing: for thirty hooks at once it is a sixth of the chart's memory."""


def ceiling() -> int:
    """Bytes. Raises ValueError where the operator's variable holds no such number."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return USUAL
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text)):
        raise ValueError(f"{VARIABLE} is {text[:40]!r}; give it a number of bytes, 1 or more")
    return int(text)
