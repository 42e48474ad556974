"""Objects that this engine leaves alone, since they can't be read or run: said on each object
itself, and let go when nothing of them ran.

Whatever is wrong with one object is its own: others go on. It is looked at again when it changes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import attrs
import msgspec

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import Key
from wf_k8s.client.errors import RefusedError
from wf_k8s.store import guard, remains
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.pointers import Op, add, remove, test
from wf_k8s.store.remains import LEFT_ALONE, Remains
from wf_k8s.store.shown import reason_shown
from wf_k8s.store.warner import Warner
from wf_k8s.store.warnings import left_alone

log = logging.getLogger("wf.k8s")
LAST_SECONDS = 2.0

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class Held:
    """One object in quarantine: as which version it was seen, and what is wrong with it. `read`:
    it can be read, and was given up for another reason."""

    uid: str
    version: int
    why: str
    read: bool


class Quarantine:
    """The objects of one kind that are left alone. `acts` says whether this process may write to
    them; `leaving` is done before an object is let go that may vanish then."""

    def __init__(
        self,
        objects: Objects,
        warner: Warner,
        now: Callable[[], float],
        acts: Callable[[], bool],
        leaving: Callable[[Remains], Awaitable[None]],
    ) -> None:
        self._objects = objects
        self._warner = warner
        self._now = now
        self._acts = acts
        self._leaving = leaving
        self._held: dict[Key, Held] = {}
        self._waiting: dict[Key, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def held(self) -> Mapping[Key, Held]:
        """What is left alone, by key."""
        return self._held

    def put(self, key: Key, uid: str, version: int, why: str, *, read: bool = False) -> None:
        """Leave an object alone, at that version, because of `why`."""
        before = self._held.get(key)
        if before is not None and before.uid == uid and before.version >= version:
            return
        self._held[key] = Held(uid, version, why, read)
        if not read and (before is None or (before.uid, before.why) != (uid, why)):
            log.error("%s: left alone: %s", key, why)
        if self._acts() and not self._closed:
            self._waiting[key] = None
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._work())

    def readable(self, key: Key, version: int) -> None:
        """An object can be read as it is now. One that was given up for another reason stays until
        it is `done` with."""
        held = self._held.get(key)
        if held is not None and not held.read and held.version < version:
            self.done(key)

    def done(self, key: Key) -> None:
        """An object is gone, or goes on."""
        self._held.pop(key, None)
        self._waiting.pop(key, None)

    async def _work(self) -> None:
        failures = 0
        try:
            while self._waiting:
                key = next(iter(self._waiting))
                del self._waiting[key]
                try:
                    await self._look(key)
                    failures = 0
                except RefusedError as error:
                    log.warning("%s: it is left alone, which can't be said on it: %s", key, error)
                    if error.passing:
                        failures += 1
                        self._waiting.setdefault(key)
                        await self._objects.session.pause(failures)
                except StoreUnavailable as error:
                    failures += 1
                    log.warning("%s: it is left alone, which is not yet said: %s", key, error)
                    self._waiting.setdefault(key)
                    await self._objects.session.pause(failures)
                except Exception:
                    log.exception("%s: leaving it alone: a fault of the engine", key)
        finally:
            self._task = None

    async def _look(self, key: Key) -> None:
        """Say on the object that it is left alone, or let it go."""
        held = self._held.get(key)
        raw = None if held is None else await self._objects.read(key)
        if held is None or raw is None:
            return
        try:
            left = remains.read(raw)
        except StoreForeign as error:
            log.error("%s: nothing can be done about it: %s", key, error)
            return
        if left.uid != held.uid or self._held.get(key) is not held:
            return
        may_go = remains.may_go(left)
        if left.deleting and guard.FINALIZER in left.finalizers and may_go:
            await self._let_go(key, left)
            return
        why = remains.explained(left, held.why, may_go=may_go)
        self._warner.put(key.namespace, left_alone(key, left.uid, why, self._now()))
        await self._mark(key, left, why)

    async def _let_go(self, key: Key, left: Remains) -> None:
        await self._leaving(left)
        where = f"/metadata/finalizers/{left.finalizers.index(guard.FINALIZER)}"
        ops = [*_unmoved(left), test(where, guard.FINALIZER), remove(where)]
        if await self._patched(key, ops, ""):
            log.warning("%s: goes without an undo, which it can't have or does not need", key)

    async def _mark(self, key: Key, left: Remains, why: str) -> None:
        conditions = remains.stalled(left, why, self._now())
        if conditions is not None:
            ops = [
                *_unmoved(left),
                add("/status/conditions", conditions),
                add("/status/reason", reason_shown(True, LEFT_ALONE, why)),
            ]
            await self._patched(key, ops, "status")

    async def _patched(self, key: Key, ops: list[Op], subresource: str) -> bool:
        """Whether it was done: what has changed meanwhile is told by the watch, and looked at
        again."""
        try:
            await self._objects.patch(key, _encode(ops), subresource)
        except RefusedError as error:
            if error.code in (404, 409) or refused_by_test(error):
                return False
            raise
        return True

    async def close(self) -> None:
        """Wait a moment for what is still to be said, and end."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=LAST_SECONDS)
        await self.halt()

    async def halt(self) -> None:
        """End at once."""
        self._closed = True
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))


def _unmoved(left: Remains) -> list[Op]:
    return [
        test("/metadata/uid", left.uid),
        test("/metadata/resourceVersion", left.version),
    ]
