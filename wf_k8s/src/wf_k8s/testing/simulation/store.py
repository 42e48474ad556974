"""The shipped store of one process, with a book of what it sends."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, Stored, WorkflowState
from wf_core.ports import Changes, Saved
from wf_k8s.client.session import Session
from wf_k8s.store.owners import Owners
from wf_k8s.store.store import K8sStore
from wf_k8s.testing.api.schema import Document
from wf_k8s.testing.api.server import ApiServer
from wf_k8s.testing.simulation.weather import Kind

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage

Name = tuple[str, str, int, int]
"""A save's: the workflow's uid, its owner, and its writer's epoch and number."""


def name_of(uid: str, head: WorkflowState) -> Name:
    """Tells a save from every other one."""
    return (uid, head.owner.id, head.writer.epoch, head.writer.n)


@attrs.define
class Book:
    """Saves that were sent, and those that landed. A claim that was never saved is made again under
    the same epoch: then two saves have one name."""

    sent: dict[Name, list[Changes]] = attrs.field(factory=dict)
    landed: dict[Name, list[Changes]] = attrs.field(factory=dict)

    def send(self, changes: Changes) -> None:
        """It is about to be sent, perhaps again."""
        named = self.sent.setdefault(name_of(changes.uid, changes.head), [])
        if not any(each is changes for each in named):
            named.append(changes)

    def land(self, changes: Changes) -> None:
        """It is stored."""
        self.landed.setdefault(name_of(changes.uid, changes.head), []).append(changes)

    def has_landed(self, changes: Changes) -> bool:
        """Whether that very save was ever stored, or one that says the same."""
        return changes in self.landed.get(name_of(changes.uid, changes.head), ())


class PeopleStore(K8sStore):
    """What is shipped, for people. A workflow that the world calls `APPLIED` is made by kubectl: it
    says nothing of who created it, and nothing guards it."""

    def __init__(self, session: Session, owners: Owners, stage: "Stage", server: ApiServer) -> None:
        super().__init__(session, owners, lambda: stage.wall)
        self._server = server
        self._applied = {
            each.workflow: None for each in stage.world.troubles if each.what == Kind.APPLIED
        }

    async def create(self, workflow: Workflow, now: float, folder: Folder | None = None) -> Stored:
        """As `ports.Store.create`."""
        stored = await super().create(workflow, now, folder)
        metadata = stored.workflow.metadata
        if metadata.name not in self._applied:
            return stored
        key = Key(metadata.namespace, metadata.name)
        self._server.edit(key, _as_kubectl_does)
        return await self.load(key)


def _as_kubectl_does(document: Document) -> None:
    document["metadata"].pop("finalizers", None)
    document["metadata"].pop("annotations", None)


class BookedStore(K8sStore):
    """What is shipped; each save is written into the book, and its answer held against it (C4)."""

    def __init__(
        self,
        session: Session,
        owners: Owners,
        now: Callable[[], float],
        stage: "Stage",
        process: "Process",
        observer: "Observer",
        book: Book,
    ) -> None:
        super().__init__(session, owners, now)
        self._stage = stage
        self._process = process
        self._observer = observer
        self._book = book

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`."""
        invalid = self._process.invalid
        self._book.send(changes)
        answer = await super().save(key, changes)
        landed = self._book.has_landed(changes)
        if answer is Saved.SAVED and not landed:
            self._stage.broken("C4", f"{key}: a save is called Saved, and never landed")
        if answer is Saved.LOST:
            self._stage.note(f"p{self._process.number} lost a save of {key}")
            self._stage.changed_at = self._stage.now  # it looks again, in a while
            if not self._owns(key, changes):
                self._stage.met("save Lost to another owner")
            elif landed:
                self._stage.broken("C4", f"{key}: a save is called Lost, and had landed")
        if answer is Saved.INVALID and self._process.invalid == invalid:
            self._stage.broken("C4", f"{key}: an incoherent save")
        return answer

    def _owns(self, key: Key, changes: Changes) -> bool:
        stored = self._stage.storage.look(key)
        return stored is not None and (
            stored.workflow.metadata.uid,
            stored.head.owner,
        ) == (changes.uid, changes.head.owner)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`."""
        self._observer.releases(self._process, key)
        await super().release(key)
