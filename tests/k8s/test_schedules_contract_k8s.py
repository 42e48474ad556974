"""The Kubernetes store keeps the contract of schedules, on a real API server."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.k8s.crd_objects import Json
from tests.k8s.store_fixtures import Stores
from tests.patience import PATIENCE

from wf_core.errors import AuthorError
from wf_core.model.schedule import CronStatus
from wf_core.ports import Store
from wf_core.schedules.runs import key_of
from wf_core.testing.schedules_contract import Made, SchedulesContract, of, schedule, started
from wf_core.testing.store_handles import Handles


class TestK8sSchedules(SchedulesContract):
    writes_both_at_once = False

    @pytest.fixture(autouse=True)
    def _place(self, stores: Stores) -> None:
        self.stores = stores

    async def open_store(self) -> Store:
        return self.stores.open()

    def object(self, kind: str, name: str) -> Json:
        where = ("-n", self.stores.namespace)
        found: Json = self.stores.kubectl.json(*where, "get", kind, name)
        return found

    def test_a_run_is_owned_by_its_schedule_and_guarded(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            assert await made.started()
            metadata = self.object("saga", made.run().metadata.name)["metadata"]
            (owner,) = metadata["ownerReferences"]
            assert (owner["kind"], owner["name"]) == ("CronWorkflow", "nightly")
            assert owner["uid"] == made.uid
            assert owner["blockOwnerDeletion"] is False
            assert metadata["finalizers"] == ["workflow.example.com/undo"]

        self.run(test)

    def test_people_and_other_tools_may_edit_meanwhile(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            where = ("-n", self.stores.namespace, "cronsaga", "nightly")
            self.stores.kubectl("label", *where, "team=night")
            key, uid = key_of(made.schedule), made.schedule.metadata.uid
            assert await schedules.save(key, uid, started(made))
            after = await schedules.load(key)
            assert after.schedule.metadata.labels == {"team": "night"}
            assert after.status == started(made)

        self.run(test)

    def test_what_follows_sees_its_own_saves_at_once(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            key, uid = key_of(made.schedule), made.schedule.metadata.uid
            watch = schedules.watch()
            assert await asyncio.wait_for(anext(watch), PATIENCE) == key
            status = started(made)
            for revision in range(1, 6):
                status = replace(status, revision=revision)
                assert await schedules.save(key, uid, status)
                assert (await schedules.load(key)).status == status

        self.run(test)

    def test_what_the_schema_refuses_is_the_author_s(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            wrong = schedule(expression="0 " * 200)
            with pytest.raises(AuthorError, match=r"'nightly':\n\$\.spec\.schedule: Too long"):
                await schedules.create(wrong, 5.0)
            assert await schedules.list() == []

        self.run(test)

    def test_revision_never_goes_back(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            key, uid = key_of(made.schedule), made.schedule.metadata.uid
            assert await schedules.save(key, uid, CronStatus(revision=1))
            done = self.stores.kubectl.run(
                *("-n", self.stores.namespace, "patch", "cronsaga", "nightly"),
                *("--subresource=status", "--type=merge", "-p", '{"status":{"revision":0}}'),
            )
            assert "revision can't go back" in done.stderr

        self.run(test)
