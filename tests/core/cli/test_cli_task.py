"""`wf task run`, and documents of kind Task wherever a file is read."""

import json

import pytest
import yaml
from tests.core.cli.made import Shell

from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import RetryPolicy

NOW = ("--param", "sleepSeconds=0")
DOCUMENT = """\
apiVersion: workflow.example.com/v1alpha1
kind: Task
metadata: {name: nightly}
spec: {type: random, parameters: {sleepSeconds: 0}}
"""


def test_a_task_runs_from_the_command_line_alone(shell: Shell) -> None:
    done = shell.wf("task", "run", "random", *NOW, "--name", "nightly")
    assert (done.code, done.err) == (0, "")
    assert [line.split(" ", 1)[1] for line in done.lines] == [
        "workflow nightly Pending -> Running (admitted)",
        "task Pending -> Running",
        "task Running -> Success",
        "workflow nightly Running -> Success",
    ]
    stored = shell.load("nightly")
    assert stored.workflow.metadata.labels == {"workflow.example.com/task": "true"}


def test_its_options_are_those_of_the_step(shell: Shell) -> None:
    options = ("--retry-limit", "1", "--retry-period", "1m30s", "--timeout", "2h", "--no-rollback")
    shell.wf("task", "run", "random", *NOW, *options, "--queue", "night", "--name", "t")
    spec = shell.load("t").workflow.spec
    (step,) = spec.steps
    template = step.step_template
    assert template.retry_policy == RetryPolicy(1, 90.0, 1, 90.0)
    assert (template.timeout_seconds, step.rollback) == (7200.0, RollbackMode.NONE)
    assert spec.queue == "night"


def test_without_options_it_is_what_a_document_without_them_says(shell: Shell) -> None:
    shell.wf("task", "run", "random", *NOW, "--name", "nightly")
    shell.wf("run", shell.file("task.yaml", DOCUMENT), "--name", "same")
    assert shell.load("nightly").workflow.spec == shell.load("same").workflow.spec


def test_a_name_is_made_up_from_the_kind(shell: Shell) -> None:
    names = [shell.wf("task", "run", "random", *NOW, "-o", "name").out.strip() for _ in range(2)]
    assert len(set(names)) == 2
    assert all(name.startswith("random-") and len(name) == 15 for name in names)


def test_values_are_read_as_in_yaml(shell: Shell) -> None:
    run = "run=[test, -n, '1']"
    shell.wf("task", "run", "command", "-p", run, "-p", "rollback=true x", "--name", "t")
    (step,) = shell.load("t").workflow.spec.steps
    assert step.step_template.parameters == {"run": ["test", "-n", "1"], "rollback": "true x"}


def test_one_that_fails_is_undone_and_exits_as_a_run_does(shell: Shell) -> None:
    done = shell.wf("task", "run", "random", *NOW, "-p", "failureRate=1", "--retry-limit", "0")
    assert done.code == 3
    assert "step 'task' failed" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("radnom",), "no installed plugin brings the kind 'radnom'; did you mean 'random'?"),
        (
            ("random", "-p", "sleepSecond=1"),
            "$.spec.parameters.sleepSecond: there is no such parameter; "
            "did you mean 'sleepSeconds'?",
        ),
        (("random", "--name", "No Name"), "$.metadata.name: 'No Name' is not a name"),
        (("random", "--timeout", "0"), "$.spec.timeoutSeconds: must be more than 0 seconds"),
        (("random", "--timeout", "soon"), "'soon' is not a duration"),
        (("random", "--retry-limit", "-2"), "-2 is not in the range"),
    ],
)
def test_what_is_misspelt_is_said_and_nothing_is_stored(
    shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    done = shell.wf("task", "run", *arguments)
    assert done.code == 2
    assert said in done.err
    assert shell.wf("list", "-o", "name").out == ""


def test_a_name_that_is_taken_is_refused_or_replaced(shell: Shell) -> None:
    shell.wf("task", "run", "random", *NOW, "--name", "t")
    assert "exists and is Success" in shell.wf("task", "run", "random", *NOW, "--name", "t").err
    done = shell.wf("task", "run", "random", *NOW, "--name", "t", "--replace", "-o", "json")
    assert json.loads(done.out)["status"]["phase"] == "Success"


def test_a_document_of_kind_task_is_read_wherever_a_file_is(shell: Shell) -> None:
    file = shell.file("task.yaml", DOCUMENT)
    assert shell.wf("validate", file).out == f"{file}: valid, 1 step\n"
    assert "1. task" in shell.wf("plan", file).out
    assert shell.wf("graph", file).code == 0
    assert shell.wf("run", file, "--param", "sleepSeconds=0.01").code == 0
    assert shell.load("nightly").head.phase is Phase.SUCCESS
    assert shell.wf("submit", file, "--name", "later", "-o", "name").lines == ["later"]
    assert "later" in shell.wf("list").out
    assert "task" in shell.wf("explain", "later").out + shell.wf("get", "later").out
    shown = yaml.safe_load(shell.wf("get", "later", "-o", "yaml").out)
    assert shown["metadata"]["labels"] == {"workflow.example.com/task": "true"}


def test_what_is_shown_of_one_is_read_again_as_the_workflow_that_it_is(shell: Shell) -> None:
    shell.wf("submit", shell.file("task.yaml", DOCUMENT))
    again = shell.file("again.yaml", shell.wf("get", "nightly", "-o", "yaml").out)
    assert shell.wf("validate", again).code == 0


def test_the_schema_knows_tasks(shell: Shell) -> None:
    schema = json.loads(shell.wf("schema", "--kind", "task").out)
    assert schema["title"] == "Task"
    assert "sleepSeconds" in json.dumps(schema)
