"""kubectl tells why something is stuck, and by what generation the status was made."""

from typing import Any

from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, put, request, workflow


def stuck(notes: Notes) -> Json:
    """A workflow that fails and whose first step can't be undone."""
    first = notes.step("a")
    first["stepTemplate"]["parameters"]["rollback"] = "echo the bank is closed >&2; exit 1"
    return workflow(first, notes.step("b", "a", then="exit 1"))


def test_kubectl_describe_says_why_an_undo_is_stuck_and_what_helps(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(stuck(notes))
    await_phase(sagas, "Failed")

    def described() -> str | None:
        text = sagas.kubectl("-n", sagas.namespace, "describe", "saga", "order")
        return text if "Warning" in text else None

    text = until(described, "an Event is shown")
    events = text.partition("Events:")[2]
    assert "RollbackFailed" in events
    assert "step 'a'" in events
    assert "the bank is closed" in events
    for helps in ("RetryRollback", "SkipRollback", "MarkRolledBack"):
        assert helps in events


def test_a_condition_is_of_the_generation_that_was_answered(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """kstatus takes a status for old while `observedGeneration` is behind."""
    controllers.leader()
    sagas.create(stuck(notes))
    await_phase(sagas, "Failed")
    changed = sagas.patch(put("/spec/requests", [request("again", "MarkRolledBack", step="a")]))
    assert changed["metadata"]["generation"] == 2
    ended = await_phase(sagas, "RollBacked")

    def observed(found: dict[str, Any]) -> set[int]:
        status = found["status"]
        return {status["observedGeneration"], *_of_conditions(status)}

    assert observed(ended) == {2}


def _of_conditions(status: dict[str, Any]) -> list[int]:
    return [each["observedGeneration"] for each in status["conditions"]]
