"""Pods as these tests make and read them."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from tests.cluster.images import BUSYBOX_IMAGE
from tests.cluster.kubectl import Kubectl
from tests.patience import PATIENCE

Json = dict[str, Any]
T = TypeVar("T")


@attrs.frozen
class Pods:
    """The pods of one namespace."""

    kubectl: Kubectl
    namespace: str

    def run(self, name: str, *command: str, image: str = BUSYBOX_IMAGE, **spec: Any) -> None:
        """Make a pod that runs `command` once."""
        container = {"name": "main", "image": image, "command": list(command)}
        self.kubectl.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 1,
                    "containers": [container],
                    **spec,
                },
            }
        )

    def get(self, name: str) -> Json:
        """A pod, as the API server has it."""
        found: Json = self.kubectl.json("get", "pod", name, f"--namespace={self.namespace}")
        return found

    def await_phase(self, name: str, phase: str) -> Json:
        """The pod, once it is in that phase."""

        def look() -> Json | None:
            pod = self.get(name)
            return pod if pod["status"]["phase"] == phase else None

        return until(look, lambda: f"{name} is {phase}, but {json.dumps(self.get(name)['status'])}")

    def await_waiting(self, name: str, *reasons: str) -> str:
        """The message with which its container waits for one of these reasons."""

        def look() -> str | None:
            for each in self.get(name)["status"].get("containerStatuses", ()):
                waiting = each["state"].get("waiting", {})
                if waiting.get("reason") in reasons:
                    return str(waiting.get("message", ""))
            return None

        return until(look, lambda: f"{name} waits for {reasons}, but {self.get(name)['status']}")

    def logs(self, name: str) -> str:
        """What its container wrote."""
        return self.kubectl("logs", name, f"--namespace={self.namespace}")


def until(look: Callable[[], T | None], what: Callable[[], str]) -> T:
    """What `look` gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE:g} s: {what()}")


def exit_code(pod: Json) -> int:
    """How the container of a pod ended."""
    (status,) = pod["status"]["containerStatuses"]
    code: int = status["state"]["terminated"]["exitCode"]
    return code
