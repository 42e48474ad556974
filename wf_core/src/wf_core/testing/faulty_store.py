"""A memory store in which things go wrong as planned: refused, lost, doubled, late, away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum

import attrs

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import Key
from wf_core.model.state import LogLine, Owner, Stored
from wf_core.ports import Changes, Clock, Page, Saved, Seen


class SaveFault(StrEnum):
    """What goes wrong with a save."""

    LOST = "Lost"
    INVALID = "Invalid"
    UNKNOWN_SAVED = "UnknownSaved"
    UNKNOWN_NOT_SAVED = "UnknownNotSaved"
    UNAVAILABLE = "Unavailable"
    UNAVAILABLE_BUT_SAVED = "UnavailableButSaved"
    CRASH_BEFORE = "CrashBefore"
    CRASH_AFTER = "CrashAfter"


@attrs.frozen
class SaveDone:
    """One save that was tried."""

    key: Key
    changes: Changes
    at: float
    answer: Saved | None


Plan = Callable[[Key, Changes], SaveFault | None]
_CRASHES = (SaveFault.CRASH_BEFORE, SaveFault.CRASH_AFTER)


def _nothing(key: Key, changes: Changes) -> None:
    del key, changes


class FaultyStore(MemoryStore):
    """One process's handle on a backing.

    `plan(key, changes)` says what goes wrong with a save; `save_seconds` is how long one takes;
    while `away` is True every call raises StoreUnavailable. `crash` is called where the plan says
    that the process ends; that save never returns. `saves` keeps what was tried, in order.
    """

    def __init__(self, backing: Backing, clock: Clock) -> None:
        super().__init__(backing)
        self._clock = clock
        self.plan: Plan = _nothing
        self.save_seconds = 0.0
        self.away = False
        self.crash: Callable[[], object] = self.halt
        self.saves: list[SaveDone] = []

    def fail_next(self, *faults: SaveFault | None) -> None:
        """Let the next saves go wrong in this order; None lets one pass."""
        left = list(faults)

        def plan(key: Key, changes: Changes) -> SaveFault | None:
            del key, changes
            return left.pop(0) if left else None

        self.plan = plan

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`, with what the plan adds."""
        fault = self.plan(key, changes)
        if self.save_seconds:
            await asyncio.sleep(self.save_seconds)
        if self.away:
            self._note(key, changes, None)
            raise self._gone()
        if fault is SaveFault.CRASH_BEFORE:
            self._note(key, changes, None)
            await self._end()
        if fault in (SaveFault.LOST, SaveFault.INVALID):
            return self._note(key, changes, Saved(fault))
        if fault is SaveFault.UNKNOWN_NOT_SAVED:
            return self._note(key, changes, Saved.UNKNOWN)
        if fault is SaveFault.UNAVAILABLE:
            self._note(key, changes, None)
            raise self._gone()
        answer = await super().save(key, changes)
        if fault is SaveFault.CRASH_AFTER:
            self._note(key, changes, answer)
            await self._end()
        if fault is SaveFault.UNKNOWN_SAVED:
            return self._note(key, changes, Saved.UNKNOWN)
        if fault is SaveFault.UNAVAILABLE_BUT_SAVED:
            self._note(key, changes, answer)
            raise self._gone()
        return self._note(key, changes, answer)

    async def load(self, key: Key) -> Stored:
        """As `ports.Store.load`."""
        self._check()
        return await super().load(key)

    async def list(
        self,
        *,
        phases: Sequence[Phase] | None = None,
        queue: str | None = None,
        limit: int = 500,
        after: str | None = None,
    ) -> Page:
        """As `ports.Store.list`."""
        self._check()
        return await super().list(phases=phases, queue=queue, limit=limit, after=after)

    async def claim(self, key: Key) -> Owner:
        """As `ports.Store.claim`."""
        self._check()
        return await super().claim(key)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`."""
        self._check()
        await super().release(key)

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """As `ports.Store.asked`."""
        self._check()
        return await super().asked(key)

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """As `ports.Store.log`."""
        self._check()
        await super().log(key, lines)

    async def remove(self, key: Key) -> None:
        """As `ports.Store.remove`."""
        self._check()
        await super().remove(key)

    async def expire(self, stored: Stored) -> bool:
        """As `ports.Store.expire`."""
        self._check()
        return await super().expire(stored)

    def watch(self, since: int | None = None) -> AsyncIterator[Seen]:
        """As `ports.Store.watch`."""
        self._check()
        return super().watch(since)

    async def _end(self) -> None:
        self.crash()
        await asyncio.Event().wait()

    def _note(self, key: Key, changes: Changes, answer: Saved | None) -> Saved:
        self.saves.append(SaveDone(key, changes, self._clock.now(), answer))
        return answer or Saved.UNKNOWN

    def _check(self) -> None:
        if self.away:
            raise self._gone()

    def _gone(self) -> StoreUnavailable:
        return StoreUnavailable("the store is away; it comes back by itself")
