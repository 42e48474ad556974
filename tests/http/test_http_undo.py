"""Undoing, and runs whose outcome nobody knows."""

from typing import Any

import pytest
from tests.http.http_bench import KIND, left, logged, running, undoing
from tests.http.http_server import Peer, Request, answers, closes, resets, serving

from wf_core.kinds import Fatal, InProgress, Previous, Retryable, Success, Throttled
from wf_core.model.phases import Ended
from wf_core.model.state import Resource
from wf_core.testing.calls import RecordedCall

ID: dict[str, Any] = {"attributes": {"id": "/id"}}
REFUSED = left(Ended.FAILED, status="Refused", attributes={"attempt": 1})


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_b2_what_is_gone_is_undone(status: int) -> None:
    with serving(answers(status)) as server:
        assert KIND.rollback(undoing(server.url(), {"url": server.url("/orders/{key}")})) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [(409, Retryable), (423, Retryable), (500, Retryable), (503, Throttled), (403, Fatal)],
)
def test_an_undo_that_is_refused_for_now_is_tried_again(
    status: int, expected: type[Exception]
) -> None:
    with serving(answers(status)) as server, pytest.raises(expected) as failure:
        KIND.rollback(undoing(server.url(), {"url": server.url()}))
    assert type(failure.value) is expected


def test_an_undo_is_filled_with_what_the_run_made() -> None:
    with serving(answers(204)) as server:
        undo = {
            "method": "POST",
            "url": server.url("/refunds/{resource.id}"),
            "json": {"order": "{id}", "all": ["{key}"], "text": "an {id}", "literal": "{{id}}"},
            "headers": {"X-Order": "{id}"},
        }
        made = left(Ended.SUCCEEDED, id="r 1", known={"id": 17})
        call = undoing(server.url(), undo, **ID, previous=made)
        KIND.rollback(call)
    (got,) = server.got
    assert got.path == "/refunds/r%201"
    expected = {"order": 17, "all": [call.run_key], "text": "an {id}", "literal": "{id}"}
    assert got.json == expected
    assert got.headers["x-order"] == "17"


def test_an_undo_without_url_goes_to_the_location_of_the_run() -> None:
    with serving(answers(201, None, "location: /orders/17"), answers(204)) as server:
        answer = KIND.run(running(server.url()))
        assert isinstance(answer, Success)
        made = Previous(Ended.SUCCEEDED, answer.resource)
        KIND.rollback(undoing(server.url(), {}, previous=made))
    assert server.seen == ["POST /orders", "DELETE /orders/17"]


@pytest.mark.parametrize("value", ["..", ".", True, {"a": 1}])
def test_what_would_lead_to_another_path_is_not_filled_in(value: object) -> None:
    with serving(answers(204)) as server:
        made = left(Ended.SUCCEEDED, known={"id": value})
        with pytest.raises(Fatal, match=r"{id} is"):
            KIND.rollback(
                undoing(server.url(), {"url": server.url("/o/{id}/x")}, **ID, previous=made)
            )
    assert server.got == []


class Orders:
    """A service that knows a repeated request by its key."""

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}
        self.made = 0

    def create(self, request: Request, peer: Peer) -> None:
        key = request.headers["idempotency-key"]
        if key not in self.orders:
            self.made += 1
            self.orders[key] = self.made
        answers(201, {"id": self.orders[key]})(request, peer)

    def create_and_close(self, request: Request, peer: Peer) -> None:
        self.orders[request.headers["idempotency-key"]] = self.made = self.made + 1
        closes(request, peer)


def test_b3_an_interrupted_run_is_repeated_under_its_key_and_made_once() -> None:
    orders = Orders()
    with serving(orders.create_and_close, orders.create) as server:
        with pytest.raises(Retryable):
            KIND.run(running(server.url(), **ID))
        answer = KIND.run(running(server.url(), interruptions=1, **ID))
    assert isinstance(answer, Success)
    assert answer.attributes == {"id": 1}
    assert orders.made == 1


