"""Tasks of a cluster: makes of each its workflow, and keeps its status as that stands.

Everything is decided from what is stored. A workflow is made for a task that has never had one: of
two that are made, one has the name, and before the one that has it may vanish, the task's status
says that it was there (`K8sTasks.settle`).
"""

import logging

from wf_core.engine.turns import AGAIN, Turns
from wf_core.errors import AuthorError, WorkflowExists
from wf_core.model.phases import FINISHED
from wf_core.model.spec import Key
from wf_core.ports import Clock
from wf_core.retention import Retention
from wf_k8s.client.errors import RefusedError
from wf_k8s.store.store import K8sStore
from wf_k8s.store.task_status import TaskStatus, left, mirrored, name_taken, refused
from wf_k8s.store.tasks import StoredTask
from wf_k8s.store.times import epoch_seconds

log = logging.getLogger("wf.tasks")
SOON = 1.0
"""Seconds after which a task is looked at again whose status was saved by somebody else, or whose
workflow came up meanwhile."""
LATER = 60.0
"""Seconds after which what the cluster refused is tried again."""


class TaskKeeper:
    """Looks after the tasks of one store. `clock` is the one that people go by; `retention` says
    when what is finished may go."""

    def __init__(self, store: K8sStore, clock: Clock, retention: Retention) -> None:
        self._store = store
        self._tasks = store.tasks
        self._clock = clock
        self._retention = retention
        self._turns = Turns("task", clock, self._turn, log)
        self._changed: set[Key] = set()  # workflows to which something happened since

    async def run(self) -> None:
        """Until it is cancelled. What fails is logged and tried again; nothing is raised."""
        self._tasks.minded = True
        await self._turns.run(self._follow_tasks, self._follow_workflows)

    async def _follow_tasks(self) -> None:
        async for key in self._tasks.watch():
            self._turns.soon(key)

    async def _follow_workflows(self) -> None:
        since = await self._store.position()
        self._turns.all_soon()
        async for seen in self._store.watch(since):
            if seen.key in self._turns:
                self._changed.add(seen.key)
                self._turns.soon(seen.key)

    async def _turn(self, key: Key) -> float | None:
        """Make the status true; when to look again. Raises what the store raises."""
        changed = key in self._changed
        self._changed.discard(key)
        stored = await self._tasks.load(key)
        if stored is None:
            self._turns.forget(key)
            return None
        if not changed and self._rests(stored):
            return None
        known = await self._tasks.workflow(key)
        status, uid = stored.status, stored.status.workflow_uid
        if known is None and not uid:
            return await self._start(key)
        if known is None or uid not in ("", known.uid):
            return await self._left(stored)
        if uid == known.uid or known.controller == stored.uid:
            after = mirrored(status, known)
        else:
            after = name_taken(status, key.name)
        return await self._saved(stored, after)

    def _rests(self, stored: StoredTask) -> bool:
        """Whether its end is known already: then its workflow need not be read."""
        row, status = self._store.row(stored.key), stored.status
        known = row is not None and (row.uid, row.phase) == (status.workflow_uid, status.phase)
        return known and status.phase in FINISHED

    async def _start(self, key: Key) -> float | None:
        """Make the workflow of a task that never had one, as the API server has it now."""
        stored = await self._tasks.fresh(key)
        if stored is None or stored.status.workflow_uid:
            return self._clock.now()
        try:
            uid = await self._tasks.start(stored)
        except WorkflowExists:
            return self._clock.now() + SOON
        except (AuthorError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.passing:
                raise
            again = await self._saved(stored, refused(stored.status, str(error)))
            return again or self._clock.now() + LATER
        log.info("task %s: made its workflow", key)
        known = await self._tasks.workflow(key)
        if known is None:  # deleted at once
            gone = TaskStatus(stored.status.revision, workflow=key.name, workflow_uid=uid)
            return await self._saved(stored, left(gone, self._clock.now()))
        return await self._saved(stored, mirrored(stored.status, known))

    async def _left(self, stored: StoredTask) -> float | None:
        """Its workflow is gone: age took it, a person, or its own deletion. It goes at its own
        age."""
        now, spec = self._clock.now(), stored.task.spec
        after = left(stored.status, now)
        again = await self._saved(stored, after)
        if again is not None or after != stored.status:
            return again
        due = self._retention.due_at(
            after.phase,
            epoch_seconds(after.finished_at),
            spec.queue,
            spec.ttl_seconds_after_finished,
        )
        if due is None or due > now:
            return due
        if await self._tasks.remove(stored):
            log.info("task %s: removed, %s and over age", stored.key, after.phase)
            return None
        return now + AGAIN

    async def _saved(self, stored: StoredTask, after: TaskStatus) -> float | None:
        """Save a status that is another one; soon where somebody else did meanwhile."""
        if after == stored.status:
            return None
        if not await self._tasks.save(stored, after):
            return self._clock.now() + SOON
        if after.reason and after.reason != stored.status.reason:
            log.warning("task %s: %s: %s", stored.key, after.reason, after.message)
        return None
