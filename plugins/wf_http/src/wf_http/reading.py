"""What is read from an answer: attributes, the step's resource, whether work is done."""

import threading
from collections.abc import Mapping
from typing import Any

import attrs

from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_http import pointers
from wf_http.exchange import Reply, Unreadable
from wf_http.parameters import Condition, HttpParameters, ResourcePointers
from wf_http.statuses import listed

_ONE_AT_A_TIME = threading.Lock()
"""Held while an answer is in memory as objects: what many hooks take at once is then what one does.
It is held for a fraction of a second, since what an answer may cost is limited."""
_FIELDS = ("id", "name", "status", "address")


@attrs.frozen
class Found:
    """What an answer says. `missing`: what was asked for and is not there, in words."""

    attributes: Mapping[str, Json] = {}
    fields: Mapping[str, str] = {}
    missing: str = ""
    passing: bool = False

    def over(self, attributes: Mapping[str, Json]) -> Mapping[str, Json]:
        """These attributes over earlier ones."""
        return {**attributes, **self.attributes}


def wants_body(parameters: HttpParameters, *conditions: Condition | None) -> bool:
    """Whether anything is read from the body of an answer, with these conditions on it."""
    if any(each is not None and each.pointer is not None for each in conditions):
        return True
    return bool(parameters.attributes or _pointers(parameters.resource))


def read(parameters: HttpParameters, reply: Reply) -> Found:
    """All that `parameters` ask for."""
    fields = _pointers(parameters.resource)
    if not (parameters.attributes or fields):
        return Found()
    with _ONE_AT_A_TIME:
        try:
            document = reply.document()
        except Unreadable as error:
            return Found(missing=str(error), passing=reply.passing)
        return from_document(parameters, document)


def from_document(parameters: HttpParameters, document: Any) -> Found:
    """All that `parameters` ask for, from a JSON document."""
    missing: list[str] = []

    def values(asked: Mapping[str, str]) -> dict[str, Any]:
        found = {}
        for name, pointer in asked.items():
            try:
                found[name] = pointers.follow(pointer, document)
            except LookupError:
                missing.append(pointer)
        return found

    attributes = values(parameters.attributes)
    fields = {
        name: value if isinstance(value, str) else str(value)
        for name, value in values(_pointers(parameters.resource)).items()
    }
    gone = f"nothing stands at {', '.join(missing)}" if missing else ""
    return Found(attributes, fields, gone)


def resource(before: Resource | None, found: Found, status: str, address: str = "") -> Resource:
    """The step's resource after an answer: what it says over what was known."""
    known = before or Resource()
    fields = {name: getattr(known, name) for name in _FIELDS}
    fields["status"] = status
    if address:
        fields["address"] = address
    return Resource(**{**fields, **found.fields}, attributes=dict(known.attributes))


def holds(condition: Condition, reply: Reply, *, succeeded: bool) -> bool:
    """Whether an answer meets a condition. Raises Unreadable where its body is needed.

    A condition that names no status speaks of answers that are a success.
    """
    if not (listed(reply.status, condition.status) if condition.status else succeeded):
        return False
    if condition.pointer is None:
        return True
    if not (reply.content or reply.flaw):
        return False  # nothing stands in no body, such as that of many a 202
    with _ONE_AT_A_TIME:
        return stands(condition, reply.document())


def stands(condition: Condition, document: Any) -> bool:
    """Whether a document meets the part of a condition that is about documents."""
    if condition.pointer is None:
        return True
    try:
        value = pointers.follow(condition.pointer, document)
    except LookupError:
        return False
    if condition.values:
        return any(_same(value, each) for each in condition.values)
    return value is not None and value is not False


def _same(one: Any, other: Any) -> bool:
    """True is no 1 here, though Python holds them equal."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _pointers(asked: ResourcePointers) -> dict[str, str]:
    found = {name: getattr(asked, name) for name in _FIELDS}
    return {name: pointer for name, pointer in found.items() if pointer is not None}
