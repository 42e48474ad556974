"""The node is a real one: it runs pods, and says why it does not."""

import pytest
from tests.cluster.images import BUSYBOX_IMAGE
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import NAME
from tests.e2e.pods import Pods, exit_code


@pytest.mark.usefixtures("node")
def test_the_node_is_ready(kubectl: Kubectl) -> None:
    info = kubectl.json("get", "node", NAME)["status"]["nodeInfo"]
    assert info["containerRuntimeVersion"] == "containerd://2.3.7"
    assert info["kubeletVersion"] == "v1.37.2"


def test_a_pod_runs_to_its_end_and_its_log_is_read(pods: Pods) -> None:
    pods.run("hello", "echo", "hello from a pod")
    pod = pods.await_phase("hello", "Succeeded")
    assert exit_code(pod) == 0
    assert pods.logs("hello") == "hello from a pod\n"


def test_how_a_pod_failed_is_told(pods: Pods) -> None:
    pods.run("bad", "sh", "-c", "echo because > /dev/termination-log; exit 3")
    (status,) = pods.await_phase("bad", "Failed")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 3
    assert status["state"]["terminated"]["message"] == "because\n"


def test_an_image_that_is_missing_is_told(pods: Pods) -> None:
    pods.run("none", "true", image="registry.invalid/none:1")
    message = pods.await_waiting("none", "ErrImagePull", "ImagePullBackOff")
    assert "registry.invalid/none:1" in message


def test_a_command_that_is_missing_is_told(pods: Pods) -> None:
    pods.run("lost", "/no/such/program")
    (status,) = pods.await_phase("lost", "Failed")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "StartError"
    assert "no such file or directory" in status["state"]["terminated"]["message"]


def test_a_quota_refuses_the_pod_that_is_too_many(
    kubectl: Kubectl, namespace: str, pods: Pods
) -> None:
    kubectl("create", "quota", "one", "--hard=pods=1", f"--namespace={namespace}")
    kubectl(
        *("wait", "quota/one", f"--namespace={namespace}"),
        "--for=jsonpath={.status.hard.pods}=1",
    )
    pods.run("first", "sleep", "600")
    with pytest.raises(Exception, match=r'pods "second" is forbidden: exceeded quota: one'):
        pods.run("second", "true")


def test_a_pod_that_takes_too_much_memory_is_killed(pods: Pods) -> None:
    container = {
        "name": "main",
        "image": BUSYBOX_IMAGE,
        "command": ["sh", "-c", "x=a; while :; do x=$x$x; done"],
        "resources": {"limits": {"memory": "32Mi"}},
    }
    pods.run("greedy", containers=[container])
    (status,) = pods.await_phase("greedy", "Failed")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"
    assert exit_code(pods.get("greedy")) == 137
