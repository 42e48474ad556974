"""The store: read at the API server or, once followed, as the watch and our own writes told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from wf_core.adapters import store_rules as rules
from wf_core.errors import (
    StoreForeign,
    StoreUnavailable,
    WorkflowNotFound,
)
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked, Request
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, LogLine, Owner, Stored, Transition
from wf_core.ports import Changes, Page, Row, Saved, Seen
from wf_core.standing import Standing
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.follow import SILENCE
from wf_k8s.client.session import Session
from wf_k8s.store import guard, sizes
from wf_k8s.store.asking import ask
from wf_k8s.store.breakage import Breakage
from wf_k8s.store.claiming import claimed, given_up, goes_once_undone
from wf_k8s.store.creating import create
from wf_k8s.store.expiring import expire
from wf_k8s.store.finalizer import Finalizer, place_of, saved_meanwhile
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.logbook import Logbook, elsewhere
from wf_k8s.store.mirror import Mirror, unless
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.objects import Objects
from wf_k8s.store.own import Own
from wf_k8s.store.owners import Owners
from wf_k8s.store.paging import page_of, rows_of
from wf_k8s.store.quarantine import Quarantine
from wf_k8s.store.rows import Place, identity
from wf_k8s.store.saving import refused, send
from wf_k8s.store.schedules import K8sSchedules
from wf_k8s.store.settling import Settling
from wf_k8s.store.standing import standing
from wf_k8s.store.tasks import K8sTasks
from wf_k8s.store.warner import Warner
from wf_k8s.store.warnings import save_refused
from wf_k8s.store.watching import follows_of

log = logging.getLogger("wf.k8s")


class K8sStore:
    """`ports.Store` on custom resources. `owners` says who this process is and who else lives.

    `silence`: seconds after which a watch that says nothing is taken for dead. `verified`: the
    chart's admission policy writes who makes a request, so that `by` is no claim of an author's.
    """

    linger = 0.1
    keeps_folders = False

    def __init__(
        self, session: Session, owners: Owners, now: Callable[[], float], *, verified: bool = False
    ) -> None:
        self.objects = Objects(session)
        self.owners = owners
        self.silence = SILENCE
        self._now = now
        self._verified = verified
        self._numbers: dict[str, Numbers] = {}
        self._own = Own()
        self.breakage = Breakage()
        self._logbook = Logbook()
        self._warner = Warner(self.objects)
        telling = (self._check_open, self.breakage.tell, self._warner, now)
        self.schedules = K8sSchedules(self.objects, self._create, *telling)
        self.tasks = K8sTasks(self.objects, self._create, self._current, *telling)
        self._settling = Settling(self.tasks, self.schedules)
        known, unread = self._settling.known, self._settling.unread
        self._quarantine = Quarantine(self.objects, self._warner, now, lambda: owners.leads, unread)
        self._finalizer = Finalizer(self.objects, self._fresh, self._tell_mirror, known)
        self._mirror: Mirror | None = None
        self._listed: list[Row] = []
        self._closed = False
        self._closing = asyncio.Event()

    @property
    def owns(self) -> bool:
        """As `ports.Store.owns`."""
        return self.owners.owns

    # Reading

    def misfit(self, workflow: Workflow) -> str | None:
        """As `ports.Store.misfit`: an object holds so much and no more (kubernetes.md 9)."""
        return sizes.misfit(workflow)

    async def load(self, key: Key) -> Stored:
        """As `ports.Store.load`."""
        known = await self._current(key)
        return known.stored(self._numbers_of(known), verified=self._verified)

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """As `ports.Store.asked`."""
        known = await self._current(key)
        return known.asked(self._numbers_of(known), verified=self._verified)

    async def uid(self, key: Key) -> str:
        """As `ports.Store.uid`."""
        row = self.row(place := await self.objects.placed(key))
        return await self.objects.uid(place) if row is None else row.uid

    async def history(self, key: Key) -> tuple[Transition, ...]:
        """As `ports.Store.history`; the last hundred."""
        return (await self._current(key)).status.history

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """As `ports.Store.log`, but kept by this process alone (see `logbook`)."""
        self._check_open()
        if key.name:
            self._logbook.write(await self.objects.placed(key), lines)

    async def logs(self, key: Key, step: str | None = None) -> tuple[LogLine, ...]:
        """What this process kept of them. Raises OperatorError where another ran the hooks."""
        known = await self._current(key)
        ours = self._logbook.has(known.key) or known.status.owner == self.owners.id
        if known.status.revision and not ours:
            raise elsewhere(key)
        return self._logbook.read(known.key, step)

    async def list(
        self,
        *,
        phases: Sequence[Phase] | None = None,
        queue: str | None = None,
        limit: int = 500,
        after: str | None = None,
    ) -> Page:
        """As `ports.Store.list`. The pages after the first are of the same reading."""
        self._check_open()
        if self._follows:
            assert self._mirror is not None
            self._listed = [entry.place.row for entry in self._mirror.entries.values()]
        elif after is None or not self._listed:
            self._listed = rows_of(await self.objects.read_all())
        return page_of(self._listed, phases, queue, limit, after)

    def row(self, key: Key) -> Row | None:
        """A workflow as it was told last; None where there is none, or nobody follows them."""
        if self._mirror is None or not self._follows or self._own.doubts(key):
            return None
        entry = self._mirror.entries.get(key)
        return None if entry is None else entry.place.row

    def weight(self, key: Key) -> int:
        """As `wf_core.standing.Weighs.weight`."""
        return 0 if self._mirror is None else self._mirror.weight(key)

    async def _current(self, key: Key) -> Known:
        """What is stored, as far as this process may know it without asking."""
        self._check_open()
        place = await self.objects.placed(key)
        known = self._told(place) or await self._fresh(key)
        if known is None:
            raise rules.not_found(key)
        return known

    def _told(self, place: Key) -> Known | None:
        """What the watch and the answers to our writes tell; None where that has to be read."""
        if self._mirror is None or not self._follows or self._own.doubts(place):
            return None
        entry = self._mirror.entries.get(place)
        if entry is not None and entry.place.unreadable:
            raise StoreForeign(entry.place.unreadable)
        return self._read(entry.raw) if entry is not None and entry.raw is not None else None

    def _read(self, raw: bytes) -> Known:
        """Decode an object. Raises StoreForeign; then it is left alone as it is."""
        try:
            return read_known(raw)
        except StoreForeign as error:
            if self._mirror is not None and self._follows:
                meta = identity(raw)
                self._mirror.unreadable(Key(meta.namespace, meta.name), meta.uid, str(error))
            raise

    def _last_known(self, key: Key) -> Known | None:
        """What a save may build on: our own last save, with what people have changed since."""
        known = self._own.take(key)
        if known is None or self._mirror is None:
            return known or self._told(key)
        entry = self._mirror.entries.get(key)
        ahead = entry is not None and entry.place.version > known.version
        same = entry is not None and entry.place.row.uid == known.uid
        return known.as_placed(entry.place) if entry is not None and ahead and same else known

    async def _fresh(self, key: Key) -> Known | None:
        """What is stored, asked for now."""
        key = await self.objects.placed(key)
        raw = await self.objects.read(key)
        self._own.read(key)
        if raw is None:
            return None
        self._tell_mirror(raw)
        return self._read(raw)

    @property
    def _follows(self) -> bool:
        return self._mirror is not None and self._mirror.synced

    def _tell_mirror(self, raw: bytes) -> None:
        if self._mirror is not None and self._mirror.started:
            self._mirror.accepted(raw)

    def _numbers_of(self, known: Known) -> Numbers:
        return self._numbers.setdefault(known.uid, Numbers())

    # Writing

    async def create(
        self,
        workflow: Workflow,
        now: float,  # noqa: ARG002
        folder: Folder | None = None,  # noqa: ARG002
    ) -> Stored:
        """As `ports.Store.create`. The API server gives the uid and says when it was created; a
        folder of whoever asks is not there where the controller runs."""
        self._check_open()
        return await self._create(workflow)

    async def _create(self, workflow: Workflow, owner: Mapping[str, Any] | None = None) -> Stored:
        known, raw = await create(self.objects, workflow, self._fresh, owner)
        if raw is not None:
            self._tell_mirror(raw)
        return known.stored(self._numbers_of(known))

    async def claim(self, key: Key) -> Owner:
        """As `ports.Store.claim`."""
        named = self._mirror.named if self._mirror is not None else None
        return await claimed(await self._current(key), self.owners, self.set_aside, named)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`. Where a Lease says who owns, nothing is written."""
        self._check_open()
        key = await self.objects.placed(key)
        known = self._own.release(key)
        if self.owners.leads:
            entry = self._mirror.entries.get(key) if self._mirror is not None else None
            if entry is not None:
                self._saw(entry.place)
            return
        try:
            known = known or await self._current(key)
        except WorkflowNotFound:
            return
        if known.status.owner != self.owners.id:
            return
        if (body := await given_up(self.objects, known)) is None:
            self._own.doubt(key)
        else:
            self._tell_mirror(body)

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`: one patch; two more where the finalizer goes on or off.

        Raises StatusTooLargeError before anything is sent, and RefusedError where the cluster does
        not allow it; an Event says so.
        """
        self._check_open()
        key = await self.objects.placed(key)
        try:
            return await self._save(key, changes)
        except RefusedError as error:
            self._own.doubt(key)
            if not error.passing:
                self._warner.put(key.namespace, save_refused(key, changes, error, self._now()))
            raise

    async def _save(self, key: Key, changes: Changes) -> Saved:
        known = self._last_known(key)
        if changes.answered and not self._follows:
            known = None  # those requests may have come after our last save
        if known is None or known.status.revision != changes.base_revision:
            known = await self._fresh(key)
            if known is None:
                return Saved.LOST
        answer = refused(changes, known)
        if answer is not None:
            return answer
        if guard.to_guard(known, changes):
            if (known := await self._finalizer.put_on(key, known)) is None:
                return Saved.LOST
            # Whoever put it on meanwhile may have saved as well.
            answer = refused(changes, known)
            if answer is not None:
                return answer
        now = self._now()
        sent = await send(
            self.objects, key, known, changes, self._numbers_of(known), self._fresh, now
        )
        if sent.answer is not Saved.SAVED or sent.known is None:
            self._own.doubt(key)
            return sent.answer
        after = self._accept(key, sent.known, sent.body)
        self._warner.tell(known, changes, now)
        if guard.to_free(after):
            await self._free(key, after)
        return Saved.SAVED

    def _accept(self, key: Key, known: Known, body: bytes | None) -> Known:
        """Go on from a save's answer, without waiting for the watch to echo it."""
        if body is not None:
            known = known.as_answered(body)
        self._own.accept(key, known)  # before the mirror is told: what is ours is freed by its save
        if body is not None:
            self._tell_mirror(body)
        self._quarantine.done(key)
        return known

    async def _free(self, key: Key, known: Known) -> None:
        """Take the finalizer off, so that the object may go whenever somebody deletes it."""
        try:
            freed = await self._finalizer.take_off(key, known)
        except StoreUnavailable as error:
            log.warning("%s: the finalizer is still on it: %s", key, error)
            self._finalizer.take_off_later(key)
            return
        if freed is not None:
            self._own.freed(key, freed.finalizers)

    async def served_by(self) -> str | None:
        """As `ports.Store.served_by`: what leads owns every workflow, and says so when claimed."""

    async def admit_alone(self) -> None:
        """As `ports.Store.admit_alone`: who leads does, and the Lease says who that is."""

    async def whoami(self) -> str:
        """As `ports.Store.whoami`: the user that the API server takes us for."""
        self._check_open()
        return await self.objects.whoami()

    async def request(self, key: Key, request: Request, now: float) -> int:
        """As `ports.Store.request`."""
        self._check_open()
        return await ask(self.objects, key, request, now, self._fresh)

    async def standing(self, key: Key) -> Standing:
        """As `wf_core.standing.TellsStanding.standing`."""
        known = await self._current(key)
        return await standing(self.objects, known.key, known.status.revision, self._now())

    async def delete(self, key: Key, now: float) -> None:  # noqa: ARG002
        """As `ports.Store.delete`: asks the API server, which says when. What was never guarded, or
        no longer is, is gone at once."""
        known = await self._current(key)
        await self.objects.delete(known.key, known.uid)
        self._own.doubt(known.key)

    async def remove(self, key: Key) -> None:
        """As `ports.Store.remove`. Raises WorkflowNotFound where there is none."""
        self._check_open()
        known = await self._fresh(key)
        if known is None:
            raise rules.not_found(key)
        owner = known.claimed_by
        if owner and owner != self.owners.id and (by := await self.owners.live(owner)) is not None:
            raise goes_once_undone(key, by)
        key = known.key
        ours = self._own.saved(key)
        if ours is not None and place_of(ours) != place_of(known):
            raise saved_meanwhile(key)
        if await self._finalizer.take_off(key, known) is None:
            still = await self._fresh(key)
            if still is not None and still.uid == known.uid:
                raise saved_meanwhile(key)
        if known.deleting_at is None:
            await self.objects.delete(key, known.uid)
        self._forget(key, known.uid)

    async def expire(self, stored: Stored) -> bool:
        """As `ports.Store.expire`. Of what is finished only a watch is anybody's work: whose name
        stands on another one does not hinder."""
        self._check_open()
        key = await self.objects.placed(rules.key_of(stored.workflow))
        owner = stored.head.owner.id
        theirs = rules.watchable(stored.workflow) and owner not in ("", self.owners.id)
        if theirs and (by := await self.owners.live(owner)) is not None:
            raise rules.owned(key, by)

        def may(known: Known) -> bool:
            return rules.may_expire(known.stored(self._numbers_of(known)), stored)

        gone = await expire(
            self.objects, key, self._fresh, may, self._tell_mirror, self._settling.known
        )
        if gone is not None:
            self._forget(key, gone.uid)
        return gone is not None

    def _forget(self, key: Key, uid: str) -> None:
        self._gone(key, uid)
        if self._mirror is not None:
            self._mirror.drop(key, uid)

    def _gone(self, key: Key, uid: str) -> None:
        """Whoever removed that object: keep nothing of it. Another one may have its name by now."""
        self._numbers.pop(uid, None)
        self._quarantine.done(key)
        if not self._own.gone(key, uid):
            self._logbook.forget(key)

    # Following

    async def position(self) -> int:
        """As `ports.Store.position`."""
        return (await self._following()).position

    def watch(self, since: int | None = None) -> AsyncIterator[Seen]:
        """As `ports.Store.watch`. One that begins before the first list is read shows what is there
        then, as it can't tell what is new."""
        self._check_open()
        if since is None:
            since = self._mirror.position if self._mirror is not None and self._follows else 0
        return self._watch(since)

    async def _watch(self, since: int) -> AsyncIterator[Seen]:
        if mirror := await unless(self._closing, self._following()):
            async for seen in mirror.watch(since):
                yield seen

    async def _following(self) -> Mirror:
        self._check_open()
        if self._mirror is None:
            follows = await follows_of(self.objects, self.silence)
            self._check_open()
            if self._mirror is None:
                broke = self.breakage.tell
                self._mirror = Mirror(follows, self._numbers, self._saw, self._gone, broke)
        await self._mirror.start()
        return self._mirror

    @property
    def lacking(self) -> str:
        """Why this store, which is followed, does not tell of everything; "" where it does."""
        mirror = "" if self._mirror is None else self._mirror.lacking
        return mirror or self.schedules.lacking or self.tasks.lacking

    def set_aside(self, key: Key, why: str) -> None:
        """As `wf_core.standing.SetsAside.set_aside`."""
        entry = self._mirror.entries.get(key) if self._mirror is not None else None
        if entry is not None and (place := entry.place):
            self._quarantine.put(key, place.row.uid, place.version, why, read=not place.unreadable)

    def reasons(self) -> Iterator[str]:
        """Of each workflow that no engine goes on with, why, in a word."""
        return ("GivenUp" if held.read else "Unreadable" for held in self._quarantine.held.values())

    def _saw(self, place: Place) -> None:
        """What can't be read is left alone. And only the leader takes the finalizer off that a
        former one left on a finished workflow; what it runs itself is freed by its save."""
        key = place.row.key
        if place.unreadable:
            self._quarantine.put(key, place.row.uid, place.version, place.unreadable)
            return
        self._quarantine.readable(key, place.version)
        if place.frees and self.owners.leads and key not in self._own:
            self._finalizer.take_off_later(key)

    # Ending

    async def close(self) -> None:
        """As `ports.Store.close`."""
        if self._closed:
            return
        for key in self._own:
            try:
                await self.release(key)
            except (StoreUnavailable, StoreForeign) as error:
                log.warning("%s: the claim was not given up: %s", key, error)
        self.owners.drop()
        for each in (self._quarantine, self._warner, self._finalizer):
            await each.close()
        await self.halt()

    async def halt(self) -> None:
        """End without giving anything up: claims stay until the owner is seen to be dead."""
        self._closed = True
        self._closing.set()
        self.schedules.close()
        self.tasks.close()
        for each in (self._quarantine, self._finalizer):
            await each.halt()
        if self._mirror is not None:
            await self._mirror.close()
        await self.objects.session.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store k8s: is closed")
