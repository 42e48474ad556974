"""A parameter class as people are shown it, and as JSON Schema (draft 2020-12)."""

import json
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from wf_core.model.places import REFERENCES
from wf_core.plugins.parameters.wire import (
    ARRAYS,
    OBJECTS,
    choices,
    is_choice,
    is_union,
    origin_of,
    type_words,
    wired,
)

Schema = dict[str, Any]
_JSON = (str, bool, int, float)
_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    # Strings are accepted for numbers and booleans, as in the API this project starts from.
    int: {"type": ["integer", "string"]},
    float: {"type": ["number", "string"]},
    bool: {"type": ["boolean", "string"]},
    Path: {"type": "string"},
    type(None): {"type": "null"},
}


def fields(cls: type) -> Iterator[tuple[str, str, str, bool, str, str]]:
    """(wire name, type in words, default as JSON, whether it is required, description, how
    references enter it)."""
    for name, each in wired(cls):
        known = _default(each)
        yield (
            name,
            type_words(each.type),
            json.dumps(known[0], ensure_ascii=False) if known else "",
            each.default is attrs.NOTHING,
            _description(each),
            str(each.metadata.get(REFERENCES, "")),
        )


def schema(cls: type) -> Schema:
    """The schema of a parameter class, nested ones included."""
    return _object(cls, ())


def _object(cls: Any, within: tuple[Any, ...]) -> Schema:
    properties, required = {}, []
    for name, each in wired(cls):
        property_ = _schema(each.type, (*within, cls))
        if description := _description(each):
            property_["description"] = description
        if known := _default(each):
            property_["default"] = known[0]
        properties[name] = property_
        if each.default is attrs.NOTHING:
            required.append(name)
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _schema(of: Any, within: tuple[Any, ...]) -> Schema:
    if of in _SCALARS:
        return dict(_SCALARS[of])
    if is_choice(of):
        return {"enum": _written(choices(of))}
    if is_union(of):
        return {"anyOf": [_schema(each, within) for each in typing.get_args(of)]}
    origin, arguments = origin_of(of), typing.get_args(of)
    if origin in ARRAYS:
        return _array(origin, arguments, within)
    if origin in OBJECTS:
        inner = _schema(arguments[1], within) if arguments else {}
        return {"type": "object", "additionalProperties": inner or True}
    if isinstance(origin, type) and attrs.has(origin):
        # A class that holds itself is described once; deeper down it is any object.
        return {"type": "object"} if of in within else _object(of, within)
    return {}


def _array(origin: Any, arguments: tuple[Any, ...], within: tuple[Any, ...]) -> Schema:
    if origin is tuple and arguments and ... not in arguments:
        items = [_schema(each, within) for each in arguments]
        n = len(items)
        return {"type": "array", "prefixItems": items, "minItems": n, "maxItems": n}
    return {"type": "array", "items": _schema(arguments[0], within) if arguments else {}}


def _written(values: list[Any]) -> list[Any]:
    """Choices that are no text may be written as text too."""
    return [*values, *(str(each) for each in values if not isinstance(each, str))]


def _description(attribute: "attrs.Attribute[Any]") -> str:
    return str(attribute.metadata.get("description", ""))


def _default(attribute: "attrs.Attribute[Any]") -> tuple[Any] | None:
    """The default as JSON, in a tuple; None where there is none, or it depends on other fields."""
    value: Any = attribute.default
    if value is attrs.NOTHING:
        return None
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        if value.takes_self:
            return None
        value = value.factory()
    return (plain(value),)


def plain(value: Any) -> Any:
    """A decoded value as a document would write it."""
    if value is None or type(value) in _JSON:
        return value
    cls: type = type(value)
    if attrs.has(cls):
        return {name: plain(getattr(value, each.name)) for name, each in wired(cls)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(each) for each in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | bool | int | float) else str(value)


def unwritable(value: Any) -> str | None:
    """The type of what in a default no document could write, so that no undo could be told of it;
    None where there is nothing of the kind."""
    cls: type = type(value)
    if value is None or cls in _JSON or isinstance(value, Enum | Path | str | int | float):
        return None
    if attrs.has(cls):
        parts = [getattr(value, each.name) for each in attrs.fields(cls) if each.init]
    elif isinstance(value, Mapping):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    else:
        return cls.__name__
    return next((found for part in parts if (found := unwritable(part))), None)
