"""Work that goes on: polled, waited for by a signal, looked at after success."""

from typing import Any

import pytest
from tests.http.http_bench import KIND, left, looking, running, undoing
from tests.http.http_server import Behaviour, answers, babbles, closes, hangs, resets, serving

from wf_core.kinds import CannotLook, Fatal, InProgress, Previous, Retryable, Success
from wf_core.model.phases import Ended, Purpose

DONE = {"pointer": "/state", "values": ["done"]}
FAILED = {"pointer": "/state", "values": ["failed"]}


def after(answer: object) -> Previous:
    assert isinstance(answer, InProgress)
    return Previous(Ended.IN_PROGRESS, answer.resource, answer.attributes or {})


def test_accepted_work_is_looked_at_where_the_location_says() -> None:
    accepted = answers(202, {"job": 7}, "location: /jobs/7", "retry-after: 3")
    going = answers(200, {"state": "running"}, "retry-after: 2")
    done = answers(200, {"state": "done", "order": 17})
    attributes = {"job": "/job", "order": "/order"}
    check = {"done": DONE, "failed": FAILED}
    with serving(accepted, going, done) as server:
        answer = KIND.run(running(server.url(), attributes=attributes, check=check))
        assert isinstance(answer, InProgress)
        assert answer.poll_after == 3
        assert answer.attributes == {"job": 7}
        parameters = {"run": {"url": server.url()}, "attributes": attributes, "check": check}
        answer = KIND.sync(looking(parameters, previous=after(answer)))
        assert isinstance(answer, InProgress)
        assert answer.poll_after == 2
        answer = KIND.sync(looking(parameters, previous=after(answer)))
    assert server.seen == ["POST /orders", "GET /jobs/7", "GET /jobs/7"]
    assert isinstance(answer, Success)
    assert answer.attributes == {"job": 7, "order": 17}


def test_work_that_is_never_done_stays_in_progress() -> None:
    with serving(answers(202, None, "location: /jobs/7")) as server:
        previous = after(KIND.run(running(server.url())))
        for _ in range(3):
            answer = KIND.sync(looking({"run": {"url": server.url()}}, previous=previous))
            assert isinstance(answer, InProgress)
            assert answer.poll_after is None
            previous = after(answer)


def test_accepted_without_anywhere_to_look_is_a_success() -> None:
    with serving(answers(202)) as server:
        assert isinstance(KIND.run(running(server.url())), Success)


def test_a_check_with_a_url_of_its_own_is_filled_with_what_the_answer_told() -> None:
    with serving(answers(202, {"id": "a/b c"}), answers(200)) as server:
        check = {"url": server.url("/jobs/{id}?k={key}"), "periodSeconds": 4}
        parameters = {"run": {"url": server.url()}, "attributes": {"id": "/id"}, "check": check}
        call = running(server.url(), attributes={"id": "/id"}, check=check)
        answer = KIND.run(call)
        assert isinstance(answer, InProgress)
        assert answer.poll_after == 4
        KIND.sync(looking(parameters, previous=after(answer)))
    assert server.seen[1] == f"GET /jobs/a%2Fb%20c?k={call.key}"


def look_at(behaviour: Behaviour, purpose: Purpose = Purpose.RUN, **check: Any) -> object:
    with serving(behaviour) as server:
        check = {"url": server.url("/jobs/7"), "done": DONE, "failed": FAILED, **check}
        call = looking(
            {"run": {"url": server.url()}, "check": check},
            purpose,
            previous=left(status="InProgress"),
        )
        return KIND.sync(call)


FAILURES: list[tuple[Behaviour, dict[str, Any], type[Exception], str]] = [
    (answers(200, {"state": "failed"}), {}, Fatal, r"and has failed \(/state\)"),
    (answers(200, {"state": "failed"}), {"failedIs": "retryable"}, Retryable, "has failed"),
    (answers(404), {}, Retryable, "404 Not Found"),
    (answers(410), {}, Retryable, "410 Gone"),
    (answers(418), {"fatal": [418]}, Fatal, "418"),
    (answers(401), {}, CannotLook, "401"),
    (answers(500), {}, CannotLook, "500"),
    (answers(200, content=b"<html>"), {}, CannotLook, "its body is no JSON"),
    (closes, {}, CannotLook, "no answer"),
    (hangs, {"timeoutSeconds": 0.2}, CannotLook, r"no answer within 0\.2 s"),
]


