"""The definition of CronWorkflow: what it says, and what a cluster makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.k8s.crd_objects import Sagas, cron, put, step
from tests.k8s.test_crd_schema import walk

from wf_core.codec import read_document, schedule_status
from wf_core.model.phases import Phase
from wf_core.model.schedule import MAX_RUNS, CronStatus, ScheduledRun
from wf_k8s.crd import descriptions, schedule_definition

EXAMPLE = Path(__file__).parents[2] / "examples" / "nightly.yaml"
SLOT = 1_800_000_000.0


def root() -> dict[str, Any]:
    (version,) = schedule_definition()["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def test_every_field_of_a_schedule_is_described() -> None:
    bare = [
        path
        for path, schema in walk(root())
        if not schema.get("description") and not path.endswith(("[]", ".*"))
    ]
    assert bare == ["$.metadata"]


def test_every_description_of_a_schedule_is_used() -> None:
    used = {schema.get("description") for _, schema in walk(root())}
    assert [name for name, text in descriptions.SCHEDULED.items() if text not in used] == []


def test_the_definition_is_made_anew_each_time() -> None:
    schedule_definition()["spec"]["versions"].clear()
    assert root()


def test_what_the_api_server_fills_in_changes_nothing(sagas: Sagas) -> None:
    back = sagas.create(yaml.safe_load(EXAMPLE.read_text()))
    assert read_document(json.dumps(back), "back", None).spec == (
        read_document(EXAMPLE.read_text(), "sent", None).spec
    )


def test_applying_a_schedule_again_changes_nothing(sagas: Sagas) -> None:
    for said in ("created", "unchanged"):
        done = sagas.kubectl("apply", "-n", sagas.namespace, "-f", str(EXAMPLE))
        assert done.strip().endswith(said)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (cron(step("a"), step("a")), "the names of steps must be unique"),
        (cron(step("a", "b")), "dependOns must name steps of this workflow"),
        (cron(step("a", "a")), "a step can't depend on itself"),
        (cron(step("a", pivot=True), step("b", pivot=True)), "at most one step can be the pivot"),
        (cron(name="w" * 53), "may not be more than 52"),
        (cron(concurrencyPolicy="Never"), 'supported values: "Allow", "Forbid", "Replace"'),
        (cron(startingDeadlineSeconds=0), "should be greater than 0"),
        (cron(failedRunsHistoryLimit=-1), "should be greater than or equal to 0"),
        (cron(failedRunsHistoryLimit=101), "should be less than or equal to 100"),
        (cron(zone="UTC"), 'unknown field "spec.zone"'),
        (cron(requests=[]), 'unknown field "spec.requests"'),
    ],
)
def test_what_is_wrong_with_a_schedule_is_refused(
    sagas: Sagas, document: dict[str, Any], said: str
) -> None:
    assert said in sagas.refused(document)


def test_its_workflow_may_be_changed_and_is_judged_again(sagas: Sagas) -> None:
    sagas.create(cron())
    where = ("-n", sagas.namespace, "patch", "cronsaga", "tick", "--type=json", "-p")
    steps = "/spec/workflowTemplate/spec/steps"
    sagas.kubectl(*where, json.dumps([put(steps, [step("b"), step("c", "b")])]))
    done = sagas.kubectl.run(*where, json.dumps([put(steps, [step("b"), step("c", "x")])]))
    assert "dependOns must name steps" in done.stderr


def test_2_a_schedule_at_every_limit_fits_the_budget_of_the_rules(sagas: Sagas) -> None:

    def full(name_length: int) -> dict[str, Any]:
        names = [f"s{n:0{name_length - 1}}" for n in range(500)]
        return cron(*(step(name, *names[max(0, n - 64) : n]) for n, name in enumerate(names)))

    sagas.create(full(63), "--dry-run=server")  # more than etcd holds: it is judged, not stored
    sagas.create(full(4))
    runs = tuple(ScheduledRun(f"tick-{n:058}", SLOT, Phase.FAILED, SLOT) for n in range(MAX_RUNS))
    status = schedule_status(CronStatus(revision=1, active=runs, finished=runs, message="m" * 4096))
    where = ("-n", sagas.namespace, "patch", "cronsaga", "tick", "--subresource=status")
    sagas.kubectl(*where, "--type=json", "-p", json.dumps([put("/status", status)]))


def test_kubectl_shows_what_people_ask_first(sagas: Sagas) -> None:
    sagas.create(cron(schedule="30 2 * * *", timeZone="Europe/Berlin", suspend=True))
    get = ("-n", sagas.namespace, "get", "cronworkflows.workflow.example.com")
    head, row = sagas.kubectl(*get).splitlines()
    assert head.split() == ["NAME", "SCHEDULE", "ZONE", "SUSPEND", "ACTIVE", "LAST", "AGE"]
    assert row.split()[:8] == ["tick", "30", "2", "*", "*", "*", "Europe/Berlin", "true"]
