"""The definition as it is drawn from the model, without a cluster."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml

from wf_core.cli.app import run
from wf_core.codec.descriptions import DESCRIPTIONS
from wf_core.model.requests import Answer, Request
from wf_core.model.spec import (
    Callback,
    DependOn,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    WorkflowSpec,
)
from wf_core.model.state import OutboxEntry, StepState, Transition, WorkflowState
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.crd import bounds, definition, definitions, descriptions, rules
from wf_k8s.crd.bounds import bound
from wf_k8s.store import patch, shown, wire

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def root() -> Schema:
    """The schema of the whole object."""
    schema: Schema = version()["schema"]["openAPIV3Schema"]
    return schema


def version() -> Schema:
    """The one version."""
    (only,) = definition()["spec"]["versions"]
    return dict(only)


def walk(schema: Schema, path: str = "$") -> Iterator[tuple[str, Schema]]:
    """Every schema in a schema, with its path."""
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from walk(each, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from walk(schema["additionalProperties"], f"{path}.*")


def names(struct: type[msgspec.Struct]) -> set[str]:
    """The wire names of a struct."""
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def below(schema: Schema, path: str) -> Schema:
    """The schema at a path of properties and items."""
    for part in path.split("."):
        schema = schema["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            schema = schema["items"]
    return schema


def test_every_field_is_described(root: Schema) -> None:
    bare = [
        path
        for path, schema in walk(root)
        if not schema.get("description") and not path.endswith(("[]", ".*"))
    ]
    assert bare == ["$.metadata"]  # the API server brings its own


def test_every_description_is_used(root: Schema) -> None:
    """Words about a field that is gone would mislead whoever reads them."""
    used = {schema.get("description") for _, schema in walk(root)}
    # The field's own words stand over those of the struct; the owner is there in two fields.
    elsewhere = {"WorkflowState", "WorkflowState.owner", "Owner", "Blocked", "Resource", "Folder"}
    # Only a store says that; what an author writes vouches for nobody.
    elsewhere |= {"Request.verified"}
    ours = {**descriptions.REQUESTS, **descriptions.STORED}
    assert {name for name, text in ours.items() if text not in used} == elsewhere


def test_the_schema_is_structural(root: Schema) -> None:
    """What the API server demands: a type everywhere but where anything goes."""
    for path, schema in walk(root):
        free = schema.get("x-kubernetes-preserve-unknown-fields")
        assert "type" in schema or free, path
        assert not ("properties" in schema and "additionalProperties" in schema), path
        if schema.get("type") == "array":
            assert schema["x-kubernetes-list-type"] in ("atomic", "map"), path


@pytest.mark.parametrize(
    ("path", "struct"),
    [
        ("steps[]", StepSpec),
        ("steps[].dependOns[]", DependOn),
        ("steps[].stepTemplate", StepTemplate),
        ("steps[].stepTemplate.retryPolicy", RetryPolicy),
        ("callback", Callback),
    ],
)
def test_what_people_write_has_the_fields_of_the_model(
    root: Schema, path: str, struct: type[msgspec.Struct]
) -> None:
    assert set(below(root, f"spec.{path}")["properties"]) == names(struct)


def test_the_spec_has_the_fields_of_the_model_and_requests(root: Schema) -> None:
    spec = root["properties"]["spec"]
    assert set(spec["properties"]) == names(WorkflowSpec) | {"requests"}
    requests = spec["properties"]["requests"]
    written = names(Request) - {"verified"}  # only a store vouches
    assert set(requests["items"]["properties"]) == written | {"id", "createdAt"}


def test_the_status_has_a_place_for_all_that_is_saved(root: Schema) -> None:
    status = root["properties"]["status"]["properties"]
    head = names(WorkflowState) - {"conditions"} | {"epoch", "remarks"}
    assert head <= set(status)
    assert set(status["steps"]["additionalProperties"]["properties"]) == names(StepState)
    assert set(status["outbox"]["items"]["properties"]) == names(OutboxEntry)
    assert set(status["history"]["items"]["properties"]) == names(Transition)
    assert set(status["answers"]["items"]["properties"]) == names(Answer) | {"id"}


def test_defaults_are_those_of_the_model(root: Schema) -> None:
    """What the API server fills in means what its absence means on a laptop."""
    filled = {
        f"{path}.{field.encode_name}": default
        for path, struct in (("spec", WorkflowSpec), ("spec.callback", Callback))
        for field in msgspec.structs.fields(struct)
        for default in [below(root, path)["properties"][field.encode_name].get("default")]
        if default is not None and default == field.default
    }
    assert filled == {
        "spec.queue": "default",
        "spec.rollbackPolicy": "PreserveOnFailure",
        "spec.onFailure": "Rollback",
        "spec.deletionPolicy": "RollbackUnfinished",
        "spec.callback.ignoreNotFound": True,
    }


def test_below_lists_defaults_are_told_and_not_filled_in(root: Schema) -> None:
    """`kubectl apply` compares lists as a whole: it would see a change at every run."""
    below_lists = [each for path, each in walk(root["properties"]["spec"]) if "[]" in path]
    assert not [each for each in below_lists if "default" in each]
    policy = below(root, "spec.steps[].stepTemplate.retryPolicy")["properties"]
    assert policy["runRetryLimit"]["description"].endswith("no limit. Default: 3.")
    assert policy["maxPeriodSeconds"]["description"].endswith("longer one. Default: 3600.")
    rollback = below(root, "spec.steps[].rollback")["description"]
    assert rollback.endswith("else Required. Default: Required.")


def test_1_lists_are_atomic_but_those_that_are_shared(root: Schema) -> None:
    keyed = {path for path, each in walk(root) if each.get("x-kubernetes-list-type") == "map"}
    assert keyed == {"$.spec.requests", "$.status.answers", "$.status.conditions"}
    assert root["properties"]["status"]["x-kubernetes-map-type"] == "atomic"


def test_2_the_bounds_are_those_that_were_measured(root: Schema) -> None:
    spec = root["properties"]["spec"]
    assert below(spec, "steps[]")["properties"]["name"]["maxLength"] == 63
    assert spec["properties"]["steps"]["maxItems"] == 500
    assert below(spec, "steps[].dependOns")["maxItems"] == 64
    assert spec["properties"]["requests"]["maxItems"] == 64
    assert below(spec, "requests[].reason")["maxLength"] == 256


def test_3_what_can_not_change_is_judged_once(root: Schema) -> None:
    for rule in root["properties"]["spec"]["x-kubernetes-validations"]:
        once = rule["rule"].startswith("oldSelf.hasValue() ||")
        transition = "oldSelf." in rule["rule"] and not rule.get("optionalOldSelf")
        unless_same = "self.requests == oldSelf.value().requests" in rule["rule"]
        assert once or transition or unless_same, rule["rule"]
        assert once or unless_same or not rule.get("optionalOldSelf"), rule["rule"]


def test_every_message_of_a_rule_is_its_own() -> None:
    every = (*rules.SPEC, *rules.REQUEST, *rules.OBJECT, *rules.STATUS)
    messages = [rule.message for rule in every]
    assert len(set(messages)) == len(messages)


def test_newer_engines_may_know_more_reasons_than_the_definition(root: Schema) -> None:
    """Charts leave definitions alone on an upgrade: a save must not fail on a new word."""
    enums = {path for path, each in walk(root["properties"]["status"]) if "enum" in each}
    assert all(path.split(".")[-1] in ("phase", "*", "status") for path in enums), enums


def test_6_names_columns_and_selectors() -> None:
    spec = definition()["spec"]
    assert spec["names"]["shortNames"] == ["saga"]
    columns = {each["name"]: each["jsonPath"] for each in version()["additionalPrinterColumns"]}
    assert columns["Progress"] == ".status.progress"
    assert [name for name in columns if name != "Reason"] == ["Phase", "Progress", "Queue", "Age"]
    assert version()["selectableFields"] == [
        {"jsonPath": ".spec.queue"},
        {"jsonPath": ".status.phase"},
    ]
    assert version()["subresources"] == {"status": {}}


def test_definition_and_client_speak_of_the_same_resource() -> None:
    spec = definition()["spec"]
    assert (spec["group"], version()["name"], spec["names"]["plural"]) == (
        WORKFLOWS.group,
        WORKFLOWS.version,
        WORKFLOWS.plural,
    )


def test_the_definition_has_a_place_for_all_that_the_store_reads_back(root: Schema) -> None:
    assert names(wire.Status) <= set(root["properties"]["status"]["properties"])
    requests = below(root, "spec.requests[]")["properties"]
    assert names(wire.WireRequest) == set(requests)
    answers = below(root, "status.answers[]")["properties"]
    assert names(wire.WireAnswer) == set(answers)


def test_what_the_store_shows_fits_what_the_definition_says() -> None:
    assert shown.MOST_ATTRIBUTES == bounds.MAX_ATTRIBUTES_SHOWN
    assert shown.ERROR_SHOWN == bounds.MAX_ERROR_SHOWN
    assert shown.BLOCKED_SHOWN == bounds.MAX_BLOCKED_SHOWN
    assert patch.HISTORY_LINES == bounds.MAX_HISTORY


def test_each_definition_is_a_value_of_its_own() -> None:
    """Who changes one, as a chart might, must not change the next."""
    definition()["spec"]["versions"][0]["schema"].clear()
    definition()["spec"]["versions"][0]["additionalPrinterColumns"].clear()
    assert version()["schema"]
    assert version()["additionalPrinterColumns"]


def test_a_bound_of_a_field_that_is_gone_is_noticed() -> None:
    with pytest.raises(KeyError, match="gone"):
        bound({"type": "object", "properties": {}}, {"gone": {"maxLength": 1}})


def test_wf_crd_prints_the_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["crd"]) == 0
    printed = yaml.safe_load_all(capsys.readouterr().out)
    assert list(printed) == list(definitions())


def test_wf_crd_and_the_help_import_nothing_of_kubernetes() -> None:
    """Its package takes half a second to import, which nobody should wait for."""
    program = (
        "import sys; from wf_core.cli.app import run; run(['--help']); run(['crd']);"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'kubernetes', 'aiohttp'}),"
        " file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_descriptions_of_the_document_are_taken_over(root: Schema) -> None:
    assert below(root, "spec.queue")["description"] == DESCRIPTIONS["WorkflowSpec.queue"]