@pytest.mark.parametrize(("behaviour", "check", "expected", "sentence"), FAILURES)
def test_b1_a_look_that_fails_is_told_from_work_that_failed(
    behaviour: Behaviour, check: dict[str, Any], expected: type[Exception], sentence: str
) -> None:
    with pytest.raises(expected, match=sentence) as failure:
        look_at(behaviour, **check)
    assert type(failure.value) is expected


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_is_too_busy_to_be_asked_is_asked_later(status: int) -> None:
    answer = look_at(answers(status, None, "retry-after: 9"))
    assert isinstance(answer, InProgress)
    assert answer.poll_after == 9
    assert answer.resource is None


@pytest.mark.parametrize(
    ("condition", "document", "done"),
    [
        ({"pointer": "/ready"}, {"ready": True}, True),
        ({"pointer": "/ready"}, {"ready": False}, False),
        ({"pointer": "/ready"}, {}, False),
        ({"pointer": "/n", "values": [1]}, {"n": 1}, True),
        ({"pointer": "/n", "values": [1]}, {"n": True}, False),
        ({"status": [200]}, {}, True),
        ({"status": [201]}, {}, False),
        ({"status": ["2xx"], "pointer": "/a/0"}, {"a": ["x"]}, True),
    ],
)
def test_conditions_are_by_status_and_by_what_stands_at_a_pointer(
    condition: dict[str, Any], document: object, done: bool
) -> None:
    answer = look_at(answers(200, document), done=condition)
    assert isinstance(answer, Success if done else InProgress)


def test_a_condition_on_the_status_holds_for_what_is_no_success() -> None:
    assert isinstance(look_at(answers(404), done={"status": [404]}), Success)


def test_b9_a_watch_undoes_the_workflow_only_for_work_that_has_failed() -> None:
    expected = [Fatal, Retryable, Retryable, Retryable, Fatal, *[CannotLook] * 5]
    for (behaviour, check, _, _), error in zip(FAILURES, expected, strict=True):
        with pytest.raises(error) as failure:
            look_at(behaviour, Purpose.WATCH, **check)
        assert type(failure.value) is error
    with pytest.raises(Retryable, match="is not done"):
        look_at(answers(200, {"state": "running"}), Purpose.WATCH)
    with pytest.raises(CannotLook, match="429"):
        look_at(answers(429), Purpose.WATCH)


def test_b1_a_watch_renews_resource_and_attributes() -> None:
    with serving(answers(200, {"state": "up", "load": 3})) as server:
        call = looking(
            {
                "run": {"url": server.url()},
                "check": {"url": server.url("/{resource.id}")},
                "attributes": {"load": "/load"},
                "resource": {"status": "/state"},
            },
            Purpose.WATCH,
            previous=left(Ended.SUCCEEDED, status="down", id="i-1", known={"load": 1, "id": 2}),
        )
        answer = KIND.sync(call)
    assert server.seen == ["GET /i-1"]
    assert isinstance(answer, Success)
    assert answer.resource is not None
    assert (answer.resource.status, answer.resource.id) == ("up", "i-1")
    assert answer.attributes == {"load": 3, "id": 2}


def test_a_signal_ends_the_wait_and_its_value_stands_for_the_answer() -> None:
    check = {"signal": "paid", "done": DONE, "failed": FAILED}
    with serving(answers(200, {"id": 1})) as server:
        parameters = {
            "run": {"url": server.url()},
            "attributes": {"id": "/id", "receipt": "/receipt"},
            "check": check,
        }
        answer = KIND.run(running(server.url(), check=check, attributes=parameters["attributes"]))
        previous = after(answer)
        assert isinstance(KIND.sync(looking(parameters, previous=previous)), InProgress)
        value = {"state": "done", "receipt": "r1"}
        answer = KIND.sync(looking(parameters, previous=previous, signals={"paid": value}))
        assert isinstance(answer, Success)
        assert answer.attributes == {"id": 1, "receipt": "r1"}
        failed = {"paid": {"state": "failed"}}
        with pytest.raises(Fatal, match="the signal 'paid' says that it failed"):
            KIND.sync(looking(parameters, previous=previous, signals=failed))
        early = {"paid": {"state": "soon"}}
        assert isinstance(
            KIND.sync(looking(parameters, previous=previous, signals=early)), InProgress
        )
    assert server.seen == ["POST /orders"]


