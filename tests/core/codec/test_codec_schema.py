"""The JSON Schema agrees with what is read, and says what each field is for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from tests.core.codec.conftest import FakeKinds, WithSteps

from wf_core import codec
from wf_core.codec.compose import parse
from wf_core.codec.descriptions import DESCRIPTIONS
from wf_core.codec.schema import _EXTRA
from wf_core.codec.shape import Found, plain
from wf_core.model import schedule, spec, task

EXAMPLES = Path(__file__).parents[3] / "examples"


def errors(text: str | bytes, kinds: FakeKinds | None = None) -> list[str]:
    document = plain(parse(text), "$", Found())
    kinds_of: dict[str, codec.DocumentKind] = {
        "CronWorkflow": schedule.CronWorkflow,
        "Task": task.Task,
    }
    of = kinds_of.get(document.get("kind"), spec.Workflow)
    validator = jsonschema.Draft202012Validator(codec.schema(kinds, of))
    found = validator.iter_errors(document)
    return [error.json_path for error in found]


def properties(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in schema.get("properties", {}).items():
        yield f"{path}.{name}", each
        yield from properties(each, f"{path}.{name}")
        yield from properties(each.get("items", {}), f"{path}.{name}[]")


def test_every_field_says_what_it_is_for() -> None:
    described = dict(properties(codec.schema()))
    assert "$.spec.steps[].stepTemplate.retryPolicy.factor" in described
    for path, each in described.items():
        assert len(each.get("description", "")) > 10, path


def test_no_description_and_no_rule_is_left_over_from_a_field_that_is_gone() -> None:
    structs = (
        *(spec.Workflow, spec.Metadata, spec.WorkflowSpec, spec.TimeToLive, spec.Callback),
        *(spec.StepSpec, spec.DependOn, spec.StepTemplate, spec.RetryPolicy),
        *(schedule.CronWorkflow, schedule.CronWorkflowSpec),
        *(schedule.WorkflowTemplate, schedule.TemplateMetadata),
    )
    known = {struct.__name__ for struct in structs}
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            known.add(f"{struct.__name__}.{field.encode_name}")
    assert set(DESCRIPTIONS) == known | {"Task", "Task.metadata", "Task.spec", "TaskSpec"}
    assert set(_EXTRA) <= known


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(codec.schema())
    jsonschema.Draft202012Validator.check_schema(codec.schema(FakeKinds()))
    jsonschema.Draft202012Validator.check_schema(codec.schema(FakeKinds(), schedule.CronWorkflow))


@pytest.mark.parametrize("name", [path.name for path in sorted(EXAMPLES.glob("*.yaml"))])
def test_every_example_is_valid(name: str) -> None:
    assert errors((EXAMPLES / name).read_bytes()) == []


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("steps: []", "$.spec.steps"),
        ("quue: a\nsteps: [{name: a, stepTemplate: {type: x}}]", "$.spec"),
        ("steps: [{name: A, stepTemplate: {type: x}}]", "$.spec.steps[0].name"),
        ("steps: [{name: a}]", "$.spec.steps[0]"),
        (
            "steps: [{name: a, stepTemplate: {type: x, timeoutSeconds: 0}}]",
            "$.spec.steps[0].stepTemplate.timeoutSeconds",
        ),
        (
            "steps: [{name: a, stepTemplate: {type: x}, dependOns: [{name: b, phase: Failed}]}]",
            "$.spec.steps[0].dependOns[0].phase",
        ),
        (
            "callback: {url: 'ftp://x'}\nsteps: [{name: a, stepTemplate: {type: x}}]",
            "$.spec.callback.url",
        ),
        (
            "callback: {events: [x]}\nsteps: [{name: a, stepTemplate: {type: x}}]",
            "$.spec.callback.events[0]",
        ),
    ],
)
def test_what_is_refused_when_read_is_refused_by_the_schema(
    with_steps: WithSteps, spec: str, path: str
) -> None:
    assert errors(with_steps(spec)) == [path]


def test_with_the_kinds_the_parameters_are_checked_too(with_steps: WithSteps) -> None:
    def about(template: str) -> list[str]:
        return errors(with_steps(f"steps: [{{name: a, stepTemplate: {template}}}]"), FakeKinds())

    at = "$.spec.steps[0].stepTemplate"
    assert about("{type: random, parameters: {sleepSeconds: 1}}") == []
    assert about("{type: random, parameters: {sleepSeconds: '${parameters.x}'}}") == []
    assert about("{type: random, parameters: {sleepSeconds: []}}") == [
        f"{at}.parameters.sleepSeconds"
    ]
    assert about("{type: random, parameters: {sleepSecond: 1}}") == [f"{at}.parameters"]
    assert about("{type: rnadom}") == [f"{at}.type"]
