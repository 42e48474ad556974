"""What semantics A to C ask of each step beyond I1 to I16. Each gives what is wrong, or None."""

from collections.abc import Mapping

import attrs

from wf_core.model.outcomes import Failure, Severity, Succeeded
from wf_core.model.phases import (
    Hook,
    OnFailure,
    Phase,
    RequestType,
    RollbackMode,
    RollbackPolicy,
    Undo,
)
from wf_core.model.state import Resource, StepState
from wf_core.testing.simulation.story import Called, Save, Story
from wf_core.testing.simulation.world import Act

_INTERRUPTIONS = 5
_RETRIES = (RequestType.RETRY_RUN, RequestType.RETRY_ROLLBACK)
_NOT_REISSUED = "once"
"""The kind of the simulated world that must not be called again once interrupted."""

# Saves


def a03_irreversible_is_what_the_spec_calls_so(story: Story, save: Save) -> str | None:
    """A3: only `rollback: None` gives Irreversible."""
    for i in save.changes.steps:
        spec, step = story.workflow.spec.steps[i], save.after.steps[i]
        if step.undo is Undo.IRREVERSIBLE and spec.rollback is not RollbackMode.NONE:
            return f"{spec.name} can be undone, and was not called"
    return None


def a04_a_pivot_that_has_not_failed_is_not_undone(story: Story, save: Save) -> str | None:
    """A4: what turns a workflow back waits until the pivot has said how it ended: its last call has
    failed then, or there was none."""
    pivot = story.graph.pivot
    if pivot is None or not _turns_back(save, Phase.RUNNING):
        return None
    for called in reversed(story.runs(pivot)):
        if called.stale:
            continue
        outcome = called.outcome
        too_large = called.act is Act.TOO_LARGE and isinstance(outcome, Succeeded)  # C7: it failed
        if too_large or isinstance(outcome, Failure):
            return None
        return f"it turns back, and the pivot's last call is {_ended(called)}"
    return None


def a05_a_failure_pauses_where_it_should(story: Story, save: Save) -> str | None:
    """A5: with `onFailure: Pause` no failed run turns the workflow back."""
    paused = story.workflow.spec.on_failure is OnFailure.PAUSE
    if paused and _turns_back(save, Phase.RUNNING) and "' failed: " in save.after.head.cause:
        return f"it turned back instead of pausing: {save.after.head.cause}"
    return None


def a05_what_waits_only_for_a_person_holds_no_slot(story: Story, save: Save) -> str | None:
    """A5, E3: a Running workflow of which every step that was begun waits for a person's answer,
    and no other may begin, has given its slot back."""
    head, steps = save.after.head, save.after.steps
    if head.phase is not Phase.RUNNING or head.parked:
        return None
    begun = [step for step in steps if step.phase is Phase.RUNNING]
    may_begin = any(
        step.phase is Phase.PENDING
        and all(each.phase in steps[each.on].reached for each in story.graph.conditions[i])
        for i, step in enumerate(steps)
    )
    if begun and not may_begin and all(s.waits_for_person and not s.blocked for s in begun):
        return "it waits for nothing but a person, and holds a slot"
    return None


def a05_only_what_is_in_progress_waits_for_a_person(_: Story, save: Save) -> str | None:
    """A5: what waits for a person is in progress."""
    for step in save.after.steps:
        if step.waits_for_person and not step.in_progress:
            return "a step waits for a person, and is not in progress"
    return None


def b06_errors_clear(story: Story, save: Save) -> str | None:
    """B6: a step that got to where it should be has no error left of the way there."""
    for i in save.changes.steps:
        name, step = story.workflow.spec.steps[i].name, save.after.steps[i]
        if step.phase is Phase.SUCCESS and (step.run_error is not None or step.failed):
            return f"{name} is in Success with the error {step.run_error!r}"
        if step.phase is Phase.ROLL_BACKED and step.rollback_error is not None:
            return f"{name} is RollBacked with the error {step.rollback_error!r}"
    return None


def b06_throttled_is_not_counted(story: Story, save: Save) -> str | None:
    """B6: a call that was throttled is tried again without counting."""
    epoch = save.after.head.owner.epoch
    for i in save.changes.steps:
        before, after = save.before.steps[i], save.after.steps[i]
        for hook, counted in (
            (Hook.RUN, after.run_retry_count > before.run_retry_count),
            (Hook.ROLLBACK, after.rollback_retry_count > before.rollback_retry_count),
        ):
            own = [each for each in story.calls[i] if each.call.epoch == epoch]
            last = own[-1] if own else None
            if counted and last is not None and last.call.hook is hook and _throttled(last):
                return f"{last.name} was throttled, and is counted"
    return None


def i10_what_failed_can_not_move(story: Story, save: Save) -> str | None:
    """A1, A2: in a workflow that is Failed nothing is being undone, nor waits for nothing but its
    own undo."""
    if save.after.head.phase is not Phase.FAILED:
        return None
    for i, step in enumerate(save.after.steps):
        name = story.workflow.spec.steps[i].name
        if step.phase is Phase.ROLLING_BACK:
            return f"Failed, and {name} is being undone"
        if step.phase in (Phase.RUNNING, Phase.SUCCESS) and all(
            settled(story, d, save.after.steps[d]) for d in story.graph.dependents[i]
        ):
            return f"Failed, and nothing holds up the undo of {name}"
    return None


# Calls


