"""The status has the seed's names; what people need beside them is there too."""

from wf_core import codec
from wf_core.model.phases import BlockReason, Ended, Hook, Phase, RequestType, Undo, Verdict
from wf_core.model.requests import Answer, Asked, Request
from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.model.state import (
    Attempt,
    Blocked,
    Condition,
    Resource,
    StepState,
    Stored,
    WorkflowState,
)


def stored(*states: StepState, head: WorkflowState | None = None) -> Stored:
    """Steps c, b, a, ... of one kind, each depending on the one after it in the document."""
    names = "cba"[: len(states)]
    steps = tuple(
        StepSpec(name, StepTemplate("random"), tuple(DependOn(n) for n in names[i + 1 : i + 2]))
        for i, name in enumerate(names)
    )
    workflow = Workflow(Metadata("w", uid="u-1"), WorkflowSpec(steps))
    return Stored(workflow, head or WorkflowState(Phase.RUNNING), states)


def test_a_fresh_workflow_shows_phases_and_progress() -> None:
    status = codec.to_status(stored(StepState(), StepState(), head=WorkflowState()))
    assert status == {
        "phase": "Pending",
        "progress": "0/2",
        "stepPhases": {"c": "Pending", "b": "Pending"},
        "steps": {"c": {"phase": "Pending"}, "b": {"phase": "Pending"}},
    }


def test_seed_fault_15_errors_are_keyed_by_step_and_attributes_merge_in_order() -> None:
    """Three steps of one kind: each keeps its own error, and downstream wins over upstream
    although it stands earlier in the document."""
    status = codec.to_status(
        stored(
            StepState(Phase.SUCCESS, attributes={"x": "from c"}, sync_error="sync of c"),
            StepState(Phase.SUCCESS, attributes={"x": "from b", "y": 1}, run_error="run of b"),
            StepState(
                Phase.SUCCESS,
                attributes={"x": "from a", "y": 0, "z": 2},
                run_error="run of a",
                rollback_error="rollback of a",
            ),
        )
    )
    assert status["attributes"] == {"x": "from c", "y": 1, "z": 2}
    assert status["runError"] == {"b": "run of b", "a": "run of a"}
    assert status["rollbackError"] == {"a": "rollback of a"}
    assert status["syncError"] == {"c": "sync of c"}


def test_b5_undo_removes_no_attributes() -> None:
    state = StepState(Phase.ROLL_BACKED, undo=Undo.CALLED, attempt=1, attributes={"x": 1})
    head = WorkflowState(Phase.ROLL_BACKED)
    assert codec.to_status(stored(state, head=head))["attributes"] == {"x": 1}


def test_a_step_shows_the_seed_s_fields_with_times_a_person_reads() -> None:
    state = StepState(
        Phase.RUNNING,
        reached={Phase.RUNNING: 0.0},
        attempt=2,
        run_retry_count=1,
        latest_run_retry_at=1_700_000_000.25,
        rollback_retry_count=2,
        latest_rollback_retry_at=1_700_000_001.0,
        latest_sync_at=1_700_000_002.0,
        next_attempt_at=1_700_000_003.0,
        run_error="no",
        resource=Resource("Ready", "i-1", "vm", "10.0.0.1", {"zone": "a"}),
        attributes={"k": "v"},
        parameters={"password": "resolved"},
        attempts=(Attempt(Hook.RUN, 1, Ended.FAILED, 1.0),),
    )
    assert codec.to_status(stored(state))["steps"]["c"] == {
        "phase": "Running",
        "reached": {"Running": "1970-01-01T00:00:00Z"},
        "attempt": 2,
        "runRetryCount": 1,
        "latestRunRetryAt": "2023-11-14T22:13:20.250000Z",
        "rollbackRetryCount": 2,
        "latestRollbackRetryAt": "2023-11-14T22:13:21Z",
        "latestSyncAt": "2023-11-14T22:13:22Z",
        "nextAttemptAt": "2023-11-14T22:13:23Z",
        "runError": "no",
        "resource": {
            "status": "Ready",
            "id": "i-1",
            "name": "vm",
            "address": "10.0.0.1",
            "attributes": {"zone": "a"},
        },
        "attributes": {"k": "v"},
    }


def test_progress_counts_what_is_done_and_on_the_way_back_what_is_undone() -> None:
    states = (StepState(Phase.ROLL_BACKED), StepState(Phase.SUCCESS), StepState(Phase.SUCCESS))
    for phase, progress in (
        (Phase.RUNNING, "2/3"),
        (Phase.SUCCESS, "2/3"),
        (Phase.ROLLING_BACK, "1/3"),
        (Phase.FAILED, "1/3"),
    ):
        assert codec.to_status(stored(*states, head=WorkflowState(phase)))["progress"] == progress


def test_a5_what_waits_for_a_person_is_listed_with_what_helps() -> None:
    blocked = Blocked(BlockReason.HOOK_STUCK, 60.0, "does not stop", ("MarkRolledBack",))
    status = codec.to_status(stored(StepState(Phase.RUNNING, blocked=blocked), StepState()))
    entry = {
        "reason": "HookStuck",
        "since": "1970-01-01T00:01:00Z",
        "message": "does not stop",
        "options": ["MarkRolledBack"],
    }
    assert status["blocked"] == [{"step": "c", **entry}]
    assert status["steps"]["c"]["blocked"] == entry


def test_d_requests_and_their_answers_are_shown() -> None:
    head = WorkflowState(
        Phase.RUNNING,
        suspended=True,
        cause="cancelled",
        conditions=(Condition("Degraded", "Deadline", "too late", 0.0),),
        answers=(Answer(1, RequestType.CANCEL, Verdict.REFUSED, 0.0, reason="committed"),),
    )
    base = stored(StepState(), head=head)
    asked = (Asked(2, Request(RequestType.RETRY_RUN, step="c"), 0.0),)
    status = codec.to_status(Stored(base.workflow, base.head, base.steps, asked=asked))
    at = "1970-01-01T00:00:00Z"
    assert status["suspended"] is True
    assert status["cause"] == "cancelled"
    assert status["conditions"] == [
        {"type": "Degraded", "reason": "Deadline", "message": "too late", "since": at}
    ]
    assert status["answers"] == [
        {"seq": 1, "type": "Cancel", "verdict": "Refused", "at": at, "reason": "committed"}
    ]
    assert status["requests"] == [{"seq": 2, "type": "RetryRun", "step": "c", "at": at}]


def test_a_document_with_its_status_can_be_read_again() -> None:
    one = stored(StepState(Phase.SUCCESS), head=WorkflowState(Phase.SUCCESS, created_at=60.0))
    document = codec.stored_document(one)
    assert document["metadata"]["creationTimestamp"] == "1970-01-01T00:01:00Z"
    assert document["status"]["phase"] == "Success"
    assert codec.read(codec.dump_plain(document), "", None) == one.workflow


def test_the_resource_s_name_is_read_under_the_seed_s_spelling_too() -> None:
    assert codec.read_resource({"Name": "vm", "id": "i"}) == Resource(name="vm", id="i")
    assert codec.read_resource({"name": "vm"}) == Resource(name="vm")
