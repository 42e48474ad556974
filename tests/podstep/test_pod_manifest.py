"""The pod of an attempt, from what its step says."""

from typing import Any

import pytest

from wf_core.model.phases import Hook
from wf_core.plugins import LoadedKind
from wf_core.testing.calls import call_for
from wf_podstep import manifest
from wf_podstep.inputs import Inputs, inputs
from wf_podstep.kind import PodStep
from wf_podstep.names import Identity
from wf_podstep.parameters import PodParameters

Json = dict[str, Any]
INPUTS = Inputs({"WF_KEY": "k1", "WF_ATTR_PRICE": "$5 $(HOME)"}, '{"attributes":{}}')


def identity(hook: Hook = Hook.RUN) -> Identity:
    """Of the first attempt."""
    return Identity("shop", "order", "w1", "pay", hook, 1, owner="now")


def made(hook: Hook = Hook.RUN, *, in_cluster: bool = True, **parameters: Any) -> Json:
    """The pod for these parameters."""
    given = {"image": "shop/pay:1", "rollback": {"command": ["refund"]}, **parameters}
    decoded = LoadedKind("pod", PodStep(), "tested", "").decode(given)
    assert isinstance(decoded, PodParameters)
    return manifest.pod(identity(hook), decoded, INPUTS, in_cluster=in_cluster)


def main(document: Json) -> Json:
    """Its first container."""
    first: Json = document["spec"]["containers"][0]
    return first


def variables(document: Json) -> Json:
    """The plain variables of its first container."""
    return {each["name"]: each.get("value") for each in main(document)["env"]}


def test_a_plain_step_is_a_pod_that_runs_once_and_gets_no_token() -> None:
    document = made(command=["pay"], args=["--now"])
    assert document["spec"]["restartPolicy"] == "Never"
    assert document["spec"]["automountServiceAccountToken"] is False
    assert main(document)["image"] == "shop/pay:1"
    assert (main(document)["command"], main(document)["args"]) == (["pay"], ["--now"])


def test_every_parameter_finds_its_place() -> None:
    document = made(
        envFrom=[{"configMapRef": {"name": "c"}}],
        resources={"limits": {"memory": "1Gi"}},
        securityContext={"runAsNonRoot": True},
        serviceAccountName="runner",
        volumes=[{"name": "v", "emptyDir": {}}],
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        nodeSelector={"disk": "ssd"},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        imagePullSecrets=[{"name": "registry"}],
        sidecars=[{"name": "proxy", "image": "proxy:1"}],
        activeDeadlineSeconds=60,
    )
    spec, container = document["spec"], main(document)
    assert container["envFrom"] == [{"configMapRef": {"name": "c"}}]
    assert container["resources"] == {"limits": {"memory": "1Gi"}}
    assert container["securityContext"] == {"runAsNonRoot": True}
    assert {"name": "v", "mountPath": "/v"} in container["volumeMounts"]
    assert {"name": "v", "emptyDir": {}} in spec["volumes"]
    assert (spec["serviceAccountName"], spec["nodeSelector"]) == ("runner", {"disk": "ssd"})
    assert "automountServiceAccountToken" not in spec
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["activeDeadlineSeconds"] == 60
    assert spec["initContainers"] == [
        {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}
    ]


@pytest.mark.parametrize("env", [{"A": "1"}, [{"name": "A", "value": "1"}]])
def test_env_is_a_map_or_a_list(env: Any) -> None:
    assert variables(made(env=env))["A"] == "1"


def test_what_upstream_said_arrives_as_it_is() -> None:
    """Kubernetes would put a variable's value in the place of $(HOME)."""
    assert variables(made())["WF_ATTR_PRICE"] == "$$5 $$(HOME)"


def test_the_trace_goes_on_in_variables() -> None:
    call = call_for(PodStep(), {"image": "shop/pay:1"}, trace={"traceparent": "00-1-2-01"})
    assert inputs(call).variables["TRACEPARENT"] == "00-1-2-01"
    untraced = call_for(PodStep(), {"image": "shop/pay:1"})
    assert "TRACEPARENT" not in inputs(untraced).variables


