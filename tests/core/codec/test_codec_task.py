"""Documents of kind Task: read as a workflow of one step, with faults at the Task's own paths."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
import yaml
from tests.core.codec.conftest import FakeKinds, Messages, Reading

from wf_core import codec
from wf_core.codec.compose import parse
from wf_core.codec.shape import Found, plain
from wf_core.codec.tasks import SAME_AS
from wf_core.model.phases import DeletionPolicy, OnFailure, RollbackMode, RollbackPolicy
from wf_core.model.spec import (
    Callback,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    TimeToLive,
    WorkflowSpec,
)
from wf_core.model.task import Task, TaskSpec

HEAD = "apiVersion: workflow.example.com/v1alpha1\nkind: Task\nmetadata: {name: t}\n"

EVERY_FIELD = {
    "type": "random",
    "parameters": {"sleepSeconds": 2},
    "retryPolicy": {"runRetryLimit": 1},
    "rollbackPolicy": "Always",
    "syncPeriodSeconds": 5,
    "timeoutSeconds": 6,
    "rollbackTimeoutSeconds": 7,
    "rollback": "None",
    "queue": "night",
    "priority": 8,
    "suspend": True,
    "callback": {"url": "http://there/"},
    "onFailure": "Pause",
    "deletionPolicy": "Orphan",
    "activeDeadlineSeconds": 9,
    "ttlSecondsAfterFinished": {"success": 10},
}


def document(**spec: Any) -> str:
    return HEAD + yaml.safe_dump({"spec": spec})


def errors(text: str, kinds: FakeKinds | None = None) -> list[str]:
    validator = jsonschema.Draft202012Validator(codec.schema(kinds, Task))
    found = validator.iter_errors(plain(parse(text), "$", Found()))
    return [error.json_path for error in found]


def test_a_task_is_a_workflow_of_one_step(reading: Reading) -> None:
    made = reading(document(**EVERY_FIELD))
    template = StepTemplate(
        "random",
        {"sleepSeconds": 2},
        RetryPolicy(run_retry_limit=1),
        RollbackPolicy.ALWAYS,
        sync_period_seconds=5.0,
        timeout_seconds=6.0,
        rollback_timeout_seconds=7.0,
    )
    assert made.metadata.labels == {"workflow.example.com/task": "true"}
    assert made.spec == WorkflowSpec(
        (StepSpec("task", template, rollback=RollbackMode.NONE),),
        queue="night",
        priority=8,
        suspend=True,
        callback=Callback("http://there/"),
        on_failure=OnFailure.PAUSE,
        deletion_policy=DeletionPolicy.ORPHAN,
        active_deadline_seconds=9.0,
        ttl_seconds_after_finished=TimeToLive(success=10.0),
    )


def test_every_field_of_a_task_is_shown_here_and_is_one_of_a_workflow() -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(TaskSpec)}
    assert fields == set(EVERY_FIELD)
    assert set(SAME_AS) == {f"TaskSpec.{name}" for name in fields}


def test_what_is_left_out_is_as_in_a_workflow(reading: Reading) -> None:
    made = reading(document(type="random"))
    assert made.spec == WorkflowSpec((StepSpec("task", StepTemplate("random")),))


def test_labels_of_its_own_are_kept(reading: Reading) -> None:
    text = document(type="random").replace("{name: t}", "{name: t, labels: {team: a}}")
    assert reading(text).metadata.labels == {"team": "a", "workflow.example.com/task": "true"}


def test_parameters_that_are_given_are_put_over_those_of_its_kind(kinds: FakeKinds) -> None:
    text = document(type="random", parameters={"sleepSeconds": 2})
    made = codec.read(text, "", kinds, {"sleepSeconds": 3})
    assert made.spec.steps[0].step_template.parameters == {"sleepSeconds": 3}
    assert made.spec.parameters == {}


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({}, "$.spec.type: is required (line 4, column 7)"),
        ({"type": "radnom"}, "$.spec.type: no installed plugin brings the kind 'radnom'"),
        ({"type": "random", "timeoutSeconds": 0}, "$.spec.timeoutSeconds: must be more than 0"),
        (
            {"type": "random", "parameters": {"sleepSeconds": "long"}},
            "$.spec.parameters.sleepSeconds: must be a number, not 'long'",
        ),
        (
            {"type": "random", "retryPolicy": {"factor": 0}},
            "$.spec.retryPolicy.factor: must be 1 or more, not 0",
        ),
        ({"type": "random", "rollback": "no"}, "$.spec.rollback: must be Required or None"),
        (
            {"type": "random", "activeDeadlineSeconds": -1},
            "$.spec.activeDeadlineSeconds: must be more than 0 seconds",
        ),
        (
            {"type": "random", "timeoutSecond": 1},
            "$.spec.timeoutSecond: unknown key 'timeoutSecond'; did you mean 'timeoutSeconds'?",
        ),
        ({"type": "random", "steps": []}, "$.spec.steps: unknown key 'steps'"),
        (
            {"type": "random", "parameters": {"sleepSeconds": "${parameters.x}"}},
            "$.spec.parameters.sleepSeconds: ",
        ),
    ],
)
def test_a_fault_is_at_the_path_of_the_task(
    messages: Messages, spec: dict[str, Any], fault: str
) -> None:
    (found,) = messages(document(**spec))
    assert found.startswith(fault)


def test_a_fault_has_its_place_in_the_file(messages: Messages) -> None:
    text = f"{HEAD}spec:\n  type: random\n  parameters:\n    sleepSeconds: long\n"
    assert messages(text)[0].endswith("(line 7, column 19)")


def test_a_misspelt_kind_of_document_gets_the_nearest(messages: Messages) -> None:
    text = document(type="random").replace("kind: Task", "kind: Tsak")
    assert (
        "must be 'Workflow' or 'Task', not the text 'Tsak'; did you mean 'Task'?"
        in (messages(text)[0])
    )


def test_the_schema_agrees(kinds: FakeKinds) -> None:
    jsonschema.Draft202012Validator.check_schema(codec.schema(kinds, Task))
    assert errors(document(**EVERY_FIELD), kinds) == []
    assert errors(document(type="random", timeoutSeconds=0)) == ["$.spec.timeoutSeconds"]
    assert errors(document(type="radnom"), kinds) == ["$.spec.type"]
    wrong = document(type="random", parameters={"sleepSecond": 1})
    assert errors(wrong, kinds) == ["$.spec.parameters"]
    assert errors(document(type="random").replace("Task", "Workflow")) == ["$.kind"]


def test_every_field_of_the_schema_says_what_it_is_for() -> None:
    spec = codec.schema(of=Task)["properties"]["spec"]["properties"]
    assert all(len(each["description"]) > 10 for each in spec.values())
    assert spec["queue"] == codec.schema()["properties"]["spec"]["properties"]["queue"]