def test_b2_an_undo_of_a_run_without_answer_learns_what_was_made_under_its_key() -> None:
    orders = Orders()
    with serving(orders.create_and_close, orders.create, answers(204)) as server:
        with pytest.raises(Retryable):
            KIND.run(running(server.url(), **ID))
        call = undoing(
            server.url(),
            {"url": server.url("/orders/{id}")},
            **ID,
            previous=Previous(Ended.UNKNOWN),
        )
        assert KIND.rollback(call) is None
    assert server.seen == ["POST /orders", "POST /orders", "DELETE /orders/1"]
    assert orders.made == 1
    assert call.checkpoints[0].attributes == {"id": 1}
    assert "the run is repeated under its key" in logged(call)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (answers(422), Fatal),
        (answers(401), Fatal),
        (answers(302, None, "location: /login"), Fatal),
        (answers(500), Retryable),
        (answers(503), Throttled),
        (closes, Retryable),
        (answers(201, {"other": 1}), Fatal),
    ],
)
def test_what_the_repeated_run_tells_decides_what_there_is_to_undo(
    run: Any, expected: type[Exception]
) -> None:
    with serving(run) as server:
        undo = {"url": server.url("/orders/{id}")}
        call = undoing(server.url(), undo, **ID, previous=Previous(Ended.UNKNOWN))
        with pytest.raises(expected) as failure:
            KIND.rollback(call)
    assert type(failure.value) is expected
    assert ("the undo needs {id}, which no answer told" in str(failure.value)) is (
        expected is Fatal
    )
    assert len(server.got) == 1


def test_a_run_that_was_refused_says_so_where_the_undo_will_ask() -> None:
    with serving(answers(422)) as server:
        undo = {"url": server.url("/orders/{id}")}
        call = running(server.url(), rollback=undo, **ID)
        with pytest.raises(Fatal):
            KIND.run(call)
        assert call.checkpoints[0].resource == REFUSED.resource
        assert KIND.rollback(undoing(server.url(), undo, **ID, previous=REFUSED)) is None
        plain = running(server.url(), rollback={"url": server.url("/orders/{key}")}, **ID)
        with pytest.raises(Fatal):
            KIND.run(plain)
        assert plain.checkpoints == []
    assert [each.method for each in server.got] == ["POST", "POST"]


def test_a_refusal_after_an_attempt_without_answer_does_not_say_that_nothing_was_made() -> None:
    with serving(answers(422)) as server:
        undo = {"url": server.url("/orders/{id}")}
        for call in (
            running(server.url(), rollback=undo, attempt=2, previous=Previous(Ended.FAILED), **ID),
            running(server.url(), rollback=undo, interruptions=1, **ID),
            running(server.url(), rollback=undo, attempt=3, previous=REFUSED, **ID),
        ):
            with pytest.raises(Fatal):
                KIND.run(call)
            assert call.checkpoints == []
        second = running(server.url(), rollback=undo, attempt=2, previous=REFUSED, **ID)
        with pytest.raises(Fatal):
            KIND.run(second)
    assert _refused(second) == 2


def _refused(call: RecordedCall) -> object:
    resource = call.checkpoints[0].resource
    assert resource is not None
    return resource.attributes["attempt"]


def test_a_success_after_a_refusal_keeps_no_trace_of_it() -> None:
    with serving(answers(201, {"id": 1})) as server:
        answer = KIND.run(running(server.url(), attempt=2, previous=REFUSED, **ID))
    assert isinstance(answer, Success)
    assert answer.resource == Resource("Done")


@pytest.mark.parametrize("again", [{"attempt": 2}, {"interruptions": 1}])
def test_what_may_not_be_repeated_is_not(again: dict[str, int]) -> None:
    with serving(answers(201)) as server:
        call = running(server.url(), repeatable=False, **again)
        with pytest.raises(Fatal, match=r"may not be repeated \(repeatable: false\); it is undone"):
            KIND.run(call)
    assert server.got == []


def test_what_may_not_be_repeated_is_sent_again_after_a_refusal() -> None:
    with serving(answers(429), answers(201)) as server:
        first = running(server.url(), repeatable=False)
        with pytest.raises(Throttled):
            KIND.run(first)
        previous = Previous(Ended.FAILED, first.checkpoints[0].resource)
        answer = KIND.run(running(server.url(), repeatable=False, attempt=2, previous=previous))
    assert isinstance(answer, Success)
    assert len(server.got) == 2


