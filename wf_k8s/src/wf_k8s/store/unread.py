"""Schedules and tasks that can't be read: said on each of them, with an Event, and counted. What is
wrong with one object is its own: others go on, and it is looked at again when it changes."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import Key
from wf_k8s.store import remains
from wf_k8s.store.objects import Objects
from wf_k8s.store.pointers import add, test
from wf_k8s.store.remains import LEFT_ALONE
from wf_k8s.store.shown import MESSAGE
from wf_k8s.store.warner import Warner
from wf_k8s.store.warnings import left_alone

T = TypeVar("T")
log = logging.getLogger("wf.k8s")
_encode = msgspec.json.Encoder().encode


class Unread:
    """The objects of one kind that can't be read, and why."""

    def __init__(self, objects: Objects, warner: Warner, now: Callable[[], float]) -> None:
        self._objects = objects
        self._warner = warner
        self._now = now
        self._held: dict[Key, tuple[str, str]] = {}

    @property
    def held(self) -> Mapping[Key, tuple[str, str]]:
        """The uid of each, and why it can't be read."""
        return self._held

    def done(self, key: Key) -> None:
        """It can be read, or is gone."""
        self._held.pop(key, None)

    async def read(self, key: Key, raw: bytes, read: Callable[[bytes], T], *, says: bool) -> T:
        """What `read` makes of the object; where it can't, this is said on it if this process
        `says` so. Raises StoreForeign."""
        try:
            found = read(raw)
        except StoreForeign as error:
            if says:
                await self._say(key, raw, error)
            raise
        self.done(key)
        return found

    async def _say(self, key: Key, raw: bytes, error: Exception) -> None:
        """Say it on the object: once for each reason, unless it can't be written now; then the next
        turn tries again. Raises StoreForeign where not even its metadata can be read."""
        left, why = remains.read(raw), f"left alone: {error}; fix what is wrong with it"[:MESSAGE]
        if self._held.get(key) == (left.uid, why):
            return
        if (left.status.get("reason"), left.status.get("message")) != (LEFT_ALONE, why):
            ops = [
                test("/metadata/uid", left.uid),
                test("/metadata/resourceVersion", left.version),
                add("/status/reason", LEFT_ALONE),
                add("/status/message", why),
            ]
            try:
                await self._objects.patch(key, _encode(ops), "status")
            except StoreUnavailable as refused:
                log.warning("%s: left alone, which is not yet said on it: %s", key, refused)
                return
        self._held[key] = (left.uid, why)
        regarding = self._objects.resource
        self._warner.put(
            key.namespace, left_alone(key, left.uid, why, self._now(), regarding=regarding)
        )
