"""Schedules that a controller runs, on a real API server."""

import datetime
import json

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import SUSPENDED, Json, Sagas, cron, put, workflow
from tests.k8s.service_accounts import with_rights

from wf_core.cli.app import run
from wf_k8s import rbac


def await_runs(sagas: Sagas, count: int) -> list[str]:
    """The names of the workflows, once there are so many."""

    def look() -> list[str] | None:
        names = sagas.names()
        return names if len(names) >= count else None

    return until(look, f"{count} runs")


def patch(sagas: Sagas, *operations: Json) -> None:
    """Change the schedule, as a person would."""
    where = ("-n", sagas.namespace, "patch", "cronsaga", "tick", "--type=json")
    sagas.kubectl(*where, "-p", json.dumps(operations))


def test_what_is_due_is_started_and_the_status_tells_of_it(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader()
    sagas.create(cron(notes.step("a"), schedule="*/2 * * * * *", successfulRunsHistoryLimit=2))
    await_runs(sagas, 2)
    until(lambda: notes.lines().count("run-a") > 3 or None, "four runs")
    sagas.kubectl("-n", sagas.namespace, "patch", "cronsaga", "tick", *SUSPENDED)
    until(lambda: sagas.cron()["status"]["activeCount"] == 0 or None, "all have ended")
    until(lambda: len(sagas.names()) == 2 or None, "two are kept")
    status = sagas.cron()["status"]
    assert [each["name"] for each in status["finished"]] == sorted(sagas.names())
    assert all(each["phase"] == "Success" for each in status["finished"])
    assert (status["reason"], status.get("missed", 0)) == ("Suspended", 0)
    slots = [datetime.datetime.fromisoformat(each["scheduledTime"]) for each in status["finished"]]
    assert (slots[1] - slots[0]).total_seconds() == 2
    assert slots[1].isoformat().replace("+00:00", "Z") == status["lastScheduleTime"]
    assert leader.end() == 0
    assert [line for line in leader.lines() if line["level"] in ("ERROR", "error")] == []


def test_replace_cancels_and_undoes_the_run_before_the_next_begins(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    endless = notes.step("b", "a", then="sleep 100")
    steps = [notes.step("a"), endless]
    sagas.create(cron(*steps, schedule="*/3 * * * * *", concurrencyPolicy="Replace"))
    until(lambda: notes.lines().count("run-b") > 1 or None, "the second run")
    first = notes.lines()[: notes.lines().index("undo-a") + 1]
    assert first == ["run-a", "run-b", "undo-b", "undo-a"]
    sagas.kubectl("-n", sagas.namespace, "delete", "cronsaga", "tick")


def test_a_template_that_can_not_run_here_says_so_in_the_status(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    step = notes.step("a")
    step["stepTemplate"]["type"] = "nobody-knows"
    sagas.create(cron(step))
    status = until(
        lambda: sagas.cron()["status"] if "reason" in sagas.cron()["status"] else None, "a reason"
    )
    assert status["reason"] == "InvalidSpec"
    assert "$.spec.workflowTemplate.spec.steps[0].stepTemplate.type" in status["message"]
    assert sagas.names() == []
    patch(sagas, put("/spec/workflowTemplate/spec/steps", [notes.step("a")]))
    until(lambda: "run-a" in notes.lines() or None, "it runs once it is mended")


def test_the_commands_of_wf_are_the_same_in_a_cluster(
    sagas: Sagas,
    controllers: Controllers,
    notes: Notes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(controllers.cluster.kubeconfig))
    monkeypatch.setenv("XDG_STATE_HOME", str(controllers.folder))
    monkeypatch.setenv("WF_STORE", f"k8s:/{sagas.namespace}")
    file = controllers.folder / "tick.yaml"
    file.write_text(json.dumps(cron(notes.step("a"), schedule="0 3 * * *")))

    def wf(*arguments: str) -> str:
        assert run(arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    wf("submit", str(file))
    assert "tick" in wf("cron", "list")
    name = wf("cron", "trigger", "tick", "-o", "name").strip().rpartition("/")[2]
    controllers.leader()
    await_phase(sagas, "Success", name)
    wf("cron", "suspend", "tick")
    assert sagas.cron()["spec"]["suspend"] is True
    wf("cron", "continue", "tick")
    file.write_text(json.dumps(cron(notes.step("a"), schedule="0 4 * * *")))
    assert run(["submit", str(file)]) == 2
    assert "--replace" in capsys.readouterr().err
    wf("submit", "--replace", str(file))
    assert sagas.cron()["spec"]["schedule"] == "0 4 * * *"
    assert wf("cron", "next", "tick", "-n", "1").count("T04:00:00Z") == 2
    wf("cron", "delete", "tick")
    assert sagas.kubectl("-n", sagas.namespace, "get", "cronsaga", "-o", "name") == ""


def test_without_rights_on_schedules_workflows_run_all_the_same(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    rules = (*rbac.WORKFLOWS, *rbac.lease(f"wf-controller.{sagas.namespace}"))
    account = with_rights(sagas.kubectl, sagas.namespace, rules)
    file = account.kubeconfig(controllers.cluster, controllers.folder / "account.kubeconfig")
    controllers.kubeconfig = file
    leader = controllers.leader()
    sagas.create(cron(notes.step("scheduled")))
    sagas.create(workflow(notes.step("a")))
    await_phase(sagas, "Success")
    leader.await_said("following schedules")
    assert notes.lines() == ["run-a"]
    assert leader.end() == 0
    silent = controllers.leader("--no-schedules")
    sagas.create(workflow(notes.step("b"), name="other"))
    await_phase(sagas, "Success", "other")
    assert not silent.said("following schedules")
