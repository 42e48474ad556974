"""From JSON Schema to what the API server takes: a structural schema of OpenAPI v3."""

from collections.abc import Callable

from wf_core.codec import Schema

_COPIED = (
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "minimum",
    "required",
)


def written(schema: Schema) -> Schema:
    """The schema of what people write. The API server fills in a default that says something; what
    is empty when left out (no parameters, not suspended) stays left out, so that objects are small.
    """
    return _structural(schema, lambda name, each: _kept_default(each))  # noqa: ARG005


def stored(schema: Schema) -> Schema:
    """The schema of what an engine writes: without defaults, since it knows them, and only phases
    are enumerated, so that a newer engine may know more reasons than the definition does."""
    return _structural(schema, lambda name, each: {} if name == "phase" else {"enum": None})  # noqa: ARG005


def _kept_default(schema: Schema) -> Schema:
    default = schema.get("default")
    return {} if not default or isinstance(default, dict) else {"default": default}


def _structural(
    schema: Schema, also: Callable[[str, Schema], Schema], name: str = ""
) -> Schema:
    """`also` gives what to add to a field, by its name and schema; None takes something away."""
    made: Schema = {}
    if "description" in schema:
        made["description"] = schema["description"]
    if "type" not in schema:
        return {**made, "x-kubernetes-preserve-unknown-fields": True}
    made["type"] = schema["type"]
    made.update({key: schema[key] for key in _COPIED if key in schema})
    if "exclusiveMinimum" in schema:
        made.update({"minimum": schema["exclusiveMinimum"], "exclusiveMinimum": True})
    if schema["type"] == "array":
        made["items"] = _structural(schema["items"], also)
        made["x-kubernetes-list-type"] = "atomic"
    if "properties" in schema:
        made["properties"] = {
            key: _structural(each, also, key) for key, each in schema["properties"].items()
        }
    elif schema.get("additionalProperties") is True:
        made["x-kubernetes-preserve-unknown-fields"] = True
    elif schema.get("additionalProperties"):
        made["additionalProperties"] = _structural(schema["additionalProperties"], also)
    made.update(also(name, schema))
    return {key: each for key, each in made.items() if each is not None}
