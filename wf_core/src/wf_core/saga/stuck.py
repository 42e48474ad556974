"""Whether a workflow goes no further by itself, and why: one word and a sentence."""

from collections.abc import Sequence

from wf_core.model.phases import Phase
from wf_core.model.state import INTERNAL_ERROR, StepState, WorkflowState


def stuck(head: WorkflowState, steps: Sequence[StepState]) -> tuple[str, str] | None:
    """Why it waits for a person, or failed; None where it goes on or has ended otherwise."""
    blocked = next((step.blocked for step in steps if step.blocked is not None), None)
    if blocked is not None:
        return blocked.reason.value, blocked.message
    fault = next((each for each in head.conditions if each.type == INTERNAL_ERROR), None)
    if fault is not None:
        return fault.type, fault.message
    if head.phase is Phase.FAILED:
        began = any(step.attempt for step in steps)
        return "RollbackFailed" if began else "InvalidSpec", head.error or ""
    return None


def in_one_line(reason: str, message: str) -> str:
    """As lists show it."""
    return " ".join(f"{reason}: {message}".split()) if message else reason
