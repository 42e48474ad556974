"""The definition of CronWorkflow, drawn from the model as that of Workflow is."""

from wf_core.codec import Schema, schema, struct_schema
from wf_core.model.schedule import (
    CRON_KIND,
    MAX_CRON_NAME,
    MAX_RUNS,
    CronStatus,
    CronWorkflow,
)
from wf_k8s.crd import rules
from wf_k8s.crd.bounds import SPEC, bound, bound_numbers
from wf_k8s.crd.definition import custom_resource, object_schema
from wf_k8s.crd.descriptions import SCHEDULED
from wf_k8s.crd.structural import stored, written

CRON_PLURAL = "cronworkflows"
SHORT_NAME = "cronsaga"

_INT32: Schema = {"format": "int32"}
_TEMPLATE = "workflowTemplate.spec"
_BOUNDS: dict[str, Schema] = {
    "schedule": {"maxLength": 256},
    "timeZone": {"maxLength": 64},
    "successfulRunsHistoryLimit": _INT32,
    "rolledBackRunsHistoryLimit": _INT32,
    "failedRunsHistoryLimit": _INT32,
    **{f"{_TEMPLATE}.{path}": bounds for path, bounds in SPEC.items()},
}
_RUNS: Schema = {"maxItems": 2 * MAX_RUNS}


def schedule_definition() -> Schema:
    """The CustomResourceDefinition of CronWorkflow, ready to be applied."""
    document = schema(of=CronWorkflow)
    return custom_resource(
        CRON_KIND,
        CRON_PLURAL,
        SHORT_NAME,
        columns=_columns(),
        schema=object_schema(document, MAX_CRON_NAME, _spec(document), _status(), {}),
    )


def _spec(document: Schema) -> Schema:
    spec = bound_numbers(bound(written(document["properties"]["spec"]), _BOUNDS))
    template = spec["properties"]["workflowTemplate"]["properties"]["spec"]
    template.update(rules.validations(rules.TEMPLATE))
    return spec


def _status() -> Schema:
    status = _with_times(stored(struct_schema(CronStatus, SCHEDULED)))
    properties = status["properties"]
    properties["revision"]["default"] = 0
    properties["activeCount"] = {
        "description": "How many runs are under way.",
        "type": "integer",
        "format": "int32",
    }
    return {
        **bound_numbers(bound(status, {"active": _RUNS, "finished": _RUNS})),
        "x-kubernetes-map-type": "atomic",
        "default": {},
        **rules.validations(rules.REVISION),
    }


def _with_times(schema: Schema) -> Schema:
    """Times are text here, which columns and people can read."""
    for name, each in schema.get("properties", {}).items():
        if name.endswith("Time"):
            each.update({"type": "string", "format": "date-time"})
        _with_times(each.get("items", {}))
    return schema


def _columns() -> list[Schema]:
    """What `kubectl get` shows; with priority 1 only `-o wide` does."""
    return [
        {"name": "Schedule", "type": "string", "jsonPath": ".spec.schedule"},
        {"name": "Zone", "type": "string", "jsonPath": ".spec.timeZone"},
        {"name": "Suspend", "type": "boolean", "jsonPath": ".spec.suspend"},
        {"name": "Active", "type": "integer", "jsonPath": ".status.activeCount"},
        {"name": "Last", "type": "date", "jsonPath": ".status.lastScheduleTime"},
        {"name": "Reason", "type": "string", "priority": 1, "jsonPath": ".status.reason"},
        {
            "name": "Next",
            "type": "string",
            "priority": 1,
            "jsonPath": ".status.nextScheduleTime",
        },
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
