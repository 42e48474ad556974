"""Names, inputs, parameters, results: the small pure parts."""

import json
import re
from typing import Any

import pytest

from wf_core.kinds import Fatal, Previous
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_core.plugins import LoadedKind
from wf_core.testing.calls import call_for
from wf_podstep import names, results
from wf_podstep.inputs import MOST, inputs
from wf_podstep.kind import PodStep, allowed_accounts
from wf_podstep.names import Identity
from wf_podstep.parameters import PodParameters

KIND = LoadedKind("pod", PodStep(), "tested", "")
LONG = "a" * 63


def identity(**other: Any) -> Identity:
    """One, with differences."""
    given = {
        "namespace": "shop",
        "workflow": "order",
        "uid": "w1",
        "step": "pay",
        "hook": Hook.RUN,
        "attempt": 1,
    }
    return Identity(**{**given, **other})


# Names


def test_16_a_name_is_of_uid_step_hook_and_attempt() -> None:
    others = [
        identity(uid="w2"),
        identity(step="ship"),
        identity(hook=Hook.ROLLBACK),
        identity(attempt=2),
    ]
    assert len({each.name for each in (identity(), *others)}) == 5
    assert identity().name == identity(namespace="else").name
    assert re.fullmatch(r"order-pay-[0-9a-f]{12}", identity().name)
    assert re.fullmatch(r"order-pay-undo-[0-9a-f]{12}", others[2].name)


def test_long_names_make_a_name_that_kubernetes_takes() -> None:
    long = identity(workflow=LONG, step=LONG, hook=Hook.ROLLBACK)
    assert len(long.name) <= 63
    assert all(len(value) <= 63 for value in long.labels.values())


def test_a_look_is_about_the_attempt_it_looks_at() -> None:
    call = call_for(KIND.kind, {"image": "x"}, hook=Hook.SYNC, purpose=Purpose.ROLLBACK, attempt=3)
    assert Identity.of(call, "shop").hook is Hook.ROLLBACK
    assert Identity.of(call, "shop").attempt == 3


# Inputs


def told(**options: Any) -> tuple[dict[str, str], Any]:
    """The variables and the file of a call."""
    made = inputs(call_for(KIND.kind, {"image": "x"}, **options))
    return dict(made.variables), json.loads(made.document)


def test_upstream_attributes_are_variables_and_all_is_in_the_file() -> None:
    attributes = {"volume-id": "v1", "size": 3, "ready": True, "tags": ["a"], "none": None}
    variables, document = told(
        attributes=attributes,
        resources={"make": Resource("Ready", "i", "n", "a", {"x": 1})},
        workflow_parameters={"customer": "ada"},
        previous=Previous(Ended.FAILED, None, {"left": 1}),
    )
    own = {key: value for key, value in variables.items() if key.startswith("WF_ATTR_")}
    assert own == {"WF_ATTR_VOLUME_ID": "v1", "WF_ATTR_SIZE": "3", "WF_ATTR_READY": "true"}
    assert document["attributes"] == attributes
    assert document["resources"]["make"]["attributes"] == {"x": 1}
    assert document["parameters"] == {"customer": "ada"}
    assert document["previous"] == {"outcome": "Failed", "attributes": {"left": 1}}


def test_a_pod_is_told_its_keys_and_what_it_is_for() -> None:
    variables, _ = told(hook=Hook.SYNC, purpose=Purpose.ROLLBACK, attempt=2)
    call = call_for(KIND.kind, {"image": "x"}, hook=Hook.ROLLBACK, attempt=2)
    assert variables["WF_HOOK"] == "rollback"
    assert variables["WF_CALL_KEY"] == call.key != call.run_key
    assert variables["WF_KEY"] == call.run_key
    assert variables["WF_RUN_KEY"] == call.run_key
    assert variables["WF_ATTEMPT"] == "2"
    assert variables["WF_INPUT"] == "/wf/input.json"


def test_large_attributes_are_in_the_file_alone() -> None:
    attributes: dict[str, Any] = {f"k{n}": "x" * 1000 for n in range(40)} | {"large": "x" * 2000}
    variables, document = told(attributes=attributes)
    assert "WF_ATTR_LARGE" not in variables
    assert sum(key.startswith("WF_ATTR_") for key in variables) == 16
    assert document["attributes"] == attributes


def test_what_does_not_fit_fails_before_a_pod_is_made() -> None:
    with pytest.raises(Fatal, match=rf"a pod takes {MOST}: let the steps before it keep less"):
        told(attributes={"x": "x" * MOST})


# Parameters


def faults(*, undoable: bool = False, **given: Any) -> list[str]:
    """The faults of a `pod` step."""
    return [str(each) for each in KIND.faults({"image": "x", **given}, undoable=undoable)]


