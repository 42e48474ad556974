"""What an answer, or the lack of one, means for a step."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import attrs
import pytest
from tests.http.http_bench import KIND, logged, looking, running, undoing
from tests.http.http_server import (
    DRIPPING_BODY,
    DRIPPING_HEAD,
    Behaviour,
    Peer,
    Request,
    answers,
    babbles,
    bomb,
    closes,
    hangs,
    resets,
    serving,
    talks_nonsense,
)
from tests.patience import PATIENCE

from wf_core import bounded_json
from wf_core.adapters.cancellation import Cancellation
from wf_core.kinds import Fatal, Retryable, Success, Throttled
from wf_core.model.phases import Hook, Purpose


def test_a_request_carries_method_body_and_headers() -> None:
    with serving(answers(201, {"id": 17})) as server:
        call = running(
            server.url("/orders?dry=0"),
            headers={"X-Team": "shop"},
            run={"json": {"item": "Straße"}, "query": {"by": "a&b"}, "headers": {"accept": "*/*"}},
        )
        assert isinstance(KIND.run(call), Success)
    (got,) = server.got
    assert (got.method, got.path) == ("POST", "/orders?dry=0&by=a%26b")
    assert got.json == {"item": "Straße"}
    assert got.headers["x-team"] == "shop"
    assert got.headers["accept"] == "*/*"
    assert got.headers["content-type"] == "application/json"
    assert logged(call) == f"run: POST {server.url('/orders')} answered 201 Created"


def test_a_form_and_a_plain_body_are_sent_as_such() -> None:
    with serving(answers(204)) as server:
        KIND.run(running(server.url(), run={"method": "PUT", "form": {"a": "1 2", "b": "&"}}))
        KIND.run(running(server.url(), run={"body": "<x/>", "headers": {"Content-Type": "a/b"}}))
    form, plain = server.got
    assert (form.method, form.content) == ("PUT", b"a=1+2&b=%26")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (plain.content, plain.headers["content-type"]) == (b"<x/>", "a/b")


def test_i7_run_and_undo_send_idempotency_keys_of_their_own() -> None:
    with serving(answers(200)) as server:
        run = running(server.url())
        undo = undoing(server.url(), {"url": server.url("/orders/{key}")})
        KIND.run(run)
        KIND.run(running(server.url(), attempt=2))
        KIND.rollback(undo)
        KIND.run(running(server.url(), run={"method": "GET"}))
    keys = [each.headers.get("idempotency-key") for each in server.got]
    assert keys == [f'"{run.key}"', f'"{run.key}"', f'"{undo.key}"', None]
    assert run.key != undo.key
    assert server.seen[2] == f"DELETE /orders/{run.key}"


def test_the_key_may_go_under_another_name_and_bare() -> None:
    with serving(answers(200)) as server:
        call = running(server.url(), idempotency={"header": "PayPal-Request-Id", "quoted": False})
        KIND.run(call)
        KIND.run(running(server.url(), idempotency={"header": ""}))
    first, second = server.got
    assert first.headers["paypal-request-id"] == call.key
    assert "idempotency-key" not in {**first.headers, **second.headers}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *[(status, Fatal) for status in (400, 401, 403, 404, 409, 410, 422, 501, 505, 302)],
        *[(status, Retryable) for status in (408, 425, 500, 502, 504, 520)],
        *[(status, Throttled) for status in (429, 503)],
    ],
)
def test_b6_the_status_decides(status: int, expected: type[Exception]) -> None:
    with (
        serving(answers(status, {"error": "out of stock"})) as server,
        pytest.raises(expected) as failure,
    ):
        KIND.run(running(server.url()))
    assert type(failure.value) is expected
    assert str(failure.value).startswith(f"run: POST {server.url()} answered {status}")
    assert str(failure.value).endswith(': {"error": "out of stock"}')


@pytest.mark.parametrize(
    ("status", "lists", "expected"),
    [
        (404, {"success": [404]}, None),
        (404, {"retryable": ["4xx"]}, Retryable),
        (500, {"fatal": ["500-599"]}, Fatal),
        (200, {"fatal": ["2xx"]}, Fatal),
        (404, {"success": ["404"], "fatal": ["4xx"]}, None),
        (429, {"retryable": [429]}, Retryable),
    ],
)
def test_the_requests_own_lists_come_first(
    status: int, lists: dict[str, list[int | str]], expected: type[Exception] | None
) -> None:
    with serving(answers(status)) as server:
        call = running(server.url(), run=lists)
        if expected is None:
            KIND.run(call)
            return
        with pytest.raises(expected) as failure:
            KIND.run(call)
    assert type(failure.value) is expected


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_in_both_forms(status: int) -> None:
    at = datetime.now(UTC) + timedelta(seconds=90)
    date = f"retry-after: {format_datetime(at, usegmt=True)}"
    with serving(
        answers(status, None, "retry-after: 17"), answers(status, None, date), answers(status)
    ) as server:
        waits = []
        for _ in range(3):
            with pytest.raises(Throttled) as failure:
                KIND.run(running(server.url()))
            waits.append(failure.value.after)
    assert waits[0] == 17
    assert 80 < waits[1] <= 90
    assert waits[2] == 5


@pytest.mark.parametrize(
    ("behaviour", "seconds", "sentence"),
    [
        (closes, PATIENCE, "no answer: the connection was closed"),
        (resets(), PATIENCE, "no answer: "),
        (resets(b"HTTP/1.1 200"), PATIENCE, "no answer: "),
        (talks_nonsense, PATIENCE, "no answer: "),
        (hangs, 1, "no answer within 1 s"),
        (DRIPPING_HEAD, 1, "no answer within 1 s"),
    ],
)
def test_a_server_that_does_not_answer_is_asked_again(
    behaviour: Behaviour, seconds: float, sentence: str
) -> None:
    with serving(behaviour) as server, pytest.raises(Retryable, match=sentence) as failure:
        KIND.run(running(server.url(), run={"timeoutSeconds": seconds}))
    assert type(failure.value) is Retryable


def test_a_port_nobody_listens_to_is_tried_again() -> None:
    with serving(hangs) as server:
        url = server.url()
    with pytest.raises(Retryable, match=r"no connection to port .*: Connection refused"):
        KIND.run(running(url))


def test_a_name_nobody_has_is_tried_again() -> None:
    with pytest.raises(Retryable, match=r"the name nobody.invalid can't be looked up"):
        KIND.run(running("http://nobody.invalid/"))


@pytest.mark.parametrize("behaviour", [DRIPPING_BODY, babbles, resets(b"HTTP/1.1 200 OK\r\n\r\n")])
def test_where_nothing_is_read_from_the_body_the_status_is_the_answer(behaviour: Behaviour) -> None:
    with serving(behaviour) as server:
        assert isinstance(KIND.run(running(server.url())), Success)


def crumbles(_: Request, peer: Peer) -> None:
    """Answer by chunks of one byte each, many of them at once."""
    peer.head(200, "transfer-encoding: chunked")
    with contextlib.suppress(OSError):
        for _batch in range(2_000):
            peer.write(b"1\r\n \r\n" * 1_000)


@pytest.mark.parametrize(
    ("behaviour", "expected", "sentence"),
    [
        (DRIPPING_BODY, Retryable, "not complete within 0.3 s; it is asked again under the same"),
        (resets(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), Retryable, "broke off"),
        (babbles, Fatal, r"larger than 20000 bytes \(maxResponseBytes\)"),
        (answers(200, "x" * 20_000), Fatal, "larger than 20000 bytes"),
        (bomb(50_000_000), Fatal, "larger than 20000 bytes"),
        (crumbles, Retryable, "it comes in too many small pieces"),
        (answers(200, content=b"<html>"), Fatal, "its body is no JSON"),
        (answers(200, content=b"[" * 19_000), Fatal, "its body is nested more than 64 deep"),
        (answers(200, {"other": 1}), Fatal, "nothing stands at /id"),
        (answers(200, None, "content-encoding: br", content=b"x"), Fatal, "encoded by 'br'"),
    ],
)
def test_a_body_that_is_needed_must_be_whole_and_within_bounds(
    behaviour: Behaviour, expected: type[Exception], sentence: str
) -> None:
    with serving(behaviour) as server, pytest.raises(expected, match=sentence) as failure:
        KIND.run(
            running(
                server.url(),
                attributes={"id": "/id"},
                maxResponseBytes=20_000,
                run={"timeoutSeconds": 0.3},
            )
        )
    assert type(failure.value) is expected


def test_a_packed_body_is_unpacked() -> None:
    import gzip

    body = gzip.compress(b'{"id": "a"}')
    with serving(answers(200, None, "content-encoding: gzip", content=body)) as server:
        answer = KIND.run(running(server.url(), attributes={"id": "/id"}))
    assert isinstance(answer, Success)
    assert answer.attributes == {"id": "a"}


@pytest.mark.parametrize("behaviour", [hangs, DRIPPING_HEAD])
def test_b7_a_request_that_is_told_to_stop_stops_soon(behaviour: Behaviour) -> None:
    cancelled = Cancellation()
    with serving(behaviour) as server:
        threading.Timer(0.2, cancelled.set).start()
        # Without a stop only this time limit would end it, and with another sentence.
        call = running(server.url(), run={"timeoutSeconds": PATIENCE}, cancelled=cancelled)
        with pytest.raises(Retryable, match="it was told to stop"):
            KIND.run(call)


def test_a_call_that_was_cancelled_before_sends_nothing() -> None:
    cancelled = Cancellation()
    cancelled.set()
    with serving(answers(200)) as server, pytest.raises(Retryable, match="told to stop"):
        KIND.run(running(server.url(), cancelled=cancelled))
    assert server.got == []


def test_a_long_request_that_is_refused_before_its_end_has_its_answer() -> None:
    with serving(answers(413, {"error": "too large"})) as server, pytest.raises(Fatal, match="413"):
        KIND.run(running(server.url(), run={"body": "x" * 200_000}))


def test_attributes_and_resource_are_read_by_pointers() -> None:
    document = {"order": {"id": 17, "a/b": ["x", {"~": None}]}, "state": "paid"}
    with serving(answers(201, document, "location: /orders/17")) as server:
        answer = KIND.run(
            running(
                server.url(),
                attributes={"id": "/order/id", "deep": "/order/a~1b/1/~0", "all": ""},
                resource={"id": "/order/id", "status": "/state"},
            )
        )
    assert isinstance(answer, Success)
    assert answer.attributes == {"id": 17, "deep": None, "all": document}
    assert answer.resource is not None
    assert (answer.resource.id, answer.resource.status) == ("17", "paid")
    assert answer.resource.address == server.url("/orders/17")


def test_the_trace_goes_on_with_a_request() -> None:
    trace = {"traceparent": "00-1-2-01", "tracestate": "a=b"}
    with serving(answers(200)) as server:
        KIND.run(attrs.evolve(running(server.url()), find_trace=lambda: trace))
    (got,) = server.got
    assert {name: got.headers[name] for name in trace} == trace


def test_a_conflict_with_an_earlier_request_under_the_same_key_is_waited_for() -> None:
    with serving(answers(409)) as server:
        with pytest.raises(Fatal):
            KIND.run(running(server.url()))
        with pytest.raises(Retryable):
            KIND.run(running(server.url(), attempt=2))
        with pytest.raises(Retryable):
            KIND.run(running(server.url(), interruptions=1))


def test_a_step_without_check_has_nothing_to_look_at() -> None:
    call = looking({"run": {"url": "http://a.test/"}}, Purpose.WATCH)
    assert call.hook is Hook.SYNC
    assert KIND.sync(call) is None


def test_a4_no_document_has_more_read_than_the_operator_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is stored may ask for more: it goes on, and reads that much."""
    monkeypatch.setenv("WF_HTTP_MAX_RESPONSE_BYTES", "20000")
    with serving(bomb(50_000_000)) as server, pytest.raises(Fatal, match="larger than 20000 bytes"):
        KIND.run(running(server.url(), attributes={"id": "/id"}, maxResponseBytes=10**12))


