"""What must hold when a workflow goes, and at rest. Each gives what is wrong, or None."""

from collections.abc import Callable

from wf_core.model.phases import FINISHED, DeletionPolicy, Phase, Ran, Undo
from wf_core.model.spec import TimeToLive
from wf_core.model.state import Stored
from wf_core.testing.simulation.story import Story

There = Callable[[int], bool]
"""Whether the effect of step i is there, outside."""


def as_if_all_or_none(story: Story, stored: Stored, there: There) -> str | None:
    """The promise, seen from outside: in Success every effect is there, in RollBacked none but what
    can't be undone or what a person vouched for; in Failed what was undone is gone."""
    if stored.head.deletion_asked_at is not None and _orphans(story):
        return None
    for i, step in enumerate(stored.steps):
        name = story.workflow.spec.steps[i].name
        if step.phase is Phase.SUCCESS and step.ran is not Ran.MARKED and not there(i):
            return f"{name} is in Success, and its effect is not there"
        if (
            step.phase is Phase.ROLL_BACKED
            and step.undo in (Undo.CALLED, Undo.NEVER_RAN)
            and there(i)
        ):
            return f"{name} is RollBacked ({step.undo}), and its effect is still there"
    return None


def i09_everything_was_delivered_or_dropped(story: Story, stored: Stored) -> str | None:
    """Delivered at least once, or recorded as dropped; in order, since the cursor goes in order."""
    head = stored.head
    if stored.outbox and not (_orphans(story) and head.deletion_asked_at is not None):
        return f"{len(stored.outbox)} callbacks were left"
    uid = story.workflow.metadata.uid
    missed = [e.seq for e in story.outbox if f"{uid}/{e.seq}" not in story.taken]
    left = {e.seq for e in stored.outbox}
    missed = [seq for seq in missed if seq not in left]
    if len(missed) > head.outbox_dropped:
        return f"{missed} were not delivered, and {head.outbox_dropped} are recorded as dropped"
    return None


def i14_a_workflow_goes_only_when_it_may(story: Story, stored: Stored) -> str | None:
    """It stays while unfinished, Failed, or its policy is Rollback, unless it is an orphan."""
    head, policy = stored.head, story.workflow.spec.deletion_policy
    if head.deletion_asked_at is None:
        return "it went, and nobody had asked"
    if policy is DeletionPolicy.ORPHAN:
        return None
    if head.phase is Phase.ROLL_BACKED:
        return None
    if head.phase is Phase.FAILED and not any(step.attempt for step in stored.steps):
        return None
    if head.phase is Phase.SUCCESS and (head.committed or policy is not DeletionPolicy.ROLLBACK):
        return None
    return f"it went in {head.phase} under {policy}"


def i14_only_what_needs_no_undo_goes_at_once(story: Story, stored: Stored) -> str | None:
    """What no engine lets go went because nothing held it: then nothing of it began, or it may go
    anyway."""
    if not any(step.attempt for step in stored.steps):
        return None
    return i14_a_workflow_goes_only_when_it_may(story, stored)


def i12_success_if_and_only_if_all_steps(_: Story, stored: Stored) -> str | None:
    """At rest too."""
    succeeded = all(step.phase is Phase.SUCCESS for step in stored.steps)
    if (stored.head.phase is Phase.SUCCESS) != succeeded:
        return f"it is {stored.head.phase}, and all steps in Success is {succeeded}"
    return None


def d_every_request_was_answered(story: Story, stored: Stored) -> str | None:
    """Each request is answered."""
    left = [asked.seq for asked in stored.asked]
    unanswered = [seq for seq in story.asked if seq not in story.answered]
    return f"requests {unanswered or left} have no answer" if unanswered or left else None


def d_what_was_deleted_goes(story: Story, _: Stored) -> str | None:
    """What people asked to go is gone once all rests."""
    return "its deletion was asked, and it is still there" if story.deleted else None


def kept_for(stored: Stored, everywhere: TimeToLive) -> float | None:
    """Seconds after its end for which it is kept; None for ever. Its own word counts first, as its
    document now has it."""
    phase = stored.head.phase
    for ages in (stored.workflow.spec.ttl_seconds_after_finished, everywhere):
        of: dict[Phase, float | None] = {
            Phase.SUCCESS: ages.success,
            Phase.ROLL_BACKED: ages.roll_backed,
            Phase.FAILED: ages.failed,
        }
        seconds = of.get(phase)
        if seconds is not None:
            return seconds
    return None


def i14_age_lets_go_of_what_is_finished_and_old(stored: Stored, aged: bool) -> str | None:
    """Only what has ended, and as long ago as was said."""
    if stored.head.phase in FINISHED and aged:
        return None
    return f"it went by age in {stored.head.phase}, {stored.head.reached}, and was not over it"


def i14_age_leaves_what_somebody_waits_for(stored: Stored, _: bool) -> str | None:
    """Not what owes a callback or an answer, nor what was asked to go, which may mean an undo."""
    if stored.outbox:
        return f"it went by age and owed {len(stored.outbox)} callbacks"
    if stored.asked:
        return f"it went by age, and requests {[each.seq for each in stored.asked]} had no answer"
    deleted = stored.head.deletion_asked_at is not None
    return "it went by age, and people had deleted it" if deleted else None


AT_EXPIRY = (i14_age_lets_go_of_what_is_finished_and_old, i14_age_leaves_what_somebody_waits_for)
AT_REST = (
    i09_everything_was_delivered_or_dropped,
    i12_success_if_and_only_if_all_steps,
    d_every_request_was_answered,
    d_what_was_deleted_goes,
)
AT_VANISHING = (
    i14_only_what_needs_no_undo_goes_at_once,
    i09_everything_was_delivered_or_dropped,
)
AT_REMOVAL = (i14_a_workflow_goes_only_when_it_may, i09_everything_was_delivered_or_dropped)


def _orphans(story: Story) -> bool:
    return story.workflow.spec.deletion_policy is DeletionPolicy.ORPHAN
