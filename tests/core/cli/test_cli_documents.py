"""Files on the command line: parameters, names, stdin, faults."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from tests.core.cli.made import DONE, RUNNING, Shell, step, workflow

from wf_core.cli.documents import parameters
from wf_core.codec import dump
from wf_core.model.phases import Phase
from wf_core.model.state import StepState

DOCUMENT = """\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata:
  name: order
spec:
  parameters: {customer: bob, amount: 1}
  steps:
  - name: one
    stepTemplate: {type: random, parameters: {sleepSeconds: 0}}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ("true", True),
        ("y", True),
        ("null", None),
        ("", ""),
        ("ada", "ada"),
        ("a=b", "a=b"),
        ('"7"', "7"),
        ("'it''s'", "it's"),
        ("[1, a]", [1, "a"]),
        ('{"a": {"b": 2}}', {"a": {"b": 2}}),
        ("12:30:45", "12:30:45"),
        ("#fff", "#fff"),
        ("hello: world", "hello: world"),
    ],
)
def test_c9_a_parameter_is_read_as_in_a_document(text: str, value: Any) -> None:
    read = parameters([f"key={text}"])["key"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("novalue", "'novalue' is not KEY=VALUE"),
        ("=1", "'=1' is not KEY=VALUE"),
        ("a=[1", "the value of 'a'"),
        ("a=.nan", "the value of 'a' is not a finite number"),
        ("a=[.inf]", "in the value of 'a': inf is not a finite number"),
    ],
)
def test_a_slip_in_a_parameter_is_named(assignment: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        parameters([assignment])
    assert message in caught.value.format_message()


def test_parameters_and_name_are_put_over_the_document(shell: Shell) -> None:
    file = shell.file("w.yaml", DOCUMENT)
    shell.wf("submit", file, "-p", "customer=ada", "--param", "amount=[1]", "--name", "order-17")
    kept = shell.load("order-17").workflow
    assert kept.spec.parameters == {"customer": "ada", "amount": [1]}


def test_a_parameter_that_the_document_does_not_declare_is_a_fault(shell: Shell) -> None:
    file = shell.file("w.yaml", DOCUMENT)
    for command in ("submit", "run", "validate"):
        refused = shell.wf(command, file, "--param", "amuont=3")
        assert refused.code == 2
        assert "$.spec.parameters: no parameter 'amuont' is declared" in refused.err
        assert "did you mean 'amount'?" in refused.err
    assert "declared are amount, customer" in shell.wf("run", file, "--param", "zzz=3").err
    assert shell.wf("list", "-o", "name").out == ""


def test_a_document_that_declares_no_parameter_takes_any(shell: Shell) -> None:
    file = shell.file("w.yaml", dump(workflow(step("one"))))
    assert shell.wf("submit", file, "--param", "extra=1").code == 0
    assert shell.load().workflow.spec.parameters == {"extra": 1}


def test_what_is_submitted_together_is_admitted_in_the_order_given(shell: Shell) -> None:
    names = ["c", "a", "b"]
    files = [shell.file(f"{n}.yaml", dump(workflow(step("one"), name=n))) for n in names]
    shell.wf("submit", *files)
    created = {name: shell.load(name).head.created_at for name in names}
    assert sorted(created, key=created.__getitem__) == names
    assert len(set(created.values())) == 3


def test_a_document_may_come_from_stdin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(DOCUMENT.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert shell.wf("submit", "-", "-o", "name").out == "order\n"


def test_a_file_that_cannot_be_read_is_a_usage_error(shell: Shell) -> None:
    missing = shell.wf("validate", "missing.yaml")
    assert missing.code == 2
    assert missing.err.startswith("wf: error: can't read missing.yaml: No such file or directory\n")
    assert "Is a directory" in shell.wf("run", str(shell.folder)).err


def test_all_faults_of_all_files_are_shown(shell: Shell) -> None:
    good = shell.file("good.yaml", DOCUMENT)
    bad = shell.file("bad.yaml", DOCUMENT.replace("random", "radnom").replace("order", "Order"))
    result = shell.wf("validate", good, bad)
    assert result.code == 2
    assert result.out == f"{good}: valid, 1 step\n"
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{bad}: $.metadata.name: ")
    assert "did you mean 'random'?" in lines[1]


BOUNDED = """\
controllerConfig:
  floors: {retryPeriod: 90}
  ceilings: {timeout: 60, retryLimit: 5}
"""


def test_e8_validate_tells_what_a_floor_raises(shell: Shell) -> None:
    config = shell.file("wf.yaml", BOUNDED.replace("ceilings", "#"))
    result = shell.wf("--config", config, "validate", shell.file("good.yaml", DOCUMENT))
    assert result.code == 0
    (note,) = [line for line in result.lines if "note:" in line]
    assert "runRetryPeriodSeconds 60 and rollbackRetryPeriodSeconds 60 counts as 90" in note


def test_e9_validate_and_submit_refuse_what_is_above_a_ceiling(shell: Shell) -> None:
    config = shell.file("wf.yaml", BOUNDED)
    file = shell.file("good.yaml", DOCUMENT)
    checked = shell.wf("--config", config, "validate", file)
    assert checked.code == 2
    assert checked.err.count("is missing, which is no limit") == 2
    assert "timeoutSeconds: is missing" in checked.err
    submitted = shell.wf("--config", config, "submit", file)
    assert submitted.code == 2
    assert "allows at most 60: write 60 or less" in submitted.err
    assert shell.wf("submit", file).code == 0


def test_faults_are_a_document_too(shell: Shell) -> None:
    bad = shell.file("bad.yaml", DOCUMENT.replace("customer: bob", "customer: .nan"))
    result = shell.wf("validate", bad, "-o", "json")
    (verdict,) = json.loads(result.out)["items"]
    assert (verdict["valid"], verdict["faults"][0]["line"]) == (False, 6)
    assert result.code == 2


def test_a_run_shows_every_fault_and_runs_nothing(shell: Shell) -> None:
    bad = shell.file("bad.yaml", DOCUMENT.replace("random", "x").replace("order", "Order"))
    result = shell.wf("run", bad)
    assert result.code == 2
    assert result.err.splitlines()[0] == f"wf: error: {bad} has 2 faults"
    assert result.err.splitlines()[1].startswith("  $.metadata.name: ")
    assert shell.wf("list", "-o", "name").out == ""


def test_two_files_with_one_name_are_refused_before_anything_is_stored(shell: Shell) -> None:
    file = shell.file("w.yaml", DOCUMENT)
    result = shell.wf("submit", file, file)
    assert result.code == 2
    assert "both hold a workflow 'order'; rename one" in result.err
    assert shell.wf("submit", file, file, "--name", "x").code == 2
    assert shell.wf("list", "-o", "name").out == ""


def test_the_namespace_is_that_of_the_command_line_unless_the_document_has_another(
    shell: Shell,
) -> None:
    file = shell.file("w.yaml", DOCUMENT)
    assert shell.wf("submit", file, "--namespace", "shop", "-o", "name").out == "shop/order\n"
    assert shell.wf("get", "order", "--namespace", "shop").code == 0
    assert shell.wf("get", "shop/order").code == 0
    assert shell.wf("get", "order").code == 2
    other = shell.file("x.yaml", DOCUMENT.replace("name: order", "name: o\n  namespace: a"))
    result = shell.wf("submit", other, "--namespace", "shop")
    assert result.code == 2
    assert "says namespace 'a', the command line 'shop'; drop one of them" in result.err


def test_a_taken_name_of_an_unfinished_workflow_is_resumed_not_run(shell: Shell) -> None:
    shell.keep(workflow(), [RUNNING], phase=Phase.RUNNING)
    result = shell.wf("run", shell.file("w.yaml", DOCUMENT), "--replace")
    assert result.code == 2
    assert "workflow 'order' exists and is Running: `wf resume order` goes on" in result.err


def test_a_taken_name_of_a_finished_workflow_is_freed_by_replace(shell: Shell) -> None:
    shell.keep(workflow(), [DONE], phase=Phase.SUCCESS)
    before = shell.load().workflow.metadata.uid
    file = shell.file("w.yaml", DOCUMENT)
    refused = shell.wf("submit", file)
    assert refused.code == 2
    assert "`--replace` deletes it first" in refused.err
    assert shell.load().workflow.metadata.uid == before
    assert shell.wf("submit", file, "--replace").code == 0
    assert shell.load().workflow.metadata.uid != before


def test_a_failed_workflow_is_not_replaced_while_its_effects_stand(shell: Shell) -> None:
    stuck = StepState(phase=Phase.FAILED, attempt=1)
    shell.keep(workflow(), [stuck], phase=Phase.FAILED)
    result = shell.wf("submit", shell.file("w.yaml", DOCUMENT), "--replace")
    assert result.code == 2
    assert "what it did is not undone" in result.err
    assert shell.load().head.phase is Phase.FAILED


def test_nothing_is_stored_where_one_of_several_names_is_taken(shell: Shell) -> None:
    shell.keep(workflow(), [RUNNING], phase=Phase.RUNNING)
    free = shell.file("free.yaml", DOCUMENT.replace("name: order", "name: free"))
    taken = shell.file("taken.yaml", DOCUMENT)
    assert shell.wf("submit", free, taken).code == 2
    assert shell.wf("list", "-o", "name").out == "order\n"


def test_a_command_that_is_named_reaches_the_same_store(shell: Shell, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'an other'}.db"
    made = shell.file("order.yaml", DOCUMENT)
    assert "`wf watch order` shows it" in shell.wf("submit", made).out
    said = shell.wf("submit", made, "--store", store).out
    assert f"`wf --store '{store}' watch order` shows it" in said
