"""A controller of several namespaces, with rights in no other."""

import asyncio

import attrs
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, disturbing, status
from tests.k8s.controller_process import Controllers, Notes, await_phase
from tests.k8s.crd_objects import Sagas, step, workflow
from tests.k8s.service_accounts import NAME, ServiceAccount, granted, with_rights
from tests.k8s.store_fixtures import Stores
from tests.k8s.test_controller_rights import use

from wf_core.config import Config
from wf_k8s import rbac
from wf_k8s.controller.options import LEASE, Options

CONFIG = Config()


RULES = (*rbac.WORKFLOWS, *rbac.SCHEDULES, *rbac.TASKS)
"""What it reads in each of its namespaces, and is ready once it can."""


def of_the_first(sagas: Sagas, options: Options) -> ServiceAccount:
    """A service account with the rights for its own namespace, where the lease is."""
    rules = (*RULES, *rbac.lease(options.lease))
    return with_rights(sagas.kubectl, sagas.namespace, rules)


def there_too(account: ServiceAccount, elsewhere: Sagas) -> None:
    """The right to run the workflows of another namespace."""
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": account.namespace}
    elsewhere.kubectl.apply(*granted(elsewhere.namespace, RULES, subject))


def test_20_it_needs_no_right_outside_of_its_namespaces(
    cluster: Cluster, sagas: Sagas, elsewhere: Sagas, controllers: Controllers, notes: Notes
) -> None:
    options = Options(CONFIG, namespaces=(sagas.namespace, elsewhere.namespace))
    account = of_the_first(sagas, options)
    there_too(account, elsewhere)
    use(cluster, account, controllers)
    leader = controllers.leader(also=(elsewhere.namespace,))
    sagas.create(workflow(notes.step("a")))
    elsewhere.create(workflow(notes.step("b"), notes.step("c", "b", then="exit 1")))
    await_phase(sagas, "Success")
    await_phase(elsewhere, "RollBacked")
    assert "undo-b" in notes.lines()
    assert 'wf_workflows{phase="RollBacked",queue="default"} 1.0' in leader.page("/metrics")
    assert leader.end() == 0


def test_it_is_not_ready_before_it_can_read_every_one_of_them(
    cluster: Cluster, sagas: Sagas, elsewhere: Sagas, controllers: Controllers
) -> None:
    options = Options(CONFIG, namespaces=(sagas.namespace, elsewhere.namespace))
    account = of_the_first(sagas, options)
    use(cluster, account, controllers)
    leader = controllers.leader(also=(elsewhere.namespace,))
    leader.await_unready("HTTP 403")
    there_too(account, elsewhere)
    leader.await_ready()


def test_a_store_of_two_namespaces_shows_both_and_no_third(
    sagas: Sagas, elsewhere: Sagas, stores: Stores
) -> None:
    third = attrs.evolve(sagas, namespace=stores.another_namespace())
    for each in (sagas, elsewhere, third):
        each.create(workflow(step("a")))
    both = {sagas.namespace, elsewhere.namespace}

    async def main() -> None:
        store = stores.open(namespace=",".join(both))
        try:
            assert {row.key.namespace for row in (await store.list()).rows} == both
            await store.position()
            assert {row.key.namespace for row in (await store.list()).rows} == both
            elsewhere.kubectl("-n", elsewhere.namespace, "delete", "saga", "order")
            async for seen in store.watch(0):
                if seen.gone:
                    assert seen.key.namespace == elsewhere.namespace
                    break
        finally:
            await store.close()

    asyncio.run(main())


def test_one_namespace_that_is_listed_anew_leaves_the_others_as_they_are(
    cluster: Cluster, sagas: Sagas, elsewhere: Sagas, stores: Stores
) -> None:
    for each in (sagas, elsewhere):
        each.create(workflow(step("a")))
    theirs = f"/namespaces/{elsewhere.namespace}/workflows?watch=1"

    async def main() -> None:
        async with disturbing(cluster.url, cluster.ca) as proxy:
            both = f"{sagas.namespace},{elsewhere.namespace}"
            store = stores.open(stores.through(proxy.port), namespace=both)
            store.silence = 1.0  # so that the watches begin anew
            try:
                await store.position()
                unseen = Fault(theirs, answer=status(503, "ServiceUnavailable"), times=3)
                proxy.add(unseen, Fault(theirs, answer=status(410, "Expired")))
                while not any(line.startswith("!") for line in proxy.seen):
                    await asyncio.sleep(0.02)
                elsewhere.kubectl("-n", elsewhere.namespace, "delete", "saga", "order")
                async for seen in store.watch(0):
                    if seen.gone:
                        break
                left = [row.key.namespace for row in (await store.list()).rows]
                assert left == [sagas.namespace]
                assert sum(line.startswith("!") for line in proxy.seen) == 4
            finally:
                await store.close()

    asyncio.run(main())


def test_the_lease_is_another_for_other_namespaces() -> None:
    assert Options(CONFIG).lease == LEASE
    assert Options(CONFIG, namespaces=("a",)).lease == f"{LEASE}.a"
    several = {Options(CONFIG, namespaces=each).lease for each in (("a", "b"), ("b", "a"))}
    (lease,) = several
    assert lease not in (LEASE, f"{LEASE}.a", f"{LEASE}.b")
    assert Options(CONFIG, namespaces=("x" * 63,) * 2 + ("y" * 63,)).lease.startswith(LEASE)
    assert Options(CONFIG, lease="mine").lease == "mine"
