"""The parts of the client that need no server."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_k8s.client.answers import LONGEST_WAIT, refusal, retry_after
from wf_k8s.client.errors import BadNameError, GoneError, NoAnswerError, RefusedError
from wf_k8s.client.frames import read_event, read_page
from wf_k8s.client.lines import Lines
from wf_k8s.client.pace import Backoff, Throttle, Turns, namespace_of
from wf_k8s.client.resources import EVENTS, PODS, SECRETS, WORKFLOWS
from wf_k8s.client.target import Target, read_target


@given(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"."))), st.data())
def test_lines_come_whole_whatever_pieces_they_come_in(
    lines: list[bytes], data: st.DataObject
) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    reader, found = Lines(), []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += reader.feed(text[start:end])
    assert found == [line for line in lines if line.strip()]
    assert not reader.cut_off


def test_a_line_that_was_cut_off_is_not_given() -> None:
    reader = Lines()
    assert reader.feed(b'{"a": 1}\n{"b"') == [b'{"a": 1}']
    assert reader.cut_off


def test_a_line_without_end_is_no_watch() -> None:
    with pytest.raises(ValueError, match="more than 10 bytes"):
        Lines(most=10).feed(b"x" * 11)


def test_an_answer_says_its_causes_and_when_to_come_again() -> None:
    body = (
        b'{"kind":"Status","code":422,"reason":"Invalid","message":"wrong","details":{"causes":'
        b'[{"field":"spec.steps","reason":"FieldValueInvalid","message":"no such step"}]}}'
    )
    error = refusal("PATCH /x", 422, body, {"Retry-After": "3"})
    assert isinstance(error, RefusedError)
    assert (error.code, error.reason, error.after) == (422, "Invalid", 3.0)
    assert [each.message for each in error.causes] == ["no such step"]
    assert str(error) == "PATCH /x: wrong (HTTP 422)"


def test_an_answer_that_is_no_status_is_shown_as_it_is() -> None:
    error = refusal("GET /x", 502, b"<html>Bad gateway</html>")
    assert str(error) == "GET /x: <html>Bad gateway</html> (HTTP 502)"


@pytest.mark.parametrize("body", [b'{"code":410}', b'{"reason":"Expired"}'])
def test_too_old_a_version_means_to_list_again(body: bytes) -> None:
    assert isinstance(refusal("watch", 0 if b"code" in body else 400, body), GoneError)


@pytest.mark.parametrize(
    ("code", "message", "passing", "too_large"),
    [
        (500, "etcdserver: request is too large", False, True),
        (500, "rpc error: code = ResourceExhausted", False, True),
        (413, "", False, True),
        (500, "boom", True, False),
        (503, "", True, False),
        (429, "", True, False),
        (403, "", False, False),
        (409, "", False, False),
    ],
)
def test_k8_what_passes_by_itself_and_what_never_fits(
    code: int, message: str, passing: bool, too_large: bool
) -> None:
    error = RefusedError(code, "", message, what="PATCH")
    assert (error.passing, error.too_large) == (passing, too_large)


def test_retry_after_is_believed_within_reason() -> None:
    assert retry_after({"Retry-After": "99999"}) == LONGEST_WAIT
    assert retry_after({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 4) == 4
    assert retry_after({}) is None


def test_k13_an_error_event_inside_a_200_is_an_error() -> None:
    line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}'
    with pytest.raises(GoneError, match="too old"):
        read_event("watch", line)


def test_half_a_line_is_no_event() -> None:
    with pytest.raises(NoAnswerError, match="can't be read"):
        read_event("watch", b'{"type":"ADDED","object":{"meta')


def test_the_bookmark_that_ends_a_streamed_list_is_known() -> None:
    line = (
        b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7",'
        b'"annotations":{"k8s.io/initial-events-end":"true"}}}}'
    )
    event = read_event("watch", line)
    assert (event.ends_list, event.resource_version) == (True, "7")
    assert not read_event("watch", line.replace(b"BOOKMARK", b"ADDED")).ends_list


def test_a_page_that_was_cut_off_is_no_list() -> None:
    with pytest.raises(NoAnswerError, match="no list"):
        read_page("list", b'{"metadata":{},"items":[{"a"')


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_waits_grow_are_jittered_and_have_an_end(failures: int, chance: float) -> None:
    backoff = Backoff(first=0.2, longest=30.0)
    wait = backoff.wait(failures, chance)
    full = min(30.0, 0.2 * 2 ** (failures - 1))
    assert full / 2 <= wait <= full


def test_a_second_of_requests_pass_at_once_after_a_pause_and_then_their_rate() -> None:
    turns = Turns[int](10, 0.0)
    for n in range(12):
        turns.ask("a", n)
    assert turns.due(60.0) == list(range(10))
    assert turns.next_at(60.0) == pytest.approx(60.1)
    assert turns.due(60.09) == []
    assert turns.due(60.101) == [10]
    assert turns.due(60.201) == [11]
    assert turns.next_at(60.3) is None


def test_e7_namespaces_send_in_turns_whoever_asks_for_more() -> None:
    turns = Turns[str](1, 0.0)
    for n in range(100):
        turns.ask("flood", f"flood{n}")
    turns.ask("mine", "mine0")
    turns.ask("mine", "mine1")
    sent = [turns.due(float(second))[0] for second in range(6)]
    assert sent == ["flood0", "mine0", "flood1", "mine1", "flood2", "flood3"]


def test_e7_who_asks_for_less_than_its_turns_is_next_and_gains_no_more_than_they() -> None:
    turns = Turns[str](1, 0.0)
    for n in range(100):
        for flood in "abc":
            turns.ask(flood, f"{flood}{n}")
    sent = [turns.due(float(second))[0] for second in range(4)]
    turns.ask("mine", "mine0")  # once a round: never behind the others
    sent += [turns.due(float(second))[0] for second in range(4, 8)]
    turns.ask("mine", "mine1")
    sent += [turns.due(8.0)[0]]
    for n in range(2, 100):  # as often as it can: one of four turns
        turns.ask("mine", f"mine{n}")
    sent += [turns.due(float(second))[0] for second in range(9, 49)]
    assert (sent[4], sent[8]) == ("mine0", "mine1")
    assert sum(each.startswith("mine") for each in sent[9:]) == 10


@given(
    st.sampled_from([0.5, 1.0, 10.0]),
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2)), max_size=60),
)
def test_e7_no_window_has_more_requests_than_its_seconds_and_one_burst(
    qps: float, asked: list[tuple[str, float]]
) -> None:
    turns, now, sent = Turns[int](qps, 0.0), 0.0, []
    for n, (namespace, wait) in enumerate(asked):
        turns.ask(namespace, n)
        now += wait
        sent += [now] * len(turns.due(now))
    while (at := turns.next_at(now)) is not None:
        now = max(now, at)
        sent += [now] * len(turns.due(now))
    assert len(sent) == len(asked)
    for first, since in enumerate(sent):
        for count, until in enumerate(sent[first:], 1):
            assert count <= qps * (until - since) + max(qps, 1) + 1e-6


def test_e7_one_that_stops_waiting_takes_no_turn() -> None:
    turns = Turns[str](1, 0.0)
    for namespace, item in [("a", "a0"), ("a", "a1"), ("b", "b0")]:
        turns.ask(namespace, item)
    turns.leave("a", "a0")
    turns.leave("b", "b0")
    turns.leave("c", "never")
    assert turns.due(0.0) == ["a1"]
    assert turns.next_at(0.0) is None


def test_a_throttle_of_several_loops_serves_them_all_and_survives_the_end_of_one() -> None:
    throttle = Throttle(200)

    async def many(namespace: str) -> int:
        await asyncio.gather(*[throttle.turn(namespace) for _ in range(150)])
        return 150

    async def both() -> None:
        other = asyncio.to_thread(asyncio.run, many("b"))
        assert list(await asyncio.gather(many("a"), other)) == [150, 150]
        await throttle.turn("a")  # the other loop is gone
        await Throttle(None).turn("a")

    asyncio.run(both())


def test_a_request_is_of_the_namespace_that_its_path_names() -> None:
    assert namespace_of(WORKFLOWS.path("a", "b", "status")) == "a"
    assert namespace_of(PODS.path("a")) == "a"
    assert namespace_of(WORKFLOWS.path(None)) == ""
    assert namespace_of("/version") == ""


def test_paths_name_group_namespace_and_subresource() -> None:
    assert WORKFLOWS.path("a", "b", "status") == (
        "/apis/workflow.example.com/v1alpha1/namespaces/a/workflows/b/status"
    )
    assert PODS.path(None) == "/api/v1/pods"
    assert EVENTS.api_version == "events.k8s.io/v1"


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("", Target()),
        ("prod", Target("prod")),
        ("prod/team-a", Target("prod", "team-a")),
        ("/team-a", Target(None, "team-a")),
        ("prod/*", Target("prod", "*")),
        ("arn:aws:eks:eu:1:cluster/big", Target("arn:aws:eks:eu:1:cluster/big")),
        ("arn:aws:eks:eu:1:cluster/big/team-a", Target("arn:aws:eks:eu:1:cluster/big", "team-a")),
    ],
)
def test_an_address_names_context_and_namespace(rest: str, target: Target) -> None:
    assert read_target(rest, ["prod", "arn:aws:eks:eu:1:cluster/big"]) == target


@pytest.mark.parametrize(
    ("target", "own", "names"),
    [
        (Target(), "team-a", ("team-a",)),
        (Target(), None, ("default",)),
        (Target(namespace="*"), "team-a", ()),
        (Target(namespace="b"), "team-a", ("b",)),
        (Target(namespace="b, a,b"), "team-a", ("b", "a")),
    ],
)
def test_a_target_is_one_namespace_or_several_or_all(
    target: Target, own: str | None, names: tuple[str, ...]
) -> None:
    assert target.namespaces(own) == names


@pytest.mark.parametrize(
    ("namespace", "name"), [("shop", "."), ("shop", ".."), (".", "api"), ("..", "api")]
)
def test_a_name_that_leads_to_another_path_is_none(namespace: str, name: str) -> None:
    with pytest.raises(BadNameError, match="can't be the name of an object"):
        SECRETS.path(namespace, name)


def test_a_name_stays_one_segment_of_a_path() -> None:
    assert SECRETS.path("shop", "../x").endswith("/secrets/..%2Fx")
