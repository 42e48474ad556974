"""Schedules between faults of the network and the API server, on a real one."""

import asyncio

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, status
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores
from tests.patience import PATIENCE

from wf_core.errors import StoreUnavailable
from wf_core.model.schedule import CronStatus
from wf_core.testing.schedules_contract import SLOT, Made
from wf_k8s.store.known import read_known
from wf_k8s.store.store import K8sStore

SAVE = "/cronworkflows/nightly/status?"
CREATE = "POST"


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(SAVE, swallow=True), Fault(SAVE, cut_after=20), Fault(SAVE, delay=1.5)),
        *(Fault(CREATE, swallow=True), Fault(CREATE, answer=status(503, "ServiceUnavailable"))),
    ],
    ids=["save swallowed", "save cut", "save late", "run swallowed", "run refused for now"],
)
def test_a_start_whose_answer_is_lost_is_done_once(
    stores: Stores, cluster: Cluster, fault: Fault
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        made = await Made.on(store)
        proxy.add(fault)
        assert await made.started()
        after = await plain.schedules.load(made.key)
        assert (after.status.revision, after.status.last_schedule_time) == (1, SLOT)
        assert [row.key.name for row in (await plain.list()).rows] == [after.status.active[0].name]

    play(stores, cluster, test, timeout=1.0)


def test_a_save_that_did_not_come_about_is_said_and_may_be_made_again(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        made = await Made.on(store)
        proxy.add(Fault(SAVE, answer=status(500, "InternalError")))
        with pytest.raises(StoreUnavailable):
            await made.started()
        assert (await plain.schedules.load(made.key)).status == CronStatus()
        assert await made.started()
        assert len((await plain.list()).rows) == 1

    play(stores, cluster, test)


def test_a_watch_that_breaks_misses_nothing(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        made = await Made.on(plain)
        watch = store.schedules.watch()
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key
        proxy.cut()
        await plain.schedules.suspend(made.key, True)
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key
        assert (await store.schedules.load(made.key)).schedule.spec.suspend
        proxy.cut()
        await plain.schedules.remove(made.key)
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key

    play(stores, cluster, test)


def test_a_run_stays_until_its_slot_is_saved_as_decided(stores: Stores, cluster: Cluster) -> None:
    """Its maker died between the two saves: whoever goes on would start the slot once more."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        made = await Made.on(store)
        proxy.add(Fault(SAVE, answer=status(500, "InternalError")))
        with pytest.raises(StoreUnavailable):
            await made.started()
        name = made.run().metadata.name
        where = ("-n", stores.namespace, "get", "saga", name, "-o", "json")
        run = read_known(stores.kubectl(*where).encode())
        await plain.schedules.settle(run)
        plain.schedules.minded = True
        with pytest.raises(StoreUnavailable, match="'nightly' has not taken note of its slot yet"):
            await plain.schedules.settle(run)
        assert await made.started()
        await plain.schedules.settle(run)

    play(stores, cluster, test)
