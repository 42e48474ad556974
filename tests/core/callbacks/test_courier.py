"""Delivery: in order, at least once, backing off, giving up, and nobody waits for a stranger."""

import asyncio
import itertools
from collections.abc import Awaitable

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.callbacks.post import (
    BUSY,
    GONE,
    OK,
    START,
    Post,
    _unheard,
    always,
    entries,
    in_turn,
    post_run,
)

from wf_core.engine.callback_slots import SLOTS
from wf_core.engine.courier import (
    FAILING_AFTER_SECONDS,
    FIRST_WAIT,
    LAST_WAIT,
    TOLD_EVERY_SECONDS,
    Reports,
)
from wf_core.model.state import OutboxEntry
from wf_core.ports import Delivery, Receipt
from wf_core.testing.virtual_time import run


def test_i9_entries_of_a_workflow_go_in_order_one_at_a_time() -> None:
    """The second waits for the first, though the first fails twice."""

    async def body(post: Post) -> None:
        post.offer("u", entries(1, 2, 3))
        await asyncio.sleep(60)

    post = post_run(in_turn(BUSY, BUSY, OK, OK, OK), body)
    assert [event for _, event in post.sent] == ["u/1", "u/1", "u/1", "u/2", "u/3"]
    assert post.order("u") == [1, 2, 3]
    assert not any(dropped for *_, dropped, _ in post.settled)


@given(st.lists(st.sampled_from([OK, BUSY, GONE]), max_size=12), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_i9_whatever_is_answered_each_entry_is_settled_once_and_in_order(
    answers: list[Receipt], count: int
) -> None:
    left = iter(answers)

    async def body(post: Post) -> None:
        post.offer("u", entries(*range(1, count + 1)))
        await asyncio.sleep(2 * 86400)

    post = post_run(lambda _: next(left, OK), body)
    assert post.order("u") == list(range(1, count + 1))
    sent = [int(event.partition("/")[2]) for _, event in post.sent]
    assert sent == sorted(sent)
    assert set(sent) == set(range(1, count + 1))


def test_i9_an_entry_offered_twice_is_settled_once() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1, 2))
        post.offer("u", entries(1, 2, 3))
        await asyncio.sleep(1)
        post.offer("u", entries(2, 3))
        await asyncio.sleep(1)

    post = post_run(always(OK), body)
    assert post.order("u") == [1, 2, 3]
    assert len(post.sent) == 3


def test_f_the_wait_doubles_up_to_its_limit() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(3000)

    times = post_run(always(BUSY), body).times()
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert waits[:5] == [FIRST_WAIT * 2**n for n in range(5)]
    assert waits[-1] == LAST_WAIT
    assert max(waits) == LAST_WAIT


def test_f_jitter_takes_up_to_half_of_the_wait_and_is_asked_for_each_attempt() -> None:
    asked: list[tuple[str, int]] = []

    def jitter(event: str, attempt: int) -> float:
        asked.append((event, attempt))
        return 0.0

    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(10)

    post = post_run(in_turn(BUSY, BUSY, OK), body, jitter=jitter)
    assert post.times() == [0, 0.5, 1.5]
    assert asked == [("u/1", 1), ("u/1", 2)]


def test_f_a_receiver_may_ask_for_a_longer_wait_but_not_for_a_shorter_one() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(200)

    long = attrs.evolve(BUSY, after=120.0)
    none = attrs.evolve(BUSY, after=0.0)
    post = post_run(in_turn(none, long, OK), body, jitter=lambda _id, _attempt: 0.0)
    assert post.times() == [0, 0.5, 120.5]


def test_f_gives_up_after_a_day_with_a_last_attempt_at_its_end() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(2 * 86400)

    post = post_run(always(BUSY), body)
    [(when, _, seq, dropped, error)] = post.settled
    assert (seq, dropped) == (1, True)
    assert when == pytest.approx(86400)
    assert post.times()[-1] == when
    assert error == f"{len(post.sent)} attempts: busy"


