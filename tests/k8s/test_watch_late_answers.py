"""Answers to requests of ours that come after the watch has told of what followed them."""

import asyncio

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores
from tests.k8s.test_store_faults import begun
from tests.patience import PATIENCE

from wf_core.errors import ScheduleNotFound, WorkflowNotFound
from wf_core.testing.schedules_contract import Made
from wf_core.testing.store_values import key_of
from wf_k8s.store.store import K8sStore

SAVE = "/workflows/order/status?"
SLOT_SAVE = "/cronworkflows/nightly/status?"


async def answered(proxy: Proxy, what: str) -> None:
    """The server has done it; the answer is held back."""
    while not any(what in line for line, _ in proxy.answered):
        await asyncio.sleep(0.01)


def test_a_schedule_that_was_deleted_stays_so_whatever_answer_comes_late(
    stores: Stores, cluster: Cluster
) -> None:
    """It came back otherwise, and started a run each time it was due, of which none could be
    deleted: its slot could not be saved."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        made = await Made.on(plain)
        watch = store.schedules.watch()
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key
        while store.schedules.lacking:
            await asyncio.sleep(0.01)
        late = asyncio.Event()
        proxy.add(Fault(SLOT_SAVE, late=late))
        starting = asyncio.create_task(attrs.evolve(made, store=store).started())
        await answered(proxy, SLOT_SAVE)
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key
        await plain.schedules.remove(made.key)
        assert await asyncio.wait_for(anext(watch), PATIENCE) == made.key
        late.set()
        assert await starting
        with pytest.raises(ScheduleNotFound):
            await store.schedules.load(made.key)

    play(stores, cluster, test, timeout=PATIENCE)


def test_a_workflow_that_was_deleted_stays_so_whatever_answer_comes_late(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored, changes = await begun(store)
        key = key_of(stored)
        watch = store.watch()
        assert (await asyncio.wait_for(anext(watch), PATIENCE)).key == key
        late = asyncio.Event()
        proxy.add(Fault(SAVE, late=late))
        saving = asyncio.create_task(store.save(key, changes))
        await answered(proxy, SAVE)
        where = ("-n", stores.namespace, "saga", "order")
        stores.kubectl("delete", *where, "--wait=false")
        stores.kubectl("patch", *where, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        while not (await asyncio.wait_for(anext(watch), PATIENCE)).gone:
            pass
        late.set()
        await saving
        assert not (await store.list()).rows
        with pytest.raises(WorkflowNotFound):
            await store.load(key)

    play(stores, cluster, test, timeout=PATIENCE)
