"""Tasks between faults of the network and the API server, on a real one."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, status
from tests.k8s.crd_objects import Sagas, task
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores

from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_k8s.store.store import K8sStore
from wf_k8s.store.task_status import mirrored
from wf_k8s.store.tasks import StoredTask

SAVE = "/tasks/once/status?"
CREATE = "POST"


def key(stores: Stores) -> Key:
    return Key(stores.namespace, "once")


async def loaded(store: K8sStore, at: Key) -> StoredTask:
    found = await store.tasks.fresh(at)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(SAVE, swallow=True), Fault(SAVE, cut_after=20), Fault(SAVE, delay=1.5)),
        *(Fault(CREATE, swallow=True), Fault(CREATE, answer=status(503, "ServiceUnavailable"))),
    ],
    ids=["save swallowed", "save cut", "save late", "workflow swallowed", "workflow refused once"],
)
def test_a_start_of_a_task_whose_answer_is_lost_is_done_once(
    stores: Stores, cluster: Cluster, sagas: Sagas, fault: Fault
) -> None:
    sagas.create(task())

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored = await loaded(store, key(stores))
        proxy.add(fault)
        uid = await store.tasks.start(stored)
        known = await store.tasks.workflow(stored.key)
        assert known is not None
        assert (known.uid, known.controller) == (uid, stored.uid)
        assert await store.tasks.save(stored, mirrored(stored.status, known))
        after = await loaded(plain, key(stores))
        assert (after.status.revision, after.status.workflow_uid) == (1, uid)
        assert len((await plain.list()).rows) == 1

    play(stores, cluster, test, timeout=1.0)


def test_of_two_that_save_the_status_of_a_task_one_counts(stores: Stores, sagas: Sagas) -> None:
    sagas.create(task())

    async def test() -> None:
        store = stores.open()
        stored = await loaded(store, key(stores))
        assert await store.tasks.save(stored, replace(stored.status, message="one"))
        assert not await store.tasks.save(stored, replace(stored.status, message="two"))
        assert (await loaded(store, key(stores))).status.message == "one"
        await store.close()

    asyncio.run(test())


def test_what_is_to_be_known_of_a_workflow_is_saved_before_it_goes_by_age(
    stores: Stores, sagas: Sagas
) -> None:
    sagas.create(task(ttlSecondsAfterFinished={"success": 0}))

    async def test() -> None:
        store = stores.open()
        store.tasks.minded = True
        stored = await loaded(store, key(stores))
        await store.tasks.start(stored)
        ended = {"phase": "Success", "revision": 1, "reached": {"Success": 5.0}}
        sagas.save("once", **ended)
        assert await store.expire(await store.load(stored.key))
        after = (await loaded(store, key(stores))).status
        assert (after.phase, after.finished_at) == (Phase.SUCCESS, "1970-01-01T00:00:05Z")
        assert sagas.names() == []
        await store.close()

    asyncio.run(test())
