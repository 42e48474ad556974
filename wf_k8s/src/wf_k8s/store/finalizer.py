"""The finalizer at the API server: put on, taken off, and taken off later where it should be gone
and is not (a lost answer, a crash after the last save)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import attrs

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import Key
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.store import guard
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.saving import Fresh

log = logging.getLogger("wf.k8s")
TRIES = 8
LAST = 2.0
"""Seconds that closing waits for what is still to be taken off."""


class Finalizer:
    """`fresh` reads an object as it is stored; `told` is given what the API server answers.
    `leaving` is done before an object is let go that may vanish then."""

    def __init__(
        self,
        objects: Objects,
        fresh: Fresh,
        told: Callable[[bytes], None],
        leaving: Callable[[Known], Awaitable[None]],
    ) -> None:
        self._objects = objects
        self._fresh = fresh
        self._told = told
        self._leaving = leaving
        self._later: dict[Key, None] = {}
        self._task: asyncio.Task[None] | None = None

    async def put_on(self, key: Key, known: Known) -> Known | None:
        """The object with the finalizer; None where somebody saved since, or it is on its way."""
        base = place_of(known)
        for attempt in range(1, TRIES + 1):
            raw = await self._patched(key, known, guard.put_on(known))
            if raw is not None:
                self._told(raw)
                return attrs.evolve(known, finalizers=read_known(raw).finalizers, size=len(raw))
            fresh = await self._fresh(key)
            if fresh is None or place_of(fresh) != base or fresh.deleting_at is not None:
                return None
            if guard.guarded(fresh):
                return fresh
            known = fresh
            await self._objects.session.pause(attempt)
        raise StoreUnavailable(f"workflow '{key}': its finalizers are being changed all the time")

    async def take_off(self, key: Key, known: Known) -> Known | None:
        """The object without the finalizer; None where it is gone, or somebody saved since."""
        await self._leaving(known)
        base = place_of(known)
        for attempt in range(1, TRIES + 1):
            if not guard.guarded(known):
                return known
            raw = await self._patched(key, known, guard.take_off(known))
            if raw is not None:
                freed = read_known(raw)
                if freed.deleting_at is None or freed.finalizers:
                    self._told(raw)
                return freed
            fresh = await self._fresh(key)
            if fresh is None or place_of(fresh) != base:
                return None
            known = fresh
            await self._objects.session.pause(attempt)
        raise StoreUnavailable(f"workflow '{key}': its finalizers are being changed all the time")

    async def _patched(self, key: Key, known: Known, body: bytes) -> bytes | None:
        """The answer; None where it has to be seen what is stored, and perhaps be tried again."""
        try:
            return await self._objects.patch(key, body, work=known.work)
        except NoAnswerError as error:
            log.info("%s: %s", key, error)
        except RefusedError as error:
            if not (error.code in (404, 409) or error.passing or refused_by_test(error)):
                raise
            log.info("%s: %s", key, error)
        return None

    def take_off_later(self, key: Key) -> None:
        """Take it off, if nothing is left to guard, in the background and until that is done."""
        self._later[key] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        failures = 0
        try:
            while self._later:
                key = next(iter(self._later))
                del self._later[key]
                try:
                    known = await self._fresh(key)
                    if known is not None and guard.to_free(known):
                        await self.take_off(key, known)
                    failures = 0
                except StoreForeign as error:
                    log.error("%s: left alone: %s", key, error)
                except StoreUnavailable as error:
                    failures += 1
                    log.warning("%s: the finalizer is still on it: %s", key, error)
                    self._later.setdefault(key)
                    await self._objects.session.pause(failures)
        except Exception:
            log.exception("taking finalizers off: a fault of the engine")
        finally:
            self._task = None

    async def close(self) -> None:
        """Wait a moment for what is still to be taken off, and end."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=LAST)
        await self.halt()

    async def halt(self) -> None:
        """End at once."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))


def place_of(known: Known) -> tuple[str, int, int]:
    """Which state it is: these change with every save and with no other write."""
    return (known.uid, known.status.epoch, known.status.revision)


def saved_meanwhile(key: Key) -> StoreUnavailable:
    """A workflow that was to be removed has changed since it was looked at."""
    return StoreUnavailable(f"workflow '{key}' was saved meanwhile and is not removed; ask again")
