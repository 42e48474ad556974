"""The definitions of our resources, drawn from the model (`wf crd` prints them)."""

from wf_core.codec import Schema
from wf_k8s.crd.bounds import (
    MAX_ATTRIBUTES_SHOWN,
    MAX_BLOCKED_SHOWN,
    MAX_ERROR_SHOWN,
    MAX_HISTORY,
)
from wf_k8s.crd.definition import definition
from wf_k8s.crd.schedule import schedule_definition
from wf_k8s.crd.task import task_definition

__all__ = [
    "MAX_ATTRIBUTES_SHOWN",
    "MAX_BLOCKED_SHOWN",
    "MAX_ERROR_SHOWN",
    "MAX_HISTORY",
    "definition",
    "definitions",
    "schedule_definition",
    "task_definition",
]


def definitions() -> tuple[Schema, ...]:
    """All of them."""
    return (definition(), schedule_definition(), task_definition())
