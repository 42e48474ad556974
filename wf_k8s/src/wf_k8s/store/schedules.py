"""Schedules as custom resources, beside the workflows that they start."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from wf_core.adapters import schedule_rules as rules
from wf_core.codec import read_schedule_status, schedule_status, to_document
from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.schedule import (
    CRON_KIND,
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    StoredSchedule,
)
from wf_core.model.spec import API_VERSION, Key, Workflow
from wf_core.schedules.runs import key_of
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.client.follow import SILENCE
from wf_k8s.client.resources import CRON_WORKFLOWS
from wf_k8s.store.creating import create_object
from wf_k8s.store.followed import Followed
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.pointers import Op, add, test
from wf_k8s.store.times import epoch_seconds
from wf_k8s.store.wire import read_body

_encode = msgspec.json.Encoder().encode
_spec = msgspec.json.Decoder(CronWorkflowSpec)
_json = msgspec.json.Decoder(dict[str, Any])


CreateRun = Callable[[Workflow, Mapping[str, Any]], Awaitable[object]]
"""Creates a workflow that goes with the object of the reference."""


class K8sSchedules:
    """`ports.Schedules` in a cluster. One that is being deleted is gone already. A run that has an
    owner is removed with it by the cluster's own garbage collection; the workflow's finalizer sees
    to it that it is undone first."""

    runs_go_along = True

    def __init__(
        self, workflows: Objects, create_run: CreateRun, check: Callable[[], None]
    ) -> None:
        self._objects = Objects(workflows.session, CRON_WORKFLOWS)
        self._create_run = create_run
        self._check_open = check
        self._followed = Followed(self._objects, "schedules")
        self.silence = SILENCE

    async def create(self, schedule: CronWorkflow, now: float) -> StoredSchedule:  # noqa: ARG002
        """As `ports.Schedules.create`. The API server gives the uid and says when it was created.

        Raises AuthorError where the schema refuses the document."""
        self._check_open()
        key = key_of(schedule)
        place = await self._objects.placed(key)
        raw = await create_object(
            self._objects, place, _object(schedule, place), f"schedule '{key}'"
        )
        if raw is not None:
            return self._accepted(raw)
        stored = await self._fresh(place)
        if stored is None:
            raise StoreUnavailable(f"schedule '{key}' is just being deleted; create it again")
        if stored.schedule.spec != schedule.spec:
            raise rules.exists(key)
        return stored

    async def replace(self, schedule: CronWorkflow, now: float) -> StoredSchedule:
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
        return self._accepted(await self._patched(key, ops))

    async def load(self, key: Key) -> StoredSchedule:
        """As `ports.Schedules.load`."""
        self._check_open()
        key = await self._objects.placed(key)
        if self._followed.synced:
            raw = self._followed.get(key)
            stored = None if raw is None or read_body(raw).goes else read_schedule(raw)
        else:
            stored = await self._fresh(key)
        if stored is None:
            raise rules.not_found(key)
        return stored

    async def list(self) -> Sequence[StoredSchedule]:
        """As `ports.Schedules.list`."""
        self._check_open()
        there = await self._objects.read_all()
        found = [read_schedule(raw) for raw in there if not read_body(raw).goes]
        return sorted(found, key=lambda stored: key_of(stored.schedule))

    async def suspend(self, key: Key, suspended: bool) -> None:
        """As `ports.Schedules.suspend`."""
        self._check_open()
        key = await self._objects.placed(key)
        self._accepted(await self._patched(key, [add("/spec/suspend", suspended)]))

    async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
        """As `ports.Schedules.save`: one patch, which tests uid and revision."""
        self._check_open()
        key = await self._objects.placed(key)
        shown = {**schedule_status(status), "activeCount": len(status.active)}
        ops = [
            test("/metadata/uid", uid),
            test("/metadata/deletionTimestamp", None),
            test("/status/revision", status.revision - 1),
            add("/status", shown),
        ]
        try:
            raw = await self._objects.patch(key, _encode(ops), "status")
        except RefusedError as error:
            if error.code != 404 and not refused_by_test(error):
                raise
            return await self._landed(key, uid, status)
        except NoAnswerError:
            if await self._landed(key, uid, status):
                return True
            raise
        self._accepted(raw)
        return True

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,  # noqa: ARG002
    ) -> bool:
        """As `ports.Schedules.start`: the run first."""
        self._check_open()
        owner = {
            "apiVersion": API_VERSION,
            "kind": CRON_KIND,
            "name": key.name,
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
        await self._create_run(run, owner)
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

    def close(self) -> None:
        """The store is closed: every watch ends."""
        self._followed.close()

    async def _fresh(self, key: Key) -> StoredSchedule | None:
        raw = await self._objects.read(key)
        if raw is None or read_body(raw).goes:
            return None
        return self._accepted(raw)

    async def _landed(self, key: Key, uid: str, status: CronStatus) -> bool:
        """Whether that very status is stored: the answer to its save may have been lost."""
        stored = await self._fresh(key)
        return (
            stored is not None
            and stored.schedule.metadata.uid == uid
            and stored.status == read_schedule_status(schedule_status(status))
        )

    async def _patched(self, key: Key, ops: Sequence[Op]) -> bytes:
        try:
            return await self._objects.patch(key, _encode(ops))
        except RefusedError as error:
            if error.code == 404 and error.reason:
                raise rules.not_found(key) from error
            raise

    def _accepted(self, raw: bytes) -> StoredSchedule:
        """Go on from an answer, without waiting for the watch to echo it."""
        if self._followed.synced:
            self._followed.put(raw)
        return read_schedule(raw)


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
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreForeign(
            f"an object of the API server is no schedule of ours: {error}"
        ) from error


def _object(schedule: CronWorkflow, place: Key) -> dict[str, Any]:
    """The object to create; its uid is the API server's to give."""
    document = to_document(schedule)
    document["metadata"] = {**document["metadata"], "namespace": place.namespace}
    document["metadata"].pop("uid", None)
    return document
