"""Judging parameters as they stand in a document, before anything runs."""

import re
from collections.abc import Iterator

from wf_core.errors import Fault
from wf_core.kinds import StepKind
from wf_core.model.spec import Parameters
from wf_core.plugins.parameters.decoding import marked, only_references, structure
from wf_core.plugins.parameters.invalid import AUTHOR, ParametersInvalid
from wf_core.plugins.parameters.scalars import Unresolved
from wf_core.saga.references import find

_SENTENCE = re.compile(r"([A-Za-z_]\w*)((?:[.\[][^:\s]*)?): (.+)", re.DOTALL)
"""What `StepKind.faults` gives: `key: sentence`, where the key may go deeper."""


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
    waiting = set(_referring(parameters))
    return [each for each in sentences if each.path not in waiting]


def advice(kind: StepKind, parameters: Parameters, undoable: bool, identity: str) -> list[str]:
    """What the kind says of parameters without faults; nothing where its code fails, which `faults`
    tells. A reference stays a text."""
    try:
        decoded = structure(kind.Parameters, marked(parameters, _mark), identity, strict=True)
        return list(kind.advice(decoded, undoable=undoable))
    except ParametersInvalid:
        return []  # a value that a reference brings is not there yet


def _mark(text: str) -> str:
    return Unresolved(text) if next(find(text), None) is not None else text


def _referring(parameters: Parameters) -> Iterator[str]:
    """The paths of the parameters that hold a reference, with all paths on the way to it."""
    for path, _ in find(parameters):
        parts = re.split(r"(?=[.\[])", path)
        for n in range(2, len(parts) + 1):
            yield "".join(parts[:n])


def _fault(sentence: str) -> Fault:
    match = _SENTENCE.fullmatch(sentence)
    return Fault(f"$.{match[1]}{match[2]}", match[3]) if match else Fault("$", sentence)
