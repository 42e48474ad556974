"""One process's handle on the common store, in which saves go wrong as the world says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.adapters.store_rules import key_of
from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import Key
from wf_core.model.state import LogLine, Owner, Stored
from wf_core.ports import Changes, Page, Saved, Seen
from wf_core.testing.simulation.world import Fault, Point, Wrong

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage

_NEVER = (
    Wrong.CRASH_BEFORE,
    Wrong.REFUSED,
    Wrong.INVALID,
    Wrong.UNKNOWN_NOT_SAVED,
    Wrong.UNAVAILABLE,
)
_ANSWERS = {
    Wrong.REFUSED: Saved.LOST,
    Wrong.INVALID: Saved.INVALID,
    Wrong.UNKNOWN_SAVED: Saved.UNKNOWN,
    Wrong.UNKNOWN_NOT_SAVED: Saved.UNKNOWN,
}


class SimulatedStore(MemoryStore):
    """A handle that dies with its process. What was sent before that may still arrive."""

    def __init__(
        self,
        stage: "Stage",
        process: "Process",
        observer: "Observer",
        backing: Backing,
        server: MemoryStore,
    ) -> None:
        super().__init__(backing)
        self._server = server
        self._stage = stage
        self._process = process
        self._observer = observer

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`."""
        self._check_away()
        fault = self._stage.fault(self._process, Point.SAVE)
        wrong = None if fault is None else fault.wrong
        if wrong is Wrong.CRASH_BEFORE:
            await self._crash()
        if wrong is Wrong.CRASH_THEN_SAVED and fault is not None:
            self._stage.detached(self._arrive(key, changes, fault.seconds))
            await self._crash()
        if self._stage.world.operator.save_seconds:
            await asyncio.sleep(self._stage.world.operator.save_seconds)
            self._check_away()
        answer = Saved.UNKNOWN if wrong in _NEVER else await self._sent(key, changes, fault)
        if wrong is Wrong.CRASH_AFTER:
            await self._crash()
        if wrong in (Wrong.UNAVAILABLE, Wrong.UNAVAILABLE_BUT_SAVED):
            raise _unavailable()
        if wrong in _ANSWERS:
            self._process.invalid += wrong is Wrong.INVALID
            answer = _ANSWERS[wrong]
        return answer

    async def _sent(self, key: Key, changes: Changes, fault: Fault | None) -> Saved:
        wrong = None if fault is None else fault.wrong
        seconds = 0.0 if fault is None else fault.seconds
        if wrong is Wrong.LATE:
            self._stage.met("save Late")
            arrival = self._stage.detached(self._arrive(key, changes, seconds))
            answer: Saved = await asyncio.shield(arrival)
            return answer
        answer = await self._apply(key, changes)
        if wrong is Wrong.DOUBLED:
            again = await self._apply(key, changes)
            if again is not answer:
                self._stage.broken("C4", f"a save was {answer}, and its repeat {again}")
        if wrong is Wrong.DOUBLED_LATE:
            self._stage.detached(self._arrive(key, changes, seconds))
        return answer

    async def _arrive(self, key: Key, changes: Changes, seconds: float) -> Saved:
        await asyncio.sleep(seconds)
        return await self._apply(key, changes)

    async def _apply(self, key: Key, changes: Changes) -> Saved:
        """What the store does with a save, whether or not its sender still lives."""
        entry = self.backing.entries.get(key)
        before = None if entry is None else entry.stored()
        answer = await self._server.save(key, changes)
        if answer is Saved.SAVED and entry is not None and before is not None:
            if entry.head.revision != before.head.revision:
                self._observer.saved(self._process, key, changes, before, entry.stored())
        elif answer is Saved.LOST:
            self._stage.note(f"p{self._process.number} lost a save of {key}")
            self._stage.changed_at = self._stage.now  # it looks again, in a while
            if entry is not None and entry.owner.id != changes.head.owner.id:
                self._stage.met("save Lost to another owner")
        elif answer is Saved.INVALID:
            self._stage.broken("C4", f"{key}: an incoherent save")
        return answer

    async def load(self, key: Key) -> Stored:
        """As `ports.Store.load`."""
        await self._read()
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
        await self._read()
        return await super().list(phases=phases, queue=queue, limit=limit, after=after)

    async def claim(self, key: Key) -> Owner:
        """As `ports.Store.claim`."""
        await self._read()
        return await super().claim(key)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`."""
        await self._read()
        self._observer.releases(self._process, key)
        await super().release(key)

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """As `ports.Store.asked`."""
        await self._read()
        return await super().asked(key)

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """As `ports.Store.log`."""
        self._check_away()
        await super().log(key, lines)

    async def remove(self, key: Key) -> None:
        """As `ports.Store.remove`."""
        await self._read()
        entry = self.backing.entries.get(key)
        stored = None if entry is None else entry.stored()
        await super().remove(key)
        if stored is not None:
            self._observer.removed(self._process, key, stored)

    async def expire(self, stored: Stored) -> bool:
        """As `ports.Store.expire`."""
        await self._read()
        key = key_of(stored.workflow)
        entry = self.backing.entries.get(key)
        before = None if entry is None else entry.stored()
        gone = await super().expire(stored)
        if gone and before is not None:
            self._observer.expired(self._process, key, before)
        return gone

    async def position(self) -> int:
        """As `ports.Store.position`."""
        self._check_away()
        return await super().position()

    def watch(self, since: int | None = None) -> AsyncIterator[Seen]:
        """As `ports.Store.watch`."""
        self._check_away()
        return self._heard(super().watch(since))

    async def _heard(self, told: AsyncIterator[Seen]) -> AsyncIterator[Seen]:
        """What reaches the process: nothing more once every other one has lost what it owns. Those
        learn of it by a save alone, the others by what they see as well."""
        async for seen in told:
            if self._process.zombie and self._process.number % 2:
                await asyncio.Event().wait()
            yield seen

    async def _read(self) -> None:
        """A boundary that is no save: the process may die here, recovering or not."""
        self._check_away()
        fault = self._stage.fault(self._process, Point.READ)
        if fault is not None:
            await self._crash()

    async def _crash(self) -> None:
        self._process.kill()
        await asyncio.Event().wait()

    def _check_away(self) -> None:
        if self._stage.now < self._stage.store_away_until:
            raise _unavailable()


def _unavailable() -> StoreUnavailable:
    return StoreUnavailable("the store is away; it comes back by itself")
