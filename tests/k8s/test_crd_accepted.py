"""What a cluster accepts, and gives back."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Sagas, put, request, step, workflow

from wf_core.codec import read

Json = dict[str, Any]
EXAMPLES = [
    path
    for path in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
    if "\nkind: Workflow\n" in path.read_text()
]
SEED = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata:
  name: example
spec:
  queue: default
  callback:
    url: http://localhost:8080/abc
  steps:
  - name: step1
    stepTemplate:
      type: random
      parameters:
        sleepSeconds: "20"
      retryPolicy:
        runRetryLimit: 3
        runRetryPeriodSeconds: 10
        rollbackRetryLimit: 3
        rollbackRetryPeriodSeconds: 3
  - name: step2
    dependOns:
    - name: step1
      phase: Success
    stepTemplate:
      type: random
      parameters:
        sleepSeconds: "20"
  - name: step3
    stepTemplate:
      type: random
      parameters:
        sleepSeconds: "20"
"""


def lost(sent: Any, back: Any, path: str = "$") -> list[str]:
    """What of `sent` is not in `back` as it was."""
    if isinstance(sent, dict) and isinstance(back, dict):
        return [
            each
            for key, value in sent.items()
            for each in lost(value, back.get(key), f"{path}.{key}")
        ]
    if isinstance(sent, list) and isinstance(back, list) and len(sent) == len(back):
        pairs = enumerate(zip(sent, back, strict=True))
        return [each for n, (a, b) in pairs for each in lost(a, b, f"{path}[{n}]")]
    return [] if type(sent) is type(back) and sent == back else [f"{path}: {sent!r} -> {back!r}"]


def test_the_seeds_object_is_accepted_as_it_stands_and_comes_back(sagas: Sagas) -> None:
    back = json.loads(
        sagas.kubectl("apply", "-n", sagas.namespace, "-f", "-", "-o", "json", stdin=SEED)
    )
    sent = yaml.safe_load(SEED)
    assert lost(sent, back) == []
    assert back["spec"]["steps"] == sent["spec"]["steps"]


def test_what_the_api_server_fills_in_changes_nothing_for_the_engine(sagas: Sagas) -> None:
    back = sagas.create(yaml.safe_load(SEED))
    assert read(json.dumps(back), "back", None).spec == read(SEED, "sent", None).spec


def test_applying_it_again_changes_nothing(sagas: Sagas) -> None:
    for said in ("created", "unchanged"):
        done = sagas.kubectl("apply", "-n", sagas.namespace, "-f", "-", stdin=SEED)
        assert done.strip().endswith(said)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_accepted(sagas: Sagas, path: Path) -> None:
    sagas.kubectl("create", "-n", sagas.namespace, "-f", str(path), "--validate=strict")


def test_every_field_that_a_document_can_have_is_accepted(sagas: Sagas) -> None:
    full = workflow(
        step("a", rollback="None", pivot=False),
        {
            "name": "b",
            "dependOns": [{"name": "a", "phase": "Running", "resourceStatus": "ready"}],
            "pivot": True,
            "stepTemplate": {
                "type": "http",
                "parameters": {"deep": {"list": [1, 2.5, "x", None, True]}, "n": 9007199254740991},
                "retryPolicy": {
                    "runRetryLimit": -1,
                    "runRetryPeriodSeconds": 0.5,
                    "rollbackRetryLimit": 0,
                    "rollbackRetryPeriodSeconds": 0,
                    "factor": 1.5,
                    "maxPeriodSeconds": 90,
                },
                "rollbackPolicy": "Always",
                "syncPeriodSeconds": 2.5,
                "timeoutSeconds": 0.25,
                "rollbackTimeoutSeconds": 600,
            },
        },
        queue="night",
        priority=-5,
        suspend=True,
        parameters={"who": "me", "many": [{"a": 1}]},
        callback={"url": "", "ignoreNotFound": False, "events": ["workflow.Success"]},
        rollbackPolicy="Always",
        onFailure="Pause",
        deletionPolicy="Orphan",
        ttlSecondsAfterFinished={"success": 0, "rollBacked": 0.5, "failed": 86400},
        activeDeadlineSeconds=0.5,
    )
    back = sagas.create(full, "--validate=strict")
    assert lost(full["spec"], back["spec"]) == []
    assert read(json.dumps(back), "back", None).spec == read(json.dumps(full), "full", None).spec