def test_the_input_is_a_file_from_an_annotation() -> None:
    document = made()
    assert document["metadata"]["annotations"]["workflow.example.com/input"] == INPUTS.document
    (volume,) = document["spec"]["volumes"]
    (item,) = volume["downwardAPI"]["items"]
    assert item["path"] == "input.json"
    assert item["fieldRef"]["fieldPath"] == "metadata.annotations['workflow.example.com/input']"
    assert main(document)["volumeMounts"] == [
        {"name": volume["name"], "mountPath": "/wf", "readOnly": True}
    ]


def test_15_only_a_runs_pod_in_a_cluster_has_an_owner() -> None:
    assert made()["metadata"]["ownerReferences"][0]["uid"] == "now"
    assert "ownerReferences" not in made(Hook.ROLLBACK)["metadata"]
    assert "ownerReferences" not in made(in_cluster=False)["metadata"]


def test_an_undos_pod_is_as_the_runs_but_for_its_command() -> None:
    document = made(
        Hook.ROLLBACK,
        command=["pay"],
        args=["--now"],
        env={"A": "1", "B": "1"},
        serviceAccountName="runner",
        activeDeadlineSeconds=60,
        rollback={"command": ["refund"], "env": {"B": "2"}},
    )
    assert main(document)["image"] == "shop/pay:1"
    assert main(document)["command"] == ["refund"]
    assert "args" not in main(document)
    assert (variables(document)["A"], variables(document)["B"]) == ("1", "2")
    assert document["spec"]["serviceAccountName"] == "runner"
    assert "activeDeadlineSeconds" not in document["spec"]


def test_an_undo_may_be_another_image_altogether() -> None:
    rollback = {
        "image": "shop/refund:2",
        "args": ["--all"],
        "resources": {"limits": {"cpu": "1"}},
        "serviceAccountName": "undoer",
        "activeDeadlineSeconds": 5,
    }
    document = made(Hook.ROLLBACK, resources={"limits": {"cpu": "9"}}, rollback=rollback)
    assert main(document)["image"] == "shop/refund:2"
    assert "command" not in main(document)
    assert main(document)["resources"] == {"limits": {"cpu": "1"}}
    assert document["spec"]["serviceAccountName"] == "undoer"
    assert document["spec"]["activeDeadlineSeconds"] == 5


TEMPLATE: Json = {
    "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "x"}},
    "spec": {
        "priorityClassName": "high",
        "containers": [
            {
                "name": "work",
                "image": "a:1",
                "command": ["a"],
                "env": [{"name": "A", "value": "0"}],
            },
            {"name": "other", "image": "b:1"},
        ],
    },
}


def test_a_whole_template_is_kept_and_what_stands_beside_it_goes_into_its_first_container() -> None:
    document = made(image="", podTemplate=TEMPLATE, args=["--x"], env={"A": "1"})
    assert document["metadata"]["labels"]["team"] == "shop"
    assert document["metadata"]["annotations"]["note"] == "x"
    assert document["spec"]["priorityClassName"] == "high"
    first, second = document["spec"]["containers"]
    assert (first["name"], first["image"], first["command"]) == ("work", "a:1", ["a"])
    assert first["args"] == ["--x"]
    assert variables(document)["A"] == "1"
    assert second == {"name": "other", "image": "b:1"}
    assert TEMPLATE["spec"]["containers"][0]["env"] == [{"name": "A", "value": "0"}]


def test_an_undo_takes_the_runs_template_without_its_command_or_its_own() -> None:
    document = made(Hook.ROLLBACK, image="", podTemplate=TEMPLATE)
    assert main(document)["command"] == ["refund"]
    own = {"spec": {"containers": [{"name": "undo", "image": "u:1", "command": ["u"]}]}}
    document = made(Hook.ROLLBACK, podTemplate=TEMPLATE, rollback={"podTemplate": own})
    assert (main(document)["image"], main(document)["command"]) == ("u:1", ["u"])
    assert "priorityClassName" not in document["spec"]


def test_labels_of_ours_can_not_be_taken_by_a_template() -> None:
    document = made(podTemplate={"metadata": {"labels": {"workflow.example.com/uid": "stolen"}}})
    assert identity().matches(document["metadata"]["labels"])


def test_17_a_tombstone_has_the_runs_name_and_may_not_be_scheduled() -> None:
    document = manifest.tombstone(identity(), in_cluster=True)
    assert document["metadata"]["name"] == made()["metadata"]["name"]
    assert identity().matches(document["metadata"]["labels"])
    assert document["spec"]["schedulingGates"]
    assert "ownerReferences" not in document["metadata"]
