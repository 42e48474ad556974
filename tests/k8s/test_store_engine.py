"""The engine runs workflows on a real API server through the store."""

import asyncio

from tests.cluster.connection import Cluster
from tests.cluster.proxy import disturbing
from tests.k8s.store_fixtures import Stores

from wf_core.adapters.announcer import NoAnnouncer
from wf_core.adapters.clock import SystemClock
from wf_core.adapters.open_record import NoRecord
from wf_core.adapters.threads import ThreadExecutor
from wf_core.callbacks import HttpSender
from wf_core.config import Config
from wf_core.engine.engine import Engine
from wf_core.model.phases import Phase
from wf_core.model.spec import (
    DependOn,
    Metadata,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.plugins import load
from wf_k8s.store.store import K8sStore


def chain(length: int, name: str = "chain") -> Workflow:
    """Steps that each wait for the one before."""
    quick = StepTemplate("random", {"sleepSeconds": 0})
    steps = [StepSpec(f"s{n}", quick, (DependOn(f"s{n - 1}"),) if n else ()) for n in range(length)]
    return Workflow(Metadata(name), WorkflowSpec(tuple(steps)))


def engine_on(store: K8sStore, stores: Stores) -> Engine:
    registry, clock, config = load(), SystemClock(), Config()
    return Engine(
        store=store,
        registry=registry,
        executor=ThreadExecutor(registry.perform, 2),
        clock=clock,
        sender=HttpSender(config, clock),
        announcer=NoAnnouncer(),
        config=config,
        folder=stores.folder,
        record=NoRecord(),
    )


def test_k11_a_chain_costs_a_write_a_step_and_its_two_ends(
    stores: Stores, cluster: Cluster
) -> None:
    """N+1 saves, the finalizer's end, and, where no Lease leads, the claim's; `wf` sets the
    finalizer at creation. Nothing is read once the watch has begun."""

    async def main() -> None:
        async with disturbing(cluster.url, cluster.ca) as proxy:
            store = stores.open(stores.through(proxy.port))
            engine = engine_on(store, stores)
            stored = await engine.create(chain(3))
            await store.position()
            proxy.seen.clear()
            key = (await store.list()).rows[0].key
            await engine.adopt(key)
            done = await engine.wait(key)
            assert done.head.phase is Phase.SUCCESS
            await engine.stop()
            writes = [line for line in proxy.seen if "watch=1" not in line]
            assert [line.split()[0] for line in writes] == ["PATCH"] * (3 + 1 + 2)
            assert sum("/status?" in line for line in writes) == 3 + 1 + 1
            after = await store.load(key)
            assert after.workflow.metadata.uid == stored.workflow.metadata.uid
            assert [step.phase for step in after.steps] == [Phase.SUCCESS] * 3
            await store.close()

    asyncio.run(main())
    shown = stores.kubectl.json("get", "saga", "chain", "-n", stores.namespace)
    assert shown["status"]["progress"] == "3/3"
    assert "finalizers" not in shown["metadata"]
    ready = {each["type"]: each["status"] for each in shown["status"]["conditions"]}
    assert ready == {"Ready": "True", "Reconciling": "False", "Stalled": "False"}
