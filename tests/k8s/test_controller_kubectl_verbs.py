"""`kubectl wf` on a real cluster, as kubectl finds and runs it."""

import os
import sys
from pathlib import Path

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is installed beside this Python can be called."""
    folder = Path(sys.executable).parent
    assert (folder / "kubectl-wf").exists()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_kubectl_wf_lists_shows_and_cancels(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a", then="sleep 60")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    listed = sagas.kubectl("wf", "list", "-n", sagas.namespace)
    assert "order" in listed
    assert "Running" in listed
    sagas.kubectl("wf", "-n", sagas.namespace, "cancel", "order", "--reason", "too late")
    ended = await_phase(sagas, "RollBacked")
    assert ended["spec"]["requests"][0]["reason"] == "too late"
    assert "a" in sagas.kubectl("wf", "history", "order", "-n", sagas.namespace)


def test_kubectl_wf_leaves_a_running_workflow_to_its_controller(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a", then="sleep 60")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    done = sagas.kubectl.run("wf", "resume", "order", "-n", sagas.namespace)
    assert done.returncode == 1
    assert "wf-controller" in done.stderr
    assert notes.lines() == ["run-a"]
