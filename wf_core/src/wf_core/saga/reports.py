"""Which transitions a workflow's callback is told (semantics F)."""

from wf_core.model.phases import Phase
from wf_core.model.spec import Callback

_DEFAULT_STEP_PHASES = (Phase.SUCCESS, Phase.FAILED)


def event_type(phase: Phase, step: str | None) -> str:
    """The name of an event: `workflow.Success`, `step.Failed`."""
    return f"{'workflow' if step is None else 'step'}.{phase}"


def reported(callback: Callback | None, phase: Phase, step: str | None) -> bool:
    """Whether a transition goes into the outbox: the workflow's phases, and each step's success
    and failure, unless `callback.events` says otherwise."""
    if callback is None or not callback.url:
        return False
    if callback.events is None:
        return step is None or phase in _DEFAULT_STEP_PHASES
    kind = "workflow" if step is None else "step"
    return f"{kind}.*" in callback.events or event_type(phase, step) in callback.events