def test_what_may_not_be_repeated_is_not_sent_again_after_503() -> None:
    """A proxy also says it when it passed the request on and the service broke off."""
    with serving(answers(503), answers(201)) as server:
        first = running(server.url(), repeatable=False)
        with pytest.raises(Throttled):
            KIND.run(first)
        assert first.checkpoints == []
        again = running(
            server.url(), repeatable=False, attempt=2, previous=Previous(Ended.FAILED, None)
        )
        with pytest.raises(Fatal, match=r"may not be repeated \(repeatable: false\); it is undone"):
            KIND.run(again)
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("found", "expected", "seen"),
    [
        (answers(200, {"id": 7, "state": "done"}), Success, ["GET /by-key"]),
        (answers(200, {"id": 7, "state": "going"}), InProgress, ["GET /by-key"]),
        (answers(404), Success, ["GET /by-key", "POST /orders"]),
        (answers(200, {"state": "failed"}), Fatal, ["GET /by-key"]),
        (answers(401), Retryable, ["GET /by-key"]),
        (answers(503), Throttled, ["GET /by-key"]),
        (closes, Retryable, ["GET /by-key"]),
    ],
)
def test_what_may_not_be_repeated_is_looked_for_first(
    found: Any, expected: type, seen: list[str]
) -> None:
    with serving(answers(201, {"id": 8, "state": "done"})) as server:
        server.routes["GET /by-key"] = found
        check = {
            "url": server.url("/by-key"),
            "failed": {"pointer": "/state", "values": ["failed"]},
        }
        if expected is InProgress:
            check["done"] = {"pointer": "/state", "values": ["done"]}
        call = running(server.url(), repeatable=False, interruptions=1, check=check, **ID)
        if issubclass(expected, Exception):
            with pytest.raises(expected) as failure:
                KIND.run(call)
            assert type(failure.value) is expected
        else:
            assert isinstance(KIND.run(call), expected)
    assert server.seen == seen


def test_an_undo_that_can_not_learn_what_was_made_asks_a_person() -> None:
    with serving(answers(204)) as server:
        call = undoing(
            server.url(),
            {"url": server.url("/orders/{id}")},
            **ID,
            repeatable=False,
            previous=Previous(Ended.UNKNOWN),
        )
        with pytest.raises(Fatal, match=r"the undo needs {id}, .* then `wf mark-rolled-back`"):
            KIND.rollback(call)
    assert server.got == []


def test_an_undo_without_a_request_says_what_to_do() -> None:
    with pytest.raises(Fatal, match="rollback: give the request that undoes `run`"):
        KIND.rollback(undoing("http://a.test/", None))


def test_b2_where_nothing_was_ever_sent_there_is_nothing_to_undo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undo = {"url": "http://127.0.0.1:1/orders/{key}"}
    monkeypatch.delenv("WF_HTTP_ALLOW")
    refused = running("http://127.0.0.1:1/orders", rollback=undo)
    with pytest.raises(Fatal, match="not a public address"):
        KIND.run(refused)
    previous = Previous(Ended.FAILED, refused.checkpoints[0].resource)
    assert KIND.rollback(undoing("http://127.0.0.1:1/orders", undo, previous=previous)) is None
    later = undoing("http://127.0.0.1:1/orders", undo, previous=previous, run_attempt=2)
    with pytest.raises(Fatal, match="not a public address"):
        KIND.rollback(later)


def test_an_undo_is_sent_where_the_service_refused_what_may_have_been_done_in_part() -> None:
    with serving(answers(204)) as server:
        undo = {"url": server.url("/orders/{key}")}
        assert KIND.rollback(undoing(server.url(), undo, previous=REFUSED)) is None
    assert len(server.got) == 1


def test_a_refusal_before_an_attempt_that_was_not_sent_is_not_forgotten() -> None:
    call = running("http://127.0.0.1:1/", attempt=2, previous=REFUSED)
    with pytest.raises(Retryable, match="no connection"):
        KIND.run(call)
    assert call.checkpoints[0].resource == Resource("Refused", attributes={"attempt": 2})


