"""The store between faults of the network and the API server, on a real one."""

import asyncio
import json

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, Proxy, status
from tests.k8s.disturbed import play
from tests.k8s.store_fixtures import Stores
from tests.patience import PATIENCE

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.state import StepState, Stored
from wf_core.ports import Changes, Saved
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session
from wf_k8s.store.opening import store_of
from wf_k8s.store.sizes import StatusTooLargeError
from wf_k8s.store.store import K8sStore

PATCH = "/workflows/order/status?"
WATCH = "watch=1"


async def begun(store: K8sStore) -> tuple[Stored, Changes]:
    """A workflow, and its first save to be."""
    stored = await store.create(workflow(), 1.0)
    owner = await store.claim(key_of(stored))
    return stored, next_save(stored, owner, phase=Phase.RUNNING, steps={0: StepState(attempt=1)})


@pytest.mark.parametrize(
    "fault",
    [
        Fault(PATCH, swallow=True),
        Fault(PATCH, cut_after=20),
        Fault(PATCH, cut_after=20, reset=True),
        Fault(PATCH, delay=1.5),
        Fault(PATCH, answer=status(500, "InternalError")),
        Fault(PATCH, answer=status(503, "ServiceUnavailable")),
        Fault(PATCH, answer=status(504, "Timeout")),
        Fault(PATCH, answer=status(409, "Conflict")),
        Fault(PATCH, answer=status(429, "TooManyRequests", "Retry-After: 1\r\n")),
    ],
    ids=["swallowed", "cut", "reset", "late", "500", "503", "504", "409", "429"],
)
def test_c4_a_save_whose_answer_fails_is_saved_once(
    stores: Stores, cluster: Cluster, fault: Fault
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored, changes = await begun(store)
        proxy.add(fault)
        assert await store.save(key_of(stored), changes) is Saved.SAVED
        after = await plain.load(key_of(stored))
        assert (after.head.revision, after.steps[0].attempt) == (1, 1)
        assert any(line.startswith("!") for line in proxy.seen)

    play(stores, cluster, test, timeout=1.0)


def test_c4_unknown_is_said_where_nothing_answers_and_the_state_is_read_anew(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored, changes = await begun(store)
        proxy.add(Fault(PATCH, answer=status(503), times=4))
        assert await store.save(key_of(stored), changes) is Saved.UNKNOWN
        assert (await store.load(key_of(stored))).head.revision == 0
        assert await store.save(key_of(stored), changes) is Saved.SAVED
        assert (await plain.load(key_of(stored))).head.revision == 1

    play(stores, cluster, test)


def test_a_stale_writer_that_knows_no_better_is_lost(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored, changes = await begun(store)
        first = await saved(store, stored, changes)
        await store.save(key_of(stored), next_save(first, first.head.owner))
        theirs = await plain.load(key_of(stored))
        store_owner = theirs.head.owner
        await plain.save(key_of(stored), next_save(theirs, store_owner))
        ours = next_save(theirs, store_owner, steps={1: StepState(attempt=7)})
        assert await store.save(key_of(stored), ours) is Saved.LOST
        assert (await plain.load(key_of(stored))).steps[1] == StepState()

    play(stores, cluster, test)


def test_a_request_whose_answer_is_lost_is_made_once(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored = await store.create(workflow(), 1.0)
        proxy.add(Fault("PATCH", swallow=True))
        seq = await store.request(key_of(stored), Request(RequestType.SUSPEND), 2.0)
        assert [each.seq for each in await plain.asked(key_of(stored))] == [seq]

    play(stores, cluster, test)


def test_a_creation_whose_answer_is_lost_makes_one_workflow(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        proxy.add(Fault("POST", swallow=True))
        stored = await store.create(workflow(), 1.0)
        assert await plain.load(key_of(stored)) == stored

    play(stores, cluster, test)


def test_credentials_that_are_refused_are_said_to_be(stores: Stores, cluster: Cluster) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        proxy.add(Fault("GET", answer=status(401, "Unauthorized"), times=3))
        with pytest.raises(StoreUnavailable, match="credentials are not accepted"):
            await store.list()

    play(stores, cluster, test)


GONE = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}'


@pytest.mark.parametrize(
    "fault",
    [
        Fault(WATCH, cut_after=0),
        Fault(WATCH, cut_after=400),
        Fault(WATCH, cut_after=400, reset=True),
        Fault(WATCH, silent=True),
        Fault(WATCH, answer=status(410, "Expired")),
        Fault(WATCH, answer=status(429, "TooManyRequests", "Retry-After: 1\r\n")),
        Fault(WATCH, answer=status(500, "InternalError")),
        Fault(WATCH, rewrite=lambda line: [line, line]),
        Fault(WATCH, rewrite=lambda line: [line[: len(line) // 2]]),
        Fault(WATCH, rewrite=lambda line: [GONE]),
        Fault(WATCH, answer=status(422, "Invalid")),
    ],
    ids=[
        "cut at once",
        "cut within a line",
        "reset",
        "silent",
        "410",
        "429",
        "500",
        "doubled",
        "half lines",
        "410 within",
        "no streaming lists",
    ],
)
def test_a_watch_survives(stores: Stores, cluster: Cluster, fault: Fault) -> None:
    """What happens is seen, whatever befell the watch before."""

    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        store.silence = 1.0
        old = await plain.create(workflow("old"), 1.0)
        proxy.add(fault)
        watch = store.watch(0)
        names = {(await asyncio.wait_for(anext(watch), PATIENCE)).key.name}
        new = await plain.create(workflow("new"), 1.0)
        await plain.request(key_of(old), Request(RequestType.CANCEL), 1.0)
        while True:
            seen = await asyncio.wait_for(anext(watch), PATIENCE)
            names.add(seen.key.name)
            if "new" in names and seen.key.name == "old" and seen.request_seq:
                break
        assert names == {"old", "new"}
        assert await store.load(key_of(new)) == new

    play(stores, cluster, test)


def test_what_was_deleted_while_nobody_watched_is_gone_after_the_next_list(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        old = await plain.create(workflow("old"), 1.0)
        # The first watch ends within; the next is refused until the workflow is gone.
        proxy.add(Fault(WATCH, rewrite=_end_after_bookmark), Fault(WATCH, answer=status(410)))
        position = await store.position()
        await plain.remove(key_of(old))
        async for seen in store.watch(position):
            if seen.gone:
                assert seen.key == key_of(old)
                break
        assert (await store.list()).rows == ()

    play(stores, cluster, test)


def _end_after_bookmark(line: bytes) -> list[bytes]:
    return [line, GONE] if b"initial-events-end" in line else [line]


def test_c7_a_status_that_would_not_fit_is_refused_before_it_is_sent(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:
        stored, changes = await begun(store)
        first = await saved(store, stored, changes)
        patches = sum(PATCH in line for line in proxy.seen)
        huge = StepState(attributes={"text": "x" * 1_500_000})
        with pytest.raises(StatusTooLargeError, match="step 'step1' holds 1,5"):
            await store.save(key_of(stored), next_save(first, first.head.owner, steps={1: huge}))
        assert sum(PATCH in line for line in proxy.seen) == patches
        assert (await plain.load(key_of(stored))).head.revision == 1

    play(stores, cluster, test)


def test_c10_a_newer_state_is_left_alone_and_disturbs_no_other(
    stores: Stores, cluster: Cluster
) -> None:
    async def test(proxy: Proxy, store: K8sStore, plain: K8sStore) -> None:  # noqa: ARG001
        stored, changes = await begun(store)
        await saved(store, stored, changes)
        stores.kubectl(
            "patch",
            "saga",
            "order",
            "-n",
            stores.namespace,
            "--subresource=status",
            "--type=json",
            "-p",
            json.dumps([{"op": "add", "path": "/status/schemaVersion", "value": 99}]),
        )
        await plain.create(workflow("other"), 1.0)
        with pytest.raises(Exception, match="newer engine"):
            await plain.load(key_of(stored))
        assert {row.key.name for row in (await plain.list()).rows} >= {"other"}

    play(stores, cluster, test)


def test_a_cluster_that_can_not_be_reached_is_said_to_be(stores: Stores) -> None:
    async def main() -> None:
        store = stores.open(stores.through(1), timeout=1.0)
        try:
            with pytest.raises(StoreUnavailable, match="nothing was lost"):
                await store.position()
        finally:
            await store.close()

    asyncio.run(main())


def test_a_context_that_is_not_there_is_named(stores: Stores) -> None:
    async def main() -> None:
        store = store_of(Session(Access("nowhere", str(stores.kubeconfig))), stores.owners())
        try:
            with pytest.raises(StoreUnavailable, match="has no context 'nowhere'; it has "):
                await store.list()
        finally:
            await store.close()

    asyncio.run(main())
