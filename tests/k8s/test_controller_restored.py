"""A workflow that was restored from a backup between its run and its undo (semantics B3)."""

import signal

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, put, workflow
from tests.k8s.restored import restore
from tests.k8s.test_quarantine import await_stalled

LEASE_SECONDS = 4


def keyed(notes: Notes, name: str, *after: str, then: str = "") -> dict[str, object]:
    """A step that notes the key that it runs and is undone under."""
    made = notes.step(name, *after)
    made["stepTemplate"]["parameters"] = {
        "run": f"echo run-{name}-$WF_RUN_KEY-$WF_UID >> {notes.file}\n{then}",
        "rollback": f"echo undo-{name}-$WF_RUN_KEY-$WF_UID >> {notes.file}",
    }
    return made


@pytest.mark.slow
def test_b3_a_restored_workflow_is_undone_once_under_the_keys_that_it_ran_under(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader(lease_seconds=LEASE_SECONDS)
    fails = f"until [ -e {notes.file}.fail ]; do sleep 0.05; done; exit 1"
    sagas.create(workflow(keyed(notes, "a"), keyed(notes, "b", "a", then=fails)))
    until(lambda: (len(notes.lines()) == 2) or None, "b runs")
    first.end(signal.SIGKILL)
    before, after = restore(sagas)
    assert before != after
    notes.file.with_name(f"{notes.file.name}.fail").touch()
    controllers.leader(lease_seconds=LEASE_SECONDS)
    ended = await_phase(sagas, "RollBacked")
    assert ended["metadata"]["uid"] == after
    assert ended["status"]["keyUid"] == before
    lines = notes.lines()
    ran = {line.split("-")[1]: line.split("-", 2)[2] for line in lines if line.startswith("run")}
    undone = [line for line in lines if line.startswith("undo")]
    assert undone == [f"undo-b-{ran['b']}", f"undo-a-{ran['a']}"]
    assert all(line.endswith(f"-{before}") for line in lines)
    assert sum(line.startswith("run-a") for line in lines) == 1


@pytest.mark.slow
def test_b3_nobody_runs_under_the_keys_of_a_workflow_that_is_there(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """Whoever may write a status may write another workflow's uid into it."""
    controllers.leader()
    waits = f"until [ -e {notes.file}.done ]; do sleep 0.05; done"
    sagas.create(workflow(keyed(notes, "a", then=waits), name="victim"))
    until(lambda: notes.lines() or None, "a runs")
    victim = sagas.get("victim")["metadata"]["uid"]
    forged = workflow(keyed(notes, "b"), name="forged", suspend=True)
    sagas.create(forged)
    sagas.patch(put("/status/keyUid", victim), name="forged", status=True)
    sagas.save("forged", revision=1, phase="Running", writer={"epoch": 1, "n": 1}, epoch=1)
    mark = await_stalled(sagas, "forged")
    assert "its status.keyUid is the uid of workflow" in mark["message"]
    assert len(notes.lines()) == 1
    notes.file.with_name(f"{notes.file.name}.done").touch()
    await_phase(sagas, "Success", "victim")
    assert not any(line.startswith("run-b") for line in notes.lines())


@pytest.mark.slow
def test_a_restore_that_drops_the_status_is_a_new_workflow_to_everybody(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """What the page about restores warns of: all of it runs again, under new keys."""
    first = controllers.leader(lease_seconds=LEASE_SECONDS)
    sagas.create(workflow(keyed(notes, "a")))
    await_phase(sagas, "Success")
    first.end(signal.SIGKILL)
    before, after = restore(sagas, status=False)
    controllers.leader(lease_seconds=LEASE_SECONDS)
    ended = await_phase(sagas, "Success")
    assert ended["status"]["keyUid"] == after
    first_key, second_key = (line.split("-", 2)[2] for line in notes.lines())
    assert first_key.endswith(f"-{before}")
    assert second_key.endswith(f"-{after}")