@pytest.mark.parametrize(
    "content",
    [b"[" + b"[]," * 300_000 + b"0]", b"[" + b'{"a":{}},' * 100_000 + b"0]", b"[" * 10**6],
)
def test_a4_a_small_answer_that_stands_for_many_objects_is_not_read(content: bytes) -> None:
    import gzip
    import tracemalloc

    packed = gzip.compress(content)
    with serving(answers(200, None, "content-encoding: gzip", content=packed)) as server:
        call = running(server.url(), attributes={"id": "/id"})
        tracemalloc.start()
        try:
            with pytest.raises(Fatal, match=r"its body (would take more than 16 MiB|is nested)"):
                KIND.run(call)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("value", ["4MB", "-1", "0", "1e9"])
def test_a_ceiling_that_is_no_number_of_bytes_is_told(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WF_HTTP_MAX_RESPONSE_BYTES", value)
    with (
        serving(answers(200, {"id": 1})) as server,
        pytest.raises(
            Retryable, match=f"WF_HTTP_MAX_RESPONSE_BYTES is '{value}'; give it a number of bytes"
        ),
    ):
        KIND.run(running(server.url(), attributes={"id": "/id"}))
    assert server.got == []


def test_a4_answers_are_in_memory_as_objects_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what thirty hooks take at once is what one may take."""
    at_once = threading.Semaphore(1)
    overlapped: list[bool] = []
    decode = bounded_json.decode

    def counted(content: bytes) -> object:
        alone = at_once.acquire(blocking=False)
        overlapped.append(not alone)
        threading.Event().wait(0.02)
        if alone:
            at_once.release()
        return decode(content)

    monkeypatch.setattr(bounded_json, "decode", counted)
    with serving(answers(200, {"id": 1})) as server:
        calls = [running(server.url(), attributes={"id": "/id"}) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert all(isinstance(each, Success) for each in pool.map(KIND.run, calls))
    assert overlapped == [False] * 8
