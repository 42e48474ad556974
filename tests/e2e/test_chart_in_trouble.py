"""The controllers that the chart installs run sagas of pods to their end, whatever befalls them or
the node in the middle, forward and in the undo."""

from collections.abc import Callable

import pytest
from tests.cluster.node import Node
from tests.e2e.pod_steps import RESTRICTED, labelled, listed, step
from tests.e2e.pods import Json, Pods
from tests.e2e.releases import Release
from tests.k8s.controller_process import await_phase, until
from tests.k8s.crd_objects import Sagas, workflow

pytestmark = pytest.mark.slow

LEASE_SECONDS = 5
WAITS = "until [ -e /tmp/go ]; do sleep 0.1; done"


def leader(sagas: Sagas) -> str:
    """The name of the pod that leads."""

    def look() -> str | None:
        leases = sagas.kubectl.json("-n", sagas.namespace, "get", "leases")["items"]
        holders = [each["spec"].get("holderIdentity") or "" for each in leases]
        return next((holder.rpartition("_")[0] for holder in holders if holder), None)

    return until(look, "one leads")


def container(sagas: Sagas, pod: str) -> str:
    """containerd's name for the controller in a pod."""
    found = sagas.kubectl.json("-n", sagas.namespace, "get", "pod", pod)
    status = next(
        each for each in found["status"]["containerStatuses"] if each["name"] == "controller"
    )
    identity: str = status["containerID"]
    return identity.removeprefix("containerd://")


def deleted(node: Node, sagas: Sagas) -> None:  # noqa: ARG001
    """The pod of the leader is deleted."""
    was = leader(sagas)
    sagas.kubectl("-n", sagas.namespace, "delete", "pod", was, "--wait=false")
    until(lambda: leader(sagas) != was or None, "another one leads")


def killed(node: Node, sagas: Sagas) -> None:
    """The leader dies between two instructions."""
    node.ctr("tasks", "kill", "--signal", "SIGKILL", container(sagas, leader(sagas)))


def paused(node: Node, sagas: Sagas) -> None:
    """The leader stands still until another one leads, and then goes on."""
    was = leader(sagas)
    frozen = container(sagas, was)
    node.ctr("tasks", "pause", frozen)
    try:
        until(lambda: leader(sagas) != was or None, "another one leads")
    finally:
        node.ctr("tasks", "resume", frozen)


def restarted(node: Node, sagas: Sagas) -> None:  # noqa: ARG001
    """The node's containerd dies and comes back."""
    node.containerd.kill()
    node.start_containerd()


@pytest.mark.parametrize("befalls", [deleted, killed, paused, restarted])
def test_a_saga_ends_all_or_none_whatever_befalls_its_controllers(
    node: Node, release: Release, pods: Pods, befalls: Callable[[Node, Sagas], None]
) -> None:
    sagas = release.sagas
    release.install(leaseSeconds=LEASE_SECONDS)

    def shelf(name: str, *after: str, script: str = "true") -> Json:
        return step(name, script, *after, rollback=script, retainPods="always", **RESTRICTED)

    steps = [shelf("a"), shelf("b", "a", script=WAITS), shelf("c", "b")]
    last = step("d", "echo no stock; exit 3", "c", retainPods="always", **RESTRICTED)
    sagas.create(workflow(*steps, last))
    for hook in ("run", "rollback"):
        name = await_running(pods, "b", hook)
        befalls(node, sagas)
        let_go(pods, name)
    ended = await_phase(sagas, "RollBacked")
    undone = {each: ended["status"]["steps"][each]["reached"]["RollBacked"] for each in "abc"}
    assert sorted(undone, key=lambda each: undone[each]) == ["c", "b", "a"]
    made = [labelled_as(pod, "step") + labelled_as(pod, "hook") for pod in saga_pods(pods)]
    assert sorted(made) == sorted(
        [*(f"{each}run" for each in "abcd"), *(f"{each}rollback" for each in "abc")]
    ), "each was called once"


def labelled_as(pod: Json, what: str) -> str:
    """One of our labels."""
    label: str = pod["metadata"]["labels"][f"workflow.example.com/{what}"]
    return label


def saga_pods(pods: Pods) -> list[Json]:
    """Those of the workflow: the controllers' are there too."""
    return [pod for pod in listed(pods) if "workflow.example.com/step" in pod["metadata"]["labels"]]


def await_running(pods: Pods, of: str, hook: str) -> str:
    """The name of a step's pod, once it runs."""

    def look() -> str | None:
        found = labelled(saga_pods(pods), step=of, hook=hook)
        running = [pod for pod in found if pod["status"].get("phase") == "Running"]
        return running[0]["metadata"]["name"] if running else None

    return until(look, f"the pod of '{of}' runs ({hook})")


def let_go(pods: Pods, name: str) -> None:
    """Let a pod that waits end; kubelet may just have lost its runtime."""
    touch = ("-n", pods.namespace, "exec", name, "--", "touch", "/tmp/go")
    until(lambda: pods.kubectl.run(*touch).returncode == 0 or None, f"{name} is let go")
