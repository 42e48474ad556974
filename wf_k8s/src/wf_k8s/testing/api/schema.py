"""What the definition of workflows asks of an object, as far as a save can meet it: defaults, and
the rules on what may change."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from wf_k8s.crd import definition

Document = dict[str, Any]
_MOST_REQUESTS = 64
_CHANGES = ("requests", "deletionPolicy", "ttlSecondsAfterFinished")


@cache
def _schema() -> Mapping[str, Any]:
    found: Mapping[str, Any] = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def completed(document: Document) -> Document:
    """With the definition's defaults, which the API server fills in at every reading."""
    for name in ("spec", "status"):
        schema = _schema()["properties"][name]
        if name not in document and "default" in schema:
            document[name] = {}
        if name in document:
            _fill(document[name], schema)
    return document


def _fill(value: Any, schema: Mapping[str, Any]) -> None:
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name not in value and "default" in child:
                default = child["default"]
                value[name] = default.copy() if isinstance(default, dict | list) else default
            if name in value:
                _fill(value[name], child)
        every = schema.get("additionalProperties")
        if isinstance(every, Mapping):
            for each in value.values():
                _fill(each, every)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for each in value:
            _fill(each, schema["items"])


def refusals(before: Document, after: Document) -> Iterator[tuple[str, str]]:
    """What the schema refuses of a change: the field and the sentence."""
    was, now = before["status"], after["status"]
    for name in ("revision", "epoch"):
        if now.get(name, 0) < was.get(name, 0):
            yield f"status.{name}", f"{name} can't go back"
    yield from _twice("status.answers", now.get("answers", ()))
    old, new = before["spec"], after["spec"]
    requests = new.get("requests", ())
    yield from _twice("spec.requests", requests)
    if len(requests) > _MOST_REQUESTS:
        yield "spec.requests", f"must have at most {_MOST_REQUESTS} items"
    for name in (*old, *new):
        if name not in _CHANGES and old.get(name) != new.get(name):
            yield f"spec.{name}", "is immutable"
    kept = {each["id"]: each for each in requests}
    answered = {each["id"] for each in was.get("answers", ())}
    for each in old.get("requests", ()):
        if kept.get(each["id"]) != each and not (each["id"] not in kept and each["id"] in answered):
            yield "spec.requests", "requests may only be added; one goes once it is answered"


def _twice(field: str, items: Any) -> Iterator[tuple[str, str]]:
    ids = [each["id"] for each in items]
    if len(set(ids)) < len(ids):
        yield field, "an id stands there twice"
