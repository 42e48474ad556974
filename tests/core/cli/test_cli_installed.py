"""What is installed, and what a document may say."""

import json

import pytest
import yaml
from tests.core.cli.made import Shell

from wf_core.config import Config, to_document


def test_kinds_lists_what_is_installed_and_from_where(shell: Shell) -> None:
    rows = {line.split()[0]: line for line in shell.wf("kinds").lines}
    assert "wf-random 0.1.0" in rows["random"]
    assert "random\n" in shell.wf("kinds", "-o", "name").out


def test_kinds_show_has_names_types_defaults_and_meaning(shell: Shell) -> None:
    result = shell.wf("kinds", "show", "random")
    assert result.lines[0] == "random (wf-random 0.1.0)"
    (row,) = [line for line in result.lines if line.startswith("failAttempts")]
    assert row.split()[1:4] == ["whole", "number", "0"]
    shown = json.loads(shell.wf("kinds", "show", "random", "-o", "json").out)
    assert "failAttempts" in shown["parameters"]["properties"]


def test_fault_3_an_unknown_kind_is_a_clear_error(shell: Shell) -> None:
    result = shell.wf("kinds", "show", "radnom")
    assert result.code == 2
    assert "no installed plugin brings the kind 'radnom'; did you mean 'random'?" in result.err


def test_plugins_lists_what_is_loaded_in_which_version(shell: Shell) -> None:
    rows = [line.split() for line in shell.wf("plugins").lines]
    assert ["random", "wf-random", "0.1.0", "loaded", "random"] in rows
    items = json.loads(shell.wf("plugins", "-o", "json").out)["items"]
    assert {"sqlite", "memory"} <= {item["name"] for item in items}


def test_plugins_check_is_content_where_nothing_is_wrong(shell: Shell) -> None:
    assert shell.wf("plugins", "--check").code == 0


@pytest.mark.parametrize("shape", ["json", "yaml"])
def test_the_schema_knows_the_installed_kinds(shell: Shell, shape: str) -> None:
    shown = shell.wf("schema", "-o", shape).out
    schema = json.loads(shown) if shape == "json" else yaml.safe_load(shown)
    assert "sleepSeconds" in json.dumps(schema)


def test_config_show_is_the_whole_configuration(shell: Shell) -> None:
    file = shell.file("c.yaml", "controllerConfig: {concurrency: 7}")
    plain = yaml.safe_load(shell.wf("config", "show", "--config", file).out)
    assert plain["controllerConfig"]["concurrency"] == 7
    assert plain.keys() == to_document(Config()).keys()


def test_callbacks_key_shows_the_key_of_one_namespace(shell: Shell) -> None:
    shell.file("master", "wfmaster_bWFzdGVy")
    file = shell.file("c.yaml", f"callbacks: {{secretFile: {shell.folder / 'master'}}}")
    keys = {name: shell.wf("callbacks", "key", name, "--config", file).out for name in "ab"}
    assert all(key.startswith("whsec_") and key.endswith("\n") for key in keys.values())
    assert keys["a"] != keys["b"]
    assert "bWFzdGVy" not in keys["a"]
    unsigned = shell.wf("callbacks", "key", "a", "--config", shell.file("d.yaml", "{}"))
    assert unsigned.code != 0
    assert "callbacks are not signed" in unsigned.err


def test_fault_16_an_unknown_key_of_the_configuration_is_an_error(shell: Shell) -> None:
    file = shell.file("c.yaml", "controllerConfig: {concurency: 7}")
    result = shell.wf("config", "show", "--config", file)
    assert result.code == 1
    assert "concurency" in result.err


def test_plan_shows_both_ways_the_pivot_and_what_stays(shell: Shell) -> None:
    file = shell.file("w.yaml", PIVOT)
    assert shell.wf("plan", file).lines == [
        "Runs, each line once the steps it waits for are done:",
        "  1. a, mail",
        "  2. pay (pivot)",
        "  3. ship",
        "Is undone, should a step fail; what never ran is passed over:",
        "  1. pay",
        "  2. a",
        "Can't be undone, and is passed over: mail",
        "Pivot: once pay has succeeded nothing is undone; past it: ship",
    ]
    plan = json.loads(shell.wf("plan", file, "-o", "json").out)
    assert plan == {
        "run": [["a", "mail"], ["pay"], ["ship"]],
        "undo": [["pay"], ["a"]],
        "pivot": "pay",
        "pastPivot": ["ship"],
        "irreversible": ["mail"],
    }


PIVOT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  steps:
  - {name: a, stepTemplate: {type: random}}
  - {name: mail, rollback: None, stepTemplate: {type: random}}
  - {name: pay, pivot: true, dependOns: [{name: a}], stepTemplate: {type: random}}
  - {name: ship, dependOns: [{name: pay}], stepTemplate: {type: random}}
"""
