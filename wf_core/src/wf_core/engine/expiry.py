"""Clean-up by age: finished workflows go once they are as old as `ttlSecondsAfterFinished` says.

A heap holds when each is due. What it holds is a hint, fed from lists and from every end: whether a
workflow goes is decided by what is stored when its time comes, so that a crash loses nothing.
Nothing is undone, and what owes somebody something stays (`retention.owed`).
"""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Coroutine

from wf_core.engine.locks import KeyLocks
from wf_core.engine.services import Services
from wf_core.errors import StoreUnavailable, WfError, WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import FINISHED
from wf_core.model.spec import Key, TimeToLive
from wf_core.model.state import WorkflowState
from wf_core.ports import Row
from wf_core.retention import Retention, owed_by

log = logging.getLogger("wf.engine")
AGAIN = 60.0
"""Seconds after which one is tried again that could not be removed."""
PAUSE = 1.0
"""Seconds without any removal after one that failed: a right that is missing is missing for all."""
SLACK = 64
"""Entries of the heap that may be out of date before it is built anew."""


class Expiry:
    """Removes what is over age, one after the other.

    `retire(key)` has nothing driven any more that still is, and says whether it was; `again(key,
    why)` has a workflow looked at in a while that was retired and stayed; `spawn` runs a coroutine
    beside everything else.
    """

    def __init__(
        self,
        services: Services,
        locks: KeyLocks,
        retire: Callable[[Key], Awaitable[bool]],
        again: Callable[[Key, str], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._services = services
        self._locks = locks
        self._retire = retire
        self._again = again
        self._spawn = spawn
        self._retention = Retention(services.config.controller_config)
        self._heap: list[tuple[float, Key]] = []
        self._due: dict[Key, float] = {}  # what counts of it
        self._ahead: dict[Key, tuple[float, float]] = {}  # ends in the future, and when first seen
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = float("-inf")
        self._working = False
        self._said = ""

    def saw(self, key: Key, queue: str, head: WorkflowState, ttl: TimeToLive) -> None:
        """A workflow is stored so."""
        self._note(key, self._due_at(key, queue, head, ttl))

    def listed(self, row: Row) -> None:
        """A workflow is in the store's list."""
        finished_at = self._ended(row.key, row.finished_at)
        self._note(row.key, self._retention.due_at(row.phase, finished_at, row.queue, row.ttl))

    def close(self) -> None:
        """Begin no removal any more."""
        self._disarm()
        self._heap.clear()
        self._due.clear()
        self._ahead.clear()

    def _due_at(self, key: Key, queue: str, head: WorkflowState, ttl: TimeToLive) -> float | None:
        finished_at = head.reached.get(head.phase) if head.phase in FINISHED else None
        finished_at = self._ended(key, finished_at)
        return self._retention.due_at(head.phase, finished_at, queue, ttl)

    def _ended(self, key: Key, finished_at: float | None) -> float | None:
        """When it ended, or when that was first seen, if a clock has gone back since (semantics H):
        it would stay for as long as the clock went back."""
        now = self._services.clock.now()
        if finished_at is None or finished_at <= now:
            self._ahead.pop(key, None)
            return finished_at
        if self._ahead.get(key, (None, 0.0))[0] != finished_at:
            self._ahead[key] = (finished_at, now)
        return self._ahead[key][1]

    def _note(self, key: Key, due: float | None) -> None:
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due and not self._services.closing:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))
            if len(self._heap) > 2 * len(self._due) + SLACK:
                self._heap = [(at, each) for each, at in self._due.items()]
                heapq.heapify(self._heap)
            self._arm()

    def _first(self) -> float | None:
        """When the next one is due; what is out of date is dropped on the way."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _arm(self) -> None:
        first = self._first()
        self._disarm()
        if first is not None and not self._working and not self._services.closing:
            delay = max(0.0, max(first, self._not_before) - self._services.clock.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._begin)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        self._working = True
        self._spawn(self._work())

    async def _work(self) -> None:
        """Remove all that is due now."""
        try:
            while (key := self._next()) is not None:
                await self._try(key)
        finally:
            self._working = False
            self._arm()

    def _next(self) -> Key | None:
        first, now = self._first(), self._services.clock.now()
        if self._services.closing or first is None or max(first, self._not_before) > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due[key]
        return key

    async def _try(self, key: Key) -> None:
        try:
            async with self._locks.of(key):
                await self._remove(key)
        except WorkflowNotFound:
            pass  # it went before
        except (StoreUnavailable, WorkflowOwned) as error:
            if str(error) != self._said:
                self._said = str(error)
                log.warning("%s: over age, and not removed for now: %s", key, error)
            now = self._services.clock.now()
            self._not_before = now + PAUSE
            self._note(key, now + AGAIN)
        except WfError as error:
            log.error("%s: over age, and not removed: %s", key, error)

    async def _remove(self, key: Key) -> None:
        """Remove it, if what is stored says so. The key's lock is held.

        What owes something is looked at again when that is seen to be done.
        """
        store = self._services.store
        stored = await store.load(key)
        spec = stored.workflow.spec
        due = self._due_at(key, spec.queue, stored.head, spec.ttl_seconds_after_finished)
        if due is None or due > self._services.clock.now():
            self._note(key, due)
            return
        if owed_by(stored) is not None:
            return
        retired, gone = await self._retire(key), False
        try:
            gone = await store.expire(stored)
        finally:
            if retired and not gone:
                self._again(key, "something came while it was to be removed by age")
        if gone:
            self._said = ""
            self._ahead.pop(key, None)
            log.info("%s: removed, %s and over age", key, stored.head.phase)
