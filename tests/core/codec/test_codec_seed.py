"""The documents of the seed's users work unchanged, and its faults are gone."""

from pathlib import Path

import pytest
from tests.core.codec.conftest import Messages, Reading, WithSteps

from wf_core import codec
from wf_core.model.phases import Phase, RollbackPolicy
from wf_core.model.spec import RetryPolicy

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_seed_s_object_is_accepted_as_it_stands() -> None:
    workflow = codec.read((EXAMPLES / "example.yaml").read_bytes(), "example.yaml", None)
    first, second, third = workflow.spec.steps
    assert workflow.metadata.name == "example"
    assert workflow.spec.queue == "default"
    assert workflow.spec.callback is not None
    assert workflow.spec.callback.url == "http://localhost:8080/abc"
    assert first.step_template.parameters == {"sleepSeconds": "20"}
    assert first.step_template.retry_policy == RetryPolicy(3, 10.0, 3, 3.0)
    assert [(d.name, d.phase) for d in second.depend_ons] == [("step1", Phase.SUCCESS)]
    assert third.depend_ons == ()


def test_the_seed_s_defaults(reading: Reading, with_steps: WithSteps) -> None:
    text = """
callback: {url: http://localhost/}
steps:
- {name: a, stepTemplate: {type: random}}
- {name: b, dependOns: [{name: a}], stepTemplate: {type: random}}
"""
    spec = reading(with_steps(text)).spec
    step = spec.steps[0].step_template
    assert spec.queue == "default"
    assert spec.rollback_policy is RollbackPolicy.PRESERVE_ON_FAILURE
    assert step.retry_policy == RetryPolicy(3, 60.0, 3, 60.0)
    assert step.sync_period_seconds == 0
    assert step.rollback_policy is None
    assert spec.callback is not None
    assert spec.callback.ignore_not_found is True
    assert spec.steps[1].depend_ons[0].phase is Phase.SUCCESS


def test_seed_fault_03_unknown_kind_is_an_error_before_anything_runs(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
steps:
- {name: a, stepTemplate: {type: random}}
- {name: b, stepTemplate: {type: rnadom}}
- {name: c, stepTemplate: {type: rnadom}}
"""
    )
    said = "no installed plugin brings the kind 'rnadom'"
    assert messages(text) == [
        f"$.spec.steps[1].stepTemplate.type: {said} (line 7, column 36)",
        f"$.spec.steps[2].stepTemplate.type: {said} (line 8, column 36)",
    ]


def test_seed_fault_14_explicit_zero_and_false_are_kept(
    reading: Reading, with_steps: WithSteps
) -> None:
    text = """
priority: 0
suspend: false
callback: {url: '', ignoreNotFound: false, events: []}
parameters: {zero: 0, empty: '', no-value: ~, none: []}
steps:
- name: a
  pivot: false
  stepTemplate:
    type: random
    syncPeriodSeconds: 0
    retryPolicy:
      runRetryLimit: 0
      runRetryPeriodSeconds: 0
      rollbackRetryLimit: 0
      rollbackRetryPeriodSeconds: 0
      maxPeriodSeconds: 0
"""
    workflow = reading(with_steps(text))
    for each in (workflow, codec.read(codec.dump(workflow), "", None)):
        spec = each.spec
        assert spec.callback is not None
        assert spec.callback.ignore_not_found is False
        assert spec.callback.events == ()
        assert spec.parameters == {"zero": 0, "empty": "", "no-value": None, "none": []}
        assert spec.steps[0].step_template.retry_policy == RetryPolicy(
            0, 0.0, 0, 0.0, max_period_seconds=0.0
        )


def test_what_kubectl_shows_is_accepted_and_its_own_fields_are_passed_over() -> None:
    text = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata:
  name: w
  namespace: team
  uid: 5f0c
  labels: {a: b}
  annotations: {c: d}
  creationTimestamp: "2026-01-01T00:00:00Z"
  deletionTimestamp: "2026-01-01T00:00:00Z"
  deletionGracePeriodSeconds: 0
  finalizers: [workflow.example.com/undo]
  generation: 99999999999999999999
  managedFields: [{manager: kubectl, fieldsV1: {"f:spec": {}}}]
  ownerReferences: [{kind: X}]
  resourceVersion: "17"
  selfLink: /x
spec:
  requests: [{id: r1, type: Cancel}]
  steps: [{name: a, stepTemplate: {type: random}}]
status: {phase: Running, anything: [{}]}
"""
    metadata = codec.read(text, "", None).metadata
    assert (metadata.name, metadata.namespace, metadata.uid) == ("w", "team", "5f0c")
    assert (metadata.labels, metadata.annotations) == ({"a": "b"}, {"c": "d"})


def test_null_is_read_as_not_given(reading: Reading, with_steps: WithSteps) -> None:
    given = "queue: ~\ncallback:\nsteps: [{name: a, rollback: null, stepTemplate: {type: random}}]"
    left_out = "steps: [{name: a, stepTemplate: {type: random}}]"
    assert reading(with_steps(given)) == reading(with_steps(left_out))


@pytest.mark.parametrize("name", [path.name for path in sorted(EXAMPLES.glob("*.yaml"))])
def test_every_example_is_read_and_written_back(name: str) -> None:
    document = codec.read_document((EXAMPLES / name).read_bytes(), name, None)
    assert codec.read_document(codec.dump(document), name, None) == document
