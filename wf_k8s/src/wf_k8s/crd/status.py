"""The schema of `status`: what a save holds, flat and under the model's names, and what is derived
from that for people.

Three names differ from the model's: `owner` is the id alone; `epoch` is beside `revision`, since
every patch tests both; and the model's conditions are `remarks`, since `conditions` are those that
kubectl and other tools know.
"""

from wf_core.codec import Schema, struct_schema
from wf_core.model.phases import Phase
from wf_core.model.state import OutboxEntry, StepState, Transition, WorkflowState
from wf_k8s.crd import rules
from wf_k8s.crd.bounds import LATEST, MAX_HISTORY, STATUS, bound, bound_numbers
from wf_k8s.crd.descriptions import STORED
from wf_k8s.crd.shown import shown
from wf_k8s.crd.spec import ID
from wf_k8s.crd.structural import stored

PHASE_FIRST: Schema = {"default": Phase.PENDING.value}


def status_schema() -> Schema:
    """The structural schema of `status`."""
    head = stored(struct_schema(WorkflowState, STORED))["properties"]
    owner = head.pop("owner")["properties"]
    remarks = head.pop("conditions")
    head["phase"].update(PHASE_FIRST)
    head["revision"]["default"] = 0
    _identify(head["answers"])
    schema: Schema = {
        "description": "Where the workflow is; written by the engine alone.",
        "type": "object",
        # As one value: with lists shared by managers a save costs three times as much.
        "x-kubernetes-map-type": "atomic",
        "default": {},
        "properties": {
            **_first(head, "phase", "revision"),
            "epoch": {**owner["epoch"], "default": 0},
            "owner": owner["id"],
            "saveId": {"description": "Tells this save from any other.", "type": "string"},
            **head,
            "remarks": remarks,
            "requestSeq": {
                "description": "Number of the newest request.",
                "type": "integer",
                "format": "int64",
            },
            "steps": _steps(),
            "outbox": _list(OutboxEntry, "Callbacks to be delivered, oldest first."),
            "history": _list(Transition, f"The last {MAX_HISTORY} changes of phase, oldest first."),
            **shown(),
        },
    }
    return {**bound_numbers(bound(schema, STATUS), LATEST), **rules.validations(rules.STATUS)}


def _first(head: dict[str, Schema], *names: str) -> dict[str, Schema]:
    return {name: head.pop(name) for name in names}


def _identify(answers: Schema) -> None:
    """An answer says which request it is to; what is answered once is not answered again."""
    item = answers["items"]
    item["properties"] = {
        "id": {"description": "Id of the request.", **ID},
        **item["properties"],
    }
    item["required"] = ["id", *item["required"]]
    answers.update({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]})


def _steps() -> Schema:
    step = stored(struct_schema(StepState, STORED))
    step["properties"]["phase"].update(PHASE_FIRST)
    return {
        "description": "The state of each step, by its name; one that is not here is Pending.",
        "type": "object",
        "default": {},
        "additionalProperties": step,
    }


def _list(of: type[OutboxEntry] | type[Transition], description: str) -> Schema:
    return {
        "description": description,
        "type": "array",
        "x-kubernetes-list-type": "atomic",
        "default": [],
        "items": stored(struct_schema(of, STORED)),
    }
