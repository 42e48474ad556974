"""Many workflows, while controllers are killed and the API server restarts."""

import json
import random
import signal
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from tests.cluster import connection
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl
from tests.k8s.controller_process import ControllerProcess, Controllers, Notes, until
from tests.k8s.crd_objects import Json, Sagas, workflow

from wf_k8s.crd import definition

WORKFLOWS = 40
QUEUES = 4
KILLS = 4
LEASE_SECONDS = 3
PATIENCE = 150.0


@pytest.fixture
def plane(control_plane_programs: Mapping[str, Path], tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane of the test's own, with the definition of our resource."""
    with running(control_plane_programs, tmp_path / "plane", durable=True) as made:
        yield made


@pytest.fixture
def sagas(plane: ControlPlane, kubectl_program: Path, tmp_path: Path) -> Sagas:
    """The workflows of its namespace `default`."""
    kubectl = Kubectl(kubectl_program, plane.kubeconfig(), tmp_path / "kubectl")
    made = definition()
    kubectl("apply", "-f", "-", stdin=json.dumps(made))
    kubectl("wait", "--for=condition=Established", f"crd/{made['metadata']['name']}")
    return Sagas(kubectl, "default")


@pytest.fixture
def controllers(plane: ControlPlane, sagas: Sagas, tmp_path: Path) -> Iterator[Controllers]:
    """Controllers on that control plane."""
    made = Controllers(connection.own(plane), sagas.namespace, tmp_path)
    try:
        yield made
    finally:
        made.close()


def order(number: int, notes: Notes) -> Json:
    """The workflow of that number; every third fails in its last step and is undone."""
    name = f"order-{number}"
    steps = [
        notes.step(f"{name}-a", then="sleep 0.2"),
        notes.step(f"{name}-b", f"{name}-a", then="sleep 0.3"),
        notes.step(f"{name}-c", f"{name}-b", then="" if number % 3 else "exit 9"),
    ]
    for step in steps:
        template = step["stepTemplate"]
        template["parameters"]["fatalExitCodes"] = [9]
        template["retryPolicy"] = {
            "runRetryLimit": 20,
            "runRetryPeriodSeconds": 0.1,
            "rollbackRetryLimit": 20,
            "rollbackRetryPeriodSeconds": 0.1,
        }
    return workflow(*steps, name=name, queue=f"queue-{number % QUEUES}")


def all_finished(sagas: Sagas) -> dict[str, Json] | None:
    """All workflows by name, once none is under way."""
    # By its path: kubectl keeps what an API server that has just started does not know yet.
    path = f"/apis/workflow.example.com/v1alpha1/namespaces/{sagas.namespace}/workflows"
    done = sagas.kubectl.run("get", "--raw", path)
    if done.returncode:
        return None
    found = {each["metadata"]["name"]: each for each in json.loads(done.stdout)["items"]}
    resting = ("Success", "RollBacked", "Failed")
    rest = all(each["status"]["phase"] in resting for each in found.values())
    return found if rest else None


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.timeout(300)
def test_every_workflow_ends_right_though_controllers_are_killed_and_the_api_server_restarts(
    plane: ControlPlane, sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    chance = random.Random(7)
    documents = [order(number, notes) for number in range(WORKFLOWS)]
    listing = {"apiVersion": "v1", "kind": "List", "items": documents}
    sagas.kubectl("-n", sagas.namespace, "create", "-f", "-", stdin=json.dumps(listing))
    leader: ControllerProcess | None = None
    for number in range(KILLS):
        leader = controllers.leader(
            lease_seconds=LEASE_SECONDS, controllerConfig={"queue": {"strategy": "FAIR"}}
        )
        time.sleep(chance.uniform(0.3, 1.5))
        leader.end(signal.SIGKILL)
        if number % 2:
            plane.api_server.stop(grace=0)
            plane.start_api_server()
    controllers.start(lease_seconds=LEASE_SECONDS)
    found = until(lambda: all_finished(sagas), "all workflows are finished", PATIENCE)

    noted = notes.lines()
    for number in range(WORKFLOWS):
        name, fails = f"order-{number}", number % 3 == 0
        status = found[name]["status"]
        assert status["phase"] == ("RollBacked" if fails else "Success"), status
        steps = [f"{name}-{each}" for each in "abc"]
        for step, successor in pairwise(steps):
            # I1 and I6: a successor runs once the success is saved, and then no run comes again.
            assert last(noted, f"run-{step}") < noted.index(f"run-{successor}")
        if fails:
            for step, successor in pairwise(steps):
                assert last(noted, f"undo-{successor}") < noted.index(f"undo-{step}")  # I3
            for step in steps:
                assert last(noted, f"run-{step}") < noted.index(f"undo-{step}")  # I4
        else:
            assert not any(f"undo-{step}" in noted for step in steps)


def last(noted: list[str], line: str) -> int:
    """Where a line stands for the last time."""
    return len(noted) - 1 - noted[::-1].index(line)


@pytest.mark.slow
def test_a_leader_outlives_a_short_absence_of_the_api_server(
    plane: ControlPlane, sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader()
    sagas.create(workflow(notes.step("a", then="sleep 2"), notes.step("b", "a")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    plane.api_server.stop(grace=0)
    time.sleep(3)
    assert leader.process.poll() is None
    plane.start_api_server()
    until(lambda: all_finished(sagas), "the workflow is finished")
    assert leader.process.poll() is None
    assert notes.lines() == ["run-a", "run-b"]
