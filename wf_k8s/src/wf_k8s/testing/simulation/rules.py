"""What must hold of an object at the API server, beside what holds on every store."""

import msgspec

from wf_core.model.phases import FINISHED, DeletionPolicy, Phase
from wf_core.model.state import Stored
from wf_core.ports import Changes
from wf_k8s.store.guard import FINALIZER
from wf_k8s.testing.api.collection import Held

THEIRS = "example.com/theirs"
"""A finalizer of somebody else's."""


def d_finalizers_of_others_stay(before: Held, after: Held) -> str | None:
    """No process of ours takes off what it has not put on."""
    if THEIRS in _finalizers(before) and THEIRS not in _finalizers(after):
        return "a finalizer was taken off that is not ours"
    return None


def i16_what_is_stored_is_what_was_saved(
    before: Stored, changes: Changes, after: Stored
) -> str | None:
    """I16: the object says what a memory store would after that save."""
    steps = list(before.steps)
    for i, state in changes.steps.items():
        steps[i] = state
    if tuple(steps) != after.steps:
        return "the steps are not those that were saved"
    head = msgspec.structs.replace(
        changes.head,
        answers=(),
        deletion_asked_at=changes.head.deletion_asked_at or after.head.deletion_asked_at,
    )
    if head != msgspec.structs.replace(after.head, answers=()):
        return f"the head is {after.head}, and {head} was saved"
    answers = {each.seq: each for each in after.head.answers}
    if any(answers.get(each.seq) != each for each in changes.head.answers):
        return "answers are missing"
    delivered = changes.head.outbox_delivered
    outbox = [each for each in (*before.outbox, *changes.outbox) if each.seq > delivered]
    if outbox != list(after.outbox):
        return "the outbox is not what was saved"
    asked = [each.seq for each in before.asked if each.seq not in changes.answered]
    if asked != [each.seq for each in after.asked]:
        return f"requests {asked} wait, and the object says {[e.seq for e in after.asked]}"
    return None


def i14_the_finalizer_stays_while_it_is_needed(held: Held, stored: Stored) -> str | None:
    """I14: what began is guarded while it is unfinished, Failed, or its policy is Rollback."""
    policy, head = stored.workflow.spec.deletion_policy, stored.head
    if FINALIZER in _finalizers(held):
        return None
    if policy is DeletionPolicy.ORPHAN or not any(step.attempt for step in stored.steps):
        return None
    if head.phase not in FINISHED or head.phase is Phase.FAILED:
        return f"no finalizer guards it, and it is {head.phase}"
    if head.phase is Phase.SUCCESS and policy is DeletionPolicy.ROLLBACK:
        return "no finalizer guards it, and its deletion is to undo it"
    return None


def _finalizers(held: Held) -> list[str]:
    found: list[str] = held.document["metadata"].get("finalizers", [])
    return found
