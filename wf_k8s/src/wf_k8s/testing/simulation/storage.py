"""Workflows at an API server in memory: what a play asks of it, and what it tells the rules."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.testing.simulation.world import Trouble
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.client.session import Session
from wf_k8s.store.known import read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.testing.api.collection import Held
from wf_k8s.testing.api.replies import Reply
from wf_k8s.testing.api.server import ApiServer, place_of
from wf_k8s.testing.simulation.befalling import Befalling
from wf_k8s.testing.simulation.door import LineAccess
from wf_k8s.testing.simulation.line import PeopleLine
from wf_k8s.testing.simulation.owners import SimulatedOwners
from wf_k8s.testing.simulation.rules import (
    d_finalizers_of_others_stay,
    i14_the_finalizer_stays_while_it_is_needed,
    i16_what_is_stored_is_what_was_saved,
)
from wf_k8s.testing.simulation.seats import LEASE, LEASE_NAMESPACE, LeaseSeat, MachineSeat
from wf_k8s.testing.simulation.store import Book, PeopleStore, name_of
from wf_k8s.testing.simulation.weather import Kind, Weather

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage

LEASE_KEY = Key(LEASE_NAMESPACE, LEASE)


class KubernetesStorage:
    """Implements `wf_core.testing.simulation.storage.Storage`."""

    def __init__(self, stage: "Stage", observer: "Observer") -> None:
        self._stage = stage
        self._observer = observer
        self.server = ApiServer(lambda: stage.wall)
        self.weather = Weather(lambda: stage.now)
        self.book = Book()
        self.live: dict[str, None] = {}
        self._numbers: dict[str, Numbers] = {}
        self._read: dict[Key, tuple[int, Stored]] = {}
        self._befalling = Befalling(stage, observer, self)
        stage.pauses = any(each.what in (Kind.PAUSED, Kind.FROZEN) for each in stage.world.troubles)
        self.people = PeopleStore(
            Session(LineAccess(PeopleLine(self)), chance=Random(0)),
            SimulatedOwners("people", {}),
            stage,
            self.server,
        )

    def seat(self, process: "Process") -> "LeaseSeat | MachineSeat":
        """As `Storage.seat`."""
        kind = LeaseSeat if self._stage.world.operator.serves else MachineSeat
        return kind(self._stage, self, process, self._observer)

    def names(self) -> Sequence[Key]:
        """As `Storage.names`."""
        return list(self.server.workflows.objects)

    def look(self, key: Key) -> Stored | None:
        """As `Storage.look`."""
        held = self.server.workflows.objects.get(key)
        return None if held is None else self.stored(held)

    def stored(self, held: Held) -> Stored:
        """What an object says."""
        read = self._read.get(held.key)
        if read is not None and read[0] == held.version:
            return read[1]
        known = read_known(held.raw)
        stored = known.stored(self._numbers.setdefault(known.uid, Numbers()))
        self._read[held.key] = (held.version, stored)
        return stored

    # Requests that arrive

    def deliver(
        self,
        process: "Process | None",
        method: str,
        path: str,
        params: Mapping[str, str],
        body: bytes | None,
    ) -> Reply:
        """A request has reached the server, whether or not its sender still lives."""
        place = place_of(path)
        workflows = self.server.workflows
        if place.plural != WORKFLOWS.plural or method in ("GET", "POST"):
            return self.server.handle(method, path, params, body)
        before = workflows.objects.get(place.key)
        stored = None if before is None else self.stored(before)
        reply = self.server.handle(method, path, params, body)
        after = workflows.objects.get(place.key)
        if before is not None and stored is not None and after is not before:
            if process is not None:
                self._wrote(before, after or workflows.log[-1].held)
            self.changed(process, stored, after)
        return reply

    def _wrote(self, before: Held, after: Held) -> None:
        """A process did."""
        self._stage.saves += 1
        self._stage.saved_at = self._stage.now
        wrong = d_finalizers_of_others_stay(before, after)
        if wrong is not None:
            self._stage.broken("D", f"{after.key}: {wrong}")

    def changed(self, process: "Process | None", before: Stored, after: Held | None) -> None:
        """A workflow is another than before, or (None) gone."""
        if after is None:
            last = self.server.workflows.log[-1].held
            if process is not None and before.head.deletion_asked_at is None:
                self._observer.expired(process, last.key, before)
            else:
                self._observer.removed(process, last.key, self.stored(last))
            return
        stored = self.stored(after)
        if process is not None and stored.head.revision != before.head.revision:
            self._saved(process, after.key, before, stored)
        wrong = None
        if not self._observer.over_age(stored, *self._stage.processes):
            wrong = i14_the_finalizer_stays_while_it_is_needed(after, stored)
        if wrong is not None:
            self._stage.broken("I14", f"{after.key}: {wrong}")

    def _saved(self, process: "Process", key: Key, before: Stored, after: Stored) -> None:
        uid = after.workflow.metadata.uid
        sent = self.book.sent.get(name_of(uid, after.head), ())
        wrong: str | None = "nobody sent it"
        for changes in sent:
            wrong = i16_what_is_stored_is_what_was_saved(before, changes, after)
            if wrong is None:
                self.book.land(changes)
                self._observer.saved(process, key, changes, before, after)
                return
        self._stage.broken("I16", f"{key}: revision {after.head.revision}: {wrong}")

    # Troubles

    def holder(self) -> str:
        """Who holds the Lease; "" is nobody."""
        held = self.server.leases.objects.get(LEASE_KEY)
        return "" if held is None else held.document["spec"].get("holderIdentity") or ""

    def leader(self) -> "Process | None":
        """The process that holds the Lease."""
        holder = self.holder()
        for process in self._stage.alive:
            if isinstance(process.seat, LeaseSeat) and process.seat.identity == holder:
                return process
        return None

    def living(self) -> Mapping[str, None]:
        """As `Storage.living`: who holds the Lease, or a lock."""
        if not self._stage.world.operator.serves:
            return {each.seat.owner: None for each in self._stage.alive if not each.zombie}
        leader = self.leader()
        return {} if leader is None else {leader.seat.owner: None}

    def usurp(self, process: "Process") -> None:
        """As `Storage.usurp`: the Lease is taken from it, and it neither hears of that nor sees
        time pass."""
        if isinstance(process.seat, MachineSeat):
            self.live.pop(process.seat.owner, None)
        else:
            self._befalling.usurp(process)

    async def befall(self, trouble: Trouble) -> None:
        """As `Storage.befall`."""
        await self._befalling.befall(trouble)

    def calm(self) -> None:
        """As `Storage.calm`: what was missed is listed again."""
        self._befalling.calm()

    async def mistaken(self) -> str | None:
        """As `Storage.mistaken`: what the watch told each is what there is."""
        there = {key: stored.head.phase for key in self.names() if (stored := self.look(key))}
        for process in self._stage.alive:
            page = await process.seat.store.list(limit=len(there) + 100)
            told = {row.key: row.phase for row in page.rows}
            if told != there:
                return f"p{process.number} lists {told}, and there is {there}"
        return None

    def left_claimed(self) -> str | None:
        """As `Storage.left_claimed` (C5)."""
        if self._stage.world.operator.serves:
            holder = self.holder()
            return f"the Lease is still held by {holder} after the end" if holder else None
        for key in self.names():
            stored = self.look(key)
            if stored is not None and stored.head.owner.id in self.live:
                return f"{key} is still claimed by {stored.head.owner.id} after the end"
        return None
