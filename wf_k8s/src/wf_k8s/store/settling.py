"""Before a workflow may vanish, what it is for takes note of it."""

from wf_core.model.spec import Key, Metadata
from wf_k8s.store.known import Known
from wf_k8s.store.remains import Remains
from wf_k8s.store.schedules import K8sSchedules
from wf_k8s.store.tasks import K8sTasks


class Settling:
    """The tasks and schedules of a store. Raises StoreUnavailable until they have taken note."""

    def __init__(self, tasks: K8sTasks, schedules: K8sSchedules) -> None:
        self._tasks = tasks
        self._schedules = schedules

    async def known(self, known: Known) -> None:
        """Of a workflow as it is known."""
        await self._tasks.settle(known)
        await self._schedules.settle(known)

    async def unread(self, left: Remains) -> None:
        """Of one that can't be read, or run."""
        key = Key(left.namespace, left.name)
        await self._tasks.settle_unread(key, left.uid, left.controller)
        labels, annotations = dict(left.labels), dict(left.annotations)
        metadata = Metadata(left.name, left.namespace, left.uid, labels, annotations)
        await self._schedules.settle_run(key, left.controller, metadata)
