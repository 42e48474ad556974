"""Where in a step's parameters references enter otherwise than as text (semantics B5).

What a class declares is looked up along the document's own values, which hold references still.
"""

import functools
import typing
from typing import Any

import attrs

from wf_core.model.places import AFTER, CONTAINERS, REFERENCES, Place, Way
from wf_core.model.spec import Json
from wf_core.plugins.parameters.argv import shell_text
from wf_core.plugins.parameters.wire import ARRAYS, OBJECTS, is_union, origin_of, wired

Places = dict[Place, Way]
DECLARED = (Way.TEXT, Way.URL, Way.SHELL, Way.BRACES, CONTAINERS)
"""What a field may declare."""


def places(cls: type, parameters: dict[str, Json]) -> Places:
    """By place, what the fields of a parameter class declare."""
    found: Places = {}
    if declares(cls):
        _object(cls, parameters, (), found)
    return found


def undeclared(cls: type) -> list[str]:
    """What fields of the class itself declare that there is not, as `field: sentence`."""
    wrong = []
    names = {each.name for each in attrs.fields(cls)}
    for each in attrs.fields(cls):
        declared = each.metadata.get(REFERENCES, Way.TEXT)
        if declared not in DECLARED:
            wrong.append(f"{each.name}: references={declared!r} is none of {', '.join(DECLARED)}")
        if each.metadata.get(AFTER) not in (None, *names):
            wrong.append(f"{each.name}: after={each.metadata[AFTER]!r} is no field of the class")
    return wrong


@functools.cache
def declares(of: Any) -> bool:
    """Whether a type holds a field that declares something, however deep."""
    return _declares(of, ())


def _declares(of: Any, within: tuple[Any, ...]) -> bool:
    origin = origin_of(of)
    if of in within:
        return False
    if isinstance(origin, type) and attrs.has(origin):
        return any(
            each.metadata.get(REFERENCES, Way.TEXT) != Way.TEXT
            or _declares(each.type, (*within, of))
            for _, each in wired(origin)
        )
    return any(_declares(each, (*within, of)) for each in typing.get_args(of))


def _object(cls: Any, value: dict[str, Json], at: Place, found: Places) -> None:
    names = {each.name: name for name, each in wired(cls)}
    for name, each in wired(cls):
        if name not in value:
            continue
        declared = each.metadata.get(REFERENCES)
        if declared in (None, Way.TEXT):
            _typed(each.type, value[name], (*at, name), found)
        elif declared == CONTAINERS:
            _containers(value[name], (*at, name), found)
        elif declared == Way.SHELL:
            before = value.get(names[each.metadata[AFTER]]) if AFTER in each.metadata else None
            _command(value[name], before, (*at, name), found)
        else:
            _every(each.type, value[name], Way(declared), (*at, name), found)


def _typed(of: Any, value: Json, at: Place, found: Places) -> None:
    """A value whose own field declares nothing: what its type holds may."""
    if not declares(of):
        return
    origin, arguments = origin_of(of), typing.get_args(of)
    if isinstance(value, str):
        found[at] = Way.WHOLE
    elif is_union(of):
        for each in arguments:
            _typed(each, value, at, found)
    elif isinstance(origin, type) and attrs.has(origin):
        if isinstance(value, dict):
            _object(origin, value, at, found)
    elif origin in ARRAYS and isinstance(value, list):
        for n, each in enumerate(value):
            _typed(_item(origin, arguments, n), each, (*at, n), found)
    elif origin in OBJECTS and isinstance(value, dict):
        for key, each in value.items():
            _typed(arguments[1], each, (*at, key), found)


def _item(origin: Any, arguments: tuple[Any, ...], n: int) -> Any:
    """The type of the n-th item of an array."""
    fixed = origin is tuple and ... not in arguments
    return arguments[min(n, len(arguments) - 1)] if fixed else arguments[0]


def _every(of: Any, value: Json, way: Way, at: Place, found: Places) -> None:
    """Every text in a value; what a class of parameters decodes speaks for itself."""
    if isinstance(value, str):
        found[at] = way
    elif isinstance(value, dict):
        if (cls := _class_in(of)) is not None:
            _object(cls, value, at, found)
            return
        inner = _inner(of, OBJECTS, 1)
        for key, each in value.items():
            _every(inner, each, way, (*at, key), found)
    elif isinstance(value, list):
        inner = _inner(of, ARRAYS, 0)
        for n, each in enumerate(value):
            _every(inner, each, way, (*at, n), found)


def _class_in(of: Any) -> Any:
    members = typing.get_args(of) if is_union(of) else (of,)
    return next((each for each in members if attrs.has(each)), None)


def _inner(of: Any, origins: tuple[Any, ...], n: int) -> Any:
    """The type of what a map or a list holds, as far as it is said."""
    for each in typing.get_args(of) if is_union(of) else (of,):
        arguments = typing.get_args(each)
        if origin_of(each) in origins and len(arguments) > n:
            return arguments[n]
    return Any


def _command(value: Json, before: Json, at: Place, found: Places) -> None:
    """A text for a shell, or words; in words only what follows `sh -c` is a shell's."""
    if isinstance(value, str):
        found[at] = Way.SHELL if before is None else Way.WHOLE
    elif isinstance(value, list):
        ahead = before if isinstance(before, list) else []
        n = shell_text([*ahead, *value])
        if n is not None and n >= len(ahead):
            found[*at, n - len(ahead)] = Way.SHELL


def _containers(value: Json, at: Place, found: Places) -> None:
    """Objects as Kubernetes has them. A reference can stand in them for a text, not for all."""
    if isinstance(value, str):
        found[at] = Way.WHOLE
    elif isinstance(value, list):
        for n, each in enumerate(value):
            _containers(each, (*at, n), found)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("command", "args"):
                _command(each, value.get("command") if key == "args" else None, (*at, key), found)
            elif not isinstance(each, str):
                _containers(each, (*at, key), found)