def b03_interruptions_in_a_row_are_bounded(story: Story, called: Called) -> str | None:
    """B3: after five interruptions in a row an attempt has failed, where nothing tells which call
    was alone when a process died. Who takes over can't know of what the one before calls that does
    not know of it."""
    call = called.call
    if (
        not story.forgets
        or call.hook is Hook.SYNC
        or any(story.asked[seq] in _RETRIES for seq in story.answered)
    ):
        return None
    same = [
        each
        for each in story.calls[called.i]
        if (each.call.hook, each.call.attempt) == (call.hook, call.attempt)
        and not (each.stale or each.usurped)
    ]
    if len(same) > _INTERRUPTIONS and all(each.outcome is None for each in same):
        return f"{called.name} for the {len(same) + 1}th time, interrupted each time"
    return None


def b03_what_must_not_be_called_again_is_not(_: Story, called: Called) -> str | None:
    """B3: a kind without reissue is not called again once it was interrupted."""
    call = called.call
    if call.hook is Hook.RUN and call.kind == _NOT_REISSUED and call.interruptions:
        return f"{called.name} again, and its kind must not be"
    return None


def b05_every_call_is_told_the_same_parameters(story: Story, called: Called) -> str | None:
    """B5: retries, looks and the undo are told what the first call was, whatever version of the
    kind is there by then."""
    first = next(iter(story.calls[called.i]), called)
    told, was = attrs.asdict(called.call.parameters), attrs.asdict(first.call.parameters)
    if told != was:
        return f"{called.name} is told {told}, and {first.name} was told {was}"
    return None


def b05_a_call_reads_its_ancestors(story: Story, called: Called) -> str | None:
    """B5: attributes are the fold over ancestors alone in topological order, later wins; resources
    are theirs by name."""
    if called.seen is None:
        return None
    above = _ancestors(story, called.i)
    attributes: dict[str, object] = {}
    resources: dict[str, Resource] = {}
    for i in story.graph.order:
        if i in above:
            step: StepState = called.seen.steps[i]
            attributes.update(step.attributes)
            if step.resource is not None:
                resources[story.workflow.spec.steps[i].name] = step.resource
    told: Mapping[str, object] = called.call.attributes
    if dict(told) != attributes:
        return f"{called.name} reads {dict(told)}, not {attributes}"
    if dict(called.call.resources) != resources:
        return f"{called.name} sees other resources than its ancestors'"
    return None


# Within and after calls


def b04_a_checkpoint_is_saved(story: Story, called: Called, resource: Resource) -> str | None:
    """B4: `checkpoint` returns once what it was given is saved."""
    seen = story.by_epoch.get(called.call.epoch)
    if seen is None or seen.steps[called.i].resource != resource:
        return f"the checkpoint of {called.name} returned, and is not saved"
    return None


def b07_nobody_is_given_up_unasked(_: Story, called: Called) -> str | None:
    """B7: a hook whose time is over is asked to stop before its thread is written off."""
    if called.stuck and called.stopped_at is None:
        return f"{called.name} was given up, and never asked to stop"
    return None


def c05_a_claim_outlives_its_calls(story: Story, process: int) -> str | None:
    """C5: a process gives a workflow up only when none of its hook calls is running."""
    for called in story.in_flight:
        if called.process == process:
            return f"it is released while {called.name} goes on"
    return None


def c06_nobody_takes_from_the_living(
    _: Story, save: Save, living: Mapping[str, None]
) -> str | None:
    """C6: a workflow is claimed only where its last owner gave it up or died."""
    before, after = save.before.head.owner, save.after.head.owner
    if before.id != after.id and before.id in living:
        return f"{after.id} took it from {before.id}, which lives"
    return None


STEPS_ON_SAVE = (
    a03_irreversible_is_what_the_spec_calls_so,
    a04_a_pivot_that_has_not_failed_is_not_undone,
    a05_a_failure_pauses_where_it_should,
    a05_what_waits_only_for_a_person_holds_no_slot,
    a05_only_what_is_in_progress_waits_for_a_person,
    b06_errors_clear,
    b06_throttled_is_not_counted,
    i10_what_failed_can_not_move,
)
STEPS_ON_CALL = (
    b03_interruptions_in_a_row_are_bounded,
    b03_what_must_not_be_called_again_is_not,
    b05_a_call_reads_its_ancestors,
    b05_every_call_is_told_the_same_parameters,
)


def settled(story: Story, i: int, step: StepState) -> bool:
    """A2: whether the undo of step i holds up nothing."""
    spec = story.workflow.spec
    policy = spec.steps[i].step_template.rollback_policy or spec.rollback_policy
    return step.phase is Phase.ROLL_BACKED or (
        step.phase is Phase.FAILED
        and (step.undo is Undo.SKIPPED or policy is RollbackPolicy.ALWAYS)
    )


def _turns_back(save: Save, before: Phase) -> bool:
    head = save.after.head
    return save.before.head.phase is before and head.phase is Phase.ROLLING_BACK


def _ended(called: Called) -> str:
    if called.outcome is None:
        return "unknown"
    return "a success" if isinstance(called.outcome, Succeeded) else "in progress"


def _throttled(called: Called) -> bool:
    outcome = called.outcome
    return isinstance(outcome, Failure) and outcome.severity is Severity.THROTTLED


def _ancestors(story: Story, i: int) -> dict[int, None]:
    found: dict[int, None] = {}
    todo = list(story.graph.upstream[i])
    while todo:
        up = todo.pop()
        if up not in found:
            found[up] = None
            todo += story.graph.upstream[up]
    return found
