"""Worlds on the memory store."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.engine import Engine
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.testing.simulation.storage import Setup
from wf_core.testing.simulation.store import SimulatedStore
from wf_core.testing.simulation.worlds import generate

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_core.testing.simulation.world import Trouble


class MemorySeat:
    """Implements `storage.Seat`."""

    def __init__(self, store: SimulatedStore) -> None:
        self.store = store

    @property
    def owner(self) -> str:
        """As `Seat.owner`."""
        return self.store.id

    async def serve(self, engine: Engine) -> None:
        """As `Seat.serve`."""
        await engine.serve()

    async def stop(self, engine: Engine) -> None:
        """As `Seat.stop`: closes the store as `open_engine` does."""
        await engine.stop()
        if not engine.busy:
            await self.store.close()

    def die(self) -> None:
        """As `Seat.die`."""
        self.store.halt()


class MemoryStorage:
    """Implements `storage.Storage`."""

    def __init__(self, stage: "Stage", observer: "Observer") -> None:
        self._stage = stage
        self._observer = observer
        self._backing = Backing()
        self._server = MemoryStore(self._backing)
        self.people = MemoryStore(self._backing)

    def seat(self, process: "Process") -> MemorySeat:
        """As `Storage.seat`."""
        return MemorySeat(
            SimulatedStore(self._stage, process, self._observer, self._backing, self._server)
        )

    def names(self) -> Sequence[Key]:
        """As `Storage.names`."""
        return list(self._backing.entries)

    def look(self, key: Key) -> Stored | None:
        """As `Storage.look`."""
        entry = self._backing.entries.get(key)
        return None if entry is None else entry.stored()

    def living(self) -> Mapping[str, None]:
        """As `Storage.living`. One that lost its locks takes new ones as it goes on: it still
        counts as dead."""
        return {each.seat.owner: None for each in self._stage.alive if not each.zombie}

    def usurp(self, process: "Process") -> None:
        """As `Storage.usurp`: its locks are lost."""
        self._backing.live.pop(process.seat.owner, None)

    async def befall(self, trouble: "Trouble") -> None:
        """As `Storage.befall`: its worlds have none."""
        raise NotImplementedError(trouble.what)

    def calm(self) -> None:
        """As `Storage.calm`."""

    async def mistaken(self) -> str | None:
        """As `Storage.mistaken`: nobody keeps a copy."""
        return None

    def left_claimed(self) -> str | None:
        """As `Storage.left_claimed` (C5)."""
        for key, entry in self._backing.entries.items():
            if entry.owner.id and entry.owner.id in self._backing.live:
                return f"{key} is still claimed by {entry.owner.id} after the end"
        return None


MEMORY = Setup("wf_core.testing.simulation", generate, MemoryStorage)
