"""A controller removes what is over age, and undoes nothing for it."""

import pytest
from tests.cluster.kubectl import KubectlError
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, drop, put, request, workflow

FINALIZER = "workflow.example.com/undo"


def await_gone(sagas: Sagas, name: str = "order") -> None:
    def gone() -> bool | None:
        done = sagas.kubectl.run("-n", sagas.namespace, "get", "saga", name)
        return True if "NotFound" in done.stderr else None

    until(gone, f"'{name}' is gone")


@pytest.mark.parametrize("policy", ["RollbackUnfinished", "Rollback", "Orphan"])
def test_success_goes_when_its_time_is_over_and_nothing_is_undone(
    sagas: Sagas, controllers: Controllers, notes: Notes, policy: str
) -> None:
    controllers.leader()
    ttl = {"success": 1}
    sagas.create(workflow(notes.step("a"), deletionPolicy=policy, ttlSecondsAfterFinished=ttl))
    await_phase(sagas, "Success")
    await_gone(sagas)
    assert notes.lines() == ["run-a"]


def test_a_failed_one_keeps_its_finalizer_until_an_age_is_given_to_it(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader()
    stuck = notes.step("a", then="exit 1")
    stuck["stepTemplate"]["parameters"]["rollback"] = f"echo try-a >> {notes.file}; exit 1"
    sagas.create(workflow(stuck, ttlSecondsAfterFinished={"success": 0, "rollBacked": 0}))
    await_phase(sagas, "Failed")
    assert sagas.get()["metadata"]["finalizers"] == [FINALIZER]
    sagas.patch(put("/spec/ttlSecondsAfterFinished", {"failed": 1}))
    await_gone(sagas)
    assert notes.lines() == ["run-a", "try-a"]
    assert leader.end() == 0


def test_a_controller_removes_what_grew_old_without_one_as_its_configuration_says(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader()
    sagas.create(workflow(notes.step("a"), name="old", queue="night"))
    sagas.create(workflow(notes.step("b"), name="kept"))
    await_phase(sagas, "Success", "old")
    await_phase(sagas, "Success", "kept")
    assert first.end() == 0
    queues = {"night": {"ttlSecondsAfterFinished": {"success": "1s"}}}
    controllers.leader(controllerConfig={"queue": {"queues": queues}})
    await_gone(sagas, "old")
    assert sagas.get("kept")["status"]["phase"] == "Success"


def test_a_request_keeps_it_until_it_is_answered(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader()
    sagas.create(workflow(notes.step("a"), ttlSecondsAfterFinished={"success": 3600}))
    await_phase(sagas, "Success")
    assert first.end() == 0
    sagas.patch(put("/spec/requests", [request("undo-it", "Rollback")]))
    sagas.patch(put("/spec/ttlSecondsAfterFinished", {"success": 0}))
    controllers.leader()
    await_phase(sagas, "RollBacked")
    assert notes.lines() == ["run-a", "undo-a"]


def test_a_finalizer_of_somebody_else_keeps_it_and_is_no_deletion(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """Deleted under it, it would stay, and the next controller would undo it as its policy says."""
    leader = controllers.leader()
    sagas.create(workflow(notes.step("a"), deletionPolicy="Rollback"))
    await_phase(sagas, "Success")
    sagas.patch(put("/metadata/finalizers/-", "example.com/theirs"))
    sagas.patch(put("/spec/ttlSecondsAfterFinished", {"success": 0}))
    sagas.create(workflow(notes.step("b"), name="later", ttlSecondsAfterFinished={"success": 0}))
    await_gone(sagas, "later")
    held = sagas.get()["metadata"]
    assert held["finalizers"] == [FINALIZER, "example.com/theirs"]
    assert "deletionTimestamp" not in held
    sagas.patch(drop("/metadata/finalizers/1"))
    await_gone(sagas)
    assert notes.lines() == ["run-a", "run-b"]
    assert leader.end() == 0


def test_an_age_is_not_negative_and_no_plain_number(sagas: Sagas) -> None:
    for wrong in ({"success": -1}, 60, {"succeeded": 1}):
        with pytest.raises(KubectlError, match="ttlSecondsAfterFinished"):
            sagas.create(workflow(ttlSecondsAfterFinished=wrong))
