"""What a cluster refuses, and what it says then."""

import json
import time
from typing import Any

import pytest
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Sagas, define, drop, put, request, step, workflow
from tests.patience import PATIENCE

from wf_k8s.crd import definition

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (workflow(step("a"), step("b"), step("a")), "key a already exists"),
        (workflow(step("a"), step("b"), step("a")), "the names of steps must be unique"),
        (workflow(step("a", "b")), "dependOns must name steps of this workflow"),
        (workflow(step("a", "a")), "a step can't depend on itself"),
        (workflow(step("a", pivot=True), step("b", pivot=True)), "at most one step can be the piv"),
        (workflow(step("B")), "spec.steps[0].name in body should match"),
        (workflow(step("a" * 64)), "spec.steps[0].name: Too long: may not be more than 63 bytes"),
        (workflow(name="a.b"), "metadata.name in body should match"),
        (workflow(name="a" * 64), "metadata.name: Too long"),
        (workflow(callback={"url": "ftp://x"}), "spec.callback.url in body should match"),
        (workflow(callback={"url": "", "events": ["no"]}), 'events[0]: Unsupported value: "no"'),
        (workflow(onFailure="Stop"), 'supported values: "Rollback", "Pause"'),
        (workflow(activeDeadlineSeconds=0), "should be greater than 0"),
        (workflow(parameters=[1]), 'spec.parameters: Invalid value: "array"'),
        (workflow(step("a", stepTemplate={})), "spec.steps[0].stepTemplate.type: Required value"),
        (workflow(requests=[request("x", "Stop")]), 'type: Unsupported value: "Stop"'),
        (workflow(requests=[request("x"), request("x")]), 'Duplicate value: {"id":"x"}'),
        (workflow(requests=[request("x", "Signal")]), "a Signal must have a name"),
        (
            workflow(requests=[request("x", "SkipRollback")]),
            "this request must say which step it is about",
        ),
        (
            workflow(requests=[request("x", "RetryRun", step="b")]),
            "a request must name a step of this workflow",
        ),
    ],
)
def test_what_is_wrong_at_creation_is_refused(sagas: Sagas, document: Json, says: str) -> None:
    assert says in sagas.refused(document)


def test_a_workflow_needs_a_step(sagas: Sagas) -> None:
    document = workflow()
    document["spec"]["steps"] = []
    assert "spec.steps in body should have at least 1 items" in sagas.refused(document)


def test_2_one_more_than_the_bounds_is_refused(sagas: Sagas) -> None:
    many = [step(f"s{n}") for n in range(501)]
    assert "spec.steps: Too many: 501: must have at most 500 items" in sagas.refused(
        workflow(*many)
    )
    wide = step("z", *(f"s{n}" for n in range(65)))
    assert "dependOns: Too many: 65" in sagas.refused(workflow(*many[:65], wide))
    asked = [request(f"r{n}", reason="x") for n in range(65)]
    assert "spec.requests: Too many: 65" in sagas.refused(workflow(requests=asked))
    long = request("r", reason="x" * 257)
    assert "reason: Too long: may not be more than 256" in sagas.refused(workflow(requests=[long]))


def layers(entries: int) -> list[Json]:
    """64 steps, and as many that wait for all of them as it takes for so many entries."""
    first = [f"a{n}" for n in range(64)]
    full, rest = divmod(entries, 64)
    below = [step(f"b{n}", *first) for n in range(full)]
    return [*map(step, first), *below, step("z", *first[:rest])]


