"""The definition of the Workflow resource, drawn from the model (`wf crd` prints it)."""

from wf_k8s.crd.bounds import (
    MAX_ATTRIBUTES_SHOWN,
    MAX_BLOCKED_SHOWN,
    MAX_ERROR_SHOWN,
    MAX_HISTORY,
)
from wf_k8s.crd.definition import definition

__all__ = [
    "MAX_ATTRIBUTES_SHOWN",
    "MAX_BLOCKED_SHOWN",
    "MAX_ERROR_SHOWN",
    "MAX_HISTORY",
    "definition",
]
