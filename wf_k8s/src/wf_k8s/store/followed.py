"""The objects of one kind as the API server told last, for as long as somebody follows them.

Workflows have `mirror`, which knows far more of them; this is for kinds of which there are few.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import attrs
import msgspec

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import Key
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.client.follow import Change, Follow, Gone, Opened, Put, Restarted, Synced, Trouble
from wf_k8s.store.budget import Budget
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.part import Part
from wf_k8s.store.pointers import add, test
from wf_k8s.store.rows import identity
from wf_k8s.store.wire import read_body

log = logging.getLogger("wf.k8s")

BYTES = 32 * 2**20
"""Memory for the objects of one kind. Those for which it does not suffice are read when they are
needed."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@attrs.frozen
class _Held:
    """An object as it was told last; its bytes, where there is room for them."""

    version: int
    raw: bytes | None


class Followed:
    """Objects by key. `of` is what they are called in the log; `broke` is called where following
    them fails for good."""

    def __init__(
        self, objects: Objects, of: str, broke: Callable[[StoreUnavailable], None]
    ) -> None:
        self._broke = broke
        self._objects = objects
        self._of = of
        self._held: dict[Key, _Held] = {}
        self._budget: Budget[Key] = Budget(BYTES)
        self._parts: list[Part] = []
        self._told: asyncio.Queue[Key | None] = asyncio.Queue()

    @property
    def synced(self) -> bool:
        """Whether all that exists was told: then what is not here is not there."""
        return bool(self._parts) and all(part.synced for part in self._parts)

    @property
    def lacking(self) -> str:
        """Why not everything is told as it happens to whoever follows; "" where it is."""
        refusal = next((part.refusal for part in self._parts if part.refusal), "")
        waiting = bool(self._parts) and not self.synced
        return refusal or (f"the {self._of} are being read" if waiting else "")

    async def current(self, key: Key) -> bytes | None:
        """An object as it was told last where all was told, else as it is now; None where it is
        gone, or is being deleted."""
        if self.synced:
            held = self._held.get(key)
            if held is None:
                return None
            if held.raw is not None:
                return None if identity(held.raw).deletion_timestamp else held.raw
        return await self.fresh(key)

    async def fresh(self, key: Key) -> bytes | None:
        """The same, asked for now."""
        raw = await self._objects.read(key)
        return None if raw is None or identity(raw).deletion_timestamp else self.accepted(raw)

    def accepted(self, raw: bytes) -> bytes:
        """Go on from an answer, without waiting for the watch to echo it. What the watch has got
        past is old news, and may be of an object that is gone."""
        if self.synced:
            meta = identity(raw)
            key, version = Key(meta.namespace, meta.name), int(meta.resource_version)
            if not any(part.past(key, version) for part in self._parts):
                self._put(key, version, raw)
        return raw

    async def save_status(
        self, key: Key, uid: str, status: Mapping[str, Any], revision: int
    ) -> bytes | None:
        """Replace a status whose revision is the one before; the object with the new one. None
        where another is stored, or that object is gone or goes: nothing was done then."""
        ops = [
            test("/metadata/uid", uid),
            test("/metadata/deletionTimestamp", None),
            test("/status/revision", revision - 1),
            add("/status", status),
        ]
        try:
            return self.accepted(await self._objects.patch(key, _encode(ops), "status"))
        except RefusedError as error:
            if error.code != 404 and not refused_by_test(error):
                raise
            return await self._landed(key, uid, status)
        except NoAnswerError:
            raw = await self._landed(key, uid, status)
            if raw is None:
                raise
            return raw

    async def _landed(self, key: Key, uid: str, status: Mapping[str, Any]) -> bytes | None:
        """The object, if that very status is stored: the answer to its save may have been lost."""
        raw = await self.fresh(key)
        if raw is None:
            return None
        body = read_body(raw)
        same = body.metadata.uid == uid and _decode(body.status) == _decode(_encode(status))
        return raw if same else None

    def _tell(self, part: Part, raw: bytes) -> None:
        """The watch tells of an object."""
        try:
            meta = identity(raw)
        except StoreForeign as error:
            log.error("%s: left alone: %s", self._of, error)
            return
        key = Key(meta.namespace, meta.name)
        part.tell(key)
        self._put(key, int(meta.resource_version), raw)

    def _put(self, key: Key, version: int, raw: bytes) -> None:
        held = self._held.get(key)
        if held is None or held.version < version:
            self._held[key] = _Held(version, raw)
            for each in self._budget.put(key.namespace, key, len(raw)):
                self._held[each] = _Held(self._held[each].version, None)
            self._told.put_nowait(key)

    async def changes(self, silence: float) -> AsyncIterator[Key]:
        """The key of each object that there is, then of each that changes or goes; ends with
        `close`. One consumer. `silence`: seconds after which a watch counts as dead."""
        paths = await self._objects.collections()
        session = self._objects.session
        self._held.clear()
        self._budget = Budget(BYTES)
        self._told = asyncio.Queue()
        self._parts = [
            Part(namespace, Follow(session, path, silence=silence))
            for namespace, path in paths.items()
        ]
        running = [asyncio.ensure_future(self._run(part)) for part in self._parts]
        try:
            while (key := await self._told.get()) is not None:
                yield key
        finally:
            self._parts = []
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def close(self) -> None:
        """End the following."""
        self._told.put_nowait(None)

    async def _run(self, part: Part) -> None:
        await part.follow.supervise(lambda change: self._take(part, change), self._broke)

    def _take(self, part: Part, change: Change) -> None:
        match change:
            case Opened():
                part.refusal = ""
            case Restarted():
                part.listed = set()
            case Put(body):
                self._tell(part, body)
            case Gone(body):
                self._gone(body)
            case Synced():
                held = [(key, each.version) for key, each in self._held.items()]
                for key in part.complete(held):
                    self._drop(key)
            case Trouble(error):
                self._trouble(part, error)

    def _gone(self, raw: bytes) -> None:
        try:
            meta = identity(raw)
        except StoreForeign as error:
            log.error("%s: left alone: %s", self._of, error)
            return
        self._drop(Key(meta.namespace, meta.name))

    def _drop(self, key: Key) -> None:
        if self._held.pop(key, None) is not None:
            self._budget.drop(key.namespace, key)
            self._told.put_nowait(key)

    def _trouble(self, part: Part, error: StoreUnavailable) -> None:
        if isinstance(error, RefusedError) and not error.passing:
            part.refusal = str(error)
        if part.said != str(error):
            part.said = str(error)
            log.warning("following %s: %s", self._of, error)
