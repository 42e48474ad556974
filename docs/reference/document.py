"""All fields of a document, from the schema of the custom resource and the one of files."""

from collections.abc import Iterator
from typing import Any

from docs.reference.markdown import code, table

from wf_core.codec import schema
from wf_core.model.schedule import CronWorkflow
from wf_core.model.task import Task
from wf_k8s.crd import definition, schedule_definition

Schema = dict[str, Any]

HEAD = """\
# The document

What a workflow, a task or a schedule may say, in a file as in a cluster. A field that does not
stand here is a fault, and so is a value that does not fit; all faults are reported at once, before
anything runs. `wf schema` prints the same as JSON Schema, for editors; it knows the parameters of
every [kind](kinds.md) that is installed.
"""


def page() -> str:
    """Each object of a document with its fields, then what a cluster's object has besides."""
    file = schema()
    stored = _stored(definition())
    return "\n".join(
        [
            HEAD,
            *_object("", file, leave_out=("status",)),
            *_short("A task", schema(of=Task)),
            *_short("A schedule", schema(of=CronWorkflow)),
            "## In a cluster alone",
            "",
            "### spec.requests",
            "",
            f"{stored['spec']['properties']['requests']['description']}",
            "",
            *_fields(stored["spec"]["properties"]["requests"]["items"]),
            "### status",
            "",
            "Written by the engine alone. `kubectl explain saga.status --recursive` shows types.",
            "",
            *_status("status", stored["status"]),
            "### status of a schedule",
            "",
            *_status("status", _stored(schedule_definition())["status"]),
        ]
    )


def _stored(resource: Schema) -> Schema:
    """What an object of a resource has."""
    (version,) = resource["spec"]["versions"]
    properties: Schema = version["schema"]["openAPIV3Schema"]["properties"]
    return properties


def _short(title: str, of: Schema) -> Iterator[str]:
    """A document of another kind: its spec; what stands in it is as in a workflow."""
    yield from (f"## {title}", "", of["description"], "")
    kind = of["properties"]["kind"]["const"]
    yield from (f"`kind: {kind}`, with this `spec`; objects in it are those of a workflow.", "")
    yield from _fields(of["properties"]["spec"])


def _object(path: str, of: Schema, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    """A heading with a table, then the same for each object inside."""
    yield from (f"## {path or 'The whole'}", "", of.get("description", ""), "")
    yield from _fields(of, leave_out)
    for name, field in of["properties"].items():
        inner, where = _inside(field, f"{path}.{name}".lstrip("."))
        if "properties" in inner and name not in leave_out:
            yield from _object(where, inner)


def _inside(field: Schema, where: str) -> tuple[Schema, str]:
    return (field["items"], f"{where}[]") if "items" in field else (field, where)


def _fields(of: Schema, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    required = of.get("required", ())
    rows = (
        (code(name), _type(field), _default(field, name in required), _meaning(field))
        for name, field in of["properties"].items()
        if name not in leave_out
    )
    yield from table(("field", "type", "default", "meaning"), rows)


def _type(field: Schema) -> str:
    """In words, with the bounds."""
    if "const" in field:
        return code(str(field["const"]))
    if "enum" in field:
        return ", ".join(code(each) for each in field["enum"])
    if "items" in field:
        inner = field["items"]
        return "list of objects" if "properties" in inner else f"list of {_plural(inner)}"
    of = field.get("type")
    if of == "object":
        values = field.get("additionalProperties")
        return f"map of {_plural(values)}" if isinstance(values, dict) else "object"
    return " ".join((str(of or "any value"), *_bounds(field)))


def _plural(inner: Schema) -> str:
    if "enum" in inner:
        return "names of events"
    return f"{inner['type']}s" if inner.get("type") else "any values"


def _bounds(field: Schema) -> Iterator[str]:
    if "exclusiveMinimum" in field:
        yield f"above {field['exclusiveMinimum']}"
    if "minimum" in field:
        yield f"from {field['minimum']}"


def _default(field: Schema, required: bool) -> str:
    if required:
        return "required"
    if "default" not in field:
        return ""
    value = field["default"]
    if isinstance(value, dict):
        return "see below"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, float) else str(value))


def _meaning(field: Schema) -> str:
    return str(field.get("description", ""))


def _status(path: str, of: Schema) -> Iterator[str]:
    """One table for all of it, by path."""
    yield from table(("field", "meaning"), _paths(path, of))


def _paths(path: str, of: Schema) -> Iterator[tuple[str, str]]:
    for name, field in of.get("properties", {}).items():
        where = f"{path}.{name}"
        yield code(where), _meaning(field)
        inner = field.get("items", field)
        values = inner.get("additionalProperties")
        if isinstance(values, dict):
            yield from _paths(f"{where}.NAME", values)
        else:
            yield from _paths(f"{where}[]" if "items" in field else where, inner)
