"""The JSON Schema of a document, drawn from the model, for editors and for the custom resource."""

import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from wf_core.codec.checks import EVENTS, MAX_NAME
from wf_core.codec.descriptions import DESCRIPTIONS
from wf_core.codec.kinds import Kinds
from wf_core.codec.shape import WAITED_FOR
from wf_core.codec.tasks import SAME_AS
from wf_core.codec.writing import plain_struct
from wf_core.model.schedule import MAX_RUNS, CronWorkflow
from wf_core.model.spec import API_VERSION, Metadata, Workflow
from wf_core.model.state import MAX_STEPS
from wf_core.model.task import Task

Schema = dict[str, Any]

_LABEL: Schema = {"maxLength": MAX_NAME, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
_HISTORY: Schema = {"minimum": 0, "maximum": MAX_RUNS}
_EXTRA: dict[str, Schema] = {
    "Metadata.name": _LABEL,
    "Metadata.namespace": _LABEL,
    "WorkflowSpec.steps": {"minItems": 1, "maxItems": MAX_STEPS},
    "WorkflowSpec.activeDeadlineSeconds": {"exclusiveMinimum": 0},
    "TimeToLive.success": {"minimum": 0},
    "TimeToLive.rollBacked": {"minimum": 0},
    "TimeToLive.failed": {"minimum": 0},
    "CronWorkflowSpec.schedule": {"minLength": 1},
    "CronWorkflowSpec.timeZone": {"minLength": 1},
    "CronWorkflowSpec.startingDeadlineSeconds": {"exclusiveMinimum": 0},
    "CronWorkflowSpec.successfulRunsHistoryLimit": _HISTORY,
    "CronWorkflowSpec.rolledBackRunsHistoryLimit": _HISTORY,
    "CronWorkflowSpec.failedRunsHistoryLimit": _HISTORY,
    "Callback.url": {"pattern": "^$|^https?://"},
    "Callback.events": {"items": {"type": "string", "enum": list(EVENTS)}},
    "StepSpec.name": _LABEL,
    "DependOn.name": _LABEL,
    "DependOn.phase": {"enum": [phase.value for phase in WAITED_FOR]},
    "StepTemplate.type": {"minLength": 1},
    "StepTemplate.syncPeriodSeconds": {"minimum": 0},
    "StepTemplate.timeoutSeconds": {"exclusiveMinimum": 0},
    "StepTemplate.rollbackTimeoutSeconds": {"exclusiveMinimum": 0},
    "RetryPolicy.runRetryLimit": {"minimum": -1},
    "RetryPolicy.runRetryPeriodSeconds": {"minimum": 0},
    "RetryPolicy.rollbackRetryLimit": {"minimum": -1},
    "RetryPolicy.rollbackRetryPeriodSeconds": {"minimum": 0},
    "RetryPolicy.factor": {"minimum": 1},
    "RetryPolicy.maxPeriodSeconds": {"minimum": 0},
}
"""What the checks demand beyond the type."""

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
}


DocumentKind = type[Workflow] | type[Task] | type[CronWorkflow]


def schema(registry: Kinds | None = None, of: DocumentKind = Workflow) -> Schema:
    """The schema (draft 2020-12) of one kind of document. With a registry, `type` names an
    installed kind and `parameters` are those of that kind."""
    whole = _document(of)
    spec = whole["properties"]["spec"]
    if of is Workflow:
        spec["properties"]["requests"] = {
            "type": "array",
            "description": "What people ask of a workflow in a cluster; ignored in a file.",
        }
    if registry is not None:
        _add_kinds(_template(of, spec), registry)
    return whole


def _template(of: DocumentKind, spec: Schema) -> Schema:
    """Where in a `spec` it stands what a step does."""
    if of is Task:
        return spec
    if of is CronWorkflow:
        spec = spec["properties"]["workflowTemplate"]["properties"]["spec"]
    template: Schema = spec["properties"]["steps"]["items"]["properties"]["stepTemplate"]
    return template


def _document(of: DocumentKind) -> Schema:
    kind, body = of.__name__, struct_schema(of, DESCRIPTIONS)
    head: Schema = {
        "apiVersion": {"const": API_VERSION, "description": "The version of this format."},
        "kind": {"const": kind, "description": f"Always {kind}."},
    }
    status: Schema = {"type": "object", "description": "Written by the engine; ignored when read."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        **body,
        "required": ["apiVersion", "kind", *body["required"]],
        "properties": {**head, **body["properties"], "status": status},
    }


def struct_schema(struct: type[msgspec.Struct], descriptions: Mapping[str, str]) -> Schema:
    """The schema of one struct of the model and of all below it. `descriptions` has one for each
    struct by its name, and for each field by `Struct.wireName`."""
    hints = typing.get_type_hints(struct)
    properties, required = {}, []
    for field in msgspec.structs.fields(struct):
        where = f"{struct.__name__}.{field.encode_name}"
        where = SAME_AS.get(where, where)
        properties[field.encode_name] = {
            **_type(hints[field.name], descriptions),
            **_default(field),
            **_EXTRA.get(where, {}),
            "description": descriptions[where],
        }
        if field.required:
            required.append(field.encode_name)
    return {
        "type": "object",
        "description": descriptions[struct.__name__],
        "properties": properties,
        # Kubernetes writes more into metadata than is ours.
        "additionalProperties": struct is Metadata,
        **({"required": required} if required else {}),
    }


def _type(of: Any, descriptions: Mapping[str, str]) -> Schema:
    if of in _SCALARS:
        return dict(_SCALARS[of])
    origin, arguments = typing.get_origin(of), typing.get_args(of)
    if origin in (typing.Union, types.UnionType):
        return _type(next(each for each in arguments if each is not type(None)), descriptions)
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0], descriptions)}
    if origin is dict:
        values = _type(arguments[1], descriptions)
        return {"type": "object", "additionalProperties": values or True}
    if issubclass(of, StrEnum):
        return {"type": "string", "enum": [each.value for each in of]}
    return struct_schema(of, descriptions)


def _default(field: msgspec.structs.FieldInfo) -> Schema:
    value = field.default
    if value is msgspec.NODEFAULT or value is None or value == ():
        return {}
    if isinstance(value, msgspec.Struct):
        return {"default": plain_struct(value)}
    return {"default": value.value if isinstance(value, StrEnum) else value}


def _add_kinds(template: Schema, registry: Kinds) -> None:
    names = sorted(registry.kinds)
    template["properties"]["type"]["enum"] = names
    template["allOf"] = [_if_kind(name, registry.kinds[name].schema()) for name in names]


def _if_kind(name: str, parameters: Schema) -> Schema:
    then: Schema = {"properties": {"parameters": _or_reference(parameters)}}
    if parameters.get("required"):
        then["required"] = ["parameters"]
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": then}


def _or_reference(parameters: Schema) -> Schema:
    """A kind's schema in which each parameter may also be a text that holds a reference."""
    reference = {"type": "string", "pattern": r"\$\{"}
    described = {
        key: {
            **({"description": each["description"]} if "description" in each else {}),
            "anyOf": [each, reference],
        }
        for key, each in parameters.get("properties", {}).items()
    }
    return {**parameters, "properties": described}
