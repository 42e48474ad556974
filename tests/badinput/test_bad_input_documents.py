"""A document with a fault: the exact sentence on stderr, exit code 2, and nothing was begun."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wf_core.cli.app import run

HEAD = """\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
"""
WORK = "stepTemplate: {type: command, parameters: {run: 'true', rollback: 'true'}}"

Refused = Callable[[str], str]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refused:
    """`wf run order.yaml` with a text that must be refused; gives what stands on stderr."""
    monkeypatch.chdir(tmp_path)

    def refuse(text: str) -> str:
        Path("order.yaml").write_text(text)
        code = run(["run", "order.yaml", "--store", "sqlite:store/wf.db"])
        said = capsys.readouterr()
        assert code == 2
        assert said.out == ""
        assert not Path("store").exists(), "a store was opened before the document was checked"
        return said.err

    return refuse


def one(sentence: str) -> str:
    return f"wf: error: order.yaml: {sentence}\n"


def test_an_empty_file(refused: Refused) -> None:
    assert refused("") == one("$: the document is empty; it must hold a Workflow")


def test_a_file_of_comments_alone(refused: Refused) -> None:
    assert refused("# later\n") == one("$: the document is empty; it must hold a Workflow")


def test_text_that_is_no_yaml(refused: Refused) -> None:
    assert refused("steps: [1\n") == one(
        "$: the document is not YAML: did not find expected ',' or ']' (line 2, column 1)"
    )


def test_a_text_instead_of_a_mapping(refused: Refused) -> None:
    assert refused("run everything\n") == one(
        "$: must be a mapping, not the text 'run everything' (line 1, column 1)"
    )


def test_two_documents(refused: Refused) -> None:
    text = f"{HEAD}  - {{name: a, {WORK}}}\n---\nkind: Workflow\n"
    assert refused(text) == one(
        "$: the file holds two documents; write each into a file of its own (line 7, column 1)"
    )


def test_an_unknown_key(refused: Refused) -> None:
    assert refused(f"{HEAD}  - {{name: a, dependsOn: [], {WORK}}}\n") == one(
        "$.spec.steps[0].dependsOn: unknown key 'dependsOn'; did you mean 'dependOns'? "
        "(line 6, column 15)"
    )


def test_a_key_given_twice(refused: Refused) -> None:
    assert refused(f"{HEAD}  - {{name: a, name: b, {WORK}}}\n") == one(
        "$: the key 'name' is given twice; first in line 6 (line 6, column 15)"
    )


def test_a_cycle_is_named_in_full(refused: Refused) -> None:
    steps = "".join(
        f"  - {{name: {name}, dependOns: [{{name: {need}}}], {WORK}}}\n"
        for name, need in (("a", "c"), ("b", "a"), ("c", "b"))
    )
    assert refused(HEAD + steps) == one(
        "$.spec.steps[0].dependOns[0].name: the steps depend on each other in a cycle: "
        "a -> c -> b -> a (line 6, column 34)"
    )


def test_a_step_that_depends_on_itself(refused: Refused) -> None:
    assert refused(f"{HEAD}  - {{name: a, dependOns: [{{name: a}}], {WORK}}}\n") == one(
        "$.spec.steps[0].dependOns[0].name: step 'a' depends on itself (line 6, column 34)"
    )


def test_a_dependency_that_is_no_step(refused: Refused) -> None:
    text = (
        f"{HEAD}  - {{name: stock, {WORK}}}\n  - {{name: b, dependOns: [{{name: stok}}], {WORK}}}\n"
    )
    assert refused(text) == one(
        "$.spec.steps[1].dependOns[0].name: no step 'stok'; did you mean 'stock'? "
        "(line 7, column 34)"
    )


def test_an_unknown_kind(refused: Refused) -> None:
    assert refused(f"{HEAD}  - {{name: a, stepTemplate: {{type: comand}}}}\n") == one(
        "$.spec.steps[0].stepTemplate.type: no installed plugin brings the kind 'comand'; "
        "did you mean 'command'? (line 6, column 36)"
    )


def test_parameters_of_a_wrong_type_are_all_named_at_once(refused: Refused) -> None:
    work = "{run: 'true', rollback: 'true', timeout: soon, outputLimit: 1.5, cwd: [here]}"
    text = f"{HEAD}  - {{name: a, stepTemplate: {{type: command, parameters: {work}}}}}\n"
    at = "$.spec.steps[0].stepTemplate.parameters"
    assert refused(text) == (
        "wf: error: order.yaml has 3 faults\n"
        f"  {at}.timeout: give a number, not the text 'soon' (line 6, column 98)\n"
        f"  {at}.outputLimit: give a whole number, not 1.5 (line 6, column 117)\n"
        f"  {at}.cwd: give text, not a list (line 6, column 127)\n"
    )


def test_a_parameter_that_does_not_exist(refused: Refused) -> None:
    work = "{run: 'true', rollbak: 'true'}"
    text = f"{HEAD}  - {{name: a, stepTemplate: {{type: command, parameters: {work}}}}}\n"
    assert refused(text) == one(
        "$.spec.steps[0].stepTemplate.parameters.rollbak: there is no such parameter; "
        "did you mean 'rollback'? (line 6, column 80)"
    )


def test_a_reference_to_a_step_that_is_not_upstream(refused: Refused) -> None:
    work = "{run: [echo, '${steps.a.attributes.x}'], rollback: 'true'}"
    text = (
        f"{HEAD}  - {{name: a, {WORK}}}\n"
        f"  - {{name: b, stepTemplate: {{type: command, parameters: {work}}}}}\n"
    )
    assert refused(text) == one(
        "$.spec.steps[1].stepTemplate.parameters.run[1]: step 'a' does not run before 'b'; "
        "add it to dependOns (line 7, column 70)"
    )


def test_a_megabyte_of_parameters(refused: Refused) -> None:
    work = f"{{run: 'true', rollback: 'true', env: {{A: {'x' * 1024 * 1024}}}}}"
    text = f"{HEAD}  - {{name: a, stepTemplate: {{type: command, parameters: {work}}}}}\n"
    assert refused(text) == one(
        "$.spec.steps[0].stepTemplate.parameters: take at least 1,048,609 bytes; parameters take "
        "at most 262,144 (256 KiB): keep the data elsewhere and pass its address "
        "(line 6, column 57)"
    )


def test_two_steps_of_one_name(refused: Refused) -> None:
    assert refused(f"{HEAD}  - {{name: a, {WORK}}}\n  - {{name: a, {WORK}}}\n") == one(
        "$.spec.steps[1].name: step 'a' is already at steps[0]; names are unique "
        "(line 7, column 12)"
    )


def test_two_files_with_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.yaml", "two.yaml"):
        Path(name).write_text(f"{HEAD}  - {{name: a, {WORK}}}\n")
    assert run(["run", "one.yaml", "two.yaml", "--store", "sqlite:wf.db"]) == 2
    assert capsys.readouterr().err.startswith(
        "wf: error: one.yaml and two.yaml both hold a workflow 'order'; rename one\n"
    )
    assert not Path("wf.db").exists()


def test_a_file_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run", "order.yaml", "--store", "sqlite:wf.db"]) == 2
    assert capsys.readouterr().err == (
        "wf: error: can't read order.yaml: No such file or directory\n"
        "`wf run --help` shows how it is used\n"
    )
