"""Pods that somebody or something ends, and what becomes of their steps."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.kubectl import Kubectl
from tests.cluster.node import NAME, Node
from tests.e2e.pod_steps import listed, step
from tests.e2e.pods import Json, Pods
from tests.k8s.controller_process import Controllers, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow


def running(pods: Pods) -> Json:
    """The only pod, once it runs."""

    def look() -> Json | None:
        found: list[Json] = pods.kubectl.json("-n", pods.namespace, "get", "pods")["items"]
        up = [each for each in found if each["status"]["phase"] == "Running"]
        return up[0] if len(up) == 1 else None

    return until(look, "one pod runs")


def test_a_pod_deleted_by_hand_counts_as_a_failure(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    sagas.create(workflow(step("pay", "sleep 600")))
    pod = running(pods)
    pods.kubectl("-n", pods.namespace, "delete", "pod", pod["metadata"]["name"])
    ended = await_phase(sagas, "RollBacked")
    said = ended["status"]["steps"]["pay"]["runError"]
    assert re.search(r"was deleted (while it ran|before it ended)", said), said


def test_a_pod_that_succeeded_and_was_deleted_while_no_controller_ran_is_not_started_again(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    killed = pod_controllers.leader(lease_seconds=4)
    script = "until [ -e /tmp/go ]; do sleep 0.1; done; echo '{\"receipt\": 17}' > $WF_RESULT"
    sagas.create(workflow(step("pay", script)))
    pod = running(pods)
    name = pod["metadata"]["name"]
    killed.end(signal.SIGKILL)
    pods.kubectl("-n", pods.namespace, "exec", name, "--", "touch", "/tmp/go")
    done = "--for=jsonpath={.status.phase}=Succeeded"
    pods.kubectl("-n", pods.namespace, "wait", f"pod/{name}", done)
    pods.kubectl("-n", pods.namespace, "delete", "pod", name, "--wait=false")
    pod_controllers.leader(lease_seconds=4)
    ended = await_phase(sagas, "Success")["status"]["steps"]["pay"]
    assert (ended["attempt"], ended["attributes"]) == (1, {"receipt": 17})
    assert ended["resource"]["id"] == pod["metadata"]["uid"]
    until(lambda: True if not listed(pods) else None, "the pod is let go")


def evict(pods: Pods, pod: Json) -> None:
    """What `kubectl drain` does to each pod of a node."""
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": pods.namespace},
    }
    path = f"/api/v1/namespaces/{pods.namespace}/pods/{name}/eviction"
    pods.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def test_a_pod_that_is_drained_is_replaced_and_nothing_is_counted(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    script = "trap 'exit 143' TERM; until [ -e /tmp/go ]; do sleep 0.1; done"
    sagas.create(workflow(step("pay", script)))
    first = running(pods)
    evict(pods, first)

    def another() -> Json | None:
        found = running(pods)
        return found if found["metadata"]["uid"] != first["metadata"]["uid"] else None

    second = until(another, "another pod takes its place")
    assert second["metadata"]["name"] == first["metadata"]["name"]
    pods.kubectl("-n", pods.namespace, "exec", second["metadata"]["name"], "--", "touch", "/tmp/go")
    done = await_phase(sagas, "Success")["status"]["steps"]["pay"]
    assert (done["attempt"], done.get("runRetryCount", 0)) == (1, 0)
    assert done["resource"]["attributes"]["replacements"] == 1


def test_a_quota_without_room_is_waited_for_and_told(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pods.kubectl("-n", pods.namespace, "create", "quota", "none", "--hard=count/pods=0")
    pods.kubectl(
        *("-n", pods.namespace, "wait", "quota/none"),
        "--for=jsonpath={.status.hard.count/pods}=0",
    )
    pod_controllers.leader()
    sagas.create(workflow(step("pay")))

    def said() -> str | None:
        found = sagas.get()["status"].get("steps", {}).get("pay", {}).get("runError")
        return str(found) if found else None

    assert "the quota of namespace" in until(said, "the step says what it waits for")
    assert "has no room for its pod: " in str(said())
    pods.kubectl("-n", pods.namespace, "delete", "quota", "none")
    await_phase(sagas, "Success")


def test_18_an_undo_in_a_namespace_that_is_being_deleted_is_told_and_can_be_released(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    sagas.create(workflow(step("pay", "sleep 600", rollback="true")))
    running(pods)
    pods.kubectl("delete", "namespace", pods.namespace, "--wait=false")

    def said() -> str | None:
        found = sagas.get()["status"]["steps"]["pay"].get("rollbackError")
        return str(found) if found else None

    assert "is being deleted: no pod can be created" in until(said, "the undo says why")
    patch = [{"op": "add", "path": "/spec/requests", "value": [MARK]}]
    pods.kubectl(
        *("-n", pods.namespace, "patch", "saga", "order", "--type=json", "-p", json.dumps(patch))
    )

    def gone() -> bool | None:
        return True if pods.kubectl.run("get", "namespace", pods.namespace).returncode else None

    until(gone, "the namespace goes")
    pods.kubectl("create", "namespace", pods.namespace)  # as the test found it


UNREACHABLE = "node.kubernetes.io/unreachable"


@contextmanager
def gone(node: Node, kubectl: Kubectl) -> Iterator[None]:
    """The node does not answer, and its pods are told to go. Where other nodes are left, the
    node controller says so after a minute; of the last one it never does."""
    node.kubelet.kill()
    kubectl("taint", "node", NAME, f"{UNREACHABLE}=:NoExecute")
    try:
        yield
    finally:
        node.kubelet.start()
        kubectl("taint", "node", NAME, f"{UNREACHABLE}:NoExecute-")


def test_a_pod_whose_node_is_gone_is_told_and_replaced_once_it_has_ended(
    node: Node, sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    tolerated = {"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute"}
    script = "trap 'exit 143' TERM; until [ -e /tmp/go ]; do sleep 0.1; done"
    sagas.create(workflow(step("pay", script, tolerations=[{**tolerated, "tolerationSeconds": 0}])))
    first = running(pods)

    def lost() -> str | None:
        found = sagas.get()["status"]["steps"]["pay"]["resource"]
        return str(found["attributes"]["message"]) if found["status"] == "NodeLost" else None

    with gone(node, pods.kubectl):
        assert "does not answer, so that its pod can't be ended" in until(lost, "it is told")
        assert len(pods.kubectl.json("-n", pods.namespace, "get", "pods")["items"]) == 1

    def another() -> Json | None:
        found = running(pods)
        return found if found["metadata"]["uid"] != first["metadata"]["uid"] else None

    second = until(another, "another pod takes its place")
    pods.kubectl("-n", pods.namespace, "exec", second["metadata"]["name"], "--", "touch", "/tmp/go")
    done = await_phase(sagas, "Success")["status"]["steps"]["pay"]
    assert (done["attempt"], done.get("runRetryCount", 0)) == (1, 0)


MARK = {"id": "release", "type": "MarkRolledBack", "step": "pay"}
