"""Schedules are read as workflows are: every fault at once, at its path and line."""

from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from tests.core.codec.conftest import FakeKinds

from wf_core import codec
from wf_core.errors import DocumentInvalid
from wf_core.model.phases import Phase
from wf_core.model.schedule import (
    ConcurrencyPolicy,
    CronStatus,
    CronWorkflow,
    ScheduledRun,
    StoredSchedule,
)
from wf_core.model.spec import Workflow

EXAMPLE = Path(__file__).parents[3] / "examples" / "nightly.yaml"
HEAD = "apiVersion: workflow.example.com/v1alpha1\nkind: CronWorkflow\nmetadata: {name: w}\nspec:\n"
TEMPLATE = "workflowTemplate: {spec: {steps: [{name: a, stepTemplate: {type: random}}]}}"


def read(text: str) -> CronWorkflow:
    document = codec.read_document(text, "", FakeKinds())
    assert isinstance(document, CronWorkflow)
    return document


def document(*lines: str) -> str:
    return HEAD + "".join(f"  {line}\n" for line in lines)


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentInvalid) as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


def test_the_example_is_valid() -> None:
    schedule = codec.read_document(EXAMPLE.read_text(), "nightly.yaml", FakeKinds())
    assert isinstance(schedule, CronWorkflow)
    assert schedule.spec.concurrency_policy is ConcurrencyPolicy.REPLACE
    assert [step.name for step in schedule.spec.workflow_template.spec.steps] == ["copy", "publish"]


def test_defaults_are_those_of_a_cronjob() -> None:
    spec = read(document("schedule: '@daily'", TEMPLATE)).spec
    assert (spec.time_zone, spec.suspend) == ("UTC", False)
    assert spec.concurrency_policy is ConcurrencyPolicy.ALLOW
    assert spec.starting_deadline_seconds is None
    assert (spec.successful_runs_history_limit, spec.failed_runs_history_limit) == (3, 1)


def test_every_fault_is_found_at_its_path_and_line() -> None:
    text = document(
        "schedule: 61 * * * *",
        "timeZone: Mars/Base",
        "startingDeadlineSeconds: 0",
        "failedRunsHistoryLimit: 101",
        "concurencyPolicy: Allow",
        "workflowTemplate:",
        "  spec:",
        "    steps:",
        "    - name: a",
        "      dependOns: [{name: b}]",
        "      stepTemplate: {type: rnadom}",
    )
    assert faults(text) == [
        "$.spec.schedule: '61 * * * *' is no cron expression: '61' is no minute "
        "(line 5, column 13)",
        "$.spec.timeZone: no time zone 'Mars/Base': write one as Europe/Berlin or UTC "
        "(line 6, column 13)",
        "$.spec.startingDeadlineSeconds: must be more than 0 seconds, not 0; leave it out for no "
        "limit (line 7, column 28)",
        "$.spec.failedRunsHistoryLimit: must be 0 to 100, not 101 (line 8, column 27)",
        "$.spec.concurencyPolicy: unknown key 'concurencyPolicy'; did you mean "
        "'concurrencyPolicy'? (line 9, column 3)",
        "$.spec.workflowTemplate.spec.steps[0].dependOns[0].name: no step 'b' (line 14, column 28)",
        "$.spec.workflowTemplate.spec.steps[0].stepTemplate.type: no installed plugin brings the "
        "kind 'rnadom' (line 15, column 30)",
    ]


def test_its_name_leaves_room_for_those_of_its_runs() -> None:
    text = document("schedule: '@daily'", TEMPLATE)
    assert read(text.replace("name: w}", f"name: {'w' * 52}}}", 1))
    (fault,) = faults(text.replace("name: w}", f"name: {'w' * 53}}}", 1))
    assert fault.startswith("$.metadata.name: has 53 characters")


def test_what_is_left_out_is_named() -> None:
    assert faults(HEAD.replace("spec:\n", "spec: {}\n")) == [
        "$.spec.schedule: is required (line 4, column 7)",
        "$.spec.workflowTemplate: is required (line 4, column 7)",
    ]


def test_either_kind_is_read_and_no_other() -> None:
    workflow = HEAD.replace("CronWorkflow", "Workflow") + (
        "  steps: [{name: a, stepTemplate: {type: random}}]\n"
    )
    assert isinstance(codec.read_document(workflow, "", None), Workflow)
    with pytest.raises(
        DocumentInvalid, match="must be 'Workflow', 'Task' or 'CronWorkflow', not"
    ) as caught:
        codec.read_document(workflow.replace("Workflow", "CronJob"), "", None)
    assert len(caught.value.faults) == 1


def test_where_a_workflow_is_wanted_a_schedule_says_who_runs_it() -> None:
    with pytest.raises(DocumentInvalid, match="`wf serve` runs it by the clock"):
        codec.read(document("schedule: '@daily'", TEMPLATE), "", None)


def test_parameters_are_put_over_those_of_its_workflow() -> None:
    text = document("schedule: '@daily'", TEMPLATE)
    read = codec.read_document(text, "", None, {"region": "north"})
    assert isinstance(read, CronWorkflow)
    assert read.spec.workflow_template.spec.parameters == {"region": "north"}


def test_the_schema_agrees() -> None:
    validator = jsonschema.Draft202012Validator(codec.schema(FakeKinds(), CronWorkflow))
    good = codec.to_document(read(EXAMPLE.read_text()))
    assert list(validator.iter_errors(good)) == []
    steps = good["spec"]["workflowTemplate"]["spec"]["steps"]
    steps[0]["stepTemplate"]["type"] = "rnadom"
    good["spec"]["failedRunsHistoryLimit"] = 101
    paths = [error.json_path for error in validator.iter_errors(good)]
    assert sorted(paths) == [
        "$.spec.failedRunsHistoryLimit",
        "$.spec.workflowTemplate.spec.steps[0].stepTemplate.type",
    ]


def test_what_is_stored_is_shown_with_times_people_read_and_is_read_back() -> None:
    status = CronStatus(
        revision=3,
        timetable="@daily UTC",
        decided_time=1_800_000_000.0,
        last_schedule_time=1_800_000_000.0,
        active=(ScheduledRun("w-30000000", 1_800_000_000.0),),
        finished=(
            ScheduledRun("w-29998560", 1_799_913_600.0, Phase.SUCCESS, 1_799_913_601.123456),
        ),
    )
    stored = StoredSchedule(read(document("schedule: '@daily'", TEMPLATE)), status, 1_790_000_000.0)
    shown = codec.stored_schedule_document(stored)
    assert shown["metadata"]["creationTimestamp"] == "2026-09-21T14:13:20Z"
    assert shown["status"]["lastScheduleTime"] == "2027-01-15T08:00:00Z"
    assert shown["status"]["finished"][0]["finishedTime"] == "2027-01-14T08:00:01.123456Z"
    assert codec.read_schedule_status(shown["status"]) == status
    assert read(codec.dump_plain(shown)) == stored.schedule
