"""What must hold of every save (design 7, semantics G). Each gives what is wrong, or None."""

from wf_core.errors import EngineError
from wf_core.model.outcomes import Succeeded
from wf_core.model.phases import Phase, RequestType, Undo, Verdict
from wf_core.saga.table import check_step, check_workflow
from wf_core.testing.simulation.invariants_steps import STEPS_ON_SAVE
from wf_core.testing.simulation.story import Save, Story

_LATELY = 30.0
"""Seconds that a save may be late."""
_UNDONE = (Undo.CALLED, Undo.IRREVERSIBLE, Undo.MARKED)


def i01_a_status_holds_in_the_save_of_the_intent(story: Story, save: Save) -> str | None:
    """A6: a `resourceStatus` holds in the very state whose save carries the intent."""
    for each in save.changes.history:
        if each.step is None or each.after is not Phase.RUNNING or each.reason == "MarkSucceeded":
            continue
        for condition in story.graph.conditions[story.index[each.step]]:
            if condition.resource_status is not None:
                resource = save.after.steps[condition.on].resource
                if resource is None or resource.status != condition.resource_status:
                    return f"{each.step} began while {condition} did not hold"
    return None


def i02_rollbacked_means_every_intent_was_undone(story: Story, save: Save) -> str | None:
    """RollBacked only if each step with an intent is Called, Irreversible or Marked; and where it
    is Called, a call for its undo succeeded after its last run in that epoch had ended."""
    if save.after.head.phase is not Phase.ROLL_BACKED:
        return None
    for i, step in enumerate(save.after.steps):
        if not step.attempt:
            continue
        name = story.workflow.spec.steps[i].name
        if step.undo not in _UNDONE:
            return f"{name} has an intent and is {step.undo}"
        if step.undo is Undo.CALLED:
            good = [u for u in story.undos(i) if isinstance(u.outcome, Succeeded)]
            if not good:
                return f"{name} is undone, and no undo of it ever succeeded"
            for run in story.runs(i):
                own = run.call.epoch == good[-1].call.epoch
                if own and (run.ended is None or run.ended > good[-1].began):
                    return f"{name}: {run.name} went on when its undo began"
    return None


def i05_one_owner_an_epoch_and_no_way_back(story: Story, save: Save) -> str | None:
    """At most one epoch can save: epochs grow, and each has one owner. (Whether one may be left out
    is the store's own rule.)"""
    owner, before = save.after.head.owner, save.before.head.owner
    if owner.epoch < before.epoch:
        return f"epoch {owner.epoch} saved over {before.epoch}"
    first = story.owners.setdefault(owner.epoch, owner.id)
    if first != owner.id:
        return f"epoch {owner.epoch} is {first}'s, and {owner.id} saved in it"
    return None


def i08_phases_move_along_the_table(story: Story, save: Save) -> str | None:
    """Each saved change follows the last one and stands in the table; states agree with them."""
    for each in save.changes.history:
        before = story.phases.get(each.step, Phase.PENDING)
        if each.before is not before:
            return f"{each.step or 'workflow'} was {before}, and moved from {each.before}"
        try:
            (check_workflow if each.step is None else check_step)(each.before, each.after)
        except EngineError as error:
            return str(error)
        story.phases[each.step] = each.after
    if save.after.head.phase is not story.phases.get(None, Phase.PENDING):
        return f"the workflow is {save.after.head.phase}, its history says otherwise"
    for i in save.changes.steps:
        name = story.workflow.spec.steps[i].name
        if save.after.steps[i].phase is not story.phases.get(name, Phase.PENDING):
            return f"{name} is {save.after.steps[i].phase}, its history says otherwise"
    if save.after.head.revision != save.before.head.revision + 1:
        return f"revision {save.after.head.revision} after {save.before.head.revision}"
    return None


def i09_every_change_is_put_into_the_outbox(story: Story, save: Save) -> str | None:
    """The save of a transition carries the entry that reports it."""
    callback = story.workflow.spec.callback
    if callback is None or not callback.url:
        return "an outbox without a callback" if save.changes.outbox else None
    entries = [(entry.step, entry.phase) for entry in save.changes.outbox]
    for each in save.changes.history:
        if callback.events is None:
            wanted = each.step is None or each.after in (Phase.SUCCESS, Phase.FAILED)
        else:
            what = "workflow" if each.step is None else "step"
            wanted = f"{what}.{each.after}" in callback.events
        if wanted and (each.step, each.after) not in entries:
            return f"{each.step or 'workflow'} -> {each.after} is not reported"
    last = story.outbox[-1].seq if story.outbox else 0
    for entry in save.changes.outbox:
        if entry.seq != last + 1:
            return f"outbox entry {entry.seq} follows {last}"
        last = entry.seq
    return None


