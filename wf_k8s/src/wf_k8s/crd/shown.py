"""The part of `status` that is derived for people and never read back."""

from wf_core.codec import Schema
from wf_core.model.phases import Phase
from wf_k8s.crd.bounds import MAX_ATTRIBUTES_SHOWN, MAX_BLOCKED_SHOWN, MAX_ERROR_SHOWN


def shown() -> dict[str, Schema]:
    """The properties, by name."""
    return {
        "observedGeneration": {
            "description": "Generation of the object that this status has seen.",
            "type": "integer",
            "format": "int64",
        },
        "progress": _text("Steps done of all steps, such as 3/7; while undoing, steps undone."),
        "reason": _text("Why it goes no further, in one line; left out where it does."),
        "startedAt": _time("When the workflow started."),
        "finishedAt": _time("When the workflow came to its end."),
        "stepPhases": {
            "description": "Where each step is, by its name; one that is not named is Pending.",
            "type": "object",
            "additionalProperties": {
                "description": "Where the step is.",
                "type": "string",
                "enum": [phase.value for phase in Phase],
            },
        },
        "attributes": {
            "description": (
                "What the steps have told, later steps win; left out above "
                f"{MAX_ATTRIBUTES_SHOWN // 1024} KiB, and whole in steps."
            ),
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "runError": _errors("the run of a step failed last"),
        "rollbackError": _errors("the undo of a step failed last"),
        "syncError": _errors("the last look at a step failed"),
        "blocked": _blocked(),
        "conditions": _conditions(),
    }


def _text(description: str) -> Schema:
    return {"description": description, "type": "string"}


def _time(description: str) -> Schema:
    return {"description": description, "type": "string", "format": "date-time"}


def _errors(why: str) -> Schema:
    return {
        "description": (
            f"Why {why}, by its name: the first {MAX_ERROR_SHOWN} characters, and whole in steps."
        ),
        "type": "object",
        "additionalProperties": _text("The error."),
    }


def _blocked() -> Schema:
    return {
        "description": f"The first {MAX_BLOCKED_SHOWN} steps that wait for a person.",
        "type": "array",
        "x-kubernetes-list-type": "atomic",
        "items": {
            "description": "One step that waits for a person.",
            "type": "object",
            "required": ["step", "reason"],
            "properties": {
                "step": _text("Name of the step."),
                "reason": _text("Why it waits, as one word."),
                "message": _text("Why it waits, as a sentence."),
                "since": _time("Since when it waits."),
                "options": {
                    "description": "Types of the requests that help.",
                    "type": "array",
                    "x-kubernetes-list-type": "atomic",
                    "items": _text("Type of a request."),
                },
            },
        },
    }


def _conditions() -> Schema:
    return {
        "description": (
            "Ready: it succeeded. Reconciling: it is under way. Stalled: it was rolled back, "
            "failed, or waits for a person. Others are remarks, such as PartiallyReverted and "
            "Degraded."
        ),
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "description": "One condition.",
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {**_text("What it says."), "maxLength": 316},
                "status": {**_text("Whether it holds."), "enum": ["True", "False", "Unknown"]},
                "observedGeneration": {
                    "description": "Generation of the object that it has seen.",
                    "type": "integer",
                    "format": "int64",
                },
                "lastTransitionTime": _time("When it last changed."),
                "reason": _text("Why, as one word."),
                "message": _text("Why, as a sentence."),
            },
        },
    }