def test_a_step_that_must_be_undone_says_how() -> None:
    wrong: list[Any] = [None, {}, {"env": {"A": "1"}}]
    for missing in wrong:
        (fault,) = faults(undoable=True, rollback=missing)
        assert "rollback: give the command (and image) that undoes the step" in fault
    right: list[Any] = [
        "none",
        {"command": ["undo"]},
        {"image": "y"},
        {"podTemplate": {"spec": {}}},
    ]
    for said in right:
        assert faults(undoable=True, rollback=said) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"image": ""}, "$.image: is missing"),
        ({"env": {"WF_X": "1"}}, "$.env: 'WF_X' is taken"),
        ({"env": {"a b": "1"}}, "$.env: 'a b' is no name of a variable"),
        ({"env": {"A": 1}}, "$.env.A: give text, not 1"),
        ({"rollback": {"args": ["x"], "env": {"WF_X": "1"}}}, "$.rollback.env: 'WF_X' is taken"),
        ({"rollback": "nothing"}, "$.rollback: give object or one of none or nothing"),
        ({"activeDeadlineSeconds": 0}, "$.activeDeadlineSeconds: give seconds, more than 0, not 0"),
        ({"startDeadlineSeconds": -1}, "$.startDeadlineSeconds: give seconds, more than 0"),
        ({"retainPods": "sometimes"}, "$.retainPods: give one of never, onFailure, always"),
        ({"resultFrom": "file"}, "$.resultFrom: give one of terminationMessage, log"),
        ({"podTemplate": {"sepc": {}}}, "$.podTemplate.sepc: there is no such key"),
        (
            {"podTemplate": {"spec": {"restartPolicy": "Always"}}},
            "$.podTemplate.spec.restartPolicy: is Never",
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "Ignore"}]}},
            "$.podFailurePolicy.rules[0]: give one of onExitCodes and onPodConditions",
        ),
        (
            {
                "podFailurePolicy": {
                    "rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [0]}}]
                }
            },
            "$.podFailurePolicy.rules[0].onExitCodes.values: give exit codes other than 0",
        ),
    ],
)
def test_each_fault_of_a_pod_step_names_its_key(given: dict[str, Any], told: str) -> None:
    found = faults(**given)
    assert any(each.startswith(told) for each in found), found


def test_a_value_of_env_is_never_shown() -> None:
    said = faults(env={"a b": "hunter2"})
    assert "hunter2" not in "".join(said)
    assert "hunter2" not in repr(KIND.decode({"image": "x", "env": {"A": "hunter2"}}))


def test_every_parameter_of_a_pod_step_is_described() -> None:
    fields = PodParameters.__attrs_attrs__
    assert [field.name for field in fields if not field.metadata.get("description")] == []


def test_service_accounts_are_listed_by_the_operator() -> None:
    assert allowed_accounts(None) is None
    assert allowed_accounts(" default, runner ,") == ("default", "runner")
    assert allowed_accounts("") == ()


# Results


def test_a_json_object_in_the_termination_message_is_the_attributes() -> None:
    assert results.of_message('{"receipt": 17}\n') == {"receipt": 17}
    assert results.of_message("all well") is None
    assert results.of_message("") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"receipt": ', "is no JSON"),
        ('{"x": NaN}', "NaN is no JSON number"),
        ('{"x": "' + "y" * 4096, "say `resultFrom: log` for more"),
    ],
)
def test_a_result_that_can_not_be_used_says_why(text: str, told: str) -> None:
    with pytest.raises(results.BadResultError, match=re.escape(told)):
        results.of_message(text)


def test_the_last_marked_line_of_a_log_is_the_result() -> None:
    log = 'begin\nWF_RESULT {"n": 1}\nmore\nWF_RESULT {"n": 2}\nend\n'
    assert results.of_log(log) == {"n": 2}
    assert results.of_log("nothing\n") is None
    with pytest.raises(results.BadResultError, match="must hold a JSON object"):
        results.of_log("WF_RESULT [1]")


def test_our_pods_are_found_by_one_label() -> None:
    key, _, value = names.OURS.partition("=")
    assert identity().labels[key] == value


def test_a4_a_log_of_many_short_lines_takes_no_more_memory_than_itself() -> None:
    import tracemalloc

    log = "ab\n" * 700_000 + 'WF_RESULT {"n": 1}\r\nend'
    tracemalloc.start()
    try:
        assert results.of_log(log) == {"n": 1}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(log)


@pytest.mark.parametrize(
    "text", ['{"a":' * 65 + "1" + "}" * 65, '{"a":[' + "[]," * 100_000 + "0]}"]
)
def test_a4_a_result_that_stands_for_much_is_refused_before_it_is_read(text: str) -> None:
    with pytest.raises(results.BadResultError, match=r"nested more than 64|more than 16 MiB"):
        results.of_log(f"WF_RESULT {text}")
    with pytest.raises(results.BadResultError, match=r"nested more than 64|more than 16 MiB"):
        results.of_message(text)
