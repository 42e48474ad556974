"""Files <-> configuration. cattrs builds the values and collects what is wrong with them."""

import difflib
import functools
from collections import abc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import attrs
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from wf_core.config.nodes import Plain, Reading, read
from wf_core.config.values import Config, ShareBy, Strategy
from wf_core.errors import ConfigInvalid


def load(path: Path) -> Config:
    """As `wf_core.config.load`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigInvalid(
            f"{path}: no such file; create it, or leave it out to use the defaults"
        ) from None
    except OSError as error:
        raise ConfigInvalid(
            f"{path}: can't be read ({error.strerror}); make it a file this user may read"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{path}: is not UTF-8 text ({error.reason})") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Config:
    """As `wf_core.config.parse`."""
    reading = read(text)
    config = Config()
    # An empty file sets nothing.
    if reading.value is not None:
        try:
            config = _converter().structure(reading.value, Config)
        except (ClassValidationError, ValueError) as error:
            _collect(error, "$", reading)
        else:
            _check_kinds(config, reading)
    if reading.faults:
        ordered = sorted(reading.faults, key=lambda fault: (fault.line or 0, fault.column or 0))
        raise ConfigInvalid("\n".join(f"{source}: {fault}" for fault in ordered))
    return config


def to_document(config: Config) -> dict[str, object]:
    """As `wf_core.config.to_document`."""
    document: dict[str, object] = _converter().unstructure(config)
    return document


def _check_kinds(config: Config, reading: Reading) -> None:
    seen: dict[str, int] = {}
    for i, step in enumerate(config.controller_config.steps):
        first = seen.setdefault(step.kind, i)
        if first != i:
            path = f"$.controllerConfig.steps[{i}].kind"
            reading.fault(path, f"'{step.kind}' is limited by steps[{first}] already; keep one")


@functools.cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _structure(cls, converter))
    converter.register_unstructure_hook_factory(
        attrs.has, lambda cls: make_dict_unstructure_fn(cls, converter, **_renames(cls))
    )
    converter.register_structure_hook_factory(
        lambda kind: _is(kind, tuple), lambda kind: _sequence(kind, converter)
    )
    converter.register_structure_hook_factory(
        lambda kind: _is(kind, abc.Mapping), lambda kind: _table(kind, converter)
    )
    for words in (Strategy, ShareBy):
        converter.register_unstructure_hook(words, lambda word: word.value)
    converter.register_structure_hook(str, lambda value, _: _scalar(value))
    return converter


def _is(kind: Any, origin: object) -> bool:
    return get_origin(kind) is origin


def _structure(cls: type, converter: Converter) -> Callable[[Any, Any], Any]:
    build: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=True, **_renames(cls)
    )

    def structure(value: Plain, kind: type) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be a mapping of keys")
        return build(value, kind)

    return structure


def _renames(cls: type) -> dict[str, Any]:
    return {
        field.name: override(
            rename=field.metadata["wire"],
            struct_hook=functools.partial(_value, field) if "read" in field.metadata else None,
        )
        for field in attrs.fields(cls)
    }


def _value(field: "attrs.Attribute[Any]", value: Plain, _: object) -> object:
    """Read one value and check its bounds here, so that one bad field does not hide the next."""
    if value is None and field.default is None:
        return None
    text = _scalar(value)
    try:
        result = field.metadata["read"](text)
        if field.validator is not None:
            field.validator(None, field, result)
    except ValueError as error:
        raise ValueError(f"'{text}' {error}") from None
    return result


def _scalar(value: Plain) -> str:
    if value is None:
        raise ValueError("has no value; write one, or leave the key out for the default")
    if not isinstance(value, str):
        raise ValueError("must be a single value")
    return value


def _sequence(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    generic: Any = list  # the type is made at run time
    wanted = generic[get_args(kind)[0]]

    def structure(value: Plain, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return tuple(converter.structure(value, wanted))

    return structure


def _table(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    generic: Any = dict  # the type is made at run time
    wanted = generic[get_args(kind)]

    def structure(value: Plain, _: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("must be a mapping of keys")
        return converter.structure(value, wanted)

    return structure


def _collect(error: Exception, path: str, reading: Reading) -> None:
    """Note every fault in what cattrs raised."""
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.metadata["wire"] for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
            reading.fault(f"{path}.{key}", "unknown key", hint)
    elif isinstance(error, ClassValidationError | IterableValidationError):
        for inner in error.exceptions:
            _collect(inner, path + _way(inner, error), reading)
    elif isinstance(error, KeyError):
        reading.fault(path, "is missing")
    else:
        reading.fault(path, str(error))


def _way(inner: Exception, outer: ClassValidationError | IterableValidationError) -> str:
    """How the path goes on from `outer` to `inner`, as cattrs noted it."""
    noted = (AttributeValidationNote, IterableValidationNote)
    note = next((n for n in getattr(inner, "__notes__", ()) if isinstance(n, noted)), None)
    if isinstance(note, AttributeValidationNote):
        return f".{attrs.fields_dict(outer.cl)[note.name].metadata['wire']}"
    if note is None:
        return ""
    return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
