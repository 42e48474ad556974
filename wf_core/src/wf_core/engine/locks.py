"""One lock a workflow: taking it up, letting it go and removing it never overlap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wf_core.model.spec import Key


class KeyLocks:
    """Locks by key; one that nobody holds or waits for costs nothing."""

    def __init__(self) -> None:
        self._locks: dict[Key, asyncio.Lock] = {}
        self._users: dict[Key, int] = {}

    def held(self, key: Key) -> bool:
        """Whether anybody holds the lock of `key`, or waits for it."""
        return key in self._locks

    @asynccontextmanager
    async def of(self, key: Key) -> AsyncIterator[None]:
        """Hold the lock of `key`."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
