"""Names on the wire, and words for types and values in messages."""

import functools
import types
import typing
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import attrs

ARRAYS = (list, tuple, set, frozenset, Sequence, Set)
OBJECTS = (dict, Mapping)
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    Any: "any value",
    type(None): "nothing",
}
_SHOWN = 40


def wire_name(attribute: "attrs.Attribute[Any]") -> str:
    """`poll_after` is written `pollAfter`, `async_` is written `async`."""
    head, *rest = (attribute.alias or attribute.name).strip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@functools.cache
def wired(cls: type) -> "tuple[tuple[str, attrs.Attribute[Any]], ...]":
    """The parameters of a class with their wire names; text annotations are resolved. Kept: every
    step that begins asks for them."""
    origin: Any = typing.get_origin(cls) or cls
    resolved = attrs.resolve_types(origin, include_extras=False)
    return tuple((wire_name(each), each) for each in attrs.fields(resolved) if each.init)


def origin_of(of: Any) -> Any:
    """`list` for `list[str]`, and the type itself where it has no arguments."""
    return typing.get_origin(of) or of


def is_union(of: Any) -> bool:
    """Whether a type is `A | B` or Optional."""
    return typing.get_origin(of) in (typing.Union, types.UnionType)


def is_enum(of: Any) -> bool:
    """Whether a type is a class of choices."""
    return isinstance(of, type) and issubclass(of, Enum)


def is_choice(of: Any) -> bool:
    """Whether a type lists its values: a Literal or an Enum."""
    origin: Any = typing.get_origin(of)
    return is_enum(of) or origin is Literal


def choices(of: Any) -> list[Any]:
    """The values of a Literal or an Enum, as documents write them."""
    if is_enum(of):
        return [each.value for each in of]
    return [each.value if isinstance(each, Enum) else each for each in typing.get_args(of)]


def type_words(of: Any) -> str:
    """A type in words: `list of text`, `number or nothing`."""
    if is_union(of):
        return " or ".join(type_words(each) for each in typing.get_args(of))
    if is_choice(of):
        return "one of " + ", ".join(str(each) for each in choices(of))
    origin, arguments = origin_of(of), typing.get_args(of)
    if origin in ARRAYS:
        inner = [each for each in arguments if each is not ...]
        return "list of " + type_words(inner[0]) if len(set(inner)) == 1 else "list"
    if origin in OBJECTS:
        return "map of text to " + type_words(arguments[1]) if arguments else "map"
    if isinstance(origin, type) and attrs.has(origin):
        return "object"
    return _WORDS.get(of) or str(getattr(of, "__name__", of))


def value_words(value: object) -> str:
    """A wrong value in words; long text is cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value if len(value) <= _SHOWN else value[:_SHOWN] + '...'!r}"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    return f"{value}"[:_SHOWN]
