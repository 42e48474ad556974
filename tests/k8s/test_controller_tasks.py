"""Tasks that a controller runs, on a real API server."""

import json
import signal
from typing import Any

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, put, request, task, workflow
from tests.k8s.service_accounts import with_rights

from wf_k8s import rbac

LEASE_SECONDS = 4


def once(notes: Notes, then: str = "", undo: str = "", **spec: Any) -> Json:
    """The task `once`, which notes what it does; its undo goes on with `undo`."""
    template = notes.step("a", then=then)["stepTemplate"]
    template["parameters"]["rollback"] += f"\n{undo}"
    return task(**{**template, **spec})


def await_task(sagas: Sagas, **expected: str) -> Json:
    """The status, once these fields of it are so."""

    def look() -> Json | None:
        status: Json = sagas.task()["status"]
        return status if expected.items() <= status.items() else None

    return until(look, f"the task is {expected}")


def await_gone(sagas: Sagas, *kinds: str) -> None:
    def look() -> bool | None:
        found = sagas.kubectl("-n", sagas.namespace, "get", ",".join(kinds), "-o", "name")
        return None if "/once" in found else True

    until(look, f"no {' and no '.join(kinds)} is left")


def delete(sagas: Sagas, kind: str, *options: str) -> None:
    sagas.kubectl("-n", sagas.namespace, "delete", kind, "once", *options)


def rests(sagas: Sagas, controllers: Controllers) -> None:
    """Nothing is made any more, by this controller nor by the next."""
    before = sagas.task()
    sagas.create(workflow(name="later"))
    await_phase(sagas, "Success", "later")
    assert controllers.started[-1].end() == 0
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", "later")
    controllers.leader()
    sagas.create(workflow(name="later"))
    await_phase(sagas, "Success", "later")
    assert sagas.names() == ["later"]
    assert sagas.task() == before


def test_a_task_is_run_by_a_workflow_of_its_name_and_shows_how_that_stands(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader()
    told = """echo '{"rows": 7}' > "$WF_ATTRIBUTES"; echo '{"id": "x1"}' > "$WF_RESOURCE\""""
    document = json.dumps(once(notes, told, queue="night"))
    sagas.kubectl("apply", "-n", sagas.namespace, "-f", "-", stdin=document)
    status = await_task(sagas, phase="Success")
    made = sagas.get("once")
    shown = made["status"]
    assert status.pop("revision") <= 4
    assert status == {
        "phase": "Success",
        "workflow": "once",
        "workflowUid": made["metadata"]["uid"],
        "startedAt": shown["startedAt"],
        "finishedAt": shown["finishedAt"],
        "resource": {"id": "x1"},
        "attributes": {"rows": 7},
    }
    assert made["spec"]["queue"] == "night"
    assert made["metadata"]["labels"] == {"workflow.example.com/task": "true"}
    assert set(made["metadata"]["annotations"]) == {"workflow.example.com/created-as"}
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Task", sagas.task()["metadata"]["uid"])
    assert owner["controller"] is True
    assert notes.lines() == ["run-a"]
    assert leader.end() == 0
    assert [line for line in leader.lines() if line["level"] in ("ERROR", "error")] == []


def test_a_task_that_fails_is_undone_and_says_why(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(once(notes, "echo no luck >&2; exit 3"))
    status = await_task(sagas, phase="RollBacked")
    assert "no luck" in status["message"]
    assert notes.lines() == ["run-a", "undo-a"]


def test_a_task_of_an_unknown_kind_fails_and_says_so(
    sagas: Sagas, controllers: Controllers
) -> None:
    controllers.leader()
    sagas.create(task(type="nobody-knows"))
    assert "nobody-knows" in await_task(sagas, phase="Failed")["message"]


def test_a_task_that_waits_for_a_person_says_where_to_ask(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(once(notes, "exit 1", "exit 1", onFailure="Pause"))
    status = await_task(sagas, reason="Paused")
    assert "ask it of the workflow 'once'" in status["message"]
    assert "MarkSucceeded" in status["message"]
    asked = [request("it-is-done", "MarkSucceeded", step="task")]
    sagas.patch(put("/spec/requests", asked), name="once")
    status = await_task(sagas, phase="Success")
    assert "reason" not in status
    assert "message" not in status


def test_a_workflow_of_that_name_that_is_none_of_it_is_left_alone(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("other"), name="once"))
    before = await_phase(sagas, "Success", "once")
    sagas.create(once(notes))
    status = await_task(sagas, reason="NameTaken")
    assert (status["phase"], "workflowUid" in status) == ("Pending", False)
    after = sagas.get("once")  # its own finalizer goes soon after its end
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])
    assert "ownerReferences" not in after["metadata"]
    delete(sagas, "saga")
    assert "reason" not in await_task(sagas, phase="Success")
    assert notes.lines() == ["run-other", "run-a"]


