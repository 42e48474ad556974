"""Workflows whose steps are pods, run by controllers; the test plays the kubelet's part."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault
from tests.k8s.controller_process import Controllers, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, put, request, workflow
from tests.k8s.restored import restore
from tests.k8s.service_accounts import with_rights
from tests.podstep.kubelet import Kubelet
from tests.podstep.pod_proxy import disturbed

from wf_k8s import rbac

pytestmark = pytest.mark.slow
LEASE_SECONDS = 4


def step(name: str, *after: str, **parameters: Any) -> Json:
    """A step that is a pod, undone by another."""
    given = {"image": "shop/pay:1", "rollback": {"command": ["undo"]}, **parameters}
    made: Json = {
        "name": name,
        "stepTemplate": {
            "type": "pod",
            "parameters": given,
            "retryPolicy": {"runRetryLimit": 0, "rollbackRetryLimit": 0},
        },
    }
    return {**made, "dependOns": [{"name": each} for each in after]} if after else made


def chain(names: str, **parameters: Any) -> list[Json]:
    """A chain of steps."""
    return [step(n, *([names[i - 1]] if i else []), **parameters) for i, n in enumerate(names)]


def test_attributes_pass_from_pod_to_pod_and_the_pods_go_at_the_end(
    sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    pod_controllers.leader()
    sagas.create(workflow(step("make"), step("use", "make")))
    first = kubelet.await_pod("make")
    kubelet.run(first)
    kubelet.end(first, message=json.dumps({"volume": "v1"}))
    second = kubelet.await_pod("use")
    told = {each["name"]: each.get("value") for each in second["spec"]["containers"][0]["env"]}
    assert told["WF_ATTR_VOLUME"] == "v1"
    kubelet.run(second)
    kubelet.end(second)
    done = await_phase(sagas, "Success")
    assert done["status"]["steps"]["make"]["attributes"] == {"volume": "v1"}
    assert done["status"]["steps"]["make"]["resource"]["name"] == first["metadata"]["name"]
    kubelet.await_pods(0)


def test_five_pods_of_which_the_last_fails_are_undone_by_four_in_reverse_order(
    sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    pod_controllers.leader()
    steps = [*chain("abcd"), step("e", "d", rollback="none")]
    sagas.create(workflow(*steps))
    for name in "abcd":
        pod = kubelet.await_pod(name)
        kubelet.run(pod)
        kubelet.end(pod)
    last = kubelet.await_pod("e")
    kubelet.run(last)
    kubelet.end(last, 3, "no stock", "Error")
    undone = []
    for name in "dcba":
        undo = kubelet.await_pod(name, hook="rollback")
        undone.append(undo["metadata"]["labels"]["workflow.example.com/step"])
        assert len(kubelet.pods(hook="rollback")) == len(undone)
        kubelet.run(undo)
        kubelet.end(undo)
    ended = await_phase(sagas, "RollBacked")
    assert undone == ["d", "c", "b", "a"]
    sentence = f"pod {last['metadata']['name']} exited with code 3: no stock"
    assert ended["status"]["runError"] == {"e": sentence}
    (left,) = kubelet.await_pods(1)  # retainPods: onFailure
    assert left["metadata"]["name"] == last["metadata"]["name"]


def test_16_a_controller_killed_between_creation_and_save_leaves_one_pod(
    cluster: Cluster,
    sagas: Sagas,
    pod_controllers: Controllers,
    kubelet: Kubelet,
    tmp_path: Path,
) -> None:
    with disturbed(cluster, tmp_path) as through:
        through.proxy.add(Fault(f"POST /api/v1/namespaces/{sagas.namespace}/pods", delay=600))
        pod_controllers.kubeconfig = through.kubeconfig
        first = pod_controllers.leader(lease_seconds=LEASE_SECONDS)
        sagas.create(workflow(step("pay")))
        pod = kubelet.await_pod("pay")
        assert "resource" not in sagas.get()["status"]["steps"]["pay"]  # nothing of it is saved
        first.end(signal.SIGKILL)
    pod_controllers.kubeconfig = None
    pod_controllers.leader(lease_seconds=LEASE_SECONDS)

    def saved() -> str | None:
        found = sagas.get()["status"]["steps"]["pay"].get("resource", {}).get("id")
        return str(found) if found else None

    assert until(saved, "the pod is adopted") == pod["metadata"]["uid"]
    assert len(kubelet.pods()) == 1
    kubelet.run(pod)
    kubelet.end(pod)
    done = await_phase(sagas, "Success")
    assert done["status"]["steps"]["pay"]["attempt"] == 1


def test_a_controller_that_is_killed_while_a_pod_runs_goes_on_with_it(
    sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    first = pod_controllers.leader(lease_seconds=LEASE_SECONDS)
    sagas.create(workflow(step("pay")))
    pod = kubelet.await_pod("pay")
    kubelet.run(pod)
    first.end(signal.SIGKILL)
    kubelet.end(pod, message='{"receipt": 1}')  # nobody is there to hear it
    pod_controllers.leader(lease_seconds=LEASE_SECONDS)
    done = await_phase(sagas, "Success")
    assert done["status"]["steps"]["pay"]["attributes"] == {"receipt": 1}


def test_a_step_costs_one_creation_one_patch_one_deletion_and_no_poll(
    cluster: Cluster,
    sagas: Sagas,
    pod_controllers: Controllers,
    kubelet: Kubelet,
    tmp_path: Path,
) -> None:
    with disturbed(cluster, tmp_path) as through:
        pod_controllers.kubeconfig = through.kubeconfig
        pod_controllers.leader()
        sagas.create(workflow(*chain("ab")))
        for name in "ab":
            pod = kubelet.await_pod(name)
            kubelet.run(pod)
            kubelet.end(pod)
        await_phase(sagas, "Success")
        kubelet.await_pods(0)
        path = f"/api/v1/namespaces/{sagas.namespace}/pods"
        asked = through.on_pods()
        kinds = [each.partition(" ")[0] for each in asked]
        assert [each for each in asked if each.startswith(("WATCH", "POST"))] == [
            f"WATCH {path}",
            f"POST {path}",
            f"POST {path}",
        ]
        assert kinds.count("DELETE") == 2
        # At the end the watch may not have told yet that the finalizer is off: once more does
        # no harm.
        assert 2 <= kinds.count("PATCH") <= 4
        assert set(kinds) == {"WATCH", "POST", "PATCH", "DELETE"}
        for controller in pod_controllers.started:
            controller.end()


def limited(cluster: Cluster, sagas: Sagas, controllers: Controllers, *rules: rbac.Rule) -> None:
    """Let controllers speak as a service account with these rights, and that to their lease."""
    lease = rbac.lease(f"wf-controller.{sagas.namespace}")
    account = with_rights(sagas.kubectl, sagas.namespace, (*rules, *lease))
    file = controllers.folder / "account.kubeconfig"
    controllers.kubeconfig = account.kubeconfig(cluster, file)


def test_20_the_rights_of_the_chart_are_enough_for_pods(
    cluster: Cluster, sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    limited(cluster, sagas, pod_controllers, *rbac.WORKFLOWS, *rbac.PODS)
    pod_controllers.leader()
    sagas.create(workflow(step("pay"), step("ship", "pay", rollback="none")))
    for name, code in (("pay", 0), ("ship", 1)):
        pod = kubelet.await_pod(name)
        kubelet.run(pod)
        kubelet.end(pod, code)
    undo = kubelet.await_pod("pay", hook="rollback")
    kubelet.run(undo)
    kubelet.end(undo)
    await_phase(sagas, "RollBacked")
    kubelet.await_pods(1)


def test_without_the_right_to_pods_a_step_says_so(
    cluster: Cluster, sagas: Sagas, pod_controllers: Controllers
) -> None:
    limited(cluster, sagas, pod_controllers, *rbac.WORKFLOWS)
    pod_controllers.leader()
    sagas.create(workflow(step("pay", rollback="none"), onFailure="Pause"))

    def told() -> str | None:
        said = sagas.get()["status"].get("runError", {}).get("pay")
        return str(said) if said else None

    assert "the pods can't be listed" in until(told, "the step says why")


def test_a_cancel_ends_the_pod_and_undoes(
    sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    pod_controllers.leader()
    sagas.create(workflow(step("pay")))
    pod = kubelet.await_pod("pay")
    kubelet.run(pod)
    sagas.patch(put("/spec/requests", [request("stop")]))
    until(lambda: kubelet.pods()[0]["metadata"].get("deletionTimestamp"), "the pod is ended")
    assert kubelet.pods(hook="rollback") == []
    kubelet.let_go(pod)
    undo = kubelet.await_pod("pay", hook="rollback")
    (grave,) = kubelet.await_pods(1, tombstone="true")
    assert grave["metadata"]["name"] == pod["metadata"]["name"]
    kubelet.run(undo)
    kubelet.end(undo)
    await_phase(sagas, "RollBacked")
    kubelet.await_pods(0)


def test_b3_a_restored_workflow_goes_on_with_its_pods_and_undoes_them(
    sagas: Sagas, pod_controllers: Controllers, kubelet: Kubelet
) -> None:
    """Pods are found by the uid under which the first intent was saved; an owner is the object that
    is there now."""
    first = pod_controllers.leader(lease_seconds=LEASE_SECONDS)
    sagas.create(workflow(*chain("ab")))
    pod = kubelet.await_pod("a")
    kubelet.run(pod)
    until(lambda: sagas.get()["status"]["steps"]["a"].get("inProgress"), "its pod is saved")
    first.end(signal.SIGKILL)
    before, after = restore(sagas)
    assert before != after
    pod_controllers.leader(lease_seconds=LEASE_SECONDS)
    kubelet.end(pod)
    second = kubelet.await_pod("b")
    assert len(kubelet.pods(step="a")) == 1
    assert second["metadata"]["labels"]["workflow.example.com/uid"] == before
    assert [each["uid"] for each in second["metadata"]["ownerReferences"]] == [after]
    kubelet.run(second)
    kubelet.end(second, 3, "no stock", "Error")
    for name in "ba":
        undo = kubelet.await_pod(name, hook="rollback")
        assert undo["metadata"]["labels"]["workflow.example.com/uid"] == before
        kubelet.run(undo)
        kubelet.end(undo)
    await_phase(sagas, "RollBacked")
    (left,) = kubelet.await_pods(1)  # retainPods: onFailure
    assert left["metadata"]["name"] == second["metadata"]["name"]
