"""The status on a real API server: what it holds from the start, and what it never gives up."""

import json
from typing import Any

import msgspec
from tests.k8s.crd_objects import Sagas, drop, put, workflow

from wf_core.model.phases import BlockReason, Ended, Hook, Phase, RequestType, Verdict
from wf_core.model.requests import Answer
from wf_core.model.state import (
    Attempt,
    Blocked,
    Condition,
    OutboxEntry,
    Resource,
    StepState,
    Transition,
    WorkflowState,
    Writer,
)


def plain(value: msgspec.Struct) -> Any:
    """A struct as a save writes it."""
    return json.loads(msgspec.json.encode(value))


FRESH = {"phase": "Pending", "revision": 0, "epoch": 0, "steps": {}, "outbox": [], "history": []}


def test_4_a_new_object_has_a_status_everywhere(sagas: Sagas) -> None:
    """seed.md's first fault: a status that is dropped at creation must not be what starts it."""
    assert sagas.create(workflow())["status"] == FRESH
    assert sagas.get()["status"] == FRESH
    (listed,) = sagas.kubectl.json("get", "-n", sagas.namespace, "saga")["items"]
    assert listed["status"] == FRESH
    pending = "--field-selector=status.phase=Pending"
    assert sagas.kubectl("get", "-n", sagas.namespace, "saga", pending, "-o", "name")


def test_4_a_status_given_at_creation_is_not_believed(sagas: Sagas) -> None:
    assert sagas.create({**workflow(), "status": {"phase": "Success"}})["status"] == FRESH


def test_4_the_first_save_tests_its_revision_as_any_other(sagas: Sagas) -> None:
    uid = sagas.create(workflow())["metadata"]["uid"]
    save = [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/status/epoch", "value": 0},
        {"op": "test", "path": "/status/revision", "value": 0},
        put("/status/epoch", 1),
        put("/status/revision", 1),
        put("/status/phase", "Running"),
        put("/status/steps/a", {"phase": "Running", "attempt": 1}),
        put("/status/outbox/-", {"seq": 1, "phase": "Running", "at": 1764080000.25}),
    ]
    assert sagas.patch(*save, status=True)["status"]["revision"] == 1
    assert "the server rejected our request" in sagas.patch_refused(*save, status=True)
    assert sagas.get()["status"]["outbox"] == [{"seq": 1, "phase": "Running", "at": 1764080000.25}]


def test_4_a_revision_and_an_epoch_never_go_back(sagas: Sagas) -> None:
    sagas.create(workflow())
    sagas.save(revision=5, epoch=2)
    for field, says in (("revision", "this save is stale"), ("epoch", "a newer owner has written")):
        lower = sagas.patch_refused(put(f"/status/{field}", 1), status=True)
        assert f"status.{field}: Forbidden: {field} can't go back: {says}" in lower
        # Removed, it is filled in as 0.
        assert f"{field} can't go back" in sagas.patch_refused(
            drop(f"/status/{field}"), status=True
        )


def test_4_the_status_can_not_be_removed(sagas: Sagas) -> None:
    sagas.create(workflow())
    sagas.save(revision=1, epoch=1)
    assert "can't go back" in sagas.patch_refused(drop("/status"), status=True)


def test_4_a_change_of_the_object_leaves_the_status_alone(sagas: Sagas) -> None:
    sagas.create(workflow())
    before = sagas.save(revision=1, epoch=1, phase="Running")["status"]
    after = sagas.patch(put("/spec/deletionPolicy", "Orphan"), drop("/status/phase"))
    assert after["status"] == before


def test_all_that_the_model_can_say_comes_back_as_it_was(sagas: Sagas) -> None:
    """Strictly validated, so that a field the schema forgets fails here."""
    at = 1764080000.123456
    reached = {Phase.RUNNING: at, Phase.SUCCESS: at + 1 / 3}
    head = WorkflowState(
        phase=Phase.FAILED,
        schema_version=7,
        revision=3,
        writer=Writer(2, 9),
        created_at=at,
        reached=reached,
        deadline_at=at,
        deadline_left=0.1,
        suspended=True,
        parked=True,
        committed=True,
        deletion_asked_at=at,
        cause="cancelled",
        error="why",
        signals={"go": {"deep": [1, None, "x"]}},
        answers=(Answer(4, RequestType.CANCEL, Verdict.REFUSED, at, "a", "no"),),
        outbox_seq=5,
        outbox_delivered=3,
        outbox_dropped=1,
    )
    step = StepState(
        phase=Phase.ROLLING_BACK,
        reached=reached,
        failed=True,
        attempt=2,
        run_retry_count=1,
        latest_run_retry_at=at,
        rollback_attempt=3,
        rollback_retry_count=2,
        latest_rollback_retry_at=at,
        latest_sync_at=at,
        in_progress=True,
        interruptions=1,
        next_attempt_at=at,
        attempt_deadline_at=at,
        previous=Ended.TIMED_OUT,
        run_error="r",
        rollback_error="b",
        sync_error="s",
        blocked=Blocked(BlockReason.HOOK_STUCK, at, "m", ("RetryRun",)),
        resource=Resource("up", "i", "n", "a", {"x": [1]}),
        attributes={"y": {"z": None}},
        parameters={"sleepSeconds": "20"},
        kind="wf-random 0.1.0",
        attempts=(Attempt(Hook.RUN, 1, Ended.FAILED, at, "e"),),
    )
    entry = OutboxEntry(5, Phase.RUNNING, at, "a")
    line = Transition(at, Phase.PENDING, Phase.RUNNING, "a", "why", 1, 3)
    remark = Condition("Degraded", "Deadline", "m", at)

    made = sagas.create(workflow())
    status = plain(head)
    status["answers"][0]["id"] = "cancel-1"
    status |= {
        "epoch": 2,
        "owner": "controller-0",
        "saveId": "controller-0/2/9",
        "requestSeq": 4,
        "steps": {"a": plain(step)},
        "outbox": [plain(entry)],
        "history": [plain(line)],
        "remarks": [plain(remark)],
        "observedGeneration": 1,
        "progress": "3/7",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:00.5Z",
        "stepPhases": {"a": "RollingBack"},
        "attributes": {"any": ["thing"]},
        "runError": {"a": "r"},
        "rollbackError": {"a": "b"},
        "syncError": {"a": "s"},
        "blocked": [
            {
                "step": "a",
                "reason": "HookStuck",
                "message": "m",
                "since": "2026-01-01T00:00:00Z",
                "options": ["RetryRun"],
            }
        ],
    }
    sagas.kubectl(
        *("replace", "-n", sagas.namespace, "--subresource=status", "--validate=strict"),
        *("-f", "-"),
        stdin=json.dumps({**made, "status": status}),
    )
    back = sagas.get()["status"]
    assert back == status
    assert msgspec.convert(back["steps"]["a"], StepState) == step
    assert msgspec.convert(back["outbox"], list[OutboxEntry]) == [entry]
    assert msgspec.convert(back["history"], list[Transition]) == [line]
    assert msgspec.convert(back["remarks"], list[Condition]) == [remark]
    assert msgspec.convert(back["answers"], tuple[Answer, ...]) == head.answers
