"""What is said about a faulty document, word for word: every fault at once, each with its place."""

import pytest
from tests.core.codec.conftest import Messages, WithSteps

from wf_core import codec
from wf_core.errors import DocumentInvalid
from wf_core.model.spec import Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec

STEP = "stepTemplate: {type: random}"


def test_an_age_that_is_none(messages: Messages, with_steps: WithSteps) -> None:
    def said(ttl: str) -> list[str]:
        return messages(with_steps(f"ttlSecondsAfterFinished: {ttl}\nsteps:\n- name: a\n  {STEP}"))

    at = "$.spec.ttlSecondsAfterFinished"
    assert said("60") == [f"{at}: must be a mapping, not the number 60 (line 5, column 28)"]
    assert said("{success: -1, failed: soon, rolledBack: 1}") == [
        f"{at}.success: must be 0 or more seconds, not -1 (line 5, column 38)",
        f"{at}.failed: must be a number, not the text 'soon' (line 5, column 50)",
        f"{at}.rolledBack: unknown key 'rolledBack'; did you mean 'rollBacked'? "
        "(line 5, column 56)",
    ]


def test_an_empty_file(messages: Messages) -> None:
    assert messages("") == ["$: the document is empty; it must hold a Workflow"]


def test_a_file_that_is_not_yaml(messages: Messages) -> None:
    assert messages("kind: 'Workflow\n") == [
        "$: the document is not YAML: found unexpected end of stream (line 2, column 1)"
    ]


def test_two_documents(messages: Messages, with_steps: WithSteps) -> None:
    one = with_steps(f"steps:\n- name: a\n  {STEP}")
    assert messages(f"{one}---\n{one}") == [
        "$: the file holds two documents; write each into a file of its own (line 8, column 1)"
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [("[1]", "a list"), ("just text", "the text 'just text'"), ("7", "the number 7")],
)
def test_a_top_level_that_is_no_mapping(messages: Messages, text: str, what: str) -> None:
    assert messages(text) == [f"$: must be a mapping, not {what} (line 1, column 1)"]


def test_a_document_of_another_kind(messages: Messages) -> None:
    text = (
        "apiVersion: workflow.example.com/v1\nkind: Job\nmetadata: {name: w}\nspec: {steps: []}\n"
    )
    assert messages(text) == [
        "$.apiVersion: must be 'workflow.example.com/v1alpha1', not the text "
        "'workflow.example.com/v1'; did you mean 'workflow.example.com/v1alpha1'? "
        "(line 1, column 13)",
        "$.kind: must be 'Workflow' or 'Task', not the text 'Job' (line 2, column 7)",
        "$.spec.steps: a workflow needs at least one step (line 4, column 15)",
    ]


def test_a_mapping_without_anything_that_is_required(messages: Messages) -> None:
    assert messages("{}") == [
        "$.apiVersion: is required: write 'apiVersion: workflow.example.com/v1alpha1' "
        "(line 1, column 1)",
        "$.kind: is required: write 'kind: Workflow' (line 1, column 1)",
        "$.metadata: is required (line 1, column 1)",
        "$.spec: is required (line 1, column 1)",
    ]