def test_f_an_entry_that_is_old_already_is_tried_once() -> None:
    """The engine was away for two days: what it has to say is not thrown away unsaid."""

    async def body(post: Post) -> None:
        post.offer("u", entries(1, 2, at=START - 2 * 86400))
        await asyncio.sleep(10)

    post = post_run(in_turn(BUSY, OK), body)
    assert [(seq, dropped) for _, _, seq, dropped, _ in post.settled] == [(1, True), (2, False)]
    assert post.settled[0][-1] == "1 attempt: busy"


def test_f_deletion_shortens_what_already_waits() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(330)
        before = len(post.sent)
        post.offer("u", [], deleting=True)
        await asyncio.sleep(0.001)
        assert len(post.sent) == before + 1, "it is tried at once"
        await asyncio.sleep(86400)

    post = post_run(always(BUSY), body)
    [(when, _, seq, dropped, _)] = post.settled
    assert (when, seq, dropped) == (600, 1, True)


def test_f_deletion_keeps_backing_off() -> None:
    """A workflow offered with its deletion is no reason to hammer the receiver."""

    async def body(post: Post) -> None:
        for _ in range(3):
            post.offer("u", entries(1), deleting=True)
        await asyncio.sleep(4)

    assert post_run(always(BUSY), body).times() == [0, 1, 3]


def test_f_an_answer_that_is_final_is_not_repeated() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1, 2))
        await asyncio.sleep(100)

    post = post_run(in_turn(GONE, OK), body)
    assert [(seq, dropped, error) for _, _, seq, dropped, error in post.settled] == [
        (1, True, "gone"),
        (2, False, ""),
    ]
    assert len(post.sent) == 2


def test_f_one_dead_host_does_not_hold_up_others() -> None:
    """Ever so many workflows hang at a host that does not answer; another's goes at once."""

    async def hang() -> Receipt:
        await asyncio.sleep(5)
        return BUSY

    async def body(post: Post) -> None:
        for n in range(20 * SLOTS):
            post.offer(f"dead-{n}", entries(1), host="dead.test")
        await asyncio.sleep(1)
        post.offer("alive", entries(1, 2, 3), host="alive.test")
        await asyncio.sleep(60)

    def answer(delivery: Delivery) -> Receipt | Awaitable[Receipt]:
        return OK if "alive" in delivery.url else hang()

    post = post_run(answer, body)
    assert post.order("alive") == [1, 2, 3]
    assert {when for when, uid, *_ in post.settled if uid == "alive"} == {1.0}


def test_f_waiting_in_backoff_holds_no_slot() -> None:
    """A thousand workflows of one host back off, and a new one of the same host goes at once."""

    async def body(post: Post) -> None:
        for n in range(1000):
            post.offer(f"busy-{n}", entries(1))
        await asyncio.sleep(1000)
        began = post.now()
        post.offer("new", entries(1))
        await asyncio.sleep(0.01)
        assert [(when, uid) for when, uid, *_ in post.settled] == [(began, "new")]

    post_run(lambda d: OK if d.event_id == "new/1" else BUSY, body)


def test_a_sender_that_raises_is_a_fault_of_ours_and_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left = iter([ZeroDivisionError("oops"), None])

    def answer(_: Delivery) -> Receipt:
        error = next(left)
        if error:
            raise error
        return OK

    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(10)

    post = post_run(answer, body)
    assert post.settled == [(1.0, "u", 1, False, "")]
    assert "callback u/1 could not be sent" in caplog.text
    assert "ZeroDivisionError: oops" in caplog.text


def test_a_listener_that_raises_is_logged_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = []

    async def body(post: Post) -> None:
        def settled(seq: int, _dropped: bool, _error: str) -> None:
            seen.append(seq)
            raise ZeroDivisionError

        def make(entry: OutboxEntry) -> Delivery:
            return Delivery("http://a.test", f"u/{entry.seq}", {}, True)

        post.courier.offer(
            "n", "u", entries(1, 2), make, Reports(settled, _unheard), deleting=False
        )
        await asyncio.sleep(1)

    post_run(always(OK), body)
    assert seen == [1, 2]
    assert caplog.text.count("could not be noted") == 2


def test_c4_nothing_is_sent_or_settled_for_a_workflow_that_was_dropped() -> None:
    async def slow() -> Receipt:
        await asyncio.sleep(5)
        return OK

    async def body(post: Post) -> None:
        post.offer("sending", entries(1, 2))
        await asyncio.sleep(1)
        post.courier.drop("sending")
        post.courier.drop("unknown")
        await asyncio.sleep(100)

    post = post_run(lambda _: slow(), body)
    assert len(post.sent) == 1
    assert post.settled == []


