"""The client between faults of the network, on a real API server: lists, waits, and old news."""

import asyncio
import time

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, status
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.state import StepState
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.client import listing
from wf_k8s.store.store import K8sStore

LIST = "GET /apis/workflow.example.com/v1alpha1/"


async def three(plain: K8sStore) -> set[str]:
    names = {"one", "two", "three"}
    for name in sorted(names):
        await plain.create(workflow(name), 1.0)
    return names


async def listed(store: K8sStore) -> set[str]:
    return {row.key.name for row in (await store.list()).rows}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("continue=", answer=status(410, "Expired")),
        Fault("continue=", cut_after=300),
        Fault("continue=", cut_after=300, reset=True),
        Fault("continue=", answer=status(429, "TooManyRequests", "Retry-After: 1\r\n")),
        Fault("continue=", answer=status(500, "InternalError")),
        Fault("continue=", delay=1.5),
        Fault("continue=", answer=b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops"),
    ],
    ids=["410", "cut", "reset", "429", "500", "late", "not Kubernetes"],
)
def test_a_list_of_several_pages_is_whole(
    stores: Stores, cluster: Cluster, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        names = await three(plain)
        proxy.add(fault)
        assert await listed(store) == names
        assert any(line.startswith("!") for line in proxy.seen)

    play(stores, cluster, test, timeout=1.0)


def test_k12_without_streaming_lists_pages_give_everything_there_is(
    stores: Stores, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the watch goes on from where they ended, through a page that grew too old."""
    monkeypatch.setattr(listing, "PAGE", 1)

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        names = await three(plain)
        proxy.add(
            Fault("sendInitialEvents", answer=status(422, "Invalid")),
            Fault("continue=", answer=status(410, "Expired")),
        )
        position = await store.position()
        assert await listed(store) == names
        await plain.create(workflow("four"), 1.0)
        async for seen in store.watch(position):
            if seen.key.name == "four":
                break
        assert sum("sendInitialEvents" in line for line in proxy.seen) == 1

    play(stores, cluster, test)


@pytest.mark.parametrize("what", ["GET", "PATCH"])
def test_k3_retry_after_is_waited_for(stores: Stores, cluster: Cluster, what: str) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored = await store.create(workflow(), 1.0)
        owner = await store.claim(key_of(stored))
        proxy.add(Fault(what, answer=status(429, "TooManyRequests", "Retry-After: 2\r\n")))
        began = time.monotonic()
        if what == "GET":
            await store.list()
        else:
            await saved(store, stored, next_save(stored, owner))
        assert time.monotonic() - began >= 2

    play(stores, cluster, test)


def test_a_stale_list_and_an_old_event_take_nothing_back(stores: Stores, cluster: Cluster) -> None:
    """A server behind the others tells of states that our own saves have passed."""
    told: list[bytes] = []

    def keep(line: bytes) -> list[bytes]:
        told.extend([line] if b'"ADDED"' in line and not told else [])
        return [line]

    def stale(line: bytes) -> list[bytes]:
        if b'"ADDED"' in line:
            return told
        return [line, *(each.replace(b'"ADDED"', b'"MODIFIED"') for each in told)]

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        store.silence = 1.0
        stored = await plain.create(workflow(), 1.0)
        key = key_of(stored)
        gone = Fault("watch=1", answer=status(410, "Expired"))
        proxy.add(Fault("watch=1", rewrite=keep), gone, Fault("watch=1", rewrite=stale))
        position = await store.position()
        owner = await store.claim(key)
        first = next_save(stored, owner, phase=Phase.RUNNING, steps={0: StepState(attempt=1)})
        now = await saved(store, stored, first)
        now = await saved(store, now, next_save(now, owner, steps={1: StepState(attempt=1)}))
        # The watch falls silent, the next is too old, the third lists: what is stale.
        while sum(line.startswith("!") for line in proxy.seen) < 3:
            await asyncio.sleep(0.05)
        await plain.create(workflow("new"), 1.0)
        async for seen in store.watch(position):
            if seen.key.name == "new":
                break
        assert (await store.load(key)).head.revision == 2
        assert {row.owner for row in (await store.list()).rows if row.key == key} == {owner}
        assert await store.load(key) == now

    play(stores, cluster, test)


def test_silence_costs_no_news(stores: Stores, cluster: Cluster) -> None:
    """A watch that says nothing, while things happen, is given up and what was missed is told."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        store.silence = 1.0
        await plain.create(workflow("one"), 1.0)
        position = await store.position()
        proxy.add(Fault("watch=1", silent=True))
        while not any(line.startswith("!") for line in proxy.seen):
            await asyncio.sleep(0.05)
        await plain.create(workflow("two"), 1.0)
        async for seen in store.watch(position):
            if seen.key.name == "two":
                break

    play(stores, cluster, test)


def test_what_is_wrong_is_said_so_that_somebody_can_mend_it(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        forbidden = 'User "ann" cannot list resource "workflows"'
        missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found"
        for answer, says in (
            (missing, "does not know workflows: `wf crd | kubectl apply --server-side -f -`"),
            (
                status(403, "Forbidden", message=forbidden),
                "lacks a permission: `kubectl auth can-i",
            ),
            (status(401, "Unauthorized"), "credentials are not accepted"),
        ):
            proxy.add(Fault(LIST, answer=answer))
            with pytest.raises(StoreUnavailable, match=says):
                await store.list()
        nowhere = stores.open(namespace="nowhere")
        try:
            with pytest.raises(StoreUnavailable, match="has no namespace 'nowhere'"):
                await nowhere.create(workflow(), 1.0)
        finally:
            await nowhere.close()

    play(stores, cluster, test)
