"""What others do to the store, and what has to be looked at once more."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from wf_core.errors import StoreUnavailable, WfError, WorkflowNotFound
from wf_core.model.spec import Key
from wf_core.ports import Seen, Store

log = logging.getLogger("wf.engine")
AGAIN = 10.0
"""Seconds after which a workflow is looked at once more that is owned elsewhere or can't be read: a
lock that a dead process held is let go without anybody being told."""
REOPEN = 1.0

Look = Callable[[Key, Seen | None], Awaitable[None]]
Learn = Callable[[Key, Seen], bool]


class Follower:
    """Calls `look(key, seen)` for what happens in the store, and `look(key, None)` for what was put
    off with `later`. A look that fails is logged and repeated; it stops nothing. Most of what
    happens is the echo of our own saves: `learn(key, seen)` says at once whether no look is needed.

    What happens to one workflow is looked at in order, and side by side with what happens to
    others: a look may wait for a store that is slow, and nobody waits for another's.
    """

    def __init__(self, store: Store, learn: Learn, look: Look) -> None:
        self._store = store
        self._learn = learn
        self._look = look
        self._task: asyncio.Task[None] | None = None
        self._again: asyncio.Task[None] | None = None
        self._unseen: dict[Key, deque[Seen | None]] = {}
        self._looks: set[asyncio.Task[None]] = set()
        self._later: dict[Key, None] = {}
        self._said: dict[Key, str] = {}

    async def start(self) -> None:
        """Follow from now on: what is loaded after this is newer than what is not seen."""
        if self._task is None:
            since = await self._store.position()
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._follow(since))

    def later(self, key: Key, why: str) -> None:
        """Look at a workflow again in a while; `why` is logged once."""
        if self._said.get(key) != why:
            self._said[key] = why
            log.warning("%s: left alone for now, and looked at again by itself: %s", key, why)
        self._later[key] = None
        if self._again is None:
            self._again = asyncio.get_running_loop().create_task(self._look_again())

    def settled(self, key: Key) -> None:
        """A workflow was looked at: what was wrong with it before may be said anew."""
        self._later.pop(key, None)
        self._said.pop(key, None)

    async def stop(self) -> None:
        """Look at nothing more; returns once no look is going on."""
        for task in (self._task, self._again):
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))
        for look in self._looks:
            look.cancel()
        if self._looks:
            await asyncio.wait(self._looks)

    async def _follow(self, since: int) -> None:
        while True:
            try:
                async for seen in self._store.watch(since):
                    since = seen.position
                    self._put(seen.key, seen)
            except StoreUnavailable as error:
                log.warning("following the store: %s", error)
            except Exception:
                log.exception("following the store: a fault of the engine")
            await asyncio.sleep(REOPEN)

    def _put(self, key: Key, seen: Seen | None) -> None:
        """Have it looked at after what happened to the same workflow before. What is newer of the
        same one says all that is older, so what waits does not grow with what happens."""
        unseen = self._unseen.get(key)
        if unseen is not None:
            if unseen and _follows(unseen[-1], seen):
                unseen.pop()
            unseen.append(seen)
            return
        if seen is not None and self._learned(key, seen):
            return
        self._unseen[key] = deque((seen,))
        look = asyncio.get_running_loop().create_task(self._look_in_order(key))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    def _learned(self, key: Key, seen: Seen) -> bool:
        try:
            return self._learn(key, seen)
        except Exception:
            log.exception("%s: a fault of the engine", key)
            return True

    async def _look_in_order(self, key: Key) -> None:
        unseen = self._unseen[key]
        while unseen:
            await self._try(key, unseen.popleft())
        del self._unseen[key]

    async def _look_again(self) -> None:
        while self._later:
            await asyncio.sleep(AGAIN)
            keys, self._later = list(self._later), {}
            for key in keys:
                self._put(key, None)
        self._again = None

    async def _try(self, key: Key, seen: Seen | None) -> None:
        try:
            await self._look(key, seen)
        except WorkflowNotFound:
            self.settled(key)
        except WfError as error:
            self.later(key, str(error))
        except Exception:
            log.exception("%s: a fault of the engine", key)


def _follows(before: Seen | None, seen: Seen | None) -> bool:
    """Whether `seen` says all that `before` does, and more."""
    if before is None or seen is None:
        return before is seen
    return not before.gone and before.uid == seen.uid
