"""What the kind `approval` makes of a call, where the engine rarely gets."""

from typing import Any

import pytest

from wf_approval.gate import EXPIRED, REJECTED, WAITING, Gate, fingerprint
from wf_approval.kind import Approval
from wf_core.kinds import Fatal, InProgress, Previous, Success
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_core.plugins import LoadedKind
from wf_core.testing.calls import RecordedCall, call_for

NOW = 1_000.0
KIND = Approval(lambda: NOW)


def call(
    hook: Hook = Hook.RUN,
    left: Resource | None = None,
    outcome: Ended = Ended.IN_PROGRESS,
    said: object = None,
    purpose: Purpose | None = None,
    **parameters: Any,
) -> RecordedCall:
    previous = Previous(outcome if left else Ended.NONE, left)
    signals: Any = {} if said is None else {"step1": said}
    return call_for(
        KIND, parameters, hook=hook, previous=previous, signals=signals, purpose=purpose
    )


def answer(approved: bool = True, by: str = "ann", reason: str = "") -> dict[str, Any]:
    return {"approved": approved, "by": by, "reason": reason}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"deadlineSeconds": 0}, "deadlineSeconds: give seconds, more than 0, not 0"),
        ({"approvers": ["ann", " "]}, "approvers: a name is empty"),
        ({"signal": ""}, "signal: give a name, or leave it out"),
    ],
)
def test_parameters_that_make_no_sense_are_faults(parameters: Any, fault: str) -> None:
    decoded: Any = LoadedKind(KIND.name, KIND, "tested", "").decode(parameters)
    assert list(KIND.faults(decoded, undoable=True)) == [fault]


def test_another_signal_may_answer() -> None:
    made = call_for(KIND, {"signal": "go"}, signals={"go": answer()})
    assert isinstance(KIND.run(made), Success)


@pytest.mark.parametrize("status", [REJECTED, EXPIRED])
@pytest.mark.parametrize("hook", [KIND.run, KIND.sync])
def test_how_it_ended_stands_though_a_crash_came_before_the_engine_saved_it(
    status: str, hook: Any
) -> None:
    left = Gate("step1").resource(status, "rejected by bob: no")
    with pytest.raises(Fatal, match="rejected by bob: no"):
        hook(call(Hook.RUN, left, Ended.UNKNOWN, said=answer()))


def test_a_saved_resource_that_lost_its_attributes_opens_the_gate_to_nobody() -> None:
    left = Resource(status=WAITING)
    made = call(Hook.SYNC, left, said=answer(by="eve"), approvers=["ann"], deadlineSeconds=5)
    looked = KIND.sync(made)
    assert isinstance(looked, InProgress)
    assert looked.poll_after == 5
    assert isinstance(KIND.sync(call(Hook.SYNC, None, approvers=["ann"])), InProgress)


def test_an_answer_that_ended_an_attempt_is_spent_for_the_next() -> None:
    said = answer(approved=False)
    left = Gate("step1", used=fingerprint(said)).resource(REJECTED, "rejected by ann")
    assert isinstance(KIND.run(call(Hook.RUN, left, Ended.FAILED, said=said)), InProgress)
    other = answer(approved=False, reason="still not")
    with pytest.raises(Fatal, match="still not"):
        KIND.run(call(Hook.RUN, left, Ended.FAILED, said=other))


def test_a_name_and_a_reason_are_cut_so_that_they_can_be_kept() -> None:
    approved = KIND.run(call(said=answer(by="a" * 300, reason="r" * 70_000)))
    assert isinstance(approved, Success)
    assert approved.attributes == {
        "approvedBy": "a" * 256,
        "approvedAt": "1970-01-01T00:16:40Z",
        "reason": "r" * 256,
    }


def test_a_rejection_is_saved_before_it_is_raised() -> None:
    made = call(said=answer(approved=False))
    with pytest.raises(Fatal):
        KIND.run(made)
    (saved,) = made.checkpoints
    assert saved.resource is not None
    assert saved.resource.status == REJECTED


def test_a_look_at_what_is_approved_changes_nothing() -> None:
    assert KIND.sync(call(Hook.SYNC, Resource(status="approved"), purpose=Purpose.WATCH)) is None


def test_its_undo_closes_it_also_where_it_never_opened() -> None:
    undone = KIND.rollback(call(Hook.ROLLBACK))
    assert undone == Success(Resource(status="closed"))
