"""Watching: looks for what changed, at once after our own commits and every `POLL` for others'."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from wf_core.ports import Seen

POLL = 0.2  # seconds until another process's write is seen
GAP = 0.005  # seconds between two looks, so that a burst of saves is seen in one


class Follower:
    """An iterator over what is seen after `start`, in the order of positions."""

    def __init__(
        self,
        look: Callable[[int], Awaitable[Sequence[Seen]]],
        start: Awaitable[int],
        end: Callable[["Follower"], None],
    ) -> None:
        self._look = look
        self._start: Awaitable[int] | None = start
        self._end = end
        self._position = 0
        self._looked_at = float("-inf")
        self._ready: deque[Seen] = deque()
        self._woken = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """Something was written by this process."""
        self._woken.set()

    def close(self) -> None:
        """End the iteration."""
        self._closed = True
        self._woken.set()

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> Seen:
        if self._start is not None:
            start, self._start = self._start, None
            self._position = await start
            self._woken.set()  # what came while the start was read
        while not self._ready:
            await self._pause()
            if self._closed:
                raise StopAsyncIteration
            self._woken.clear()
            self._ready.extend(await self._look(self._position))
            self._looked_at = asyncio.get_running_loop().time()
            if self._ready:
                self._position = self._ready[-1].position
                self._woken.set()  # there may be more than one look gives
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Stop watching."""
        self.close()
        self._end(self)

    async def _pause(self) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_at(self._looked_at + POLL, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
        if not self._closed:
            await asyncio.sleep(max(0.0, self._looked_at + GAP - loop.time()))
