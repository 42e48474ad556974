"""What the watch has told: a row of each workflow, its bytes while it is under way, and what
happened last to each.

It starts with whoever first follows the store, and lasts until the store closes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import attrs

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import Key
from wf_core.ports import Seen
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.follow import Change, Follow, Gone, Opened, Put, Restarted, Synced, Trouble
from wf_k8s.store.budget import Budget
from wf_k8s.store.known import read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.part import Part
from wf_k8s.store.rows import Place, identity, place_unread, read_place
from wf_k8s.store.weight import weight
from wf_k8s.store.wire import why_unreadable

T = TypeVar("T")
log = logging.getLogger("wf.k8s")
BYTES = 64 * 2**20
"""Memory for workflows as they were told. Those for which it does not suffice are read when they
are needed."""
REMEMBERED = 10_000
"""Deletions that a watch may still ask for."""
PATIENCE = 5
"""Failures of the first list, of those that pass by themselves, until whoever waits is told."""


@attrs.frozen
class Entry:
    """`raw` is None where the row is enough, or there is no room for it: the object is read when it
    is touched. `weight`: bytes of memory that it takes to drive it; 0 where it needs nobody."""

    place: Place
    raw: bytes | None
    weight: int


class Mirror:
    """Follows all workflows that `follows` tell of: one for each namespace, or one for all (None).

    Positions count what happened, from 1. `saw` is called with every new state of a workflow, and
    with what can be told of one that can't be read; `left` with key and uid of each that is gone,
    which takes what is in `numbers` of it; `broke` where following fails for good.
    """

    def __init__(
        self,
        follows: Mapping[str | None, Follow],
        numbers: dict[str, Numbers],
        saw: Callable[[Place], None],
        left: Callable[[Key, str], None],
        broke: Callable[[StoreUnavailable], None],
    ) -> None:
        self._parts = [Part(namespace, follow) for namespace, follow in follows.items()]
        self._numbers = numbers
        self._saw = saw
        self._left = left
        self._broke = broke
        self.entries: dict[Key, Entry] = {}
        self._budget: Budget[Key] = Budget(BYTES)
        self._uids: dict[str, Key] = {}
        self.position = 0
        self.synced = False
        self._changed: dict[Key, Seen] = {}  # in the order of positions
        self._waiting: list[asyncio.Future[None]] = []
        self._removed: dict[str, Key] = {}  # uids of which old news may still come
        self._tasks: list[asyncio.Task[None]] = []
        self._first: asyncio.Future[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Follow, and return once everything that exists was told. Raises StoreUnavailable where
        the first list fails for good or again and again; it is tried again all the same."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._run(part)) for part in self._parts]
        if not self.synced:
            if self._first is None:
                self._first = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._first)

    @property
    def lacking(self) -> str:
        """Why not everything is told as it happens; "" where it is."""
        refusal = next((part.refusal for part in self._parts if part.refusal), "")
        return refusal or ("" if self.synced else "the workflows are being read")

    @property
    def started(self) -> bool:
        return bool(self._tasks)

    def named(self, uid: str) -> Key | None:
        """The workflow of that uid, where it is there."""
        return self._uids.get(uid)

    def weight(self, key: Key) -> int:
        """Bytes of memory that it takes to drive a workflow; 0 where there is none, or it needs
        nobody."""
        entry = self.entries.get(key)
        return 0 if entry is None else entry.weight

    def accepted(self, raw: bytes) -> None:
        """An object as the answer to a request of ours has it. What the watch has got past is old
        news, and may be of an object that is gone."""
        self._put(raw, None)

    def _put(self, raw: bytes, told_by: Part | None) -> None:
        """`told_by` is whose watch tells of it; None: an answer."""
        try:
            place = read_place(raw)
            before = self.entries.get(place.row.key)
            if before is not None and before.place.unreadable:
                read_known(raw)  # it was not the row that could not be read
            if self._is_news(place, told_by):
                self._place(place, raw)
        except Exception as error:
            if not isinstance(error, StoreForeign):
                log.exception("an object of the API server: a fault of the engine")
            self._put_unread(raw, error, told_by)

    def _put_unread(self, raw: bytes, error: Exception, told_by: Part | None) -> None:
        """What is wrong with one object is its own, and touches nothing else (C10)."""
        why = why_unreadable(error)
        try:
            place = place_unread(raw, why)
        except StoreForeign as nameless:
            log.error("left alone: %s", nameless)
            return
        if self._is_news(place, told_by):
            self._place(place, None)
            self.unreadable(place.row.key, place.row.uid, why)

    def _is_news(self, place: Place, told_by: Part | None) -> bool:
        key = place.row.key
        if told_by is None:
            return not any(part.past(key, place.version) for part in self._parts)
        told_by.tell(key)
        return True

    def unreadable(self, key: Key, uid: str, why: str) -> None:
        """An object turned out to be one that can't be read, when more of it was looked at."""
        entry = self.entries.get(key)
        if entry is not None and entry.place.row.uid == uid and not entry.place.unreadable:
            row = attrs.evolve(entry.place.row, unreadable=why)
            place = attrs.evolve(entry.place, row=row, unreadable=why)
            self._enter(place, None)
            self._saw(place)

    def _place(self, place: Place, raw: bytes | None) -> None:
        key, old = place.row.key, self.entries.get(place.row.key)
        if place.row.uid in self._removed or (old and old.place.version >= place.version):
            return
        if old and old.place.row.uid != place.row.uid:
            self._lose(key, old.place.row.uid)
        self._uids[place.row.uid] = key
        self._enter(place, raw)
        self._note(key)
        self._saw(place)

    def _enter(self, place: Place, raw: bytes | None) -> None:
        key, driven = place.row.key, not place.rests or place.row.watched
        heavy = weight(raw) if driven and raw is not None else 0
        kept = None if place.rests else raw
        self.entries[key] = Entry(place, kept, heavy)
        if kept is None:
            self._budget.drop(key.namespace, key)
            return
        for each in self._budget.put(key.namespace, key, len(kept)):
            self.entries[each] = attrs.evolve(self.entries[each], raw=None)

    def drop(self, key: Key, uid: str) -> None:
        """An object is gone. What a late watch still tells of that uid is passed over."""
        entry = self.entries.get(key)
        if entry is not None and entry.place.row.uid == uid:
            self._removed[uid] = key
            self._forget(key)

    def forgotten(self, raw: bytes) -> None:
        """The watch tells of a deletion."""
        try:
            meta = identity(raw)
        except StoreForeign as error:
            log.error("left alone: %s", error)  # it was when it was there
            return
        key, entry = (
            Key(meta.namespace, meta.name),
            self.entries.get(Key(meta.namespace, meta.name)),
        )
        self._removed.pop(meta.uid, None)
        if entry is not None and entry.place.row.uid == meta.uid:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        entry = self.entries.pop(key)
        self._budget.drop(key.namespace, key)
        self._note(key, gone=True)
        self._lose(key, entry.place.row.uid)

    def _lose(self, key: Key, uid: str) -> None:
        self._uids.pop(uid, None)
        self._left(key, uid)

    def _note(self, key: Key, *, gone: bool = False) -> None:
        self.position += 1
        self._changed.pop(key, None)
        entry = self.entries.get(key)
        if entry is None:
            self._changed[key] = Seen(self.position, key, gone)
        else:
            self._changed[key] = self._seen(key, entry.place, gone)
        if len(self._changed) > len(self.entries) + REMEMBERED:
            oldest = next(each for each, seen in self._changed.items() if seen.gone)
            del self._changed[oldest]
        self._wake()

    def _seen(self, key: Key, place: Place, gone: bool) -> Seen:
        uid, owner = place.row.uid, place.row.owner.id
        numbers, seq = self._numbers.get(uid), 0
        if place.requests or numbers is not None:
            numbers = self._numbers.setdefault(uid, Numbers())
            numbers.learn(place.requests, place.answers, place.request_seq)
            seq = numbers.last
        return Seen(
            self.position,
            key,
            gone,
            request_seq=seq,
            deletion_asked_at=place.deletion_asked_at,
            uid=uid,
            owner=owner,
            revision=place.revision,
            deletion_policy=place.deletion_policy,
            ttl=place.row.ttl,
        )

    async def watch(self, position: int) -> AsyncIterator[Seen]:
        """What happened after `position`; ends when the mirror closes."""
        while not self._closed:
            for seen in self._after(position):
                position = seen.position
                yield seen
            if position == self.position and not self._closed:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future

    def _after(self, position: int) -> list[Seen]:
        found = []
        for seen in reversed(self._changed.values()):
            if seen.position <= position:
                break
            found.append(seen)
        found.reverse()
        return found

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _run(self, part: Part) -> None:
        def broke(error: StoreUnavailable) -> None:
            self._fail_first(error)  # whoever waits for the first list must not wait for ever
            self._broke(error)

        await part.follow.supervise(lambda change: self._take(part, change), broke)

    def _take(self, part: Part, change: Change) -> None:
        match change:
            case Opened():
                part.refusal = ""
            case Restarted():
                part.listed = set()
            case Put(body):
                self._put(body, part)
            case Gone(body):
                self.forgotten(body)
            case Synced():
                self._complete(part)
            case Trouble(error):
                self._trouble(part, error)

    def _complete(self, part: Part) -> None:
        """Everything that exists there was told: the rest is gone."""
        self._removed = {uid: key for uid, key in self._removed.items() if not part.holds(key)}
        held = [(key, entry.place.version) for key, entry in self.entries.items()]
        for key in part.complete(held):
            self._forget(key)
        if not all(each.synced for each in self._parts):
            return
        self.synced = True
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        self._first = None

    def _trouble(self, part: Part, error: StoreUnavailable) -> None:
        if str(error) != part.said:
            part.said = str(error)
            log.warning("following the API server: %s", error)
        part.troubles += 1
        lasting = isinstance(error, RefusedError) and not error.passing
        if lasting:
            part.refusal = str(error)
        if lasting or part.troubles >= PATIENCE:
            self._fail_first(error)

    def _fail_first(self, error: StoreUnavailable) -> None:
        first, self._first = self._first, None
        if first is not None and not first.done():
            first.set_exception(error)
            first.exception()  # nobody may be waiting any more

    async def close(self) -> None:
        """Stop following; every watch ends."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._fail_first(StoreUnavailable("the store was closed"))
        self._wake()


async def unless(closing: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` gives; None, and it is given up, where `closing` comes first."""
    working = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
        return None if closing.is_set() else working.result()
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)
