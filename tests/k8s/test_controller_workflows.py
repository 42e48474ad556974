"""What people do with kubectl while a controller runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, put, request, workflow
from tests.patience import PATIENCE

EXAMPLE = Path(__file__).parents[2] / "examples" / "example.yaml"
FINALIZER = "workflow.example.com/undo"


def quick_example() -> dict[str, Any]:
    """The example as it is shipped, with shorter sleeps."""
    document: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    document["spec"].pop("callback", None)
    for step in document["spec"]["steps"]:
        step["stepTemplate"]["parameters"]["sleepSeconds"] = "0.1"
    return document


def test_fault_1_the_example_applied_with_kubectl_runs_to_success(
    sagas: Sagas, controllers: Controllers
) -> None:
    controllers.leader()
    sagas.kubectl("-n", sagas.namespace, "apply", "-f", "-", stdin=yaml.safe_dump(quick_example()))
    done = await_phase(sagas, "Success", "example")
    assert done["status"]["progress"] == "3/3"
    ready = next(each for each in done["status"]["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"
    until(
        lambda: "finalizers" not in sagas.get("example")["metadata"] or None,
        "the finalizer of a finished workflow goes",
    )


def test_a_workflow_that_was_there_before_the_controller_runs_too(
    sagas: Sagas, controllers: Controllers
) -> None:
    sagas.create(quick_example())
    controllers.leader()
    await_phase(sagas, "Success", "example")


def test_a_failure_is_undone_in_reverse_order(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    steps = [notes.step("a"), notes.step("b", "a"), notes.step("c", "b", then="exit 1")]
    sagas.create(workflow(*steps))
    ended = await_phase(sagas, "RollBacked")
    assert notes.lines() == ["run-a", "run-b", "run-c", "undo-c", "undo-b", "undo-a"]
    assert "c" in ended["status"]["runError"]


def test_a_cancel_put_into_the_requests_is_answered_and_undoes(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a"), notes.step("b", "a", then="sleep 60")))
    until(lambda: "run-b" in notes.lines() or None, "b runs")
    sagas.patch(put("/spec/requests", [request("stop-it")]))
    ended = await_phase(sagas, "RollBacked")
    assert [(each["id"], each["verdict"]) for each in ended["status"]["answers"]] == [
        ("stop-it", "Applied")
    ]
    assert notes.lines()[-2:] == ["undo-b", "undo-a"]


def test_i14_a_running_workflow_that_is_deleted_is_undone_before_it_goes(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    slow = notes.step("b", "a", then="sleep 60")
    slow["stepTemplate"]["parameters"]["rollback"] = f"sleep 1; echo undo-b >> {notes.file}"
    sagas.create(workflow(notes.step("a"), slow))
    until(lambda: "run-b" in notes.lines() or None, "b runs")
    assert sagas.get()["metadata"]["finalizers"] == [FINALIZER]
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", "order", "--wait=false")
    await_phase(sagas, "RollingBack")
    assert "undo-b" not in notes.lines()

    def gone() -> bool | None:
        done = sagas.kubectl.run("-n", sagas.namespace, "get", "saga", "order")
        return True if "NotFound" in done.stderr else None

    assert until(gone, "the object goes")
    assert notes.lines() == ["run-a", "run-b", "undo-b", "undo-a"]


def test_the_configurations_limits_hold(sagas: Sagas, controllers: Controllers) -> None:
    names = ("first", "second")
    for name in names:
        step = {"name": "a", "stepTemplate": {"type": "random", "parameters": {"sleepSeconds": 1}}}
        sagas.create(workflow(step, name=name))
    controllers.leader(controllerConfig={"queue": {"maxRunningCount": 1}})
    both = [await_phase(sagas, "Success", name)["status"]["reached"] for name in names]
    earlier, later = sorted(both, key=lambda reached: reached["Running"])
    assert later["Running"] >= earlier["Success"], "both ran at the same time"


def test_metrics_and_health_of_a_controller(sagas: Sagas, controllers: Controllers) -> None:
    leader = controllers.leader()
    sagas.create(quick_example())
    await_phase(sagas, "Success", "example")
    assert leader.page("/healthz") == "ok\n"
    until(lambda: leader.page("/readyz") == "ok\n" or None, "it is ready")
    told = leader.page("/metrics")
    for line in (
        'wf_workflows{phase="Success",queue="default"} 1.0',
        'wf_step_duration_seconds_count{hook="run",kind="random",outcome="success"} 3.0',
        'wf_queue_wait_seconds_count{queue="default"} 1.0',
        'workqueue_depth{name="admission"} 0.0',
        f'leader_election_master_status{{name="wf-controller.{sagas.namespace}"}} 1.0',
    ):
        assert line in told.splitlines()
    assert 'rest_client_requests_total{code="200",method="PATCH"}' in told
    assert leader.end() == 0


@pytest.mark.parametrize("key", ["throttleQPS", "idleTimeoutMillSeconds", "controlerConfig"])
def test_fault_16_what_is_wrong_in_the_configuration_is_named(
    controllers: Controllers, key: str
) -> None:
    config: dict[str, Any] = {key: "nonsense"}
    started = controllers.start(**config)
    assert started.process.wait(PATIENCE) == 1
    assert key in started.log.read_text()
