"""What a plain scalar means: as kubectl reads it (semantics C9).

kubectl turns YAML into JSON with rules of YAML 1.1 that differ from PyYAML's: `y` is true, `1e3`
and `08` are numbers, while `12:30:45` and `2026-01-01` stay text. A whole number written with a
point or an exponent is written to JSON without it, so `1e3` and `1000` are one value.
"""

import math
import re

from wf_core.model.spec import Json

MAX_WHOLE = 2**53
"""Beyond this a JSON reader that uses doubles loses digits."""

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_FIRST = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DIGITS = 30
_BINARY_DIGITS = 64


def resolve(text: str) -> Json:
    """The value of an unquoted scalar: null, a boolean, a number or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST:
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if _DECIMAL.fullmatch(plain):
        # More digits than any whole number we accept: the first ones are enough to refuse it.
        return int(plain[:_DIGITS])
    if based := _BASED.fullmatch(plain):
        return _based(based)
    if _FLOAT.fullmatch(plain):
        return _without_point(float(plain))
    return text


def _based(match: re.Match[str]) -> int:
    sign, *digits = match.groups()
    base, found = next((b, d) for b, d in zip((16, 2, 8, 8), digits, strict=True) if d)
    # As above: of a number that is refused, no more is made than shows it.
    value = int(found.lstrip("0")[:_BINARY_DIGITS] or "0", base)
    return -value if sign == "-" else value


def _without_point(number: float) -> float | int:
    """A whole number as JSON writes it; beyond `MAX_WHOLE` it stays what it was written as."""
    return int(number) if number.is_integer() and abs(number) <= MAX_WHOLE else number


def problem(value: Json) -> str | None:
    """Why a scalar can't be stored, or None."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number; JSON has no way to write it"
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        return f"is a whole number beyond {MAX_WHOLE} (2^53), which loses digits; put it in quotes"
    return None
