"""References that no document may hold: in shell texts, before a URL's path, without end."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from wf_command.kind import Command
from wf_core import codec
from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.config import Config
from wf_core.engine.refusal import entrance
from wf_core.engine.services import Services
from wf_core.errors import DocumentInvalid
from wf_core.model.spec import Metadata, Workflow
from wf_core.model.state import WorkflowState
from wf_core.plugins.registry import Registry
from wf_core.saga.events import Admitted
from wf_core.schedules.runs import SCHEDULE_UID
from wf_http.kind import Http
from wf_podstep.kind import PodStep

NO_SHELL = "a reference in the text of a shell would be run as part of it"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.of([Command(), Http(), PodStep()])


def document(kind: str, parameters: dict[str, Any], given: dict[str, Any]) -> bytes:
    steps = [
        {"name": "a", "rollback": "None", "stepTemplate": {"type": kind, "parameters": {}}},
        {
            "name": "b",
            "rollback": "None",
            "dependOns": [{"name": "a"}],
            "stepTemplate": {"type": kind, "parameters": parameters},
        },
    ]
    spec = {"parameters": given, "steps": steps}
    head = {"apiVersion": "workflow.example.com/v1alpha1", "kind": "Workflow"}
    return msgspec.json.encode({**head, "metadata": {"name": "w"}, "spec": spec})


def faults_of(registry: Registry, kind: str, parameters: dict[str, Any]) -> list[str]:
    """The faults of step b; a, whose parameters are empty, only has to be there."""
    given = {"base": "http://shop", "words": ["echo", "hi"], "text": "echo hi", "a": "x" * 200_000}
    try:
        codec.read(document(kind, parameters, given), "w.json", registry)
    except DocumentInvalid as invalid:
        return [f"{each.path}: {each.message}" for each in invalid.faults if "[1]" in each.path]
    return []


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"run": "echo ${steps.a.attributes.id}"}, ".run"),
        ({"run": "echo ${parameters.text}"}, ".run"),
        ({"run": "${parameters.text}"}, ".run"),
        ({"run": "true", "rollback": "echo '${attributes.id}'"}, ".rollback"),
        ({"run": ["sh", "-c", "echo ${attributes.id}"]}, ".run[2]"),
        (
            {"run": ["/usr/bin/env", "sh", "-euo", "pipefail", "-c", "${attributes.id}"]},
            ".run[5]",
        ),
        ({"run": ["env", "A=1", "/bin/bash", "-ec", "echo ${attributes.id}", "x"]}, ".run[4]"),
    ],
)
def test_b6_a_reference_in_the_text_of_a_shell_is_refused(
    registry: Registry, parameters: dict[str, Any], where: str
) -> None:
    found = faults_of(registry, "command", parameters)
    assert len(found) == 1
    assert NO_SHELL in found[0]
    assert "pass the value by `env`" in found[0]
    assert f".parameters{where}:" in found[0]


@pytest.mark.parametrize(
    "parameters",
    [
        {"run": ["echo", "${steps.a.attributes.id}"]},
        {"run": "${parameters.words}"},
        {"run": 'echo "$ID" ${HOME} $${attributes.id}', "env": {"ID": "${attributes.id}"}},
        {"run": ["sh", "-c", 'echo "$1"', "sh", "${attributes.id}"]},
        {"run": ["sh", "deploy.sh", "-c", "${attributes.id}"]},
    ],
)
def test_b6_env_and_lists_take_references(registry: Registry, parameters: dict[str, Any]) -> None:
    assert faults_of(registry, "command", parameters) == []


def test_b6_the_shells_of_pods_are_seen_wherever_they_are_written(registry: Registry) -> None:
    text = "echo ${attributes.id}"
    container = {"image": "i", "command": ["sh"], "args": ["-c", text]}
    found = faults_of(
        registry,
        "pod",
        {
            "image": "i",
            "command": ["sh"],
            "args": ["-c", text],
            "rollback": {"command": ["bash", "-c", text]},
            "sidecars": [container],
            "podTemplate": {"spec": {"containers": [container]}},
        },
    )
    assert sorted(each.partition(": ")[0].partition(".parameters")[2] for each in found) == [
        ".args[1]",
        ".podTemplate.spec.containers[0].args[1]",
        ".rollback.command[2]",
        ".sidecars[0].args[1]",
    ]


@pytest.mark.parametrize(
    ("form", "annotations", "goes_on"),
    [(1, {}, True), (2, {SCHEDULE_UID: "u"}, True), (2, {}, False)],
)
def test_b6_what_was_stored_before_is_admitted(
    registry: Registry, form: int, annotations: dict[str, str], goes_on: bool
) -> None:
    text = document("command", {"run": "echo ${steps.a.attributes.id}"}, {})
    read = codec.read(text, "w.json", None)
    first = msgspec.structs.replace(read.spec.steps[0].step_template, parameters={"run": ["true"]})
    steps = (msgspec.structs.replace(read.spec.steps[0], step_template=first), read.spec.steps[1])
    spec = msgspec.structs.replace(read.spec, steps=steps)
    workflow = Workflow(Metadata("w", annotations=annotations), spec)
    there = SimpleNamespace(registry=registry, store=MemoryStore(Backing()), config=Config())
    services = cast("Services", there)
    said = entrance(WorkflowState(schema_version=form), workflow, services)
    assert isinstance(said, Admitted) is goes_on
    assert goes_on or NO_SHELL in str(said)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("http://shop/o/${attributes.id}", True),
        ("${parameters.base}/o/${attributes.id}?q=${steps.a.resource.id}", True),
        ("http://shop${attributes.port}/o", False),
        ("${steps.a.resource.address}", False),
        ("http://${attributes.host}/o", False),
    ],
)
def test_b5_no_step_says_where_a_request_goes(registry: Registry, url: str, fine: bool) -> None:
    found = faults_of(registry, "http", {"run": {"url": url}})
    assert (found == []) is fine
    assert fine or "comes before the path of a URL" in found[0]


def test_b5_no_step_brings_a_whole_request(registry: Registry) -> None:
    (found,) = faults_of(registry, "http", {"run": "${attributes.request}"})
    assert "write the object out" in found


@pytest.mark.parametrize("kind", ["http", "command"])
def test_c7_what_would_not_fit_is_refused_before_it_is_made(registry: Registry, kind: str) -> None:
    many = "${parameters.a}" * 8000
    parameters = (
        {"run": ["echo", many]} if kind == "command" else {"run": {"url": f"http://shop/{many}"}}
    )
    (found,) = faults_of(registry, kind, parameters)
    assert "of step 'b' would take 1,600," in found
    assert "1,048,576 (1 MiB) are allowed" in found


def test_c7_many_faults_under_a_long_key_are_told_once_and_for_all(registry: Registry) -> None:
    deep = {"k" * 900: ["${wrong.x}"] * 10_000}
    found = faults_of(registry, "http", {"run": {"url": "http://shop/", "json": deep}})
    assert len(found) == 50


def test_b6_what_was_stored_before_is_let_through(registry: Registry) -> None:
    text = document("command", {"run": "echo ${attributes.id}"}, {})
    workflow: Workflow = codec.read(text, "w.json", None)
    new = [each.message for each in codec.faults(workflow, registry)]
    stored = [each.message for each in codec.faults(workflow, registry, new=False)]
    assert [each for each in new if each not in stored] == [
        "a reference in the text of a shell would be run as part of it: pass the value by `env` "
        'and write "$NAME" here, or write the command as a list, without a shell'
    ]
