"""No write after the leadership, and no stale write accepted where one was on its way."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.cluster.kubectl import Kubectl
from tests.k8s.lease_candidates import NAME, Candidates, candidates

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.spec import Workflow
from wf_core.ports import Saved
from wf_core.testing.store_values import key_of, next_save, workflow
from wf_k8s.client.access import Access
from wf_k8s.client.pace import Throttle
from wf_k8s.client.session import Session
from wf_k8s.leadership.fence import FencedSession
from wf_k8s.leadership.leadership import Leadership
from wf_k8s.leadership.owners import LeaseOwners
from wf_k8s.store.store import K8sStore


def unheard(method: str, said: str, seconds: float) -> None:
    """Nobody counts these requests."""


def store_of(made: Candidates, leadership: Leadership, session: Session | None = None) -> K8sStore:
    """The store of a controller."""
    access = Access(f"/{made.namespace}", str(made.kubeconfig))
    owners = LeaseOwners(leadership, f"{made.namespace}/{NAME}")
    store = K8sStore(session or Session(access), owners, lambda: made.clocks.wall)
    made.stack.push_async_callback(store.close)
    return store


def fenced(made: Candidates, may_write: Callable[[], bool]) -> FencedSession:
    """A session that asks."""
    access = Access(f"/{made.namespace}", str(made.kubeconfig))
    return FencedSession(access, may_write, throttle=Throttle(None), timeout=5, observer=unheard)


def placed(namespace: str) -> Workflow:
    """A workflow in the namespace."""
    made = workflow()
    return replace(made, metadata=replace(made.metadata, namespace=namespace))


def test_i5_a_save_of_the_leader_before_is_refused_by_the_api_server(
    saga_kubectl: Kubectl, namespace: str
) -> None:
    async def test() -> None:
        async with candidates(saga_kubectl, namespace) as made:
            a, b = made.candidate("a"), made.candidate("b")
            assert await a.attempt()
            first = store_of(made, a)
            made_one = await first.create(placed(namespace), made.clocks.wall)
            key = key_of(made_one)
            owner = await first.claim(key)
            assert await first.save(key, next_save(made_one, owner)) is Saved.SAVED
            paused = await first.load(key)

            assert not await b.attempt()
            made.clocks.pass_by(15.1)
            assert await b.attempt()
            second = store_of(made, b)
            newer = await second.claim(key)
            assert newer.epoch > owner.epoch
            stored = await second.load(key)
            assert await second.save(key, next_save(stored, newer)) is Saved.SAVED

            late = next_save(paused, owner, phase=Phase.RUNNING)
            assert await first.save(key, late) is Saved.LOST
            assert (await second.load(key)).head.owner == newer

    asyncio.run(test())


def test_c5_after_the_leadership_nothing_is_sent(saga_kubectl: Kubectl, namespace: str) -> None:
    async def test() -> None:
        async with candidates(saga_kubectl, namespace) as made:
            a = made.candidate("a")
            assert await a.attempt()
            store = store_of(made, a, fenced(made, lambda: a.leads))
            stored = await store.create(placed(namespace), made.clocks.wall)
            key = key_of(stored)
            owner = await store.claim(key)
            made.clocks.pass_by(10.1)
            with pytest.raises(StoreUnavailable, match="does not lead"):
                await store.save(key, next_save(stored, owner))
            assert (await store.load(key)).head.revision == 0
            with pytest.raises(StoreUnavailable, match="does not lead"):
                await store.claim(key)

    asyncio.run(test())
