"""Delivers the outbox: in order for each workflow, at least once, never in the engine's way.

Every workflow with something to report has a task that tries its oldest entry until it is settled.
An attempt needs a slot, which namespaces share; a wait between attempts holds none, so a dead
receiver costs the others nothing.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from wf_core.engine.callback_slots import CallbackSlots
from wf_core.model.state import OutboxEntry
from wf_core.ports import CallbackSender, Clock, Delivered, Delivery, Receipt
from wf_core.saga.backoff import fraction

if TYPE_CHECKING:
    from tenacity import RetryCallState

FIRST_WAIT = 1.0
LAST_WAIT = 300.0
"""Seconds before the first repeat, and the most that doubling makes of them."""

FAILING_AFTER_SECONDS = 30.0
"""How long a callback may fail before its workflow is told: a hiccup is not worth a save."""
TOLD_EVERY_SECONDS = 300.0
"""Between two lines of the log about one receiver."""
MOST_TOLD = 1000
"""Receivers of which it is known when the log told of them last."""

Make = Callable[[OutboxEntry], Delivery]


@attrs.frozen
class Reports:
    """Who hears of a workflow's callbacks: `settled(seq, dropped, error)` once for each, in order,
    and `failing(seq, error)` once for each that could not be delivered for a while."""

    settled: Callable[[int, bool, str], None]
    failing: Callable[[int, str], None]


log = logging.getLogger("wf.callbacks")


class Courier:
    """Delivers what is offered and says so through `Reports`, on the loop.

    Whatever a sender, a receiver or a callable that was handed in does, nothing is raised out of
    here. The sender is not closed here. Times are seconds and count from `entry.at`;
    `jitter(event id, attempt)` is in [0, 1).
    """

    def __init__(
        self,
        sender: CallbackSender,
        clock: Clock,
        *,
        give_up_after: float,
        give_up_after_deletion: float,
        jitter: Callable[[str, int], float] = fraction,
    ) -> None:
        self._round = _Round(sender, clock, give_up_after, give_up_after_deletion, jitter)
        self._lines: dict[str, _Line] = {}

    def offer(
        self,
        namespace: str,
        uid: str,
        entries: Sequence[OutboxEntry],
        make: Make,
        reports: Reports,
        *,
        deleting: bool,
    ) -> None:
        """Take the entries that are new; those offered before are left out, so repeats do no harm.

        `namespace` is the workflow's, whose share of the slots its attempts take. `make` and
        `reports` replace earlier ones. The first offer that is `deleting` shortens what is left:
        what waits is tried again at once and given up after the shorter time.
        """
        line = self._lines.get(uid)
        if line is None:
            line = self._lines[uid] = _Line(namespace, uid, self._round, make, reports)
        line.make, line.reports = make, reports
        line.add(entries)
        if deleting and not line.deleting:
            line.deleting = True
            line.hurry.set()

    def drop(self, uid: str) -> None:
        """Forget a workflow, whatever is under way: nothing more is sent or settled for it."""
        line = self._lines.pop(uid, None)
        if line is not None:
            line.stop()

    async def close(self) -> None:
        """Drop everything and return once nothing is under way."""
        lines = list(self._lines.values())
        self._lines.clear()
        for line in lines:
            line.stop()
        await asyncio.gather(*(line.ended() for line in lines))


@attrs.define(eq=False)
class _Round:
    """What all lines share."""

    sender: CallbackSender
    clock: Clock
    give_up_after: float
    give_up_after_deletion: float
    jitter: Callable[[str, int], float]
    slots: CallbackSlots = attrs.field(factory=CallbackSlots)
    told: dict[str, float] = attrs.field(factory=dict)

    def tell(self, url: str, event: str, why: str) -> None:
        """Log that a callback was not delivered: at first, and at intervals, for each host."""
        name, now = _host(url), self.clock.now()
        if now - self.told.get(name, float("-inf")) < TOLD_EVERY_SECONDS:
            return
        self.told.pop(name, None)
        if len(self.told) >= MOST_TOLD:
            del self.told[next(iter(self.told))]
        self.told[name] = now
        log.warning(
            "callback %s was not delivered to %r and is tried again: %s; the same of other "
            "callbacks to it is not logged for %.0f s",
            *(event, name, why, TOLD_EVERY_SECONDS),
        )


@attrs.define(eq=False)
class _Line:
    """What one workflow has to report, oldest first. `url` says whose slot an attempt needs."""

    namespace: str
    uid: str
    round: _Round
    make: Make
    reports: Reports
    deleting: bool = False
    url: str = ""
    hurry: asyncio.Event = attrs.field(factory=asyncio.Event)
    _waiting: deque[OutboxEntry] = attrs.field(factory=deque)
    _last: int = 0
    _task: asyncio.Task[None] | None = None

    def add(self, entries: Sequence[OutboxEntry]) -> None:
        """Queue what is newer than anything seen, and see that somebody works on it."""
        for entry in entries:
            if entry.seq > self._last:
                self._last = entry.seq
                self._waiting.append(entry)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(
                self._work(), name=f"callbacks of {self.uid}"
            )

    def stop(self) -> None:
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Return once the task is over. Call `stop` first."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _work(self) -> None:
        while self._waiting:
            entry = self._waiting[0]
            receipt = await self._deliver(entry)
            self._waiting.popleft()
            dropped = receipt.result is not Delivered.DELIVERED
            try:
                self.reports.settled(entry.seq, dropped, receipt.error)
            except Exception:
                log.exception("callback %s is settled, but could not be noted", self._id(entry))

    async def _deliver(self, entry: OutboxEntry) -> Receipt:
        """Try until there is a last answer: at least once, however old the entry is."""
        from tenacity import AsyncRetrying, retry_if_result

        def is_repeated(receipt: Receipt) -> bool:
            return receipt.result is Delivered.RETRY

        def is_over(_: "RetryCallState") -> bool:
            return self._left(entry) <= 0

        said = False

        def wait(state: "RetryCallState") -> float:
            nonlocal said
            said = self._put_off(entry, _answer(state).error, said)
            return min(self._backoff(entry, state), max(0.0, self._left(entry)))

        def give_up(state: "RetryCallState") -> Receipt:
            attempts = "attempt" if state.attempt_number == 1 else "attempts"
            error = _answer(state).error
            return Receipt(Delivered.DROPPED, f"{state.attempt_number} {attempts}: {error}")

        retrying = AsyncRetrying(
            sleep=self._pause,
            stop=is_over,
            wait=wait,
            retry=retry_if_result(is_repeated),
            retry_error_callback=give_up,
        )
        return await retrying(self._attempt, entry)

    def _put_off(self, entry: OutboxEntry, error: str, said: bool) -> bool:
        """An attempt failed and is repeated; whether the workflow was told, once."""
        self.round.tell(self.url, self._id(entry), error)
        if said or self.round.clock.now() - entry.at < FAILING_AFTER_SECONDS:
            return said
        try:
            self.reports.failing(entry.seq, error)
        except Exception:
            log.exception("callback %s fails, which could not be noted", self._id(entry))
        return True

    async def _attempt(self, entry: OutboxEntry) -> Receipt:
        """One attempt, with a body made now. A fault of ours is repeated like one of the receiver:
        giving up at once would lose the event."""
        try:
            host = _host(self.url or self.make(entry).url)
            async with self.round.slots.slot(self.namespace, host):
                delivery = self.make(entry)
                self.url = delivery.url
                return await self.round.sender.send(delivery)
        except Exception as error:
            log.exception("callback %s could not be sent", self._id(entry))
            return Receipt(Delivered.RETRY, f"{type(error).__name__}: {error}")

    async def _pause(self, seconds: float) -> None:
        """Wait, unless deletion is asked for meanwhile."""
        self.hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()

    def _backoff(self, entry: OutboxEntry, state: "RetryCallState") -> float:
        """Half of the doubled wait is certain and half by chance; a receiver may ask for more."""
        longest = min(FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 16), LAST_WAIT)
        chance = self.round.jitter(self._id(entry), state.attempt_number)
        asked = _answer(state).after
        # Those who were put off together should not come back together.
        return max(longest * (1 + chance) / 2, 0.0 if asked is None else asked + chance)

    def _left(self, entry: OutboxEntry) -> float:
        patience = self.round.give_up_after_deletion if self.deleting else self.round.give_up_after
        return entry.at + patience - self.round.clock.now()

    def _id(self, entry: OutboxEntry) -> str:
        return f"{self.uid}/{entry.seq}"


def _answer(state: "RetryCallState") -> Receipt:
    """The receipt of the last attempt: an attempt always has one, since it never raises."""
    assert state.outcome is not None
    receipt: Receipt = state.outcome.result()
    return receipt


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""  # no address at all: the sender says so
