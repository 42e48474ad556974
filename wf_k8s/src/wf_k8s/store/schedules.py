"""Schedules as custom resources, beside the workflows that they start."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from wf_core.adapters import schedule_rules as rules
from wf_core.codec import read_schedule_status, schedule_status, to_document
from wf_core.errors import AuthorError, StoreForeign, StoreUnavailable
from wf_core.model.schedule import (
    CRON_KIND,
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    StoredSchedule,
)
from wf_core.model.spec import Key, Metadata, Workflow
from wf_core.model.state import Folder
from wf_core.schedules.decision import INVALID
from wf_core.schedules.runs import SCHEDULE, key_of, slot_noted
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.follow import SILENCE
from wf_k8s.client.resources import CRON_WORKFLOWS
from wf_k8s.store.creating import CreateOwned, create_object, owned_by
from wf_k8s.store.followed import Followed
from wf_k8s.store.known import Known
from wf_k8s.store.objects import Objects
from wf_k8s.store.pointers import Op, add, test
from wf_k8s.store.rows import identity
from wf_k8s.store.times import epoch_seconds
from wf_k8s.store.unread import Unread
from wf_k8s.store.warner import Warner
from wf_k8s.store.wire import read_body, why_unreadable

log = logging.getLogger("wf.k8s")
_encode = msgspec.json.Encoder().encode
_spec = msgspec.json.Decoder(CronWorkflowSpec)
_json = msgspec.json.Decoder(dict[str, Any])


class K8sSchedules:
    """`ports.Schedules` in a cluster. One that is being deleted is gone already. A run that has an
    owner is removed with it by the cluster's own garbage collection; the workflow's finalizer sees
    to it that it is undone first."""

    runs_go_along = True

    def __init__(
        self,
        workflows: Objects,
        create_run: CreateOwned,
        check: Callable[[], None],
        broke: Callable[[StoreUnavailable], None],
        warner: Warner,
        clock: Callable[[], float],
    ) -> None:
        self._objects = Objects(workflows.session, CRON_WORKFLOWS)
        self._create_run = create_run
        self._check_open = check
        self._followed = Followed(self._objects, "schedules", broke)
        self.unread = Unread(self._objects, warner, clock)
        self.silence = SILENCE
        self.minded = False
        """Whether this process starts what is due."""

    async def create(
        self,
        schedule: CronWorkflow,
        now: float,  # noqa: ARG002
        folder: Folder | None = None,  # noqa: ARG002
    ) -> StoredSchedule:
        """As `ports.Schedules.create`. The API server gives the uid and says when it was created.

        Raises AuthorError where the schema refuses the document."""
        self._check_open()
        key = key_of(schedule)
        place = await self._objects.placed(key)
        raw = await create_object(
            self._objects, place, _object(schedule, place), f"schedule '{key}'"
        )
        if raw is not None:
            return read_schedule(self._followed.accepted(raw))
        stored = await self._fresh(place)
        if stored is None:
            raise StoreUnavailable(f"schedule '{key}' is just being deleted; create it again")
        if stored.schedule.spec != schedule.spec:
            raise rules.exists(key)
        return stored

    async def replace(
        self,
        schedule: CronWorkflow,
        now: float,
        folder: Folder | None = None,  # noqa: ARG002
    ) -> StoredSchedule:
        """As `ports.Schedules.replace`."""
        self._check_open()
        key = await self._objects.placed(key_of(schedule))
        stored = await self._fresh(key)
        if stored is None:
            return await self.create(schedule, now)
        document = to_document(schedule)
        ops = [
            test("/metadata/uid", stored.schedule.metadata.uid),
            add("/spec", document["spec"]),
            *(
                add(f"/metadata/{field}", document["metadata"][field])
                for field in ("labels", "annotations")
                if field in document["metadata"]
            ),
        ]
        return read_schedule(await self._patched(key, ops))

    async def load(self, key: Key) -> StoredSchedule:
        """As `ports.Schedules.load`."""
        self._check_open()
        key = await self._objects.placed(key)
        raw = await self._followed.current(key)
        if raw is None:
            self.unread.done(key)
            raise rules.not_found(key)
        return await self.unread.read(key, raw, read_schedule, says=self.minded)

    async def list(self) -> Sequence[StoredSchedule]:
        """As `ports.Schedules.list`."""
        self._check_open()
        found = []
        for raw in await self._objects.read_all():
            try:
                if not identity(raw).deletion_timestamp:
                    found.append(read_schedule(raw))
            except StoreForeign as error:
                log.error("left out of the list: %s", error)
        return sorted(found, key=lambda stored: key_of(stored.schedule))

    async def suspend(self, key: Key, suspended: bool) -> None:
        """As `ports.Schedules.suspend`."""
        self._check_open()
        key = await self._objects.placed(key)
        await self._patched(key, [add("/spec/suspend", suspended)])

    async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
        """As `ports.Schedules.save`: one patch, which tests uid and revision."""
        self._check_open()
        key = await self._objects.placed(key)
        shown = {**schedule_status(status), "activeCount": len(status.active)}
        saved = await self._followed.save_status(key, uid, shown, status.revision)
        return saved is not None

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,  # noqa: ARG002
        folder: Folder | None = None,  # noqa: ARG002
    ) -> bool:
        """As `ports.Schedules.start`: the run first. What a policy of the cluster refuses is no
        fault of the schedule's, with whatever code it does so: it may be allowed later."""
        self._check_open()
        owner = owned_by(CRON_KIND, key.name, uid)
        try:
            await self._create_run(run, owner)
        except AuthorError as error:
            if isinstance(error.__cause__, RefusedError) and error.__cause__.refuser:
                raise error.__cause__ from error
            raise
        return await self.save(key, uid, status)

    def watch(self) -> AsyncIterator[Key]:
        """As `ports.Schedules.watch`; one at a time."""
        self._check_open()
        return self._followed.changes(self.silence)

    async def remove(self, key: Key, *, keep_runs: bool = False) -> StoredSchedule:
        """As `ports.Schedules.remove`."""
        self._check_open()
        key = await self._objects.placed(key)
        stored = await self._fresh(key)
        if stored is None:
            raise rules.not_found(key)
        await self._objects.delete(key, stored.schedule.metadata.uid, orphaning=keep_runs)
        return stored

    async def settle(self, run: Known) -> None:
        """As `settle_run`."""
        await self.settle_run(run.key, run.controller, run.workflow.metadata)

    async def settle_run(self, key: Key, controller: str, metadata: Metadata) -> None:
        """Before a run may vanish its slot must be saved as decided: whoever goes on after a crash
        would start it again.

        Raises StoreUnavailable until that is done. Nothing is waited for where nobody here starts
        what is due, nor for a schedule that starts nothing.
        """
        slot = slot_noted(metadata.annotations)
        if slot is None or not (self.minded and controller):
            return
        name = metadata.labels.get(SCHEDULE, "")
        raw = await self._followed.current(Key(key.namespace, name))
        if raw is None or read_body(raw).metadata.uid != controller:
            return
        try:
            stored = read_schedule(raw)
        except StoreForeign:
            return  # one that can't be read starts nothing
        status = stored.status
        if stored.schedule.spec.suspend or status.reason == INVALID:
            return
        if status.decided_time is None or status.decided_time < slot:
            raise StoreUnavailable(f"schedule '{name}' has not taken note of its slot yet")

    @property
    def lacking(self) -> str:
        """Why whoever follows the schedules is not told of everything; "" where that is so."""
        return self._followed.lacking

    def close(self) -> None:
        """The store is closed: every watch ends."""
        self._followed.close()

    async def _fresh(self, key: Key) -> StoredSchedule | None:
        raw = await self._followed.fresh(key)
        return None if raw is None else read_schedule(raw)

    async def _patched(self, key: Key, ops: Sequence[Op]) -> bytes:
        try:
            return self._followed.accepted(await self._objects.patch(key, _encode(ops)))
        except RefusedError as error:
            if error.code == 404 and error.reason:
                raise rules.not_found(key) from error
            raise


def read_schedule(raw: bytes) -> StoredSchedule:
    """Decode an object. Raises StoreForeign where it can't be read."""
    try:
        body = read_body(raw)
        meta = body.metadata
        return StoredSchedule(
            CronWorkflow(meta.model(), _spec.decode(body.spec)),
            read_schedule_status(_json.decode(body.status)),
            epoch_seconds(meta.creation_timestamp),
        )
    except Exception as error:
        raise StoreForeign(
            f"an object of the API server is no schedule of ours: {why_unreadable(error)}"
        ) from error


def _object(schedule: CronWorkflow, place: Key) -> dict[str, Any]:
    """The object to create; its uid is the API server's to give."""
    document = to_document(schedule)
    document["metadata"] = {**document["metadata"], "namespace": place.namespace}
    document["metadata"].pop("uid", None)
    return document
