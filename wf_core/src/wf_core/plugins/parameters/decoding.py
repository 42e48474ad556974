"""Decoding, with every error turned into a fault that says where and what to do."""

from collections.abc import Iterator
from typing import Any

from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from wf_core.errors import Fault
from wf_core.model.spec import Parameters
from wf_core.nearest import hint
from wf_core.plugins.parameters.converter import converter
from wf_core.plugins.parameters.invalid import AUTHOR, ParametersInvalid
from wf_core.plugins.parameters.scalars import NotYetKnown, WrongValue
from wf_core.plugins.parameters.wire import type_words, wired


def decode(cls: type, parameters: Parameters, identity: str) -> object:
    """An instance of `cls`; raises ParametersInvalid with every fault."""
    return structure(cls, parameters, identity, strict=False)


def structure(cls: type, parameters: Parameters, identity: str, *, strict: bool) -> object:
    """As `decode`. ParametersInvalid has no fault where only references stand in the way."""
    try:
        hook = converter(strict=strict).get_structure_hook(cls)
    except Exception as error:  # an annotation that can't be resolved, a type nobody can decode
        raise ParametersInvalid(
            [
                Fault(
                    "$",
                    f"the parameter class {cls.__name__} of {identity} can't be used: "
                    f"{type(error).__name__}: {error}",
                    hint=AUTHOR,
                )
            ]
        ) from error
    try:
        return hook(parameters, cls)
    except Exception as error:  # cattrs raises whatever an attrs validator or converter raised
        raise ParametersInvalid(list(_faults(error, "$"))) from error


def _faults(error: BaseException, path: str) -> Iterator[Fault]:
    if isinstance(error, NotYetKnown):
        return
    if isinstance(error, ClassValidationError):
        yield from _class_faults(error, path)
    elif isinstance(error, IterableValidationError):
        noted, rest = error.group_exceptions()
        for each, note in noted:
            part = f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
            yield from _faults(each, path + part)
        for each in rest:
            yield from _faults(each, path)
    elif isinstance(error, WrongValue):
        yield Fault(path, str(error), hint=error.hint)
    else:
        # Validators of attrs put the sentence first and more values after it.
        said = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
        yield Fault(path, said or type(error).__name__)


def _class_faults(error: ClassValidationError, path: str) -> Iterator[Fault]:
    fields = {each.name: (name, each.type) for name, each in wired(error.cl)}
    noted, rest = error.group_exceptions()
    for each, note in noted:
        name, of = fields[note.name]
        if isinstance(each, KeyError) and each.args == (name,):
            yield Fault(f"{path}.{name}", f"is missing; give {_article(type_words(of))}")
        else:
            yield from _faults(each, f"{path}.{name}")
    for each in rest:
        if isinstance(each, ForbiddenExtraKeysError):
            known = [name for name, _ in fields.values()]
            for key in sorted(each.extra_fields):
                yield Fault(f"{path}.{key}", "there is no such parameter", hint=_near(key, known))
        else:
            yield from _faults(each, path)


def _article(words: str) -> str:
    plain = words.startswith(("text", "one of", "true", "any")) or " or " in words
    return words if plain else f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def _near(key: str, known: list[str]) -> str:
    near = hint(key, known)
    return near or (f"there are {', '.join(known)}" if known else "this kind takes none")


def only_references(error: ParametersInvalid) -> bool:
    """Whether nothing but references kept the parameters from being decoded."""
    return not error.faults


def marked(value: Any, mark: Any) -> Any:
    """A copy in which `mark` was applied to every text that is a value."""
    if isinstance(value, str):
        return mark(value)
    if isinstance(value, dict):
        return {key: marked(each, mark) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, mark) for each in value]
    return value
