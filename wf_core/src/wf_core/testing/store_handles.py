"""Handles on one store, opened and closed around a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from wf_core.model.spec import Key
from wf_core.ports import Seen, Store

NOBODY = Key("default", "nobody")
PATIENCE = 5.0  # seconds that a watch may take to show what happened


class StoreTests:
    """Every test opens handles through `self.opened()`; what it opened is closed after it."""

    max_steps = 10_000

    async def open_store(self) -> Store:
        """Open one more handle on this test's backing: another process, in effect."""
        raise NotImplementedError

    async def kill(self, store: Store) -> None:
        """End `store` as SIGKILL would end its process: nothing more is written."""
        raise NotImplementedError

    async def fresh(self) -> Store:
        """Open a handle on a backing that nothing was written to (for property tests)."""
        raise NotImplementedError

    def run(self, test: Callable[["Handles"], Awaitable[None]]) -> None:
        """Run `test` on an event loop of its own and close all that it opened."""

        async def main() -> None:
            handles = Handles(self.open_store)
            try:
                await test(handles)
            finally:
                await handles.close()

        asyncio.run(main())


class Handles:
    """The handles that one test opened."""

    def __init__(self, open_store: Callable[[], Awaitable[Store]]) -> None:
        self._open_store = open_store
        self._open: list[Store] = []

    async def open(self) -> Store:
        """One more handle on the same backing."""
        store = await self._open_store()
        self._open.append(store)
        return store

    async def kill(self, store: Store, kill: Callable[[Store], Awaitable[None]]) -> None:
        """End one without closing it."""
        self._open.remove(store)
        await kill(store)

    async def close(self) -> None:
        """Close those that are left."""
        for store in self._open:
            await store.close()


async def next_seen(watch: AsyncIterator[Seen]) -> Seen:
    """What the watch shows next, within `PATIENCE`."""
    return await asyncio.wait_for(anext(watch), PATIENCE)


async def end(watch: AsyncIterator[object]) -> None:
    """Stop watching."""
    close = getattr(watch, "aclose", None)
    if close is not None:
        await close()
