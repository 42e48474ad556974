"""One object that can't be read or run: it is left alone by itself, says why, and goes when nothing
of it ran; all others go on."""

import json
from functools import partial
from typing import Any

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, cron, put, request, step, task, workflow
from tests.k8s.test_controller_deletion import FINALIZER, await_gone, delete

DEEP = 5_000


def deep(document: Json) -> str:
    """The document as JSON, with DEEP lists in each other where it says "DEEP"."""
    return json.dumps(document).replace('"DEEP"', "[" * DEEP + "]" * DEEP)


def create(sagas: Sagas, document: Json) -> None:
    # kubectl itself gives up on such a depth when it validates.
    made = deep(document)
    sagas.kubectl("create", "-n", sagas.namespace, "--validate=false", "-f", "-", stdin=made)


def stalled(sagas: Sagas, name: str = "order") -> Json | None:
    # Not the whole object, for which Python's own reader is not deep enough.
    said = sagas.kubectl(
        *("get", "-n", sagas.namespace, "saga", name, "-o", "jsonpath={.status.conditions}")
    )
    found = ((each["type"], each["status"], each) for each in json.loads(said or "[]"))
    return next((each for kind, holds, each in found if (kind, holds) == ("Stalled", "True")), None)


def await_stalled(sagas: Sagas, name: str = "order") -> Json:
    return until(lambda: stalled(sagas, name), f"'{name}' says that it is stalled")


def warned(sagas: Sagas, name: str = "order") -> str:
    def look() -> str | None:
        events = sagas.kubectl.json("get", "-n", sagas.namespace, "events.events.k8s.io")["items"]
        return next(
            (
                each["note"]
                for each in events
                if each["regarding"]["name"] == name and each["reason"] == "LeftAlone"
            ),
            None,
        )

    return until(look, f"an Event says that '{name}' is left alone")