def i11_failures_stay_within_the_limit(story: Story, save: Save) -> str | None:
    """Counted failures are at most the limit and one, since the last retry by a person."""
    head = save.after.head
    for i in save.changes.steps:
        spec, step = story.workflow.spec.steps[i], save.after.steps[i]
        policy = spec.step_template.retry_policy
        runs, undos = policy.run_retry_limit, policy.rollback_retry_limit
        if not (runs < 0 or head.committed or spec.pivot) and step.run_retry_count > runs + 1:
            return f"{spec.name} failed {step.run_retry_count} times; its limit is {runs}"
        if undos >= 0 and step.rollback_retry_count > undos + 1:
            return f"{spec.name}'s undo failed {step.rollback_retry_count} times, limit {undos}"
    return None


def i12_success_means_all_steps(_: Story, save: Save) -> str | None:
    """A save with the workflow in Success has all steps in Success, and none leaves all steps in
    Success with the workflow Running."""
    phase = save.after.head.phase
    if phase not in (Phase.SUCCESS, Phase.RUNNING):
        return None
    succeeded = all(step.phase is Phase.SUCCESS for step in save.after.steps)
    if phase is Phase.SUCCESS and not succeeded:
        return "Success, and not all steps are"
    if phase is Phase.RUNNING and succeeded:
        return "all steps are in Success, and the workflow is Running"
    return None


def i15_committed_only_goes_forward(story: Story, save: Save) -> str | None:
    """Past the pivot nothing is undone; committed is the save that holds the pivot's Success."""
    head = save.after.head
    if head.committed and head.phase not in (Phase.RUNNING, Phase.SUCCESS):
        return f"committed, and {head.phase}"
    pivot = story.graph.pivot
    reached = pivot is not None and save.after.steps[pivot].phase is Phase.SUCCESS
    if head.phase is Phase.RUNNING and head.committed != reached:
        return f"committed is {head.committed}, and the pivot's Success {reached}"
    if save.before.head.committed and not head.committed:
        return "no longer committed"
    return None


def d_each_request_is_answered_once(story: Story, save: Save) -> str | None:
    """The save that answers a request carries the answer, and there is no second one."""
    known = {answer.seq: answer for answer in save.after.head.answers}
    for seq in save.changes.answered:
        if seq in story.answered:
            return f"request {seq} is answered twice"
        if seq not in known:
            return f"request {seq} is answered without an answer"
        story.answered[seq] = known[seq].verdict
    return None


def b07_a_deadline_that_passed_turns_the_workflow_back(_: Story, save: Save) -> str | None:
    """Once `activeDeadlineSeconds` are over a workflow turns back, or holds the cause to do so as
    soon as its pivot's outcome is known."""
    head = save.after.head
    if head.phase is not Phase.RUNNING or head.deadline_at is None or head.cause:
        return None
    over = save.clock - head.deadline_at
    return f"its deadline passed {over:g} s ago" if over > _LATELY else None


def d_suspend_and_continue_do_what_they_say(_: Story, save: Save) -> str | None:
    """The save that answers Suspend or Continue with Applied holds what was asked."""
    head = save.after.head
    applied = [
        answer.type
        for answer in head.answers
        if answer.seq in save.changes.answered and answer.verdict is Verdict.APPLIED
    ]
    if RequestType.CANCEL in applied or head.phase not in (Phase.PENDING, Phase.RUNNING):
        return None
    asked = [t for t in applied if t in (RequestType.SUSPEND, RequestType.CONTINUE)]
    if asked and head.suspended != (asked[-1] is RequestType.SUSPEND):
        return f"{asked[-1]} is Applied, and suspended is {head.suspended}"
    return None


ON_SAVE = (
    i08_phases_move_along_the_table,
    i01_a_status_holds_in_the_save_of_the_intent,
    i02_rollbacked_means_every_intent_was_undone,
    i05_one_owner_an_epoch_and_no_way_back,
    i09_every_change_is_put_into_the_outbox,
    i11_failures_stay_within_the_limit,
    i12_success_means_all_steps,
    i15_committed_only_goes_forward,
    b07_a_deadline_that_passed_turns_the_workflow_back,
    d_each_request_is_answered_once,
    d_suspend_and_continue_do_what_they_say,
    *STEPS_ON_SAVE,
)
