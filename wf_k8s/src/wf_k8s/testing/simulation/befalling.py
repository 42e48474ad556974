"""Lets the troubles of a world happen."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wf_core.model.spec import Key
from wf_core.testing.simulation.world import Trouble
from wf_k8s.testing.api.schema import Document
from wf_k8s.testing.simulation.rules import THEIRS
from wf_k8s.testing.simulation.seats import LEASE, LEASE_NAMESPACE, LeaseSeat
from wf_k8s.testing.simulation.stream import End
from wf_k8s.testing.simulation.weather import Kind

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_k8s.testing.simulation.storage import KubernetesStorage

_LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{LEASE_NAMESPACE}/leases/{LEASE}"
_FOR_EVER = 1e9


class Befalling:
    """What happens to the server, its lines, and whoever leads."""

    def __init__(self, stage: "Stage", observer: "Observer", storage: "KubernetesStorage") -> None:
        self._stage = stage
        self._observer = observer
        self._storage = storage
        self._edits = 0

    async def befall(self, trouble: Trouble) -> None:
        """Let one happen."""
        kind = Kind(trouble.what)
        key = self._stage.world.key(trouble.workflow)
        match kind:
            case Kind.COMPACTED:
                self._compact()
            case Kind.CUT:
                self._end_streams(End.CUT)
            case Kind.TOKEN_EXPIRED:
                self._storage.weather.token += 1
            case Kind.PAUSED | Kind.FROZEN | Kind.CUT_OFF:
                leader = self._storage.leader()
                if leader is not None:
                    self._to_leader(kind, leader, trouble.seconds)
            case Kind.LEASE_DELETED:
                self._delete_lease()
            case Kind.EDITED:
                self._edits += 1
                self._edit(key, self._label)
            case Kind.AGED:
                self._edit(key, partial(_keep_for, trouble.seconds))
            case Kind.HELD:
                self._hold(key, trouble.seconds)
            case Kind.AGAIN:
                await self._again(key)
            case Kind.APPLIED:
                pass  # see `PeopleStore`
            case _:
                server = self._storage.server
                self._storage.weather.begins(kind, trouble.seconds, server.version)

    def _delete_lease(self) -> None:
        leases, key = self._storage.server.leases, Key(LEASE_NAMESPACE, LEASE)
        if key in leases.objects:
            leases.drop(key, self._lease())

    def _lease(self) -> Document:
        return self._storage.server.leases.objects[Key(LEASE_NAMESPACE, LEASE)].copy()

    def _compact(self) -> None:
        """Every watch ends, and none can go on from an older version."""
        self._storage.server.workflows.compacted = self._storage.server.version + 1
        self._end_streams(End.GONE)

    def _end_streams(self, end: End) -> None:
        for process in self._stage.alive:
            for stream in process.seat.line.streams:  # type: ignore[attr-defined]
                stream.break_off(end)

    def _to_leader(self, kind: Kind, leader: "Process", seconds: float) -> None:
        seat = leader.seat
        assert isinstance(seat, LeaseSeat)
        if kind is Kind.CUT_OFF:
            seat.line.cut_off_until = self._stage.now + seconds
            return
        if leader.paused is not None:
            return
        leader.pause()

        def go_on() -> None:
            if kind is Kind.FROZEN and leader.alive:
                seat.stood_still += seconds
            leader.resume()

        self._stage.loop.call_later(seconds, go_on)

    def usurp(self, process: "Process") -> None:
        """Take the Lease from a process that hears nothing of it, and believes for a while yet."""
        seat = process.seat
        assert isinstance(seat, LeaseSeat)
        seat.line.cut_off_until = _FOR_EVER
        if self._storage.holder() == seat.identity:
            lease = self._lease()
            lease["spec"]["holderIdentity"] = ""
            self._storage.server.leases.put(Key(LEASE_NAMESPACE, LEASE), lease)

    def _edit(self, key: Key, change: Callable[[Document], None]) -> None:
        before = self._storage.look(key)
        if before is not None:
            self._storage.server.edit(key, change)
            self._storage.changed(None, before, self._storage.server.workflows.objects.get(key))

    def _label(self, document: Document) -> None:
        document["metadata"].setdefault("labels", {})["edited"] = str(self._edits)

    def _hold(self, key: Key, seconds: float) -> None:
        def hold(document: Document) -> None:
            meta = document["metadata"]
            if "deletionTimestamp" not in meta:
                meta["finalizers"] = [THEIRS, *meta.get("finalizers", ())]

        self._edit(key, hold)
        self._stage.loop.call_later(seconds, self._let_go, key)

    def _let_go(self, key: Key) -> None:
        def let_go(document: Document) -> None:
            meta = document["metadata"]
            left = [each for each in meta.get("finalizers", ()) if each != THEIRS]
            meta["finalizers"] = left
            if not left:
                del meta["finalizers"]

        held = self._storage.server.workflows.objects.get(key)
        if held is not None and THEIRS in held.document["metadata"].get("finalizers", ()):
            self._edit(key, let_go)

    async def _again(self, key: Key) -> None:
        """A workflow that is gone is created once more: it is another one."""
        submission = next(
            (
                each
                for each in self._stage.world.submissions
                if each.workflow.metadata.name == key.name
            ),
            None,
        )
        if submission is None or submission.at > self._stage.now or self._storage.look(key):
            return
        metadata = replace(submission.workflow.metadata, uid="")
        workflow = replace(submission.workflow, metadata=metadata)
        self._stage.met("created again")
        self._stage.note(f"people submit {key} again")
        stored = await self._storage.people.create(workflow, self._stage.wall)
        self._observer.submitted(key, stored.workflow)
        if not self._stage.world.operator.serves:
            for process in self._stage.alive:
                process.adopt(key)

    def calm(self) -> None:
        """Nothing befalls any more; what was missed is listed again, who stands still goes on."""
        self._storage.weather.clears()
        self._compact()
        for process in self._stage.alive:
            process.seat.line.cut_off_until = 0.0  # type: ignore[attr-defined]
            process.resume()


def _keep_for(seconds: float, document: Document) -> None:
    ages = dict.fromkeys(("success", "rollBacked", "failed"), seconds)
    document["spec"]["ttlSecondsAfterFinished"] = ages