@pytest.mark.parametrize("status", [200, 300, 301, 303, 304, 305, 408, 499, 500])
def test_a_status_that_may_hide_an_effect_does_not_say_that_nothing_was_made(status: int) -> None:
    with serving(answers(status)) as server:
        undo = {"url": server.url("/orders/{id}")}
        call = running(
            server.url(), rollback=undo, run={"fatal": ["2xx", "3xx", "4xx", "5xx"]}, **ID
        )
        with pytest.raises(Fatal):
            KIND.run(call)
    assert call.checkpoints == []


def test_what_may_not_be_repeated_and_can_not_be_looked_for_is_undone() -> None:
    check = {"url": "http://127.0.0.1:1/{id}"}
    call = running("http://127.0.0.1:1/", repeatable=False, attempt=2, check=check, **ID)
    with pytest.raises(Fatal, match=r"the check needs \{id\}, which only its answer tells"):
        KIND.run(call)


def test_an_undo_whose_repeated_run_breaks_off_is_tried_again() -> None:
    broken = resets(b"HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{")
    with serving(broken) as server:
        undo = {"url": server.url("/orders/{id}")}
        call = undoing(server.url(), undo, **ID, previous=Previous(Ended.UNKNOWN))
        with pytest.raises(Retryable, match="broke off"):
            KIND.rollback(call)


def test_b2_a_result_that_is_gone_after_see_other_is_no_refusal_of_what_was_done() -> None:
    with serving(answers(303, None, "location: /orders/1"), answers(404)) as server:
        undo = {"url": server.url("/orders/{id}")}
        call = running(server.url(), rollback=undo, **ID)
        with pytest.raises(Fatal):
            KIND.run(call)
    assert server.seen == ["POST /orders", "GET /orders/1"]
    assert call.checkpoints == []


def test_b3_an_attempt_called_again_is_no_longer_one_that_was_not_sent() -> None:
    """It was not sent, that was saved, and the engine was killed before it heard of it."""
    unsent = left(Ended.FAILED, status="NotSent", attributes={"attempt": 1})
    undo = {"url": "http://127.0.0.1:1/orders/{key}"}
    with serving(closes) as server:
        call = running(server.url(), rollback=undo, interruptions=1, previous=unsent)
        with pytest.raises(Retryable):
            KIND.run(call)
        previous = Previous(Ended.FAILED, call.checkpoints[-1].resource)
    with pytest.raises(Retryable, match="no connection"):
        KIND.rollback(undoing(server.url(), undo, previous=previous))


def test_values_of_names_that_would_take_too_much_are_not_put_in() -> None:
    """A name costs its author four bytes, and its value may be as long as an answer."""
    made = left(Ended.SUCCEEDED, id="7", known={"id": "x" * 100_000})
    many = {f"n{n}": "{id}" for n in range(11)}
    for undo in ({"json": ["{id}"] * 11}, {"query": many}, {"headers": many}, {"form": many}):
        call = undoing("http://127.0.0.1:1/", {"url": "http://127.0.0.1:1/", **undo}, previous=made)
        with pytest.raises(Fatal, match=r"\{id\} among them, would take more than 1,048,576 bytes"):
            KIND.rollback(call)
    call = undoing(
        "http://127.0.0.1:1/", {"url": "http://127.0.0.1:1/" + "{id}" * 11}, previous=made
    )
    with pytest.raises(Fatal, match="would take more than"):
        KIND.rollback(call)


def test_a_value_that_is_no_unicode_is_replaced_in_an_undo() -> None:
    made = left(Ended.SUCCEEDED, id="\ud800", known={"id": "\ud800"})
    with serving(answers(204)) as server:
        undo = {"url": server.url("/orders/{resource.id}"), "json": {"id": "{id}"}}
        KIND.rollback(undoing(server.url(), {"method": "POST", **undo}, previous=made))
    assert server.got[0].path == "/orders/%3F"
    assert server.got[0].json == {"id": "?"}