def test_c7_more_entries_of_depend_ons_than_a_save_should_cost_are_refused(sagas: Sagas) -> None:
    said = sagas.refused(workflow(*layers(4_001)))
    assert "spec.steps: Invalid value" in said
    assert "at most 4,000 entries in dependOns" in said
    assert "put one step between that waits for them all, or split the workflow" in said
    sagas.create(workflow(*layers(4_000)))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("steps", [step("a"), step("b")], "steps are immutable: make a new Workflow instead"),
        ("parameters", {"b": 1}, "parameters are immutable"),
        ("queue", "other", "queue is immutable"),
        ("priority", 3, "priority is immutable"),
        ("callback", {"url": "http://other"}, "callback is immutable"),
        ("rollbackPolicy", "Always", "rollbackPolicy is immutable"),
        ("onFailure", "Pause", "onFailure is immutable"),
        ("activeDeadlineSeconds", 9, "activeDeadlineSeconds is immutable"),
        ("suspend", True, "append a Suspend or Continue request to spec.requests instead"),
    ],
)
def test_what_a_saga_depends_on_can_not_change(
    sagas: Sagas, field: str, value: object, says: str
) -> None:
    sagas.create(workflow())
    said = sagas.patch_refused(put(f"/spec/{field}", value))
    assert f"spec.{field}: Forbidden: " in said
    assert says in said


@pytest.mark.parametrize("field", ["parameters", "callback", "activeDeadlineSeconds", "priority"])
def test_what_a_saga_depends_on_can_not_be_removed(sagas: Sagas, field: str) -> None:
    values: Json = {
        "parameters": {"a": 1},
        "callback": {"url": "http://x"},
        "activeDeadlineSeconds": 5,
        "priority": 1,
    }
    sagas.create(workflow(**values))
    assert "immutable" in sagas.patch_refused(drop(f"/spec/{field}"))


@pytest.mark.parametrize(("path", "value"), [("steps", [step("b")]), ("parameters", {"a": 2})])
def test_what_is_not_compared_at_a_save_can_not_change_with_one(
    sagas: Sagas, path: str, value: object
) -> None:
    """Whoever writes the spec does not write the revision that tells a save, nor the other way."""
    sagas.create(workflow(parameters={"a": 1}))
    sagas.save(revision=1)
    both = (put(f"/spec/{path}", value), put("/status/revision", 2))
    assert "immutable" in sagas.patch_refused(*both)
    saved = sagas.patch(*both, status=True)
    assert saved["status"]["revision"] == 2
    assert [each["name"] for each in saved["spec"]["steps"]] == ["a"]
    assert saved["spec"]["parameters"] == {"a": 1}


def test_1_the_order_of_steps_can_not_change(sagas: Sagas) -> None:
    """Steps are integers inside: a stored index must go on to mean the same step."""
    sagas.create(workflow(step("a"), step("b")))
    assert "steps are immutable" in sagas.patch_refused(put("/spec/steps", [step("b"), step("a")]))


def test_a_parameter_of_a_step_can_not_change(sagas: Sagas) -> None:
    """Parameters are anything, which the rules can't see into, and compare all the same."""
    sagas.create(workflow(step("a", stepTemplate={"type": "t", "parameters": {"x": {"y": "1"}}})))
    path = "/spec/steps/0/stepTemplate/parameters/x"
    assert "steps are immutable" in sagas.patch_refused(put(f"{path}/y", "2"))
    assert "steps are immutable" in sagas.patch_refused(put(f"{path}/z", "1"))


def test_the_deletion_policy_can_change(sagas: Sagas) -> None:
    """kubernetes.md 18: Orphan is what releases an undo that can't go on."""
    sagas.create(workflow())
    assert sagas.patch(put("/spec/deletionPolicy", "Orphan"))["spec"]["deletionPolicy"] == "Orphan"


def test_how_long_it_is_kept_can_change(sagas: Sagas) -> None:
    sagas.create(workflow(ttlSecondsAfterFinished={"success": 60}))
    changed = sagas.patch(put("/spec/ttlSecondsAfterFinished", {"failed": 0.5}))
    assert changed["spec"]["ttlSecondsAfterFinished"] == {"failed": 0.5}
    assert (
        "ttlSecondsAfterFinished" not in sagas.patch(drop("/spec/ttlSecondsAfterFinished"))["spec"]
    )