def test_an_object_nested_too_deep_is_left_alone_and_all_others_go_on(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    create(sagas, workflow(name="before", parameters={"a": "DEEP"}))
    leader = controllers.leader()
    sagas.create(workflow(notes.step("a"), name="other"))
    await_phase(sagas, "Success", "other")
    create(sagas, workflow(name="after", parameters={"a": "DEEP"}))
    for name in ("before", "after"):
        mark = await_stalled(sagas, name)
        assert mark["reason"] == "LeftAlone"
        assert "nested too deep" in mark["message"]
        assert "nested too deep" in warned(sagas, name)
    assert leader.page("/healthz") == "ok\n"
    assert 'wf_workflows_left_alone{reason="Unreadable"} 2.0' in leader.page("/metrics")
    sagas.create(workflow(notes.step("b"), name="third"))
    await_phase(sagas, "Success", "third")


def test_what_never_ran_goes_when_it_is_deleted_although_it_cant_be_read(
    sagas: Sagas, controllers: Controllers
) -> None:
    document = workflow(parameters={"a": "DEEP"})
    document["metadata"]["finalizers"] = [FINALIZER]
    create(sagas, document)
    controllers.leader()
    await_stalled(sagas)
    delete(sagas)
    await_gone(sagas)


def started(sagas: Sagas, notes: Notes, controllers: Controllers) -> None:
    """A workflow that ran, while no controller runs."""
    first = controllers.leader()
    sagas.create(workflow(notes.step("a"), notes.step("b", "a", then="sleep 60")))
    until(lambda: "run-b" in notes.lines() or None, "b runs")
    assert first.end() == 0


def test_what_may_have_run_stays_until_a_person_gives_its_effects_up(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    started(sagas, notes, controllers)
    sagas.save(schemaVersion=99)
    controllers.leader()
    mark = await_stalled(sagas)
    assert "was saved by a newer engine" in mark["message"]
    assert "set its spec.deletionPolicy to Orphan" in mark["message"]
    delete(sagas)
    other = workflow(notes.step("c"), name="other")
    sagas.create(other)
    await_phase(sagas, "Success", "other")
    assert sagas.get()["metadata"]["finalizers"] == [FINALIZER]
    sagas.patch(put("/spec/deletionPolicy", "Orphan"))
    await_gone(sagas)
    assert "undo-a" not in notes.lines()


@pytest.mark.parametrize(
    "status",
    [
        {"revision": 2**53},
        {"reached": {"Running": 1e308}},
        {"epoch": -1},
        {"outboxSeq": 2**53},
        {"deadlineAt": 253402300800},
        {"steps": {"a": {"attempt": 2**53}}},
        {"steps": {"a": {"nextAttemptAt": -1}}},
    ],
)
def test_the_schema_takes_no_number_that_no_engine_writes(sagas: Sagas, status: Json) -> None:
    sagas.create(workflow())
    (name, value), *_ = status.items()
    said = sagas.patch_refused(put(f"/status/{name}", value), status=True)
    assert "should be" in said


def test_a_deadline_that_no_document_asks_for_is_no_fault(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    started(sagas, notes, controllers)
    sagas.save(deadlineAt=5)
    leader = controllers.leader()
    sagas.patch(put("/spec/requests", [request("stop")]))
    await_phase(sagas, "RollBacked")
    assert not leader.said("a fault of the engine")
    assert "undo-a" in notes.lines()


def test_a_workflow_that_is_running_while_it_is_undone_is_left_alone_and_says_so(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    started(sagas, notes, controllers)
    steps = sagas.get()["status"]["steps"]
    sagas.save(steps={**steps, "a": {**steps["a"], "phase": "RollingBack"}})
    controllers.leader()
    mark = await_stalled(sagas)
    assert "step 'a' is RollingBack in a workflow that is Running; no engine" in mark["message"]
    delete(sagas)
    sagas.patch(put("/spec/deletionPolicy", "Orphan"))
    await_gone(sagas)
    assert "undo-a" not in notes.lines()


def test_schedules_and_tasks_nested_too_deep_leave_others_alone(
    sagas: Sagas, controllers: Controllers
) -> None:
    parameters: dict[str, Any] = {"a": "DEEP"}
    create(sagas, cron(step("a"), name="bad"))
    bad = cron(name="deep")
    bad["spec"]["workflowTemplate"]["spec"]["parameters"] = parameters
    create(sagas, bad)
    create(sagas, task("deep-task", parameters=parameters))
    leader = controllers.leader()
    sagas.create(task("fine", type="random"))
    until(lambda: sagas.task("fine")["status"]["phase"] == "Success" or None, "the task is done")
    assert leader.page("/healthz") == "ok\n"
    for kind, name in (("cronsaga", "deep"), ("sagatask", "deep-task")):
        until(
            partial(_says_left_alone, sagas, kind, name),
            f"{kind} '{name}' says that it is left alone",
        )
        assert "nested too deep" in warned(sagas, name)
    page = leader.page("/metrics")
    assert 'wf_objects_left_alone{kind="CronWorkflow"} 1.0' in page
    assert 'wf_objects_left_alone{kind="Task"} 1.0' in page
    assert not leader.said("not yet said on it")


def _says_left_alone(sagas: Sagas, kind: str, name: str) -> bool | None:
    path = "jsonpath={.status.reason}: {.status.message}"
    said = sagas.kubectl("get", "-n", sagas.namespace, kind, name, "-o", path)
    return True if said.startswith("LeftAlone: left alone: ") and "too deep" in said else None


def test_a_schedule_that_was_left_alone_says_so_no_more_once_it_is_mended(
    sagas: Sagas, controllers: Controllers
) -> None:
    bad = cron(name="deep")
    bad["spec"]["workflowTemplate"]["spec"]["parameters"] = {"a": "DEEP"}
    create(sagas, bad)
    leader = controllers.leader()
    until(lambda: _says_left_alone(sagas, "cronsaga", "deep"), "it is left alone")
    mended = json.dumps([put("/spec/workflowTemplate/spec/parameters", {})])
    sagas.kubectl("patch", "-n", sagas.namespace, "cronsaga", "deep", "--type=json", "-p", mended)
    until(
        lambda: sagas.cron("deep")["status"].get("reason", "") != "LeftAlone" or None,
        "it goes on",
    )
    assert 'wf_objects_left_alone{kind="CronWorkflow"} 0.0' in leader.page("/metrics")
