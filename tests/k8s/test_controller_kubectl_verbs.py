"""`kubectl wf` on a real cluster, as kubectl finds and runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster.kubectl import Kubectl
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
    said = sagas.kubectl("wf", "suspend", "order", "-n", sagas.namespace)
    assert said == f"{sagas.namespace}/order: Suspend is applied\n"
    listed = sagas.kubectl("wf", "list", "-n", sagas.namespace)
    assert "order" in listed
    assert "Running" in listed
    sagas.kubectl("wf", "-n", sagas.namespace, "cancel", "order", "--reason", "too late")
    ended = await_phase(sagas, "RollBacked")
    assert ended["spec"]["requests"][-1]["reason"] == "too late"
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


def test_kubectl_wf_deletes_what_needs_no_undo_at_once(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a")))
    await_phase(sagas, "Success")
    said = sagas.kubectl("wf", "delete", "order", "-n", sagas.namespace)
    assert said == f"{sagas.namespace}/order is deleted\n"


def test_kubectl_wf_logs_says_where_they_are(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a")))
    await_phase(sagas, "Success")
    done = sagas.kubectl.run("wf", "logs", "order", "-n", sagas.namespace)
    assert done.returncode == 1
    assert "`kubectl logs` of the controller" in done.stderr


def leave_no_lease(kubectl: Kubectl) -> None:
    """Those of controllers that other tests have killed would count until they have run out."""
    for lease in json.loads(kubectl("get", "leases", "-A", "-o", "json"))["items"]:
        name, namespace = lease["metadata"]["name"], lease["metadata"]["namespace"]
        if name.startswith("wf-controller"):
            kubectl("delete", "lease", name, "-n", namespace)


def test_kubectl_wf_resume_goes_on_where_a_killed_run_ended(
    sagas: Sagas, notes: Notes, tmp_path: Path
) -> None:
    """Run from this machine, without a controller; the first step is not run again."""
    leave_no_lease(sagas.kubectl)
    file = tmp_path / "order.json"
    file.write_text(json.dumps(workflow(notes.step("a"), notes.step("b", "a", then="sleep 3"))))
    plane = ["--namespace", sagas.namespace, "--kubeconfig", str(sagas.kubectl.kubeconfig)]
    running = subprocess.Popen(
        ["kubectl-wf", "run", str(file), *plane],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: "run-b" in notes.lines() or None, "b runs")
    finally:
        running.kill()
        running.wait()
    place = ("order", "-n", sagas.namespace)
    assert "no controller runs: no Lease of one is renewed" in sagas.kubectl(
        "wf", "explain", *place
    )
    sagas.kubectl("wf", "resume", *place)
    assert sagas.get()["status"]["phase"] == "Success"
    assert notes.lines() == ["run-a", "run-b", "run-b"]
    assert "finalizers" not in sagas.get()["metadata"]
