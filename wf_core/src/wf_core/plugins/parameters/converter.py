"""The cattrs converter for parameter classes, made when it is first needed.

cattrs generates a function for each class at the first decoding of it; errors are collected, not
raised one by one.
"""

import functools
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

import attrs
from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory, override

from wf_core.plugins.parameters import scalars
from wf_core.plugins.parameters.scalars import NotYetKnown, Unresolved, WrongValue
from wf_core.plugins.parameters.wire import (
    ARRAYS,
    OBJECTS,
    is_choice,
    is_union,
    origin_of,
    type_words,
    value_words,
    wired,
)

Decode = Callable[[Any, Any], Any]  # a value of a document, a type: a value of that type


@functools.cache
def converter(*, strict: bool) -> Converter:
    """The converter. A `strict` one wants text for text; the other takes numbers for it too."""
    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    hooks = scalars.hooks(strict=strict)
    for of, hook in hooks.items():
        made.register_structure_hook(of, _known(_exactly(hook), holds_text=issubclass(of, str)))
    made.register_structure_hook_factory(lambda of: origin_of(of) in OBJECTS, _mapping)
    made.register_structure_hook_factory(lambda of: origin_of(of) in ARRAYS, _array)
    made.register_structure_hook_factory(is_choice, lambda _: _known(scalars.choice))
    made.register_structure_hook_factory(is_union, _union)
    made.register_structure_hook_factory(
        lambda of: isinstance(origin_of(of), type) and attrs.has(origin_of(of)), _class
    )
    return made


def _known(decode: Decode, *, holds_text: bool = False) -> Decode:
    """Let a reference stand where text is wanted, and give up judging where it is not."""

    def decode_known(value: Any, of: Any) -> Any:
        if type(value) is Unresolved:
            if holds_text and of is str:
                return value
            raise NotYetKnown
        return decode(value, of)

    return decode_known


def _exactly(decode: Decode) -> Decode:
    """cattrs hands a hook the subclasses of its type too; a StrEnum is a str and a choice."""

    def decode_exactly(value: Any, of: Any) -> Any:
        if isinstance(of, type) and issubclass(of, Enum):
            return scalars.choice(value, of)
        return decode(value, of)

    return decode_exactly


def _wants(kinds: tuple[type, ...], words: str, decode: Decode) -> Decode:
    def decode_wanted(value: Any, of: Any) -> Any:
        if not isinstance(value, kinds):
            raise WrongValue(f"give {words}, not {value_words(value)}")
        return decode(value, of)

    return _known(decode_wanted)


def _class(of: Any, made: Converter) -> Decode:
    # Any: mypy takes the overrides for the factory's own keywords.
    names: dict[str, Any] = {each.name: override(rename=name) for name, each in wired(of)}
    decode = make_dict_structure_fn(
        of,
        made,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **names,
    )
    return _wants((dict,), "an object", decode)


def _mapping(of: Any, made: Converter) -> Decode:
    return _wants((dict,), "an object", mapping_structure_factory(of, made))


def _array(of: Any, made: Converter) -> Decode:
    origin: Any = origin_of(of)
    build = origin if origin in (tuple, set, frozenset) else list
    arguments = typing.get_args(of) or (Any,)
    if origin is tuple and ... not in arguments and typing.get_args(of):
        return _wants((list, tuple), "a list", _fixed(arguments, made))
    inner = _late(arguments[0], made)

    def decode(value: Any, _: Any) -> Any:
        return build(_each(value, [(inner, arguments[0])] * len(value), of))

    return _wants((list, tuple), "a list", decode)


def _fixed(types: tuple[Any, ...], made: Converter) -> Decode:
    hooks = [(_late(each, made), each) for each in types]

    def decode(value: Any, of: Any) -> Any:
        if len(value) != len(hooks):
            raise WrongValue(f"give a list of {len(hooks)}, not of {len(value)}")
        return tuple(_each(value, hooks, of))

    return decode


def _late(of: Any, made: Converter) -> Decode:
    """The hook of a type; looked up at each value where a class holds itself."""
    try:
        return made.get_structure_hook(of)
    except RecursionError:
        return made.structure


def _each(values: Any, hooks: list[tuple[Decode, Any]], of: Any) -> list[Any]:
    """Decode every item, and raise all errors together with their places, as cattrs does."""
    decoded, errors = [], []
    for n, (value, (hook, each)) in enumerate(zip(values, hooks, strict=True)):
        try:
            decoded.append(hook(value, each))
        except Exception as error:
            error.add_note(IterableValidationNote(f"item {n}", n, each))
            errors.append(error)
    if errors:
        raise IterableValidationError("items are wrong", errors, of)
    return decoded


def _union(of: Any, made: Converter) -> Decode:
    """The member whose form the value has; else, for text, one that text can be turned into."""
    members = [each for each in typing.get_args(of) if each is not type(None)]
    optional = len(members) < len(typing.get_args(of))
    hooks = [(each, _late(each, made)) for each in members]

    def decode(value: Any, _: Any) -> Any:
        if value is None and optional:
            return None
        if len(hooks) == 1:
            return hooks[0][1](value, hooks[0][0])
        fitting = [each for each in hooks if _fits(value, each[0])]
        if len(fitting) == 1:
            return fitting[0][1](value, fitting[0][0])
        return _first(value, fitting or hooks, of)

    return decode


def _fits(value: Any, of: Any) -> bool:
    """Whether a value has the form of a type, whatever is in it."""
    origin = origin_of(of)
    if isinstance(value, str):
        return origin is str
    if isinstance(value, bool):
        return origin is bool
    if isinstance(value, int):
        return origin in (int, float)
    if isinstance(value, float):
        return origin is float
    if isinstance(value, list | tuple):
        return origin in ARRAYS
    is_class = isinstance(origin, type) and attrs.has(origin)
    return isinstance(value, dict) and (origin in OBJECTS or is_class)


def _first(value: Any, hooks: list[tuple[Any, Decode]], of: Any) -> Any:
    unknown = None
    for each, hook in hooks:
        try:
            return hook(value, each)
        except NotYetKnown as error:
            unknown = error
        except Exception:  # another member may fit; what is wanted is said below  # nosec B112
            continue
    if unknown is not None:
        raise unknown
    raise WrongValue(f"give {type_words(of)}, not {value_words(value)}")
