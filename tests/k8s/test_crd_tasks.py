"""The definition of Task: what it says, and what a cluster makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.k8s.crd_objects import Sagas, put, task
from tests.k8s.test_crd_schema import walk

from wf_core.codec import read_document
from wf_k8s.crd import descriptions, task_definition

EXAMPLE = Path(__file__).parents[2] / "examples" / "task.yaml"


def root() -> dict[str, Any]:
    (version,) = task_definition()["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def test_every_field_of_a_task_is_described() -> None:
    bare = [
        path
        for path, schema in walk(root())
        if not schema.get("description") and not path.endswith(("[]", ".*"))
    ]
    assert bare == ["$.metadata"]


def test_every_description_of_a_task_is_used() -> None:
    used = {schema.get("description") for _, schema in walk(root())}
    assert [name for name, text in descriptions.TASKED.items() if text not in used] == []


def test_what_the_api_server_fills_in_changes_nothing_of_a_task(sagas: Sagas) -> None:
    sagas.kubectl("apply", "-n", sagas.namespace, "-f", str(EXAMPLE))
    back = json.dumps(sagas.task("task"))
    assert read_document(back, "back", None).spec == (
        read_document(EXAMPLE.read_text(), "sent", None).spec
    )


def test_applying_a_task_again_changes_nothing(sagas: Sagas) -> None:
    for said in ("created", "unchanged"):
        done = sagas.kubectl("apply", "-n", sagas.namespace, "-f", str(EXAMPLE))
        assert done.strip().endswith(said)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (task(type=""), "should be at least 1 chars long"),
        (task(name="w" * 64), "may not be more than 63"),
        (task(timeoutSeconds=0), "should be greater than 0"),
        (task(rollback="Perhaps"), "supported values"),
        (task(priority=2**31), "integer with format int32"),
        (task(ttlSecondsAfterFinished=60), "must be of type object"),
        (task(steps=[]), 'unknown field "spec.steps"'),
        (task(requests=[]), 'unknown field "spec.requests"'),
    ],
)
def test_what_is_wrong_with_a_task_is_refused(
    sagas: Sagas, document: dict[str, Any], said: str
) -> None:
    assert said in sagas.refused(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/type", "command"),
        ("/spec/parameters", {"sleepSeconds": 2}),
        ("/spec/suspend", True),
        ("/spec/ttlSecondsAfterFinished", {"success": 1}),
    ],
)
def test_the_spec_of_a_task_can_not_change(sagas: Sagas, path: str, value: object) -> None:
    sagas.create(task(parameters={"sleepSeconds": 1}))
    patch = ("-n", sagas.namespace, "patch", "sagatask", "once", "--type=json", "-p")
    done = sagas.kubectl.run(*patch, json.dumps([put(path, value)]))
    assert "a task's spec is immutable" in done.stderr


def test_a_task_begins_as_pending_and_is_found_by_its_phase(sagas: Sagas) -> None:
    sagas.create(task())
    assert sagas.task()["status"] == {"phase": "Pending", "revision": 0}
    get = ("-n", sagas.namespace, "get", "tasks.workflow.example.com", "-o", "name")
    assert sagas.kubectl(*get, "--field-selector", "status.phase=Pending").strip() == (
        "task.workflow.example.com/once"
    )
    assert sagas.kubectl(*get, "--field-selector", "status.phase=Success") == ""


def test_a_save_of_a_task_that_is_stale_is_refused(sagas: Sagas) -> None:
    sagas.create(task())
    where = ("-n", sagas.namespace, "patch", "sagatask", "once", "--subresource=status")
    sagas.kubectl(*where, "--type=json", "-p", json.dumps([put("/status/revision", 2)]))
    stale = json.dumps([put("/status/revision", 1)])
    assert "this save is stale" in sagas.kubectl.run(*where, "--type=json", "-p", stale).stderr


def test_kubectl_shows_of_a_task_what_people_ask_first(sagas: Sagas) -> None:
    sagas.create(task())
    head, row = sagas.kubectl("-n", sagas.namespace, "get", "sagatask").splitlines()
    assert head.split() == ["NAME", "TYPE", "PHASE", "AGE"]
    assert row.split()[:3] == ["once", "random", "Pending"]