def test_what_was_dropped_can_be_offered_again() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(1)
        post.courier.drop("u")
        post.offer("u", entries(1, 2))
        await asyncio.sleep(1)

    assert post_run(always(OK), body).order("u") == [1, 1, 2]


def test_a_listener_may_drop_its_workflow() -> None:
    async def body(post: Post) -> None:
        def settled(seq: int, _dropped: bool, _error: str) -> None:
            post.settled.append((0, "u", seq, False, ""))
            post.courier.drop("u")

        def make(entry: OutboxEntry) -> Delivery:
            return Delivery("http://a.test", f"u/{entry.seq}", {}, True)

        post.courier.offer(
            "n", "u", entries(1, 2), make, Reports(settled, _unheard), deleting=False
        )
        await asyncio.sleep(1)

    assert post_run(always(OK), body).order("u") == [1]


def test_close_ends_what_is_under_way() -> None:
    async def hang() -> Receipt:
        await asyncio.sleep(1e9)
        return OK

    async def main() -> tuple[float, int]:
        post = Post(lambda d: hang() if "slow" in d.event_id else BUSY)
        post.offer("slow", entries(1))
        post.offer("waiting", entries(1))
        await asyncio.sleep(1)
        await post.courier.close()
        return post.now(), len(asyncio.all_tasks())

    assert run(main()) == (1.0, 1)


def test_the_body_is_made_for_each_attempt() -> None:
    """What is said is what is stored then, not what was stored when the entry was written."""
    bodies = []

    async def body(post: Post) -> None:
        def make(entry: OutboxEntry) -> Delivery:
            return Delivery("http://a.test", f"u/{entry.seq}", {"at": post.now()}, True)

        post.courier.offer("n", "u", entries(1), make, Reports(_unheard, _unheard), deleting=False)
        await asyncio.sleep(10)

    def answer(delivery: Delivery) -> Receipt:
        bodies.append(delivery.body["at"])
        return BUSY if len(bodies) < 3 else OK

    post_run(answer, body)
    assert bodies == [0, 1, 3]


def test_seed_fault_09_a_failing_callback_holds_up_nothing() -> None:
    """Offering never waits and never raises, whatever the receiver does, and it ends."""

    async def body(post: Post) -> None:
        post.offer("u", entries(*range(1, 1001)))
        assert post.now() == 0
        assert post.sent == []
        await asyncio.sleep(3 * 86400)

    post = post_run(always(BUSY), body, jitter=lambda _id, _attempt: 0.5)
    assert post.order("u") == list(range(1, 1001))
    assert all(dropped for *_, dropped, _ in post.settled)


def test_a_receiver_that_takes_nothing_is_logged_at_first_and_at_intervals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once for all callbacks to it, not once for each."""

    async def body(post: Post) -> None:
        for n in range(50):
            post.offer(f"u{n}", entries(1))
        await asyncio.sleep(1)
        assert len(told()) == 1
        await asyncio.sleep(4 * TOLD_EVERY_SECONDS)
        assert 3 <= len(told()) <= 5
        post.offer("other", entries(1, at=START + post.now()), host="b.test")
        await asyncio.sleep(1)
        assert "'b.test'" in told()[-1]

    def told() -> list[str]:
        return [text for text in caplog.messages if "was not delivered to" in text]

    with caplog.at_level("WARNING"):
        post_run(always(BUSY), body)
    assert "busy" in told()[0]


def test_a_workflow_is_told_once_of_a_callback_that_fails_for_a_while() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1, 2))
        await asyncio.sleep(3600)

    post = post_run(always(BUSY), body)
    ((at, *told),) = post.failing
    assert told == ["u", 1, "busy"]
    assert at >= FAILING_AFTER_SECONDS


def test_a_hiccup_is_not_told() -> None:
    async def body(post: Post) -> None:
        post.offer("u", entries(1))
        await asyncio.sleep(60)

    post = post_run(in_turn(BUSY, BUSY, OK), body)
    assert (post.failing, post.order("u")) == ([], [1])
