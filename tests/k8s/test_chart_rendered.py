"""What the chart renders, and what it is held to by the code."""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests.k8s.chart_helm import (
    CASES,
    CHART,
    ROOT,
    Helm,
    from_the_code,
    kinds,
    only,
    without_definition,
)
from tests.k8s.crd_objects import Json

from wf_core.config import Config, ControllerConfig, Floors, parse, to_document
from wf_k8s import rbac
from wf_k8s.crd import definitions

EVERY = (
    *rbac.WORKFLOWS,
    *rbac.CLEAN_UP,
    *rbac.SCHEDULES,
    *rbac.TASKS,
    *rbac.PODS,
    *rbac.POD_LOGS,
)
EVERY_CASE = sorted(each.name.split(".")[0] for each in CASES.glob("*.values.yaml"))


def values_of(case: str) -> Json:
    found: Json = yaml.safe_load((CASES / f"{case}.values.yaml").read_text())
    return found


def rules(*wanted: rbac.Rule) -> list[Json]:
    return [rule.document() for rule in wanted]


def pod_of(documents: list[Json]) -> Json:
    found: Json = only(documents, "Deployment")["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("case", EVERY_CASE)
def test_it_renders_what_it_did(helm: Helm, case: str) -> None:
    """`make chart` writes anew what is compared here: look at the difference."""
    golden = (CASES / f"{case}.golden.yaml").read_text()
    assert without_definition(helm.template(values=values_of(case))) == golden


@pytest.mark.parametrize("case", EVERY_CASE)
def test_the_linter_finds_nothing(helm: Helm, case: str) -> None:
    linted = helm.run("lint", "--strict", str(CHART), values=values_of(case))
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("name", from_the_code())
def test_fault_2_what_the_chart_has_from_the_code_is_what_the_code_says(name: str) -> None:
    """`make chart` brings it up to date."""
    assert yaml.safe_load((CHART / "files" / name).read_text()) == from_the_code()[name]


def test_the_definition_is_upgraded_with_the_release_and_kept_after_it(helm: Helm) -> None:
    documents = helm.documents()
    crds = [each for each in documents if each["kind"] == "CustomResourceDefinition"]
    for crd in crds:
        assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        crd["metadata"].pop("labels")
    by_name = {each["metadata"]["name"]: each for each in crds}
    assert by_name == {each["metadata"]["name"]: each for each in definitions()}


def test_20_it_grants_what_the_controller_needs_and_no_more(helm: Helm) -> None:
    documents = helm.documents()
    granted = only(documents, "ClusterRole", "workflow-system.wf")
    assert granted["rules"] == rules(*EVERY)
    lease = only(documents, "Role", "wf-lease")
    assert lease["metadata"]["namespace"] == "workflow-system"
    assert lease["rules"] == rules(*rbac.lease("wf"))
    bound = [each for each in documents if each["kind"].endswith("RoleBinding")]
    subjects = [subject["name"] for each in bound for subject in each["subjects"]]
    assert sorted(subjects) == ["wf", "wf", "wf-test"]


def test_b3_who_edits_workflows_may_write_no_status(helm: Helm) -> None:
    """A status says under which keys services are called, and what was done: it is the
    controller's."""
    roles = [
        each
        for each in helm.documents()
        if any("/aggregate-to-" in name for name in each["metadata"].get("labels", {}))
    ]
    assert {each["metadata"]["name"].rpartition(".")[2] for each in roles} == {"view", "edit"}
    granted = {
        resource for role in roles for rule in role["rules"] for resource in rule["resources"]
    }
    assert "workflows" in granted
    assert not {resource for resource in granted if "*" in resource or resource.endswith("/status")}


def test_20_without_steps_that_run_as_pods_it_may_not_see_a_pod(helm: Helm) -> None:
    documents = helm.documents(values={"podSteps": {"enabled": False}})
    granted = only(documents, "ClusterRole", "workflow-system.wf")
    assert granted["rules"] == rules(*rbac.WORKFLOWS, *rbac.CLEAN_UP, *rbac.SCHEDULES, *rbac.TASKS)


def test_20_without_schedules_and_tasks_it_may_make_no_workflows(helm: Helm) -> None:
    off = {"enabled": False}
    documents = helm.documents(values={"schedules": off, "tasks": off})
    granted = only(documents, "ClusterRole", "workflow-system.wf")
    assert granted["rules"] == rules(*rbac.WORKFLOWS, *rbac.CLEAN_UP, *rbac.PODS, *rbac.POD_LOGS)
    assert {"--no-schedules", "--no-tasks"} <= set(pod_of(documents)["containers"][0]["args"])


def test_20_with_a_list_of_namespaces_it_gets_no_right_of_the_cluster(helm: Helm) -> None:
    documents = helm.documents(values={"namespaces": ["orders", "billing"]})
    bound = [each for each in documents if each["kind"] == "ClusterRoleBinding"]
    assert bound == []
    for namespace in ("orders", "billing"):
        (role,) = [
            each
            for each in documents
            if each["kind"] == "Role" and each["metadata"]["namespace"] == namespace
            if each["metadata"]["name"] == "wf"
        ]
        assert role["rules"] == rules(*EVERY)
    assert "--namespace=orders,billing" in pod_of(documents)["containers"][0]["args"]


def test_a_team_can_install_without_anything_of_the_cluster(helm: Helm) -> None:
    documents = helm.documents(values=values_of("namespaced"))
    assert kinds(documents) == {
        *("ConfigMap", "Deployment", "NetworkPolicy", "Pod", "Role", "RoleBinding"),
        *("Service", "ServiceAccount"),
    }
    assert all("namespace" in each["metadata"] for each in documents)


def test_the_token_is_the_controller_s_alone(helm: Helm) -> None:
    pod = pod_of(helm.documents(values=values_of("everything")))
    assert pod["automountServiceAccountToken"] is False
    holders = [
        each["name"]
        for each in (*pod["initContainers"], *pod["containers"])
        if "token" in [mount["name"] for mount in each["volumeMounts"]]
    ]
    assert holders == ["controller"]


def test_an_older_cluster_gets_no_policy_that_it_does_not_know(helm: Helm) -> None:
    old = helm("template", "wf", str(CHART), "--kube-version", "1.35.0")
    found = kinds([each for each in yaml.safe_load_all(old) if each])
    assert "MutatingAdmissionPolicy" not in found
    assert "ValidatingAdmissionPolicy" in found


def wire_names(document: Mapping[str, Any]) -> Json:
    by_name = ("queues", "namespaces")
    return {
        key: wire_names(value) if isinstance(value, dict) and key not in by_name else None
        for key, value in document.items()
    }


def schema_names(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> Json:
    """`shared` are the parts that others refer to."""
    found = {}
    for key, value in schema["properties"].items():
        part = shared[value["$ref"].removeprefix("#/$defs/")] if "$ref" in value else value
        found[key] = schema_names(part, shared) if "properties" in part else None
    return found


def test_the_engine_s_whole_configuration_can_be_set_and_nothing_else() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    config = schema["properties"]["config"]
    assert schema_names(config, schema["$defs"]) == wire_names(to_document(Config()))
    limits = config["properties"]["controllerConfig"]["properties"]["steps"]["items"]
    made = parse("controllerConfig: {steps: [{kind: a}]}", "test")
    (shown,) = to_document(made)["controllerConfig"]["steps"]  # type: ignore[index]
    assert schema_names(limits, schema["$defs"]) == wire_names(shown)
    open_ones = [each for each in find_objects(config) if each.get("additionalProperties") is None]
    assert open_ones == []


def find_objects(schema: Any) -> list[Json]:
    if isinstance(schema, list):
        return [found for each in schema for found in find_objects(each)]
    if not isinstance(schema, dict):
        return []
    inner = [found for each in schema.values() for found in find_objects(each)]
    return [schema, *inner] if schema.get("type") == "object" else inner


def test_the_chart_s_defaults_are_the_engine_s_but_for_what_namespaces_share() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    engine = parse(yaml.safe_dump(values["config"]), "values.yaml")
    shared = ControllerConfig(
        concurrency=60, workflow_memory=256, share_permits=True, floors=Floors(1.0)
    )
    assert engine == Config(controller_config=shared)


@pytest.mark.parametrize(("most", "share"), [(1, 1), (2, 2), (3, 2), (5, 3), (100, 60), (0, 0)])
def test_e4_a_namespace_gets_three_fifths_where_nothing_else_is_said(
    helm: Helm, most: int, share: int
) -> None:
    queue = {"maxRunningCount": most}
    values = {"config": {"controllerConfig": {"queue": queue}}}
    rendered = only(helm.documents(values=values), "ConfigMap", "wf")
    config = parse(rendered["data"]["config.yaml"], "test").controller_config.queue
    assert config.max_running_count_per_namespace == share


def test_the_configuration_reaches_the_engine_as_it_was_written(helm: Helm) -> None:
    given = values_of("everything")["config"]
    own = given["controllerConfig"]
    own |= {"sharePermits": False, "floors": {"retryPeriod": "3s"}, "workflowMemory": 300}
    own["queue"]["maxRunningCountPerNamespace"] = 7
    rendered = only(helm.documents(values={"config": given}), "ConfigMap", "wf")
    assert parse(rendered["data"]["config.yaml"], "test") == parse(yaml.safe_dump(given), "test")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"config": {"throtleQPS": 3}}, "throtleQPS"),
        ({"config": {"controllerConfig": {"queue": {"strategy": "LIFO"}}}}, "strategy"),
        ({"config": {"controllerConfig": {"syncTimeout": "1 minute"}}}, "syncTimeout"),
        ({"replica": 3}, "replica"),
        ({"namespaces": ["Orders"]}, "namespaces"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"onNamespaceDeletion": "Delete"}, "onNamespaceDeletion"),
    ],
)
def test_fault_16_a_slip_in_the_values_is_refused_by_name(
    helm: Helm, values: Json, said: str
) -> None:
    refused = helm.run("template", "wf", str(CHART), values=values)
    assert refused.returncode
    assert said in refused.stderr


def test_every_value_has_a_schema_and_every_schema_a_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    # `global` is helm's own: charts around this one pass it down.
    assert schema["properties"].keys() - {"global"} == values.keys()


def test_the_chart_is_of_the_version_that_it_installs() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "wf_k8s/pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]


def test_everything_is_named_in_the_case_of_everything() -> None:
    """A new value has to be looked at in the golden output."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    left = values.keys() - values_of("everything").keys()
    assert left == {"nameOverride", "crd"}
