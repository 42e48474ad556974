"""What a person wants to know of a step at a glance, for tables and the live tree."""

from wf_core.cli.text import duration, one_line
from wf_core.model.phases import Phase, Ran, Undo
from wf_core.model.spec import StepSpec
from wf_core.model.state import MESSAGE, StepState

_UNDONE = {
    Undo.NEVER_RAN: "never ran",
    Undo.IRREVERSIBLE: "can't be undone",
    Undo.MARKED: "marked as undone by a person",
    Undo.SKIPPED: "undo skipped by a person",
}


def elapsed(step: StepState, now: float) -> float | None:
    """Seconds that the run, or else the undo, has taken so far; None where neither began."""
    reached = step.reached
    if step.phase in (Phase.RUNNING, Phase.SUCCESS):
        began, ended = reached.get(Phase.RUNNING), reached.get(Phase.SUCCESS)
    else:
        began, ended = reached.get(Phase.ROLLING_BACK), reached.get(Phase.ROLL_BACKED)
        if ended is None:
            ended = reached.get(Phase.FAILED) if step.phase is Phase.FAILED else None
    if began is None:
        return None
    if step.phase in (Phase.RUNNING, Phase.ROLLING_BACK):
        ended = None
    return max(0.0, (now if ended is None else ended) - began)


def error_of(step: StepState) -> str | None:
    """The error that says most about where the step is."""
    undoing = step.phase in (Phase.ROLLING_BACK, Phase.FAILED)
    first, second = (
        (step.rollback_error, step.run_error) if undoing else (step.run_error, step.sync_error)
    )
    return first if first is not None else second


def note(spec: StepSpec, step: StepState, now: float) -> str:
    """What the phase alone does not say: a retry to come, an error, a person's mark, what for it
    waits. One line, perhaps empty."""
    parts = []
    if step.blocked is not None:
        parts.append(f"blocked: {step.blocked.reason}")
    if step.failed and step.blocked is None and step.phase is Phase.RUNNING:
        parts.append("failed for good")
    if step.in_progress:
        parts.append(f"in progress{_standing(step)}")
    parts += _retry(step, now)
    if step.undo in _UNDONE:
        parts.append(_UNDONE[step.undo])
    if step.ran is Ran.MARKED and step.phase is Phase.SUCCESS:
        parts.append("marked as succeeded by a person")
    if spec.pivot and step.phase is not Phase.ROLL_BACKED:
        parts.append("pivot")
    error = error_of(step)
    if error:
        parts.append(one_line(error))
    if step.phase is Phase.PENDING and step.blocked is None and spec.depend_ons:
        parts.append("after " + ", ".join(each.name for each in spec.depend_ons))
    return "; ".join(parts)


def _standing(step: StepState) -> str:
    """How what is in progress stands, where its kind says so."""
    resource = step.resource
    if resource is None or not resource.status:
        return ""
    said = one_line(str(resource.attributes.get(MESSAGE, "")))
    return f" ({resource.status}: {said})" if said else f" ({resource.status})"


def _retry(step: StepState, now: float) -> list[str]:
    undoing = step.phase is Phase.ROLLING_BACK
    attempt = step.rollback_attempt if undoing else step.attempt
    if attempt < 2 or step.phase not in (Phase.RUNNING, Phase.ROLLING_BACK):
        return []
    if step.failed and not undoing:
        return [f"after {attempt} attempts"]
    at = step.next_attempt_at
    soon = f" in {duration(at - now)}" if at is not None and at > now else ""
    return [f"attempt {attempt}{soon}"]
