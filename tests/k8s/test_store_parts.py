"""What the store decides before it asks the API server."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wf_core.model.phases import BlockReason, DeletionPolicy, Phase, RequestType, Verdict
from wf_core.model.requests import Answer, Request
from wf_core.model.spec import Key
from wf_core.model.state import Blocked, OutboxEntry, Owner, StepState, Transition
from wf_core.testing.store_values import next_save, workflow
from wf_k8s.client.errors import Cause, RefusedError
from wf_k8s.store import guard
from wf_k8s.store.asking import request_patch
from wf_k8s.store.creating import object_of
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.objects import refused_by_test
from wf_k8s.store.own import Own
from wf_k8s.store.patch import HISTORY_LINES, prepare
from wf_k8s.store.pointers import changed
from wf_k8s.store.rows import read_place
from wf_k8s.store.store import K8sStore
from wf_k8s.store.times import epoch_seconds, rfc3339
from wf_k8s.store.warnings import warnings
from wf_k8s.store.wire import WireAnswer, WireRequest

OWNER = Owner("me", 1)


def known(requests: Any = None, status: Any = None, **meta: Any) -> Known:
    """A fresh object as the API server gives it back."""
    return read_known(raw(requests, status, **meta))


def raw(requests: Any = None, status: Any = None, **meta: Any) -> bytes:
    made = workflow(uid="u")
    document = object_of(made, Key("ns", "order"))
    document["metadata"] |= {
        "uid": "u",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        **meta,
    }
    if requests is not None:
        document["spec"]["requests"] = requests
    defaults = {"phase": "Pending", "revision": 0, "epoch": 0, "steps": {}, "outbox": []}
    document["status"] = {**defaults, "history": [], **(status or {})}
    return msgspec.json.encode(document)


def ops(before: Known, **save: Any) -> list[dict[str, Any]]:
    stored = before.stored(Numbers())
    changes = next_save(stored, OWNER, **save)
    prepared = prepare(before, changes, Numbers(), save_id="s", now=1.0)
    found: list[dict[str, Any]] = json.loads(prepared.body)
    return found


def test_k7_a_patch_begins_with_its_tests_and_never_names_a_resource_version() -> None:
    found = ops(known())
    assert [(op["op"], op["path"]) for op in found[:3]] == [
        ("test", "/metadata/uid"),
        ("test", "/status/epoch"),
        ("test", "/status/revision"),
    ]
    assert found.count({"op": "add", "path": "/status/saveId", "value": "s"}) == 1
    assert not any("resourceVersion" in op["path"] for op in found)


def test_c5_a_save_without_a_claim_tests_the_owner_too() -> None:
    before = known(status={"epoch": 1, "revision": 1, "owner": "me", "writer": {"epoch": 1}})
    assert {"op": "test", "path": "/status/owner", "value": "me"} in ops(before)


def test_c2_a_save_sends_the_steps_that_changed_alone() -> None:
    found = ops(known(), steps={1: StepState(attempt=1)})
    steps = [op for op in found if op["path"].startswith("/status/steps")]
    assert [op["path"] for op in steps] == ["/status/steps/step1"]


def test_what_is_delivered_leaves_the_outbox_by_its_place() -> None:
    entries = [{"seq": n, "phase": "Running", "at": 1.0} for n in (1, 2, 3)]
    before = known(
        status={"revision": 1, "epoch": 1, "owner": "me", "outbox": entries, "outboxSeq": 3}
    )
    new = OutboxEntry(4, Phase.SUCCESS, 2.0)
    found = ops(before, outbox=(new,), outbox_delivered=2)
    outbox = [(op["op"], op["path"]) for op in found if "/outbox" in op["path"]][:3]
    assert ("remove", "/status/outbox/0") in outbox
    assert next(op for op in found if op["path"] == "/status/outbox/-")["value"]["seq"] == 4


def test_c8_history_keeps_its_last_lines() -> None:
    line = Transition(1.0, Phase.PENDING, Phase.RUNNING)
    before = known(status={"history": [msgspec.to_builtins(line)] * HISTORY_LINES})
    found = ops(before, history=(replace(line, reason="new"),))
    assert [op["op"] for op in found if "/history" in op["path"]] == ["remove", "add"]


@given(
    st.dictionaries(st.sampled_from("ab/~"), st.integers(0, 2)),
    st.dictionaries(st.sampled_from("ab/~"), st.integers(0, 2)),
)
def test_what_changed_turns_one_object_into_the_other(
    before: dict[str, int], after: dict[str, int]
) -> None:
    result = dict(before)
    for op in changed("/at", before, after):
        key = op["path"].removeprefix("/at/").replace("~1", "/").replace("~0", "~")
        if op["op"] == "remove":
            del result[key]
        else:
            result[key] = op["value"]
    assert result == after


def test_d_requests_are_numbered_by_time_and_id_whatever_their_place() -> None:
    late = WireRequest("a", RequestType.CANCEL, created_at="2026-01-02T00:00:00Z")
    early = WireRequest("b", RequestType.CANCEL, created_at="2026-01-01T00:00:00Z")
    numbers = Numbers()
    numbers.learn([late, early], (), 4)
    assert (numbers.seq("b"), numbers.seq("a")) == (5, 6)
    numbers.learn([WireRequest("0", RequestType.CANCEL), late, early], (), 4)
    assert numbers.seq("0") == 7, "what came later is later, whatever it says"


def test_d_a_request_of_ours_has_one_number_in_every_process() -> None:
    ours = WireRequest("wf-9", RequestType.CANCEL)
    by_hand = WireRequest("cancel", RequestType.CANCEL)
    for order in ([ours, by_hand], [by_hand, ours]):
        numbers = Numbers()
        numbers.learn(order, (), 3)
        assert (numbers.seq("wf-9"), numbers.seq("cancel")) == (9, 10)


def test_d_a_request_that_others_overtook_keeps_its_number() -> None:
    numbers = Numbers()
    numbers.learn([WireRequest("wf-2", RequestType.CANCEL)], (), 7)
    assert (numbers.seq("wf-2"), numbers.last) == (2, 7)


def test_d_an_id_that_pretends_to_an_old_number_gets_a_new_one() -> None:
    numbers = Numbers()
    answer = WireAnswer(2, RequestType.CANCEL, Verdict.APPLIED, 1.0, id="x")
    numbers.learn([WireRequest("wf-2", RequestType.CANCEL)], (answer,), 2)
    assert numbers.seq("wf-2") == 3


def test_d_answered_requests_make_room() -> None:
    entries = [{"id": f"wf-{n}", "type": "Suspend"} for n in range(1, 65)]
    answers = [
        {"id": f"wf-{n}", "seq": n, "type": "Suspend", "verdict": "Applied", "at": 1.0}
        for n in (1, 3)
    ]
    full = known(entries, {"revision": 1, "answers": answers, "requestSeq": 64})
    entry, body = request_patch(full, Request(RequestType.CANCEL), 1.0)
    assert entry.id == "wf-65"
    removed = [op["path"] for op in json.loads(body) if op["op"] == "remove"]
    assert removed == ["/spec/requests/2", "/spec/requests/0"]


def test_d_an_answer_carries_the_id_of_its_request() -> None:
    before = known([{"id": "cancel", "type": "Cancel"}])
    numbers = Numbers()
    stored = before.stored(numbers)
    answer = Answer(stored.asked[0].seq, RequestType.CANCEL, Verdict.APPLIED, 1.0)
    changes = next_save(stored, OWNER, answered=[answer.seq], answers=(answer,))
    after = prepare(before, changes, numbers, save_id="s", now=1.0).after
    assert [each.id for each in after.status.answers] == ["cancel"]
    assert after.asked(numbers) == ()


def test_d_an_answer_stays_while_its_request_stands_in_the_spec() -> None:
    """Without it the request would be asked once more."""
    old = {"id": "wf-1", "seq": 1, "type": "Suspend", "verdict": "Applied", "at": 1.0}
    entries = [{"id": "wf-1", "type": "Suspend"}, {"id": "wf-2", "type": "Cancel"}]
    before = known(entries, {"revision": 1, "answers": [old], "requestSeq": 1})
    numbers = Numbers()
    answer = Answer(2, RequestType.CANCEL, Verdict.APPLIED, 1.0)
    changes = next_save(before.stored(numbers), OWNER, answered=[2], answers=(answer,))
    after = prepare(before, changes, numbers, save_id="s", now=1.0).after
    assert [each.id for each in after.status.answers] == ["wf-1", "wf-2"]
    assert after.asked(numbers) == ()


@pytest.mark.parametrize(
    ("status", "policy", "deleting", "free"),
    [
        ({"phase": "Success"}, DeletionPolicy.ROLLBACK_UNFINISHED, False, True),
        ({"phase": "Success"}, DeletionPolicy.ROLLBACK, False, False),
        ({"phase": "RollBacked"}, DeletionPolicy.ROLLBACK, False, True),
        ({"phase": "Failed"}, DeletionPolicy.ROLLBACK_UNFINISHED, False, False),
        ({"phase": "Running"}, DeletionPolicy.ROLLBACK_UNFINISHED, False, False),
        ({"phase": "Success"}, DeletionPolicy.ROLLBACK_UNFINISHED, True, False),
        (
            {"phase": "Success", "outbox": [{"seq": 1, "phase": "Success", "at": 1.0}]},
            DeletionPolicy.ROLLBACK_UNFINISHED,
            False,
            False,
        ),
    ],
)
def test_i14_the_finalizer_goes_when_nothing_is_left_to_guard(
    status: dict[str, Any], policy: DeletionPolicy, deleting: bool, free: bool
) -> None:
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {}
    held = msgspec.json.decode(raw(None, {"revision": 1, **status}, **meta))
    held["spec"]["deletionPolicy"] = policy.value
    assert guard.to_free(read_known(msgspec.json.encode(held))) is free


def test_the_finalizer_goes_on_with_the_first_intent() -> None:
    bare = known(finalizers=[])
    stored = bare.stored(Numbers())
    intent = next_save(stored, OWNER, phase=Phase.RUNNING, steps={0: StepState(Phase.RUNNING)})
    assert guard.to_guard(bare, intent)
    assert not guard.to_guard(bare, next_save(stored, OWNER))
    assert not guard.to_guard(known(), intent), "it is on already"


def test_a_step_that_begins_to_wait_for_a_person_is_warned_of_once() -> None:
    blocked = StepState(
        blocked=Blocked(BlockReason.ROLLBACK_FAILED, 1.0, "no route", ("RetryRollback",))
    )
    before = known()
    save = next_save(before.stored(Numbers()), OWNER, steps={0: blocked})
    (event,) = warnings(before, save, 1.0)
    assert (event["type"], event["reason"]) == ("Warning", "RollbackFailed")
    assert event["note"] == "step 'step0': no route; ask for RetryRollback"
    after = prepare(before, save, Numbers(), save_id="s", now=1.0).after
    assert list(warnings(after, save, 2.0)) == []


def test_of_what_is_gone_nothing_is_ours_unless_another_has_its_name() -> None:
    own, key, first, second = Own(), Key("a", "order"), known(uid="u1"), known(uid="u2")
    own.accept(key, first)
    own.doubt(key)
    assert not own.gone(key, "u1")
    assert (key in own, own.saved(key), own.doubts(key)) == (False, None, False)
    own.accept(key, second)
    own.doubt(key)
    assert own.gone(key, "u1")
    assert (key in own, own.saved(key), own.doubts(key)) == (True, second, True)


def test_a_row_is_read_without_the_steps() -> None:
    place = read_place(
        raw(
            [{"id": "a", "type": "Cancel"}],
            {
                "revision": 1,
                "phase": "Success",
                "steps": {"step0": {"phase": "Success"}},
                "reached": {"Success": 9.0},
            },
        )
    )
    row = place.row
    assert (row.done, row.total, row.asked, row.finished_at) == (1, 2, True, 9.0)
    assert not place.rests


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_times_go_there_and_back(seconds: int, micros: int) -> None:
    at = seconds + micros / 1e6
    assert epoch_seconds(rfc3339(at)) == pytest.approx(at, abs=1e-6)


def test_c2_a_save_that_nobody_waits_for_may_linger_for_a_tenth_of_a_second() -> None:
    assert K8sStore.linger == 0.1


@pytest.mark.parametrize(
    ("code", "message", "causes", "refuser", "by_schema", "by_test"),
    [
        (
            422,
            "workflows 'a' is forbidden: ValidatingAdmissionPolicy 'frozen' with binding 'b' "
            "denied request: no",
            [Cause(message="no")],
            "ValidatingAdmissionPolicy 'frozen'",
            False,
            False,
        ),
        (
            422,
            'admission webhook "w.example.com" denied the request: no',
            [],
            'admission webhook "w.example.com"',
            False,
            False,
        ),
        (422, "it is invalid", [Cause("status.phase", "FieldValueInvalid")], "", True, False),
        (422, "the server rejected our request", [], "", False, True),
        (422, "exceeded some limit", [Cause(message="limit")], "", False, False),
        (403, "User 'x' cannot patch", [], "", False, False),
    ],
)
def test_a_refusal_is_told_apart_by_who_refused(
    code: int, message: str, causes: list[Cause], refuser: str, by_schema: bool, by_test: bool
) -> None:
    error = RefusedError(code, "Invalid", message, what="PATCH", causes=causes)
    assert (error.refuser, error.by_schema) == (refuser, by_schema)
    assert refused_by_test(error) is by_test


def test_a_permission_is_named_only_where_one_is_missing() -> None:
    def hint(message: str) -> bool:
        return "auth can-i" in str(RefusedError(403, "Forbidden", message, what="PATCH"))

    assert hint('workflows "a" is forbidden: User "x" cannot patch resource "workflows"')
    assert not hint('"a" is forbidden: exceeded quota: pods, requested: 1')
    assert not hint("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: you cannot")
