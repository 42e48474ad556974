"""Judging parameters as they stand in a document, before anything runs."""

import functools
import re

from wf_core.errors import Fault
from wf_core.kinds import StepKind
from wf_core.model.spec import Json, Parameters
from wf_core.plugins.parameters.decoding import marked, only_references, structure
from wf_core.plugins.parameters.invalid import AUTHOR, ParametersInvalid
from wf_core.plugins.parameters.scalars import Unresolved
from wf_core.saga.references import refers

_SENTENCE = re.compile(r"([A-Za-z_]\w*)((?:[.\[][^:\s]*)?): (.+)", re.DOTALL)
"""What `StepKind.faults` gives: `key: sentence`, where the key may go deeper."""

_END = re.compile(r"[.\[]|\Z")
_DOTS = 64
"""How many dots and brackets a key in a path is taken to hold at most."""
_DIGITS = 10


def faults(kind: StepKind, parameters: Parameters, undoable: bool, identity: str) -> list[Fault]:
    """All faults, in the order of the class and then of the kind's own checks.

    What holds a reference has no value yet: neither its type nor the kind's sentences on it count.
    """
    try:
        decoded = structure(kind.Parameters, marked(parameters, _mark), identity, strict=True)
    except ParametersInvalid as error:
        return [] if only_references(error) else list(error.faults)
    try:
        sentences = [_fault(each) for each in kind.faults(decoded, undoable=undoable)]
    except Exception as error:  # a plugin's code, which must not end the reading of the document
        said = f"{type(error).__name__}: {error}"
        message = f"{identity} failed to check the parameters: {said}"
        return [Fault("$", message, hint=AUTHOR)]
    waits = functools.cache(lambda path: path != "$" and _holds_reference(parameters, path))
    return [each for each in sentences if not waits(each.path)]


def advice(kind: StepKind, parameters: Parameters, undoable: bool, identity: str) -> list[str]:
    """What the kind says of parameters without faults; nothing where its code fails, which `faults`
    tells. A reference stays a text."""
    try:
        decoded = structure(kind.Parameters, marked(parameters, _mark), identity, strict=True)
        return list(kind.advice(decoded, undoable=undoable))
    except ParametersInvalid:
        return []  # a value that a reference brings is not there yet


def lacks(kind: StepKind, parameters: Parameters, namespace: str, identity: str) -> list[str]:
    """What the engine's environment and files lack; nothing where that can't be told yet."""
    try:
        decoded = structure(kind.Parameters, marked(parameters, _mark), identity, strict=True)
    except ParametersInvalid:
        return []  # a value that a reference brings is not there yet
    try:
        return list(kind.lacks(decoded, namespace=namespace))
    except Exception as error:  # a plugin's code, which must not end the engine
        return [f"{identity} failed to look for what it needs: {type(error).__name__}: {error}"]


def _mark(text: str) -> str:
    return Unresolved(text) if "${" in text and refers(text) else text


def _holds_reference(parameters: Json, path: str) -> bool:
    """Whether what a path such as `$.run.headers[0]` names holds a reference."""
    value, rest = parameters, path[1:]
    while rest:
        found = _next(value, rest)
        if found is None:
            return False
        value, rest = found
    return refers(value)


def _next(value: Json, rest: str) -> tuple[Json, str] | None:
    """The value that the beginning of a path names, and the rest of the path."""
    if rest[0] == "[" and isinstance(value, list):
        number, _, after = rest[1:].partition("]")
        inside = number.isdecimal() and len(number) < _DIGITS and int(number) < len(value)
        return (value[int(number)], after) if inside else None
    if rest[0] != "." or not isinstance(value, dict):
        return None
    for tried, end in enumerate(_END.finditer(rest, 1)):
        key = rest[1 : end.start()]
        if key in value:
            return value[key], rest[end.start() :]
        if tried == _DOTS:
            break
    return None


def _fault(sentence: str) -> Fault:
    match = _SENTENCE.fullmatch(sentence)
    return Fault(f"$.{match[1]}{match[2]}", match[3]) if match else Fault("$", sentence)
