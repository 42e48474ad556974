"""The kubelet's part, played by the test: it binds pods to a node, says how they are, and lets
them go."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.patience import PATIENCE

Json = dict[str, Any]
T = TypeVar("T")
NODE = "node-1"


@attrs.frozen
class Kubelet:
    """For the pods of one namespace."""

    kubectl: Kubectl
    namespace: str

    def pods(self, **labels: str) -> list[Json]:
        """The pods there, oldest first."""
        chosen = ",".join(f"workflow.example.com/{key}={value}" for key, value in labels.items())
        found = self.kubectl.json("-n", self.namespace, "get", "pods", "-l", chosen)
        listed: list[Json] = found["items"]
        return sorted(listed, key=lambda each: int(each["metadata"]["resourceVersion"]))

    def await_pods(self, many: int = 1, **labels: str) -> list[Json]:
        """The pods there, once there are that many."""
        return self._await(lambda: found if len(found := self.pods(**labels)) == many else None)

    def await_pod(self, step: str, *, hook: str = "run", attempt: int = 1) -> Json:
        """The pod of an attempt, once it is there."""
        return self.await_pods(step=step, hook=hook, attempt=str(attempt))[0]

    def bind(self, pod: Json) -> None:
        """What the scheduler does: from then on the pod goes only when the kubelet says so."""
        name = pod["metadata"]["name"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": self.namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE},
        }
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/binding"
        self.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(binding))

    def say(self, pod: Json, phase: str, **status: Any) -> None:
        """Write a pod's status."""
        patch = json.dumps({"status": {"phase": phase, **status}})
        name = pod["metadata"]["name"]
        self.kubectl(
            *("-n", self.namespace, "patch", "pod", name, "--subresource=status"),
            *("--type=merge", "-p", patch),
        )

    def run(self, pod: Json) -> None:
        """Bind a pod and say that it runs."""
        self.bind(pod)
        self.say(pod, "Running", containerStatuses=[container(pod, {"running": {}})])

    def end(self, pod: Json, code: int = 0, message: str = "", reason: str = "") -> None:
        """Say that a pod's container exited."""
        told = {"exitCode": code, "message": message, "reason": reason or "Completed"}
        phase = "Failed" if code else "Succeeded"
        self.say(pod, phase, containerStatuses=[container(pod, {"terminated": told})])

    def let_go(self, pod: Json) -> None:
        """What the kubelet does when all containers of a deleted pod have ended: the pod goes once
        it has no finalizer."""
        name = pod["metadata"]["name"]
        self.kubectl(
            *("-n", self.namespace, "delete", "pod", name),
            *("--force", "--grace-period=0", "--wait=false"),
        )

    def unlabel(self, pod: Json, *labels: str) -> None:
        """Take labels of ours off a pod."""
        name = pod["metadata"]["name"]
        off = [f"workflow.example.com/{label}-" for label in labels]
        self.kubectl("-n", self.namespace, "label", "pod", name, *off)

    def all_pods(self) -> list[Json]:
        """The pods there, whatever their labels."""
        found: list[Json] = self.kubectl.json("-n", self.namespace, "get", "pods")["items"]
        return found

    def await_gone(self, pod: Json) -> None:
        """Return once a pod is gone."""
        self._await(lambda: True if not self.exists(pod) else None)

    def exists(self, pod: Json) -> bool:
        """Whether that very pod is there."""
        try:
            name = pod["metadata"]["name"]
            found = self.kubectl.json("-n", self.namespace, "get", "pod", name)
        except KubectlError:
            return False
        return bool(found["metadata"]["uid"] == pod["metadata"]["uid"])

    def _await(self, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (found := look()) is not None:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE:g} s; there are {self.pods()}")


def container(pod: Json, state: Json) -> Json:
    """A status of its first container."""
    spec = pod["spec"]["containers"][0]
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
