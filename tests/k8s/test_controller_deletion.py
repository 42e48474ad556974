"""What a deletion comes to, by its policy, and in a namespace that is itself being deleted."""

from tests.k8s.controller_process import Controllers, Notes, until
from tests.k8s.crd_objects import Json, Sagas, put, request, workflow

FINALIZER = "workflow.example.com/undo"


def delete(sagas: Sagas, name: str = "order") -> None:
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", name, "--wait=false")


def await_gone(sagas: Sagas, name: str = "order") -> None:
    def gone() -> bool | None:
        done = sagas.kubectl.run("-n", sagas.namespace, "get", "saga", name)
        return True if "NotFound" in done.stderr else None

    until(gone, f"'{name}' is gone")


def running(sagas: Sagas, notes: Notes, **spec: str) -> None:
    """A workflow whose second step runs; its first can't be undone."""
    first = notes.step("a")
    first["stepTemplate"]["parameters"]["rollback"] = f"echo try-a >> {notes.file}; exit 1"
    sagas.create(workflow(first, notes.step("b", "a", then="sleep 60"), **spec))
    until(lambda: "run-b" in notes.lines() or None, "b runs")


def blocked(sagas: Sagas) -> list[Json]:
    found: list[Json] = sagas.get()["status"].get("blocked", [])
    return found


def test_k11_an_orphan_has_no_finalizer_and_goes_without_an_undo(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader()
    running(sagas, notes, deletionPolicy="Orphan")
    assert "finalizers" not in sagas.get()["metadata"]
    delete(sagas)
    await_gone(sagas)
    assert leader.end() == 0
    assert notes.lines() == ["run-a", "run-b"]


def test_k18_a_stuck_undo_is_released_by_the_deletion_policy(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    running(sagas, notes)
    delete(sagas)
    until(lambda: blocked(sagas) or None, "the undo of a is stuck")
    assert sagas.get()["metadata"]["finalizers"] == [FINALIZER]
    sagas.patch(put("/spec/deletionPolicy", "Orphan"))
    await_gone(sagas)
    assert notes.lines() == ["run-a", "run-b", "undo-b", "try-a"]


def test_a_running_workflow_that_becomes_an_orphan_is_stopped_and_not_undone(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    running(sagas, notes)
    sagas.patch(put("/spec/deletionPolicy", "Orphan"))
    until(
        lambda: sagas.get()["status"]["observedGeneration"] == 2 or None, "the change was taken in"
    )
    delete(sagas)
    await_gone(sagas)
    assert notes.lines() == ["run-a", "run-b"]


def test_k18_in_a_terminating_namespace_undo_and_requests_go_on(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """Nothing can be created there any more, Events neither; saves and the finalizer work."""
    leader = controllers.leader()
    running(sagas, notes)
    sagas.kubectl("delete", "namespace", sagas.namespace, "--wait=false")
    delete(sagas)  # as the namespace's own controller would
    until(lambda: blocked(sagas) or None, "the undo of a is stuck")
    assert blocked(sagas)[0]["reason"] == "RollbackFailed"
    leader.await_said("an Event was not written")
    sagas.patch(put("/spec/requests", [request("by-hand", "MarkRolledBack", step="a")]))
    await_gone(sagas)
    assert notes.lines() == ["run-a", "run-b", "undo-b", "try-a"]