def at_every_limit(name_length: int) -> Json:
    """500 steps, some of which wait for 64, and all else as large as may be."""
    names = [f"s{n:0{name_length - 1}}" for n in range(500)]
    steps = [step(name, stepTemplate={"type": "t" * 63}) for name in names]
    for made in steps[64:126]:
        made["dependOns"] = [{"name": each} for each in names[:64]]
    steps[126]["dependOns"] = [{"name": each} for each in names[:32]]
    requests = [
        request(f"{n:063}", "RetryRun", step=names[-1 - n], reason="r" * 256) for n in range(64)
    ]
    return workflow(
        *steps, name="n" * 63, queue="q" * 63, requests=requests, parameters={"p": "x" * 1000}
    )


def test_2_an_object_at_every_limit_at_once_fits_the_budget_of_the_rules(sagas: Sagas) -> None:
    """More than etcd holds, so it is judged and not stored."""
    sagas.create(at_every_limit(63), "--dry-run=server")


def test_2_a_full_object_can_be_saved_to_and_asked(sagas: Sagas) -> None:
    """The rules of an update, which compare all that can't change, fit their budget too."""
    full = at_every_limit(4)
    asked = full["spec"]["requests"].pop()
    name = full["metadata"]["name"]
    sagas.create(full)
    steps = {each["name"]: {"phase": "Success", "attempt": 1} for each in full["spec"]["steps"]}
    answers = [
        {"id": each["id"], "seq": n, "type": "RetryRun", "verdict": "Applied", "at": 1.5}
        for n, each in enumerate(full["spec"]["requests"])
    ]
    sagas.save(name, steps=steps, revision=1, epoch=1, answers=answers)
    sagas.patch(put("/spec/requests/0", asked), name=name)
    assert len(sagas.get(name)["spec"]["requests"]) == 64
    thirteen = [{"op": "remove", "path": "/spec/requests/1"}] * 13
    assert len(sagas.patch(*thirteen, name=name)["spec"]["requests"]) == 51


def test_5_a_cycle_is_left_to_the_engine(sagas: Sagas) -> None:
    sagas.create(workflow(step("a", "b"), step("b", "a")))


def test_6_columns_show_where_it_is(sagas: Sagas) -> None:
    sagas.create(workflow(step("a"), queue="night"))
    sagas.save(phase="Running", progress="3/7")
    head, row = sagas.kubectl("get", "-n", sagas.namespace, "saga").splitlines()
    assert head.split() == ["NAME", "PHASE", "PROGRESS", "QUEUE", "AGE"]
    assert row.split()[:4] == ["order", "Running", "3/7", "night"]


def test_6_phase_and_queue_can_be_selected_by(sagas: Sagas) -> None:
    for name, queue in (("one", "day"), ("two", "night"), ("three", "night")):
        sagas.create(workflow(name=name, queue=queue))
    sagas.save("two", phase="Running")
    found = sagas.kubectl(
        *("get", "-n", sagas.namespace, "workflows.workflow.example.com", "-o", "name"),
        "--field-selector=spec.queue=night,status.phase=Running",
    )
    assert found.split() == ["workflow.workflow.example.com/two"]


def test_6_kubectl_waits_for_a_condition(sagas: Sagas) -> None:
    sagas.create(workflow())
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Success",
        "message": "all steps are done",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }
    sagas.save(conditions=[ready], observedGeneration=1)
    sagas.kubectl("wait", "-n", sagas.namespace, "saga/order", "--for=condition=Ready")


def test_6_kubectl_explain_reads_well(saga_kubectl: Kubectl) -> None:
    said = saga_kubectl("explain", "workflow.spec.steps")
    assert "FIELD: steps <[]Object>" in said
    assert "name\t<string> -required-\n    Name of the step, unique in the workflow" in said
    assert "dependOns\t<[]Object>\n    What must have been reached before" in said
    assert "<no description>" not in saga_kubectl("explain", "saga", "--recursive")
    policy = saga_kubectl("explain", "saga.spec.rollbackPolicy")
    assert "ENUM:\n    PreserveOnFailure\n    Always" in policy
