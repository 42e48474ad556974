"""Tasks as custom resources, beside the workflows that run them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import msgspec
from msgspec.structs import replace

from wf_core.codec.writing import plain_struct
from wf_core.errors import StoreForeign, StoreUnavailable, WorkflowNotFound
from wf_core.model.spec import Key, Workflow
from wf_core.model.task import TASK_KIND, Task, TaskSpec, as_workflow
from wf_k8s.client.follow import SILENCE
from wf_k8s.client.resources import TASKS
from wf_k8s.store.creating import CreateOwned, owned_by
from wf_k8s.store.followed import Followed
from wf_k8s.store.known import Known
from wf_k8s.store.objects import Objects
from wf_k8s.store.task_status import TaskStatus, mirrored
from wf_k8s.store.unread import Unread
from wf_k8s.store.warner import Warner
from wf_k8s.store.wire import read_body, why_unreadable

TRIES = 4
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""What `kubectl apply` remembers of an object: of the task, and not of what is made for it."""

_spec = msgspec.json.Decoder(TaskSpec)
_status = msgspec.json.Decoder(TaskStatus)


@attrs.frozen
class StoredTask:
    """A task as the API server has it; `version` orders its states."""

    task: Task
    status: TaskStatus
    version: int

    @property
    def key(self) -> Key:
        """How it is found."""
        return Key(self.task.metadata.namespace, self.task.metadata.name)

    @property
    def uid(self) -> str:
        return self.task.metadata.uid


class K8sTasks:
    """Tasks by key. One that is being deleted is gone already: its workflow is removed by the
    cluster's own garbage collection, and undone first as its `deletionPolicy` says."""

    def __init__(
        self,
        workflows: Objects,
        create: CreateOwned,
        workflow: Callable[[Key], Awaitable[Known]],
        check: Callable[[], None],
        broke: Callable[[StoreUnavailable], None],
        warner: Warner,
        clock: Callable[[], float],
    ) -> None:
        self._objects = Objects(workflows.session, TASKS)
        self._create = create
        self._workflow = workflow
        self._check_open = check
        self._followed = Followed(self._objects, "tasks", broke)
        self.unread = Unread(self._objects, warner, clock)
        self.silence = SILENCE
        self.minded = False
        """Whether this process makes workflows of tasks and keeps their status."""

    async def load(self, key: Key) -> StoredTask | None:
        """A task as it is known here. Raises StoreForeign, StoreUnavailable."""
        self._check_open()
        raw = await self._followed.current(key)
        if raw is None:
            self.unread.done(key)
            return None
        return await self.unread.read(key, raw, _read, says=self.minded)

    async def fresh(self, key: Key) -> StoredTask | None:
        """A task, asked for now."""
        self._check_open()
        raw = await self._followed.fresh(key)
        return None if raw is None else _read(raw)

    async def workflow(self, key: Key) -> Known | None:
        """The workflow of that name, whoever made it."""
        try:
            return await self._workflow(key)
        except WorkflowNotFound:
            return None

    async def start(self, stored: StoredTask) -> str:
        """Make the workflow, which goes with the task; gives its uid. One that was made before is
        found again. Raises WorkflowExists, AuthorError where the cluster refuses it,
        StoreUnavailable."""
        self._check_open()
        owner = owned_by(TASK_KIND, stored.key.name, stored.uid)
        created = await self._create(workflow_of(stored.task), owner)
        return created.workflow.metadata.uid

    async def save(self, stored: StoredTask, status: TaskStatus) -> bool:
        """Replace the status that was loaded; False where another is stored by now."""
        self._check_open()
        revision = stored.status.revision + 1
        shown = {
            **plain_struct(replace(status, revision=revision)),
            "phase": status.phase.value,
        }
        saved = await self._followed.save_status(stored.key, stored.uid, shown, revision)
        return saved is not None

    async def remove(self, stored: StoredTask) -> bool:
        """Delete a task that is still as it was loaded, without which nothing is undone."""
        self._check_open()
        return await self._objects.delete(stored.key, stored.uid, stored.version)

    def watch(self) -> AsyncIterator[Key]:
        """The key of every task there is, then of each that changes or goes; one at a time.
        Raises StoreUnavailable."""
        self._check_open()
        return self._followed.changes(self.silence)

    async def settle(self, known: Known) -> None:
        """Before a workflow may vanish: save in the status of its task how it stands. Of what was
        not made by a task, and where nobody here minds tasks, nothing is to be saved.

        Raises StoreUnavailable where that did not come about.
        """
        if not (self.minded and known.controller):
            return
        for attempt in range(1, TRIES + 1):
            stored = await self.fresh(known.key) if attempt > 1 else await self.load(known.key)
            if stored is None or stored.uid != known.controller:
                return
            after = mirrored(stored.status, known)
            if after == stored.status or await self.save(stored, after):
                return
        raise StoreUnavailable(f"task '{known.key}': its status is being changed all the time")

    async def settle_unread(self, key: Key, uid: str, controller: str) -> None:
        """Before a workflow may vanish that can't be read: note in its task that it was there, so
        that none is made again. Raises StoreUnavailable where that did not come about."""
        if not (self.minded and controller):
            return
        try:
            stored = await self.fresh(key)
        except StoreForeign:
            return  # for one that can't be read nothing is made
        if stored is None or stored.uid != controller or stored.status.workflow_uid:
            return
        if not await self.save(stored, replace(stored.status, workflow=key.name, workflow_uid=uid)):
            raise StoreUnavailable(f"task '{key}': its status is being changed; tried again")

    @property
    def lacking(self) -> str:
        """Why whoever follows the tasks is not told of everything; "" where that is so."""
        return self._followed.lacking

    def close(self) -> None:
        """The store is closed: every watch ends."""
        self._followed.close()


def workflow_of(task: Task) -> Workflow:
    """The workflow that runs a task: its uid says whose it is, however often it is made."""
    metadata = task.metadata
    kept = {name: each for name, each in metadata.annotations.items() if name != APPLIED}
    return as_workflow(replace(task, metadata=replace(metadata, annotations=kept)))


def _read(raw: bytes) -> StoredTask:
    try:
        body = read_body(raw)
        meta = body.metadata
        task = Task(meta.model(), _spec.decode(body.spec))
        return StoredTask(task, _status.decode(body.status), int(meta.resource_version))
    except Exception as error:
        raise StoreForeign(
            f"an object of the API server is no task of ours: {why_unreadable(error)}"
        ) from error
