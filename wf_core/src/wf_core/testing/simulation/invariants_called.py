"""What must hold at the start of every call (design 7, semantics G). Each gives what is wrong, or
None. They speak of what the call's own epoch had saved: another may have saved since (C5)."""

import hashlib

from wf_core.model.phases import Hook, Phase, Purpose
from wf_core.testing.simulation.invariants_bounds import e08_a_look_leaves_a_while_to_the_last
from wf_core.testing.simulation.invariants_steps import STEPS_ON_CALL, settled
from wf_core.testing.simulation.story import Called, Story

_LOOKED_AT = {
    Purpose.RUN: Phase.RUNNING,
    Purpose.ROLLBACK: Phase.ROLLING_BACK,
    Purpose.WATCH: Phase.SUCCESS,
}
_EXACT = 1e-6
_TOLD = 600.0
"""Seconds within which an engine surely learns that a workflow is gone."""


def c05_nothing_is_called_before_the_claim_is_saved(_: Story, called: Called) -> str | None:
    """C5: before it calls anything, a new owner saves its epoch."""
    if called.seen is None:
        return f"{called.name} in epoch {called.call.epoch}, which never saved"
    return None


def i01_run_only_after_conditions_were_saved(story: Story, called: Called) -> str | None:
    """Every condition of its dependOns was saved before."""
    seen = called.seen
    if called.call.hook is not Hook.RUN or seen is None:
        return None
    for condition in story.graph.conditions[called.i]:
        if condition.phase not in seen.steps[condition.on].reached:
            return f"{called.name} before {condition} was saved"
    return None


def i03_undo_only_when_every_dependent_is_settled(story: Story, called: Called) -> str | None:
    """rollback(s) starts only when every dependent is undone or never had an intent (or counts as
    settled, A2). It goes on when a person tries the undo of a dependent again."""
    seen = called.seen
    if called.call.hook is not Hook.ROLLBACK or seen is None:
        return None
    for i in story.graph.dependents[called.i]:
        step = seen.steps[i]
        again = Phase.FAILED in step.reached and (
            step.phase is Phase.ROLLING_BACK or called.call.attempt > 1
        )
        if not (settled(story, i, step) or again):
            return f"{called.name} while {story.workflow.spec.steps[i].name} is {step.phase}"
    return None


def i04_no_undo_without_an_intent_and_no_run_after_it(story: Story, called: Called) -> str | None:
    """No rollback without an intent; no run after a rollback within one epoch, or after a saved
    intent to undo."""
    seen, call = called.seen, called.call
    if seen is None:
        return None
    step = seen.steps[called.i]
    if call.hook is Hook.ROLLBACK and not step.attempt:
        return f"{called.name} of a step that never had an intent"
    if call.hook is Hook.RUN:
        if step.rollback_attempt or step.phase is not Phase.RUNNING:
            return f"{called.name} of a step that is {step.phase}"
        for undo in story.undos(called.i):
            if undo.call.epoch == call.epoch:
                return f"{called.name} after {undo.name} in one epoch"
    return None


def i05_calls_of_a_step_never_overlap(story: Story, called: Called) -> str | None:
    """Hook calls of one step never overlap within one epoch, nor within one process."""
    for other in story.calls[called.i]:
        own = other.call.epoch == called.call.epoch or other.process == called.process
        if own and other is not called and other.ended is None:
            return f"{called.name} while {other.name} goes on"
    return None


def i06_only_with_the_saved_intent_of_that_attempt(_: Story, called: Called) -> str | None:
    """No hook without a saved intent for that attempt; after a saved Success never run again."""
    seen, call = called.seen, called.call
    if seen is None:
        return None
    step = seen.steps[called.i]
    if call.hook is Hook.RUN:
        if Phase.SUCCESS in step.reached:
            return f"{called.name} after its Success was saved"
        if step.attempt != call.attempt:
            return f"{called.name}, and attempt {step.attempt} is saved"
    elif call.hook is Hook.ROLLBACK:
        if step.phase is not Phase.ROLLING_BACK or step.rollback_attempt != call.attempt:
            return f"{called.name}, and undo {step.rollback_attempt} ({step.phase}) is saved"
    elif step.phase is not _LOOKED_AT[call.purpose]:
        return f"{called.name} looks at a step in {step.phase}"
    elif step.in_progress != (call.purpose is not Purpose.WATCH):
        return f"{called.name}, and in progress is {step.in_progress}"
    return None


def i07_the_key_is_a_function_of_uid_step_and_hook(story: Story, called: Called) -> str | None:
    """And differs otherwise; an undo is told the run's key too."""
    call, uid = called.call, story.workflow.metadata.uid
    run_key = _key(uid, call.step, Hook.RUN)
    own = _key(uid, call.step, Hook.ROLLBACK) if call.purpose is Purpose.ROLLBACK else run_key
    if (call.key, call.run_key, call.uid) != (own, run_key, uid):
        return f"{called.name} has the keys {call.key} and {call.run_key}"
    return None


def i11_nothing_starts_before_its_time(_: Story, called: Called) -> str | None:
    """No attempt starts before its saved not-before time, by its process's clock."""
    if called.seen is None or called.call.hook is Hook.SYNC:
        return None
    due = called.seen.steps[called.i].next_attempt_at
    if due is not None and due > called.clock + _EXACT:
        return f"{called.name} starts {due - called.clock:g} s early"
    return None


def i15_past_the_pivot_nothing_is_undone(_: Story, called: Called) -> str | None:
    """No rollback of a committed workflow."""
    seen = called.seen
    if called.call.purpose is Purpose.ROLLBACK and seen is not None and seen.head.committed:
        return f"{called.name} past the pivot"
    return None


def b02_an_attempt_is_told_what_the_last_one_left(_: Story, called: Called) -> str | None:
    """`previous` is what was saved: resource and attributes."""
    seen, call = called.seen, called.call
    if seen is None:
        return None
    step = seen.steps[called.i]
    if (call.previous.resource, dict(call.previous.attributes)) != (step.resource, step.attributes):
        return f"{called.name} is told {call.previous}"
    return None


def a05_a_suspended_workflow_starts_no_run(_: Story, called: Called) -> str | None:
    """Suspend starts no new run attempt."""
    if called.call.hook is Hook.RUN and called.seen is not None and called.seen.head.suspended:
        return f"{called.name} of a suspended workflow"
    return None


def i10_what_is_gone_is_left_alone(story: Story, called: Called) -> str | None:
    """Nothing is called of a workflow that went a while ago."""
    if story.gone_at is not None and called.began - story.gone_at > _TOLD:
        return f"{called.name} {called.began - story.gone_at:g} s after it went"
    return None


ON_CALL = (
    c05_nothing_is_called_before_the_claim_is_saved,
    i01_run_only_after_conditions_were_saved,
    i03_undo_only_when_every_dependent_is_settled,
    i04_no_undo_without_an_intent_and_no_run_after_it,
    i05_calls_of_a_step_never_overlap,
    i06_only_with_the_saved_intent_of_that_attempt,
    i07_the_key_is_a_function_of_uid_step_and_hook,
    i11_nothing_starts_before_its_time,
    i15_past_the_pivot_nothing_is_undone,
    b02_an_attempt_is_told_what_the_last_one_left,
    a05_a_suspended_workflow_starts_no_run,
    i10_what_is_gone_is_left_alone,
    e08_a_look_leaves_a_while_to_the_last,
    *STEPS_ON_CALL,
)


def _key(uid: str, step: str, hook: Hook) -> str:
    return hashlib.sha256(f"{uid}/{step}/{hook}".encode()).hexdigest()[:32]
