"""Many things looked after side by side: each has its turn when something happens to it, and when
it asked for one.

A turn decides from what is stored, so it does not matter how often one is had. One that takes long
holds up nothing but its own next turn, and at worst others of its namespace.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any
from weakref import WeakValueDictionary

from wf_core.errors import StoreUnavailable, WfError
from wf_core.model.spec import Key
from wf_core.ports import Clock

LONGEST = 10.0
"""Seconds between two looks at the clock: a machine that slept, or whose clock was set, tells
nobody."""
AGAIN = 5.0
"""Seconds after which what failed is tried again."""
TOGETHER = 16
"""Turns of one namespace that are had at the same time."""

Follow = Callable[[], Coroutine[Any, Any, None]]


class Turns:
    """`turn(key)` says when another one is wanted (epoch seconds of `clock`), or None. `of` is what
    a key is the key of, and `log` is where trouble is told."""

    def __init__(
        self,
        of: str,
        clock: Clock,
        turn: Callable[[Key], Awaitable[float | None]],
        log: logging.Logger,
    ) -> None:
        self._of = of
        self._clock = clock
        self._turn = turn
        self._log = log
        self._due_at: dict[Key, float] = {}  # 0 is now
        self._woken = asyncio.Event()
        self._sleeps_until = float("inf")
        self._under_way: dict[Key, asyncio.Task[None]] = {}
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._said: dict[Key, str] = {}

    async def run(self, *follows: Follow) -> None:
        """Until it is cancelled. Each of `follows` calls `soon`, and is called again whenever it
        ends. What fails is logged and tried again; nothing is raised."""
        following = [asyncio.ensure_future(self._for_ever(each)) for each in follows]
        try:
            while True:
                self._woken.clear()
                now = self._clock.now()
                for key in [key for key, at in self._idle() if at <= now]:
                    self._begin(key)
                await self._next()
        finally:
            left = (*following, *self._under_way.values())
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def soon(self, key: Key) -> None:
        """It has a turn, now."""
        self._due_at[key] = 0.0
        self._woken.set()

    def __contains__(self, key: Key) -> bool:
        """Whether it is looked after."""
        return key in self._due_at

    def all_soon(self) -> None:
        """As `soon`, of everything that is looked after."""
        for key in list(self._due_at):
            self.soon(key)

    def forget(self, key: Key) -> None:
        """It is looked after no more."""
        self._due_at.pop(key, None)
        self._said.pop(key, None)

    def _idle(self) -> Iterator[tuple[Key, float]]:
        """What has no turn now, and when it is due."""
        return (each for each in self._due_at.items() if each[0] not in self._under_way)

    async def _next(self) -> None:
        """Wait until something happens, or something is due."""
        now = self._clock.now()
        self._sleeps_until = min(
            now + LONGEST, min((at for _, at in self._idle()), default=now + LONGEST)
        )
        wait = self._sleeps_until - now
        if wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _begin(self, key: Key) -> None:
        self._under_way[key] = asyncio.get_running_loop().create_task(self._try(key))
        self._under_way[key].add_done_callback(lambda _: self._over(key))

    def _over(self, key: Key) -> None:
        del self._under_way[key]
        if self._due_at.get(key, float("inf")) < self._sleeps_until:
            self._woken.set()

    async def _try(self, key: Key) -> None:
        """One turn, which fails by itself."""
        places = self._places.get(key.namespace) or asyncio.Semaphore(TOGETHER)
        self._places[key.namespace] = places
        async with places:
            # What happens from here on is dealt with by another turn.
            self._due_at[key] = self._clock.now() + AGAIN
            again = self._due_at[key]
            try:
                wake_at = await self._turn(key)
            except WfError as error:
                self._complain(key, str(error))
                return
            except Exception as error:
                if self._said.get(key) != repr(error):  # its traceback once, not at every turn
                    self._said[key] = repr(error)
                    self._log.exception("%s: a fault of the engine; tried again in a while", key)
                return
        self._said.pop(key, None)
        if self._due_at.get(key) == again:
            self._due_at[key] = float("inf") if wake_at is None else wake_at

    def _complain(self, key: Key, why: str) -> None:
        if self._said.get(key) != why:
            self._said[key] = why
            self._log.warning("%s %s: tried again in a while: %s", self._of, key, why)

    async def _for_ever(self, follow: Follow) -> None:
        said = ""
        while True:
            try:
                await follow()
            except StoreUnavailable as error:
                if str(error) != said:
                    said = str(error)
                    self._log.warning("following the %ss: %s", self._of, error)
            except Exception:
                self._log.exception("following the %ss: a fault of the engine", self._of)
            await asyncio.sleep(AGAIN)
