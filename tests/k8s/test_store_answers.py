"""What each answer of the API server to a save means (kubernetes.md 7 and 8), and what is kept and
asked for while following it (12 to 14)."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, disturbing, status
from tests.k8s.store_fixtures import Stores

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import StepState, Stored
from wf_core.ports import Changes, Saved
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.client import follow
from wf_k8s.client.errors import RefusedError
from wf_k8s.store.sizes import StatusTooLargeError
from wf_k8s.store.store import K8sStore

PATCH = "/workflows/order/status?"
Test = Callable[[Proxy, K8sStore, Stored, Changes], Awaitable[None]]


def play(stores: Stores, cluster: Cluster, test: Test) -> None:
    """`test(proxy, store behind it, a workflow, its first save to be)`."""

    async def main() -> None:
        async with disturbing(cluster.url, cluster.ca) as proxy:
            store = stores.open(stores.through(proxy.port))
            try:
                stored = await store.create(workflow(), 1.0)
                owner = await store.claim(key_of(stored))
                steps = {0: StepState(attempt=1)}
                await test(proxy, store, stored, next_save(stored, owner, steps=steps))
            finally:
                await store.close()

    asyncio.run(main())


def sent(proxy: Proxy) -> int:
    return sum(PATCH in line for line in proxy.seen)


@pytest.mark.parametrize(
    "answer",
    [
        status(413, "RequestEntityTooLarge"),
        status(500, "InternalError", message="etcdserver: request is too large"),
        status(500, "InternalError", message="rpc error: code = ResourceExhausted"),
    ],
    ids=["413", "etcd", "gRPC"],
)
def test_k8_what_is_too_large_for_the_server_is_sent_once_and_names_the_step(
    stores: Stores, cluster: Cluster, answer: bytes
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:
        proxy.add(Fault(PATCH, answer=answer, times=9))
        with pytest.raises(StatusTooLargeError, match="step 'step0'"):
            await store.save(key_of(stored), changes)
        assert sent(proxy) == 1

    play(stores, cluster, test)


CAUSES = json.dumps(
    {
        "kind": "Status",
        "code": 422,
        "reason": "Invalid",
        "message": "wrong",
        "details": {"causes": [{"field": "status.phase", "message": "no such phase"}]},
    }
).encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 422 Invalid\r\nContent-Length: %d\r\n\r\n%s" % (len(CAUSES), CAUSES),
        status(422, "Invalid", message="the server rejected our request"),
    ],
    ids=["refused by the schema", "no patch, and the revision is the expected one"],
)
def test_k8_a_save_that_can_not_be_applied_is_a_fault_of_ours_and_sent_once(
    stores: Stores, cluster: Cluster, answer: bytes
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:
        proxy.add(Fault(PATCH, answer=answer, times=9))
        assert await store.save(key_of(stored), changes) is Saved.INVALID
        assert sent(proxy) == 1

    play(stores, cluster, test)


def test_k8_a_failed_test_with_another_revision_is_lost(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:
        other = stores.open()
        try:
            theirs = next_save(stored, await other.claim(key_of(stored)))
            await saved(other, stored, theirs)
        finally:
            await other.close()
        assert await store.save(key_of(stored), changes) is Saved.LOST
        assert (await store.load(key_of(stored))).steps[0] == StepState()
        assert proxy.seen

    play(stores, cluster, test)


@pytest.mark.parametrize(("code", "tries"), [(403, 1), (400, 1)])
def test_k8_what_an_operator_must_mend_is_raised(
    stores: Stores, cluster: Cluster, code: int, tries: int
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:
        proxy.add(Fault(PATCH, answer=status(code, message="no"), times=tries))
        with pytest.raises(StoreUnavailable, match=f"HTTP {code}"):
            await store.save(key_of(stored), changes)
        assert sent(proxy) == tries
        assert await store.save(key_of(stored), changes) is Saved.SAVED

    play(stores, cluster, test)


def test_k7_a_field_that_the_definition_does_not_know_is_refused_and_not_dropped(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:  # noqa: ARG001
        odd = json.dumps([{"op": "add", "path": "/status/newer", "value": 1}]).encode()
        key = Key(stores.namespace, "order")
        with pytest.raises(RefusedError, match=r"unknown field \"status\.newer\""):
            await store.objects.patch(key, odd, "status")
        assert all("fieldValidation=Strict" in line for line in proxy.seen if "PATCH" in line)
        assert all("fieldValidation=Strict" in line for line in proxy.seen if "POST" in line)

    play(stores, cluster, test)


def test_k12_of_a_finished_workflow_a_row_is_kept_and_the_rest_is_read_when_touched(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:
        key = Key(stores.namespace, "order")
        await store.position()
        now = await saved(store, stored, changes)
        mirror = store._mirror
        assert mirror is not None
        assert mirror.entries[key].raw is not None
        owner = now.head.owner
        now = await saved(store, now, next_save(now, owner, phase=Phase.RUNNING))
        now = await saved(store, now, next_save(now, owner, phase=Phase.SUCCESS))
        assert mirror.entries[key].raw is None
        proxy.seen.clear()
        assert (await store.list()).rows[0].phase is Phase.SUCCESS
        assert proxy.seen == []
        assert await store.load(key) == now
        assert len(proxy.seen) == 1

    play(stores, cluster, test)


def test_k12_k13_a_watch_asks_for_a_streaming_list_bookmarks_and_some_minutes(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, stored: Stored, changes: Changes) -> None:  # noqa: ARG001
        proxy.seen.clear()
        await store.position()
        (line,) = proxy.seen
        for asked in (
            "watch=1",
            "sendInitialEvents=true",
            "resourceVersionMatch=NotOlderThan",
            "allowWatchBookmarks=true",
        ):
            assert asked in line
        found = re.search(r"timeoutSeconds=(\d+)", line)
        assert found is not None
        assert 240 <= int(found[1]) <= 480
        assert follow.SILENCE == 90
        assert store.silence == follow.SILENCE

    play(stores, cluster, test)


def test_k14_the_environment_is_searched_for_proxies_only_where_it_names_one(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trusts() -> bool:
        store = stores.open()
        try:
            return (await store.objects.session.door()).pool.trust_env
        finally:
            await store.close()

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert not asyncio.run(trusts())
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert asyncio.run(trusts())
