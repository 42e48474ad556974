"""What a workflow's author may write under `stepTemplate.parameters` of an `approval` step."""

import math
from collections.abc import Iterator

import attrs


@attrs.frozen(kw_only=True)
class ApprovalParameters:
    """Parameters of an `approval` step. On the wire they are camelCase."""

    message: str = attrs.field(
        default="",
        metadata={"description": "What is to be approved, for whoever is asked."},
    )
    approvers: list[str] = attrs.field(
        factory=list,
        metadata={"description": "The names whose answer counts; none: anybody's does."},
    )
    deadline_seconds: float | None = attrs.field(
        default=None,
        metadata={
            "description": "Seconds from when it begins to wait, after which it fails for good; "
            "without it waits for ever."
        },
    )
    signal: str | None = attrs.field(
        default=None,
        metadata={"description": "The name of the signal that answers it; else the step's."},
    )


def faults(parameters: ApprovalParameters) -> Iterator[str]:
    """What the types do not say."""
    deadline = parameters.deadline_seconds
    if deadline is not None and not (math.isfinite(deadline) and deadline > 0):
        yield f"deadlineSeconds: give seconds, more than 0, not {deadline:g}"
    if any(not name.strip() for name in parameters.approvers):
        yield "approvers: a name is empty"
    if parameters.signal is not None and not parameters.signal.strip():
        yield "signal: give a name, or leave it out"
