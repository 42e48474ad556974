"""Single values: text, numbers, booleans, paths, choices.

Strings are accepted for numbers and booleans, since documents of the API this project starts from
write them so.
"""

import math
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from wf_core.nearest import hint
from wf_core.plugins.parameters.wire import choices, is_enum, value_words


class WrongValue(ValueError):  # noqa: N818
    """A value is not what the class wants; `hint` is what to write instead, where that is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Unresolved(str):
    """A text of a document that holds a reference: its value is known when the step starts."""

    __slots__ = ()


class NotYetKnown(Exception):  # noqa: N818
    """A reference stands where something else than text is wanted: it can't be judged yet."""


def strict_text(value: object, _: Any = str) -> str:
    """Text, as a document must write it."""
    if isinstance(value, str):
        return value
    quoted = isinstance(value, int | float)
    raise WrongValue(f"give text, not {value_words(value)}", "put it in quotes" if quoted else "")


def text(value: object, _: Any = str) -> str:
    """Text, also from a number or boolean that a reference brought."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return strict_text(value)


def whole(value: object, _: Any = int) -> int:
    """A whole number; 1000.0 is one."""
    number = _parsed(value, "a whole number")
    if isinstance(number, float) and not number.is_integer():
        raise WrongValue(f"give a whole number, not {value_words(value)}")
    return int(number)


def number(value: object, _: Any = float) -> float:
    """A finite number."""
    return float(_parsed(value, "a number"))


def _parsed(value: object, wanted: str) -> int | float:
    wrong = WrongValue(f"give {wanted}, not {value_words(value)}")
    if isinstance(value, str) and "_" not in value:
        try:
            parsed: int | float = int(value)
        except ValueError:
            try:
                parsed = float(value)
            except ValueError:
                raise wrong from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        parsed = value
    else:
        raise wrong
    try:
        if math.isfinite(parsed):
            return parsed
    except OverflowError:  # a whole number beyond what a float holds
        pass
    raise wrong


def truth(value: object, _: Any = bool) -> bool:
    """True or false, or one of these words as text."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise WrongValue(f"give true or false, not {value_words(value)}")


def path(value: object, _: Any = Path) -> Path:
    """A path, from text."""
    return Path(strict_text(value))


def choice(value: object, of: Any) -> Any:
    """A member of an Enum, or a value of a Literal."""
    known = choices(of)
    for each in known:
        # True is no 1 here, though Python holds them equal.
        same = value == each and isinstance(value, bool) == isinstance(each, bool)
        if same or (isinstance(value, str) and not isinstance(each, str) and value == str(each)):
            return of(each) if is_enum(of) else each
    near = hint(value, [str(each) for each in known]) if isinstance(value, str) else ""
    listed = ", ".join(str(each) for each in known)
    raise WrongValue(f"give one of {listed}, not {value_words(value)}", near)


def hooks(*, strict: bool) -> dict[Any, Callable[[object, Any], Any]]:
    """How each scalar type is decoded. A `strict` one wants text where text is wanted."""
    return {
        str: strict_text if strict else text,
        int: whole,
        float: number,
        bool: truth,
        Path: path,
        Enum: choice,
    }
