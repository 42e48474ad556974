"""The definition of Task, drawn from the model as that of Workflow is."""

from wf_core.codec import Schema, schema, struct_schema
from wf_core.codec.checks import MAX_NAME
from wf_core.model.task import TASK_KIND, Task
from wf_k8s.crd import rules
from wf_k8s.crd.bounds import SPEC, bound, bound_numbers
from wf_k8s.crd.definition import custom_resource, object_schema
from wf_k8s.crd.descriptions import STORED, TASKED
from wf_k8s.crd.status import PHASE_FIRST
from wf_k8s.crd.structural import stored, written
from wf_k8s.store.task_status import TaskStatus

TASK_PLURAL = "tasks"
SHORT_NAME = "sagatask"
"""`tasks` alone may belong to other software in the same cluster."""

_TEMPLATE = "steps[].stepTemplate."


def task_definition() -> Schema:
    """The CustomResourceDefinition of Task, ready to be applied."""
    document = schema(of=Task)
    return custom_resource(
        TASK_KIND,
        TASK_PLURAL,
        SHORT_NAME,
        columns=_columns(),
        selectable=(".spec.queue", ".status.phase"),
        schema=object_schema(document, MAX_NAME, _spec(document), _status(), {}),
    )


def _spec(document: Schema) -> Schema:
    of_step = {path.removeprefix(_TEMPLATE) for path in SPEC if path.startswith(_TEMPLATE)}
    of_workflow = {path for path in SPEC if not path.startswith("steps")}
    bounds = {
        **{path: SPEC[path] for path in of_workflow},
        **{path: SPEC[_TEMPLATE + path] for path in of_step},
    }
    spec = bound_numbers(bound(written(document["properties"]["spec"]), bounds))
    return {**spec, **rules.validations(rules.TASK)}


def _status() -> Schema:
    status = stored(struct_schema(TaskStatus, {**STORED, **TASKED}))
    properties = status["properties"]
    properties["phase"].update(PHASE_FIRST)
    properties["revision"]["default"] = 0
    for name in ("startedAt", "finishedAt"):
        properties[name]["format"] = "date-time"
    return {
        **bound_numbers(status),
        "x-kubernetes-map-type": "atomic",
        "default": {},
        **rules.validations(rules.REVISION),
    }


def _columns() -> list[Schema]:
    """What `kubectl get` shows; with priority 1 only `-o wide` does."""
    return [
        {"name": "Type", "type": "string", "jsonPath": ".spec.type"},
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Reason", "type": "string", "priority": 1, "jsonPath": ".status.reason"},
        {"name": "Message", "type": "string", "priority": 1, "jsonPath": ".status.message"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
