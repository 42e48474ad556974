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
    "maximum",
    "required",
)


def written(schema: Schema) -> Schema:
    """The schema of what people write.

    The API server fills in a default that says something; what is empty when left out (no
    parameters, not suspended) stays left out. Below a list it fills in nothing, since `kubectl
    apply` compares lists as a whole and would see a change each time: there the description tells
    the default, and the engine knows it.
    """
    return _structural(schema, _default, listed=False)


def stored(schema: Schema) -> Schema:
    """The schema of what an engine writes: without defaults, since it knows them, and only phases
    are enumerated, so that a newer engine may know more reasons than the definition does."""
    return _structural(schema, _open, listed=False)


def _default(name: str, schema: Schema, listed: bool) -> Schema:  # noqa: ARG001
    default = schema.get("default")
    if not default or isinstance(default, dict):
        return {}
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    if listed:
        return {"description": f"{schema['description'].removesuffix('.')}. Default: {default}."}
    return {"default": default}


def _open(name: str, schema: Schema, listed: bool) -> Schema:  # noqa: ARG001
    return {} if name == "phase" else {"enum": None}


def _structural(
    schema: Schema, also: Callable[[str, Schema, bool], Schema], *, listed: bool, name: str = ""
) -> Schema:
    """`also` gives what to add to a field, by its name, its schema and whether it is below a list;
    None takes something away."""
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
        made["items"] = _structural(schema["items"], also, listed=True)
        made["x-kubernetes-list-type"] = "atomic"
    if "properties" in schema:
        made["properties"] = {
            key: _structural(each, also, listed=listed, name=key)
            for key, each in schema["properties"].items()
        }
    elif schema.get("additionalProperties") is True:
        made["x-kubernetes-preserve-unknown-fields"] = True
    elif schema.get("additionalProperties"):
        made["additionalProperties"] = _structural(
            schema["additionalProperties"], also, listed=listed
        )
    made.update(also(name, schema, listed))
    return {key: each for key, each in made.items() if each is not None}
