"""What becomes of workflows whose whole namespace is deleted."""

import asyncio

import pytest
from tests.k8s.controller_process import Controllers, Notes, until
from tests.k8s.crd_objects import Sagas, step, workflow
from tests.k8s.store_fixtures import Stores

from wf_k8s.controller.orphaning import Orphaning

FINALIZER = "workflow.example.com/undo"


def guarded(sagas: Sagas, name: str, policy: str = "RollbackUnfinished") -> None:
    """A workflow that can't go before its finalizer does."""
    document = workflow(step("a"), name=name, deletionPolicy=policy)
    document["metadata"]["finalizers"] = [FINALIZER]
    sagas.create(document)


def delete(sagas: Sagas, name: str) -> None:
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", name, "--wait=false")


def policy(sagas: Sagas, name: str) -> str:
    found: str = sagas.get(name)["spec"]["deletionPolicy"]
    return found


def look(stores: Stores) -> None:
    """As a controller does every few seconds."""

    async def main() -> None:
        store = stores.open()
        try:
            await store.position()
            await Orphaning(store, store.objects).look()
        finally:
            await store.close()

    asyncio.run(main())


def test_18_in_a_namespace_that_goes_what_is_deleted_becomes_an_orphan(
    sagas: Sagas, stores: Stores
) -> None:
    guarded(sagas, "deleted")
    guarded(sagas, "kept")
    guarded(sagas, "to-undo", "Rollback")
    delete(sagas, "deleted")
    delete(sagas, "to-undo")
    sagas.kubectl("delete", "namespace", sagas.namespace, "--wait=false")
    look(stores)
    assert policy(sagas, "deleted") == policy(sagas, "to-undo") == "Orphan"
    assert policy(sagas, "kept") == "RollbackUnfinished"


def test_18_in_any_other_namespace_nothing_changes(sagas: Sagas, stores: Stores) -> None:
    guarded(sagas, "deleted")
    delete(sagas, "deleted")
    look(stores)
    assert policy(sagas, "deleted") == "RollbackUnfinished"
    assert sagas.kubectl("-n", sagas.namespace, "get", "events", "-o", "name") == ""


@pytest.mark.slow
def test_18_a_namespace_goes_though_an_undo_in_it_is_stuck(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader("--on-namespace-deletion", "Orphan")
    first = notes.step("a")
    first["stepTemplate"]["parameters"]["rollback"] = "exit 1"
    sagas.create(workflow(first, notes.step("b", "a", then="sleep 60")))
    until(lambda: "run-b" in notes.lines() or None, "b runs")
    sagas.kubectl("delete", "namespace", sagas.namespace, "--wait=false")
    delete(sagas, "order")  # as the namespace's own controller would
    leader.await_said("goes without an undo: its namespace is being deleted")
    gone = ("-n", sagas.namespace, "get", "saga", "order")
    until(lambda: sagas.kubectl.run(*gone).returncode or None, "the workflow goes")
