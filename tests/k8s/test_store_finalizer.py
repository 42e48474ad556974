"""The finalizer goes, whatever was lost, and never on the word of who was replaced."""

import asyncio

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, status
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores
from tests.patience import PATIENCE

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import StepState, Stored
from wf_core.ports import Saved
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.store.guard import put_on, take_off
from wf_k8s.store.known import read_known
from wf_k8s.store.store import K8sStore

OBJECT = "/workflows/order?"
"""What patches of the object itself name, and not those of its status."""


class Leader:
    """Owns everything, as a controller does."""

    id = "leader"
    leads = True
    least_epoch = 0
    owns = True

    def hold(self) -> None:
        """It does."""

    async def live(self, owner: str) -> str | None:  # noqa: ARG002
        """Nobody else."""
        return None

    def drop(self) -> None:
        """Nothing is held."""


async def ended(store: K8sStore) -> Stored:
    """A workflow whose last save is made."""
    stored = await store.create(workflow(), 1.0)
    owner = await store.claim(key_of(stored))
    done = StepState(Phase.SUCCESS, attempt=1)
    steps = dict.fromkeys(range(len(stored.steps)), done)
    first = next_save(stored, owner, phase=Phase.RUNNING, steps=steps)
    after = await saved(store, stored, first)
    assert await store.save(key_of(stored), next_save(after, owner, phase=Phase.SUCCESS))
    return stored


async def freed(store: K8sStore, key: Key) -> None:
    """Return once the finalizer is off."""
    async with asyncio.timeout(PATIENCE):
        while read_known(await store.objects.read(key) or b"").finalizers:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(OBJECT, swallow=True),
        Fault(OBJECT, answer=b""),
        Fault(OBJECT, answer=status(500, "InternalError"), times=3),
        Fault(OBJECT, answer=status(409, "Conflict")),
    ],
    ids=["swallowed", "cut", "500 three times", "409"],
)
def test_a_finished_workflow_loses_its_finalizer_though_requests_fail(
    stores: Stores, cluster: Cluster, fault: Fault
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        proxy.add(fault)
        await freed(plain, key_of(await ended(store)))

    play(stores, cluster, test, timeout=1.0)


def test_a_leader_takes_off_what_a_killed_one_left(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        # Nothing gets through: the finalizer stays, as after a crash.
        proxy.add(Fault(OBJECT, answer=status(403, "Forbidden"), times=1000))
        left = key_of(await ended(store))
        await store.halt()
        successor = stores.open()
        successor.owners = Leader()
        try:
            assert read_known(await plain.objects.read(left) or b"").finalizers
            await successor.position()
            await freed(plain, left)
        finally:
            await successor.close()

    play(stores, cluster, test, timeout=1.0)


def test_i14_a_patch_of_the_finalizer_is_refused_once_somebody_saved(
    stores: Stores, cluster: Cluster
) -> None:
    """kubernetes.md 7: else one that comes late frees a workflow that is being undone."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        before = read_known(await plain.objects.read(key) or b"")
        owner = await store.claim(key)
        assert await store.save(key, next_save(stored, owner)) is Saved.SAVED
        for body in (take_off(before), put_on(before)):
            with pytest.raises(StoreUnavailable, match="HTTP 422"):
                await plain.objects.patch(key, body)

    play(stores, cluster, test, timeout=1.0)


def test_i14_what_somebody_else_saved_since_is_not_removed(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        first = await saved(store, stored, next_save(stored, owner))
        plain.owners = Leader()
        theirs = await plain.claim(key)
        assert theirs.epoch > owner.epoch
        assert await plain.save(key, next_save(first, theirs)) is Saved.SAVED
        store.owners = Leader()  # it believes so
        with pytest.raises(StoreUnavailable, match="saved meanwhile"):
            await store.remove(key)
        assert await plain.load(key)

    play(stores, cluster, test, timeout=1.0)


def test_c4_half_an_answer_that_looks_whole_is_a_lost_answer(
    stores: Stores, cluster: Cluster
) -> None:
    """Where neither length nor chunks frame it, the end of the connection is its end."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored = await store.create(workflow(), 1.0)
        owner = await store.claim(key_of(stored))
        long = StepState(Phase.RUNNING, attempt=1, attributes={"text": "x" * 5000})
        proxy.add(Fault("/status?", cut_after=3000))
        save = next_save(stored, owner, phase=Phase.RUNNING, steps={0: long})
        assert await store.save(key_of(stored), save) is Saved.SAVED
        assert any(line.startswith("!PATCH") for line in proxy.seen)
        assert (await plain.load(key_of(stored))).steps[0] == long

    play(stores, cluster, test, timeout=1.0)