def test_a_finished_task_whose_workflow_was_deleted_does_not_run_again(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(once(notes))
    await_task(sagas, phase="Success")
    delete(sagas, "saga")
    rests(sagas, controllers)
    assert notes.lines() == ["run-a"]


def test_a_task_whose_workflow_is_deleted_under_way_is_undone_and_does_not_run_again(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(once(notes, "sleep 60"))
    until(lambda: "run-a" in notes.lines() or None, "it runs")
    delete(sagas, "saga")
    assert sagas.task()["status"]["phase"] == "RollBacked"  # known before the workflow went
    rests(sagas, controllers)
    assert notes.lines() == ["run-a", "undo-a"]


def test_an_end_that_nobody_saw_is_a_failure_and_not_run_again(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(once(notes, "sleep 60", deletionPolicy="Orphan"))
    await_task(sagas, phase="Running")
    delete(sagas, "saga")
    status = await_task(sagas, phase="Failed", reason="WorkflowDeleted")
    assert status["finishedAt"] >= status["startedAt"]
    rests(sagas, controllers)
    assert notes.lines() == ["run-a"]


@pytest.mark.parametrize("policy", ["RollbackUnfinished", "Rollback", "Orphan"])
def test_age_takes_a_task_with_its_workflow_and_undoes_nothing(
    sagas: Sagas, controllers: Controllers, notes: Notes, policy: str
) -> None:
    leader = controllers.leader()
    age = {"success": 0}
    sagas.create(once(notes, deletionPolicy=policy, ttlSecondsAfterFinished=age))
    await_gone(sagas, "sagatask", "saga")
    leader.await_said("/once: removed, Success and over age")
    assert notes.lines() == ["run-a"]


def test_a_task_stays_until_its_own_age_where_its_workflow_went_before(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader()
    sagas.create(once(notes, queue="night"))
    await_task(sagas, phase="Success")
    delete(sagas, "saga")
    rests(sagas, controllers)
    controllers.started[-1].end()
    queues = {"night": {"ttlSecondsAfterFinished": {"success": "1s"}}}
    controllers.leader(controllerConfig={"queue": {"queues": queues}})
    await_gone(sagas, "sagatask")
    assert first.end() == 0


def test_a_task_that_is_deleted_makes_no_other_workflow(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """The cluster's garbage collection deletes the workflow then, which is played here."""
    controllers.leader()
    sagas.create(once(notes, "sleep 60"))
    until(lambda: "run-a" in notes.lines() or None, "it runs")
    delete(sagas, "sagatask")
    delete(sagas, "saga")
    sagas.create(workflow(name="later"))
    await_phase(sagas, "Success", "later")
    assert sagas.names() == ["later"]
    assert notes.lines() == ["run-a", "undo-a"]


@pytest.mark.slow
def test_a_controller_killed_before_it_saved_that_the_workflow_is_made_makes_no_other(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """It lacks the right to save that, so that it is sure to die between the two."""
    able = (*rbac.WORKFLOWS, *rbac.CLEAN_UP, *rbac.lease(f"wf-controller.{sagas.namespace}"))
    tasks = tuple(rule for rule in rbac.TASKS if rule.resources != ("tasks/status",))
    account = with_rights(sagas.kubectl, sagas.namespace, (*able, *tasks))
    controllers.kubeconfig = account.kubeconfig(
        controllers.cluster, controllers.folder / "account.kubeconfig"
    )
    first = controllers.leader("--no-schedules", lease_seconds=LEASE_SECONDS)
    sagas.create(once(notes, ttlSecondsAfterFinished={"success": 3600}))
    await_phase(sagas, "Success", "once")
    first.await_said("/once: tried again in a while")
    uid = sagas.get("once")["metadata"]["uid"]
    delete(sagas, "saga", "--wait=false")
    first.await_said("once: the finalizer is still on it")
    first.end(signal.SIGKILL)
    assert sagas.task()["status"] == {"phase": "Pending", "revision": 0}
    controllers.kubeconfig = None
    controllers.leader(lease_seconds=LEASE_SECONDS)
    status = await_task(sagas, phase="Success")
    assert status["workflowUid"] == uid
    await_gone(sagas, "saga")
    rests(sagas, controllers)
    assert notes.lines() == ["run-a"]


def test_without_rights_on_tasks_workflows_run_all_the_same(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    rules = (*rbac.WORKFLOWS, *rbac.lease(f"wf-controller.{sagas.namespace}"))
    account = with_rights(sagas.kubectl, sagas.namespace, rules)
    file = account.kubeconfig(controllers.cluster, controllers.folder / "account.kubeconfig")
    controllers.kubeconfig = file
    leader = controllers.leader("--no-schedules")
    sagas.create(once(notes))
    sagas.create(workflow(notes.step("b")))
    await_phase(sagas, "Success")
    leader.await_said("following tasks")
    assert notes.lines() == ["run-b"]
    assert leader.end() == 0
    silent = controllers.leader("--no-schedules", "--no-tasks")
    sagas.create(workflow(notes.step("c"), name="other"))
    await_phase(sagas, "Success", "other")
    assert not silent.said("following tasks")
