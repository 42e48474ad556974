"""The finalizer: when it must be there, and the patches that put it on and take it off."""

from typing import TYPE_CHECKING

import msgspec

from wf_core.model.phases import FINISHED, DeletionPolicy, Phase
from wf_core.model.spec import WorkflowSpec
from wf_core.ports import Changes
from wf_k8s.store.pointers import Op, add, remove, test

if TYPE_CHECKING:
    from wf_k8s.store.known import Known

FINALIZER = "workflow.example.com/undo"

_encode = msgspec.json.Encoder().encode


def wants_guard(spec: WorkflowSpec) -> bool:
    """Whether the workflow is guarded at all."""
    return spec.deletion_policy is not DeletionPolicy.ORPHAN


def guarded(known: "Known") -> bool:
    """Whether the finalizer is on it."""
    return FINALIZER in known.finalizers


def held_by_others(known: "Known") -> bool:
    """Whether it would not go at once if it were deleted without our finalizer."""
    return any(each != FINALIZER for each in known.finalizers)


def to_guard(known: "Known", changes: Changes) -> bool:
    """Whether the finalizer must go on before `changes` is saved: with the first intent, and with
    the move by which what had ended begins to undo, whether or not its calls have a permit."""
    return (
        not guarded(known)
        and known.deleting_at is None
        and wants_guard(known.workflow.spec)
        and changes.head.phase not in FINISHED
        and any(
            step.phase is not Phase.PENDING
            for step in (*changes.steps.values(), *known.status.steps.values())
        )
    )


def keeps_guard(known: "Known", changes: Changes) -> bool:
    """Whether `changes` begin to undo what had ended: the finalizer must be on in that very save,
    since whoever saw the workflow ended may be about to take it off."""
    return (
        guarded(known)
        and known.status.phase in FINISHED
        and changes.head.phase not in FINISHED
        and wants_guard(known.workflow.spec)
    )


def still_guarded(known: "Known") -> Op:
    """A test that the finalizer is on, for a patch whose writes need it."""
    return test(f"/metadata/finalizers/{known.finalizers.index(FINALIZER)}", FINALIZER)


def to_free(known: "Known") -> bool:
    """Whether it is on and nothing is left to guard."""
    status, spec = known.status, known.workflow.spec
    return (
        guarded(known)
        and known.deleting_at is None
        and nothing_left(status.phase, spec.deletion_policy, reporting=bool(status.outbox))
    )


def nothing_left(phase: Phase, policy: DeletionPolicy, *, reporting: bool) -> bool:
    """Whether nothing is left to guard: finished well, everything reported. A failed undo stays
    guarded, and one that deletion is to undo (I14)."""
    if reporting:
        return False
    if phase is Phase.SUCCESS:
        return policy is not DeletionPolicy.ROLLBACK
    return phase is Phase.ROLL_BACKED


def put_on(known: "Known") -> bytes:
    """The patch on the object that adds the finalizer."""
    where = "/metadata/finalizers"
    if not known.finalizers:
        return _encode([*_unmoved(known), test(where, None), add(where, [FINALIZER])])
    return _encode([*_unmoved(known), add(f"{where}/-", FINALIZER)])


def take_off(known: "Known") -> bytes:
    """The patch on the object that removes it; refused where the list has changed."""
    where = f"/metadata/finalizers/{known.finalizers.index(FINALIZER)}"
    return _encode([*_unmoved(known), test(where, FINALIZER), remove(where)])


def take_off_unchanged(known: "Known") -> bytes:
    """The same, refused once anything about the object has changed: what age lets go may be wanted
    after all."""
    where = f"/metadata/finalizers/{known.finalizers.index(FINALIZER)}"
    return _encode(
        [
            test("/metadata/uid", known.uid),
            test("/metadata/resourceVersion", str(known.version)),
            remove(where),
        ]
    )


def _unmoved(known: "Known") -> list[Op]:
    """Refused once somebody saved (kubernetes.md 7): what was right to do may not be any more."""
    return [
        test("/metadata/uid", known.uid),
        test("/status/epoch", known.status.epoch),
        test("/status/revision", known.status.revision),
    ]
