"""A courier with a sender that answers as told, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import attrs

from wf_core.engine.courier import Courier, Reports
from wf_core.model.phases import Phase
from wf_core.model.state import OutboxEntry
from wf_core.ports import Delivered, Delivery, Receipt
from wf_core.testing.virtual_time import VirtualClock, run

OK = Receipt(Delivered.DELIVERED)
BUSY = Receipt(Delivered.RETRY, "busy")
GONE = Receipt(Delivered.DROPPED, "gone")
START = 1_000_000.0
Answer = Callable[[Delivery], Receipt | Awaitable[Receipt]]


def always(receipt: Receipt) -> Answer:
    return lambda _: receipt


def in_turn(*receipts: Receipt) -> Answer:
    left = iter(receipts)
    return lambda _: next(left)


def _unheard(*_: object) -> None: ...


def entries(*seqs: int, at: float = START) -> list[OutboxEntry]:
    return [OutboxEntry(seq, Phase.SUCCESS, at) for seq in seqs]


@attrs.define
class Post:
    """A courier with a sender that answers as told, and the record of what happened when."""

    answer: Answer
    jitter: Callable[[str, int], float] = lambda _id, _attempt: 1.0
    sent: list[tuple[float, str]] = attrs.field(factory=list)
    settled: list[tuple[float, str, int, bool, str]] = attrs.field(factory=list)
    failing: list[tuple[float, str, int, str]] = attrs.field(factory=list)
    courier: Courier = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        clock = VirtualClock(asyncio.get_running_loop(), START)
        self.courier = Courier(
            self, clock, give_up_after=86400, give_up_after_deletion=600, jitter=self.jitter
        )

    async def send(self, delivery: Delivery) -> Receipt:
        self.sent.append((self.now(), delivery.event_id))
        answer = self.answer(delivery)
        return answer if isinstance(answer, Receipt) else await answer

    async def close(self) -> None:
        raise AssertionError("the sender belongs to whoever made it")

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def offer(
        self,
        uid: str,
        what: list[OutboxEntry],
        *,
        host: str = "a.test",
        namespace: str = "default",
        deleting: bool = False,
    ) -> None:
        def make(entry: OutboxEntry) -> Delivery:
            return Delivery(f"http://{host}/", f"{uid}/{entry.seq}", {}, True)

        def settled(seq: int, dropped: bool, error: str) -> None:
            self.settled.append((self.now(), uid, seq, dropped, error))

        def failing(seq: int, error: str) -> None:
            self.failing.append((self.now(), uid, seq, error))

        reports = Reports(settled, failing)
        self.courier.offer(namespace, uid, what, make, reports, deleting=deleting)

    def order(self, uid: str) -> list[int]:
        return [seq for _, whose, seq, _, _ in self.settled if whose == uid]

    def times(self) -> list[float]:
        return [when for when, _ in self.sent]


def post_run(
    answer: Answer, body: Callable[[Post], Coroutine[Any, Any, None]], **options: Any
) -> Post:
    """Run `body` in virtual time; the courier is closed after it."""

    async def main() -> Post:
        post = Post(answer, **options)
        await body(post)
        await post.courier.close()
        return post

    return run(main())