def test_3_a_request_may_be_appended_and_prepended(sagas: Sagas) -> None:
    sagas.create(workflow())
    sagas.patch(put("/spec/requests", [request("b")]))
    sagas.patch(put("/spec/requests/-", request("c", "RetryRun", step="a", reason="why")))
    sagas.patch(put("/spec/requests/0", request("a", "Signal", name="go", value={"x": [1]})))
    ids = [each["id"] for each in sagas.get()["spec"]["requests"]]
    assert ids == ["a", "b", "c"]


NOT_THAT = "requests may only be added; one may be removed once it is answered"


def test_3_a_request_can_be_neither_changed_nor_removed(sagas: Sagas) -> None:
    signal = request("b", "Signal", name="go", value={"x": 1})
    sagas.create(workflow(requests=[request("a"), signal]))
    for operation in (
        put("/spec/requests/0/type", "Suspend"),
        put("/spec/requests/0/reason", "because"),
        put("/spec/requests/0/id", "z"),
        put("/spec/requests/1/value/x", 2),
        drop("/spec/requests/0"),
        drop("/spec/requests"),
        put("/spec/requests", []),
    ):
        assert NOT_THAT in sagas.patch_refused(operation), operation


def test_3_an_answered_request_may_be_removed(sagas: Sagas) -> None:
    """Else a workflow could be asked no more than 64 times in its life."""
    sagas.create(workflow(requests=[request("a"), request("b")]))
    answer = {"id": "a", "seq": 1, "type": "Cancel", "verdict": "Applied", "at": 1.5}
    sagas.save(answers=[answer])
    # Changed it can not be: it would say that something else was answered.
    assert NOT_THAT in sagas.patch_refused(put("/spec/requests/0/type", "Suspend"))
    assert NOT_THAT in sagas.patch_refused(drop("/spec/requests/1"))
    assert [each["id"] for each in sagas.patch(drop("/spec/requests/0"))["spec"]["requests"]] == [
        "b"
    ]


def test_3_a_request_that_comes_later_must_name_a_step_too(sagas: Sagas) -> None:
    sagas.create(workflow(requests=[request("x")]))
    wrong = request("y", "RetryRun", step="nobody")
    said = sagas.patch_refused(put("/spec/requests/-", wrong))
    assert "spec.requests: Invalid value" in said
    assert "a request must name a step of this workflow" in said


def test_3_a_save_is_not_judged_by_the_rules_of_creation(kubectl: Kubectl, namespace: str) -> None:
    """An object that was stored before a rule came must still be saved to: the engine has to end
    what runs."""
    made = definition()
    made["metadata"]["name"] = "olds.older.example.com"
    made["spec"]["group"] = "older.example.com"
    made["spec"]["names"] = {"plural": "olds", "singular": "old", "kind": "Old"}
    schema = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec = schema["properties"]["spec"]
    rules = spec.pop("x-kubernetes-validations")
    define(kubectl, made)
    broken = workflow(
        step("y", "nobody"), *layers(4_001), requests=[request("x", "RetryRun", step="nobody")]
    )
    broken.update({"apiVersion": "older.example.com/v1alpha1", "kind": "Old"})
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(broken))

    spec["x-kubernetes-validations"] = rules
    kubectl.apply(made)
    broken["metadata"]["name"] = "late"
    deadline = time.monotonic() + PATIENCE
    while not kubectl.run(
        *("create", "-n", namespace, "-f", "-", "--dry-run=server"), stdin=json.dumps(broken)
    ).returncode:
        assert time.monotonic() < deadline, "the rules never came"
        time.sleep(0.05)
    save = json.dumps([put("/status/revision", 1), put("/status/epoch", 1)])
    kubectl(
        *("patch", "-n", namespace, "olds", "order", "--subresource=status", "--type=json"),
        *("-p", save),
    )
    kubectl("delete", "crd", "olds.older.example.com", "--wait=false")
