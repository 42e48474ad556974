"""What must hold in every state that can be reached (the invariants, as one owner sees them)."""

from collections.abc import Mapping, Sequence

import attrs

from wf_core.model.phases import FINISHED, Hook, Phase, Purpose, RollbackPolicy, Undo
from wf_core.model.state import StepState, Stored
from wf_core.prove.world import Effect
from wf_core.saga.events import Call
from wf_core.saga.machine import Saga


@attrs.frozen
class Violation:
    """A rule that was broken: its number, and how."""

    rule: str
    message: str


def check_call(
    saved: Stored, effects: Sequence[Effect], calls: Mapping[int, Call], call: Call
) -> Violation | None:
    """Whether a hook may be called in what is saved."""
    spec = saved.workflow.spec
    index = {step.name: i for i, step in enumerate(spec.steps)}
    i, step = call.step, saved.steps[call.step]
    name = spec.steps[i].name
    if i in calls:
        return Violation("I5", f"two calls of '{name}' overlap")
    if call.purpose is Purpose.RUN:
        if step.phase is not Phase.RUNNING:
            return Violation("I6", f"'{name}' is called without a saved intent")
        for depend_on in spec.steps[i].depend_ons:
            upstream = saved.steps[index[depend_on.name]]
            if depend_on.phase not in upstream.reached:
                return Violation("I1", f"'{name}' runs before '{depend_on.name}'")
        if call.hook is Hook.RUN and effects[i] is Effect.UNDONE:
            return Violation("I4", f"'{name}' runs after it was undone")
        if saved.head.phase is not Phase.RUNNING:
            return Violation("I4", f"'{name}' runs while the workflow is {saved.head.phase}")
    if call.purpose is Purpose.ROLLBACK:
        if step.phase is not Phase.ROLLING_BACK or step.attempt == 0:
            return Violation("I4", f"'{name}' is undone without a saved intent")
        for j, other in enumerate(spec.steps):
            depends = any(index[d.name] == i for d in other.depend_ons)
            if depends and not _settled(saved, j):
                return Violation("I3", f"'{name}' is undone before '{other.name}'")
        if saved.head.committed:
            return Violation("I15", f"'{name}' is undone past the pivot")
    return None


def check_state(saved: Stored, effects: Sequence[Effect]) -> Violation | None:
    """Whether what is saved is sound."""
    steps = saved.steps
    all_done = all(step.phase is Phase.SUCCESS for step in steps)
    phase = saved.head.phase
    if (phase is Phase.SUCCESS and not all_done) or (phase is Phase.RUNNING and all_done):
        return Violation("I12", f"the workflow is {phase} with steps {_phases(steps)}")
    if phase is Phase.ROLL_BACKED:
        for i, step in enumerate(steps):
            if step.phase is not Phase.ROLL_BACKED:
                return Violation("I2", f"RollBacked with a step in {step.phase}")
            undone = step.undo in (Undo.CALLED, Undo.IRREVERSIBLE, Undo.MARKED)
            if step.attempt and not undone:
                return Violation("I2", f"a step with an intent ends as {step.undo}")
            if step.undo is Undo.CALLED and effects[i] is not Effect.UNDONE:
                return Violation("I2", "a step counts as undone and is not")
            if step.undo is Undo.NEVER_RAN and effects[i] is not Effect.NOTHING:
                return Violation("I2", "a step counts as never run and did run")
    if phase is Phase.SUCCESS and any(effect is not Effect.DONE for effect in effects):
        return Violation("I12", "Success with a step whose effect is not there")
    limit_broken = any(
        0 <= spec.step_template.retry_policy.run_retry_limit < step.run_retry_count - 1
        and not saved.head.committed
        and not spec.pivot
        for spec, step in zip(saved.workflow.spec.steps, steps, strict=True)
    )
    if limit_broken:
        return Violation("I11", "a step was retried beyond its limit")
    return None


def check_end(saga: Saga, saved: Stored, effects: Sequence[Effect]) -> Violation | None:
    """Whether a state in which nothing moves is one to rest in (I10)."""
    if not saga.rests or (
        saved.head.phase not in FINISHED and not any(step.blocked for step in saga.steps)
    ):
        names = ", ".join(_phases(saved.steps))
        return Violation("I10", f"nothing moves, and it is {saved.head.phase} with {names}")
    return check_state(saved, effects)


def _settled(saved: Stored, j: int) -> bool:
    step, spec = saved.steps[j], saved.workflow.spec
    policy = spec.steps[j].step_template.rollback_policy or spec.rollback_policy
    return step.phase is Phase.ROLL_BACKED or (
        step.phase is Phase.FAILED
        and (step.undo is Undo.SKIPPED or policy is RollbackPolicy.ALWAYS)
    )


def _phases(steps: Sequence[StepState]) -> list[str]:
    return [str(step.phase) for step in steps]