def test_unknown_keys_are_named_with_the_nearest_one(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
quue: fast
steps:
- name: a
  stepTemplate: {typ: random, zzz: 1}
  dependsOn: []
  when: x
"""
    )
    assert messages(text) == [
        "$.spec.quue: unknown key 'quue'; did you mean 'queue'? (line 5, column 3)",
        "$.spec.steps[0].stepTemplate.typ: unknown key 'typ'; did you mean 'type'? "
        "(line 8, column 20)",
        "$.spec.steps[0].stepTemplate.zzz: unknown key 'zzz' (line 8, column 33)",
        "$.spec.steps[0].dependsOn: unknown key 'dependsOn'; did you mean 'dependOns'? "
        "(line 9, column 5)",
        "$.spec.steps[0].when: unknown key 'when' (line 10, column 5)",
    ]


def test_values_of_the_wrong_type(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        """
priority: 1.5
suspend: "yes"
rollbackPolicy: always
activeDeadlineSeconds: .inf
parameters: [a]
steps:
- name: 12
  stepTemplate:
    type: random
    retryPolicy: {runRetryLimit: "3", factor: y}
    timeoutSeconds: 9007199254740993
  dependOns: [a]
  rollback: none
- null
"""
    )
    assert messages(text) == [
        "$.spec.priority: must be a whole number, not the number 1.5 (line 5, column 13)",
        "$.spec.suspend: must be true or false, not the text 'yes' (line 6, column 12)",
        "$.spec.rollbackPolicy: must be PreserveOnFailure or Always, not the text 'always'; "
        "did you mean 'Always'? (line 7, column 19)",
        "$.spec.activeDeadlineSeconds: inf is not a finite number; JSON has no way to write it "
        "(line 8, column 26)",
        "$.spec.parameters: must be a mapping, not a list (line 9, column 15)",
        "$.spec.steps[0].name: must be text, not the number 12; put it in quotes "
        "(line 11, column 11)",
        "$.spec.steps[0].stepTemplate.retryPolicy.runRetryLimit: must be a whole number, not the "
        "text '3' (line 14, column 36)",
        "$.spec.steps[0].stepTemplate.retryPolicy.factor: must be a number, not the boolean true "
        "(line 14, column 49)",
        "$.spec.steps[0].stepTemplate.timeoutSeconds: 9007199254740993 is a whole number beyond "
        "9007199254740992 (2^53), which loses digits; put it in quotes (line 15, column 23)",
        "$.spec.steps[0].dependOns[0]: must be a mapping, not the text 'a'; write 'name: a' "
        "(line 16, column 17)",
        "$.spec.steps[0].rollback: must be Required or None, not the text 'none'; "
        "did you mean 'None'? (line 17, column 15)",
        "$.spec.steps[1]: must be a mapping, not null (line 18, column 5)",
    ]


def test_numbers_out_of_range(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        """
activeDeadlineSeconds: 0
steps:
- name: a
  stepTemplate:
    type: random
    syncPeriodSeconds: -1
    timeoutSeconds: 0
    rollbackTimeoutSeconds: -2.5
    retryPolicy:
      runRetryLimit: -2
      rollbackRetryLimit: -9
      runRetryPeriodSeconds: -1
      rollbackRetryPeriodSeconds: -1
      maxPeriodSeconds: -1
      factor: 0.5
"""
    )
    at = "$.spec.steps[0].stepTemplate"
    assert [line.rpartition(" (")[0] for line in messages(text)] == [
        "$.spec.activeDeadlineSeconds: must be more than 0 seconds, not 0; leave it out for no "
        "limit",
        f"{at}.syncPeriodSeconds: must be 0 or more seconds, not -1",
        f"{at}.timeoutSeconds: must be more than 0 seconds, not 0; leave it out for no limit",
        f"{at}.rollbackTimeoutSeconds: must be more than 0 seconds, not -2.5; leave it out for no "
        "limit",
        f"{at}.retryPolicy.runRetryLimit: must be 0 or more, or -1 for no limit, not -2",
        f"{at}.retryPolicy.rollbackRetryLimit: must be 0 or more, or -1 for no limit, not -9",
        f"{at}.retryPolicy.runRetryPeriodSeconds: must be 0 or more seconds, not -1",
        f"{at}.retryPolicy.rollbackRetryPeriodSeconds: must be 0 or more seconds, not -1",
        f"{at}.retryPolicy.maxPeriodSeconds: must be 0 or more seconds, not -1",
        f"{at}.retryPolicy.factor: must be 1 or more, not 0.5",
    ]


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("{maxPeriodSeconds: 30}", []),
        (
            "{maxPeriodSeconds: 30, rollbackRetryPeriodSeconds: 31}",
            [
                "is 30, and rollbackRetryPeriodSeconds is 31: write a "
                "rollbackRetryPeriodSeconds of at most 30, or a larger maxPeriodSeconds"
            ],
        ),
        (
            "{maxPeriodSeconds: 3600, runRetryPeriodSeconds: 7200}",
            [
                "is 3600, and runRetryPeriodSeconds is 7200: write a "
                "runRetryPeriodSeconds of at most 3600, or a larger maxPeriodSeconds"
            ],
        ),
        ("{runRetryPeriodSeconds: 7200, rollbackRetryPeriodSeconds: 7200}", []),
        ("{maxPeriodSeconds: 60}", []),
    ],
)
@pytest.mark.parametrize("kind", ["Workflow", "Task", "CronWorkflow"])
def test_b6_a_period_above_a_maximum_that_is_written_is_a_fault_of_a_new_document(
    policy: str, wrong: list[str], kind: str
) -> None:
    template = f"{{type: random, retryPolicy: {policy}}}"
    steps = f"{{steps: [{{name: a, stepTemplate: {template}}}]}}"
    spec, at = {
        "Workflow": (steps, "$.spec.steps[0].stepTemplate.retryPolicy"),
        "Task": (template, "$.spec.retryPolicy"),
        "CronWorkflow": (
            f"{{schedule: '@daily', workflowTemplate: {{spec: {steps}}}}}",
            "$.spec.workflowTemplate.spec.steps[0].stepTemplate.retryPolicy",
        ),
    }[kind]
    text = (
        f"apiVersion: workflow.example.com/v1alpha1\nkind: {kind}\n"
        f"metadata: {{name: w}}\nspec: {spec}\n"
    )
    found = []
    try:
        codec.read_document(text, "w.yaml", None)
    except DocumentInvalid as error:
        found = [(fault.path, fault.message) for fault in error.faults]
    assert found == [(f"{at}.maxPeriodSeconds", each) for each in wrong]


def test_names_that_are_no_labels(messages: Messages) -> None:
    text = (
        "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\n"
        f"metadata: {{name: My Flow, namespace: {'n' * 64}}}\n"
        "spec: {steps: [{name: -a, stepTemplate: {type: ''}}]}\n"
    )
    rule = "is not a name: use a-z, 0-9 and '-', with a letter or digit at both ends"
    assert messages(text) == [
        f"$.metadata.name: 'My Flow' {rule} (line 3, column 18)",
        "$.metadata.namespace: has 64 characters; a name has at most 63 (line 3, column 38)",
        f"$.spec.steps[0].name: '-a' {rule} (line 4, column 23)",
        "$.spec.steps[0].stepTemplate.type: must name a step kind (line 4, column 48)",
    ]


def test_a_callback_that_can_not_be_called(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        f"""
callback: {{url: 'file:///etc/passwd', events: [workflow.Sucess, step.Success]}}
steps: [{{name: a, {STEP}}}]
"""
    )
    assert messages(text) == [
        "$.spec.callback.url: must be an http or https address, not 'file:///etc/passwd' "
        "(line 5, column 19)",
        "$.spec.callback.events[0]: no event 'workflow.Sucess': write workflow.PHASE or "
        "step.PHASE; did you mean 'workflow.Success'? (line 5, column 50)",
    ]


@pytest.mark.parametrize("url", ["http://", "https://host:x/", "http://[::1", "ftp://host/"])
def test_addresses_that_are_no_http_addresses(
    messages: Messages, with_steps: WithSteps, url: str
) -> None:
    text = with_steps(f"callback: {{url: '{url}'}}\nsteps: [{{name: a, {STEP}}}]")
    assert messages(text) == [
        f"$.spec.callback.url: must be an http or https address, not '{url}' (line 5, column 19)"
    ]


@pytest.mark.parametrize("url", ["http://a:b@host/", "https://a@host/", "http://@host/"])
def test_a_callback_with_a_user_or_password_in_its_url(
    messages: Messages, with_steps: WithSteps, url: str
) -> None:
    [message] = messages(with_steps(f"callback: {{url: '{url}'}}\nsteps: [{{name: a, {STEP}}}]"))
    assert message.startswith("$.spec.callback.url: holds a user or password")
    assert "a:b" not in message


def test_one_megabyte_of_parameters(messages: Messages, with_steps: WithSteps) -> None:
    blob = "x" * 1_000_000
    text = with_steps(
        f"steps:\n- name: a\n  stepTemplate:\n    type: random\n    parameters: {{blob: {blob}}}"
    )
    assert messages(text) == [
        "$.spec.steps[0].stepTemplate.parameters: take at least 1,000,008 bytes; parameters take "
        "at most 262,144 (256 KiB): keep the data elsewhere and pass its address "
        "(line 9, column 19)"
    ]


def test_the_kind_s_own_faults_stand_under_the_step(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        "steps:\n- name: a\n  stepTemplate:\n    type: random\n    parameters: {sleepSeconds: long}"
    )
    assert messages(text) == [
        "$.spec.steps[0].stepTemplate.parameters.sleepSeconds: must be a number, not 'long' "
        "(line 9, column 34)"
    ]


def test_numbers_in_parameters_must_survive_json(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        "parameters: {a: [.nan]}\n"
        "steps: [{name: a, stepTemplate: {type: random, parameters: {q: 9007199254740993}}}]"
    )
    assert messages(text) == [
        "$.spec.parameters.a[0]: nan is not a finite number; JSON has no way to write it "
        "(line 5, column 20)",
        "$.spec.steps[0].stepTemplate.parameters.q: 9007199254740993 is a whole number beyond "
        "9007199254740992 (2^53), which loses digits; put it in quotes (line 6, column 66)",
    ]


def test_the_file_is_named_with_each_fault() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        codec.read("spec: {steps: []}", "order.yaml", None)
    assert all(line.startswith("order.yaml: $") for line in str(caught.value).split("\n"))
    assert caught.value.source == "order.yaml"


def test_parameters_given_outside_the_file_are_checked_with_it(with_steps: WithSteps) -> None:
    text = with_steps(
        "steps: [{name: a, stepTemplate: {type: random, parameters: {x: '${parameters.n}'}}}]"
    )
    workflow = codec.read(text, "", None, {"n": 5})
    assert workflow.spec.parameters == {"n": 5}
    with pytest.raises(DocumentInvalid, match=r"\$\.spec\.parameters\.m: nan is not a finite"):
        codec.read(text, "", None, {"n": 5, "m": float("nan")})


def test_metadata_of_the_wrong_type_and_a_number_too_large(messages: Messages) -> None:
    text = (
        "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\n"
        "metadata: {name: w, labels: [a], annotations: {since: 5}}\n"
        "spec: {priority: 9007199254740993, steps: {a: 1}, callback: {events: all}}\n"
    )
    assert messages(text) == [
        "$.metadata.labels: must be a mapping, not a list (line 3, column 29)",
        "$.metadata.annotations.since: must be text, not the number 5; put it in quotes "
        "(line 3, column 55)",
        "$.spec.priority: 9007199254740993 is a whole number beyond 9007199254740992 (2^53), which "
        "loses digits; put it in quotes (line 4, column 18)",
        "$.spec.steps: must be a list, not a mapping (line 4, column 43)",
        "$.spec.callback.events: must be a list, not the text 'all' (line 4, column 70)",
    ]


def test_parameters_of_a_workflow_that_was_not_read_must_be_json() -> None:
    deep: list[object] = []
    for _ in range(1_000):
        deep = [deep]
    steps = (StepSpec("a", StepTemplate("random", {"raw": b"", "deep": deep, "big": 2**53 + 1})),)
    found = codec.faults(Workflow(Metadata("w"), WorkflowSpec(steps)), None)
    assert [(fault.path.partition("parameters")[2][:6], fault.message[:32]) for fault in found] == [
        (".raw", "is a bytes, which JSON can't car"),
        (".deep[", "is nested more than 64 deep"),
        (".big", "9007199254740993 is a whole numb"),
    ]