def test_an_undo_that_goes_on_keeps_what_the_run_made_and_is_looked_at() -> None:
    accepted = answers(202, None, "location: /undos/1")
    with serving(accepted, answers(202), answers(200)) as server:
        parameters = {"url": server.url("/orders/{id}")}
        made = left(Ended.SUCCEEDED, status="paid", id="17", address="x", known={"id": 17})
        call = undoing(server.url(), parameters, attributes={"id": "/id"}, previous=made)
        answer = KIND.rollback(call)
        assert isinstance(answer, InProgress)
        assert answer.resource is not None
        assert (answer.resource.id, answer.resource.status) == ("17", "paid")
        look = {"run": {"url": server.url()}, "rollback": parameters}
        previous = Previous(Ended.IN_PROGRESS, answer.resource, {"id": 17})
        going = KIND.sync(looking(look, Purpose.ROLLBACK, previous=previous))
        assert isinstance(going, InProgress)
        assert KIND.sync(looking(look, Purpose.ROLLBACK, previous=previous)) is None
    assert server.seen == ["DELETE /orders/17", "GET /undos/1", "GET /undos/1"]


def test_a_retry_after_of_nothing_does_not_have_us_ask_without_pause() -> None:
    answer = look_at(answers(202, None, "retry-after: 0"), done=None)
    assert isinstance(answer, InProgress)
    assert answer.poll_after == 1


def test_a_check_that_reads_nothing_does_not_wait_for_the_body() -> None:
    assert isinstance(look_at(babbles, done=None, failed=None), Success)


def test_a_look_that_can_never_be_made_ends_the_attempt() -> None:
    with serving(answers(307, None, "location: http://other.example/")) as server:
        run, attributes = {"url": server.url()}, {"id": "/id"}
        for check, sentence in (
            ({"url": server.url("/{id}")}, r"check: it needs \{id\}, which no answer told"),
            ({}, "check: it needs a Location, which no answer told"),
            ({"url": server.url("/jobs/7")}, "leads to http://other.example"),
        ):
            parameters = {"run": run, "attributes": attributes, "check": check}
            with pytest.raises(Fatal, match=sentence):
                KIND.sync(looking(parameters, previous=left(status="InProgress")))
            if check.get("url"):
                with pytest.raises(CannotLook, match=r"check: "):
                    KIND.sync(looking(parameters, Purpose.WATCH, previous=left()))


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (answers(200, {"other": 1}), Fatal),
        (resets(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), CannotLook),
    ],
)
def test_done_work_that_does_not_tell_what_is_asked_for_is_kept_for_the_undo(
    behaviour: Behaviour, expected: type[Exception]
) -> None:
    with serving(behaviour) as server:
        parameters = {
            "run": {"url": server.url()},
            "attributes": {"id": "/id"},
            "resource": {"name": "/other"},
            "check": {"url": server.url("/jobs/7")},
        }
        call = looking(parameters, previous=left(status="InProgress"))
        with pytest.raises(expected, match=r"but (nothing stands at /id|its body broke off)"):
            KIND.sync(call)
    names = [each.resource.name for each in call.checkpoints if each.resource is not None]
    assert names == (["1"] if expected is Fatal else [])


def test_an_undo_whose_work_fails_or_is_elsewhere_is_told() -> None:
    undo = {"url": "http://127.0.0.1:1/"}
    with (
        serving(answers(202, None, "location: http://other.example/")) as server,
        pytest.raises(Fatal, match=r"not followed; .*: give rollbackCheck.url"),
    ):
        KIND.rollback(undoing(server.url(), {"url": server.url("/{key}")}))
    for behaviour, expected in (
        (answers(200, {"state": "failed"}), Fatal),
        (answers(404), Retryable),
        (answers(500), CannotLook),
    ):
        with serving(behaviour) as server:
            check = {"url": server.url(), "failed": FAILED}
            parameters = {"run": undo, "rollback": undo, "rollbackCheck": check}
            with pytest.raises(expected):
                KIND.sync(looking(parameters, Purpose.ROLLBACK, previous=left()))
    with serving(answers(503, None, "retry-after: 7")) as server:
        check = {"url": server.url(), "failed": FAILED}
        parameters = {"run": undo, "rollback": undo, "rollbackCheck": check}
        answer = KIND.sync(looking(parameters, Purpose.ROLLBACK, previous=left()))
        assert isinstance(answer, InProgress)
        assert answer.poll_after == 7
