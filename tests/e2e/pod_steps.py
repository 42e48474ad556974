"""Steps that are pods of busybox."""

from typing import Any

from tests.cluster.images import BUSYBOX_IMAGE
from tests.e2e.pods import Json, Pods

RESTRICTED: dict[str, Any] = {
    "podTemplate": {
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        }
    }
}
"""Parameters with which a pod may run in a namespace of the strictest pod security."""


def step(name: str, script: str = "true", *after: str, retries: int = 0, **parameters: Any) -> Json:
    """A step that runs a shell script; its undo is another, where `rollback` has one."""
    given = {
        "image": BUSYBOX_IMAGE,
        "command": ["sh", "-c", script],
        "rollback": "none",
        "podTemplate": {"spec": {"terminationGracePeriodSeconds": 1}},
        **parameters,
    }
    if isinstance(given["rollback"], str) and given["rollback"] != "none":
        given["rollback"] = {"command": ["sh", "-c", given["rollback"]]}
    made: Json = {
        "name": name,
        "stepTemplate": {
            "type": "pod",
            "parameters": given,
            "retryPolicy": {
                "runRetryLimit": retries,
                "runRetryPeriodSeconds": 0.1,
                "rollbackRetryLimit": 0,
            },
        },
    }
    return {**made, "dependOns": [{"name": each} for each in after]} if after else made


def labelled(pods: list[Json], **labels: str) -> list[Json]:
    """Those with these labels of ours."""
    return [
        pod
        for pod in pods
        if all(
            pod["metadata"]["labels"].get(f"workflow.example.com/{key}") == value
            for key, value in labels.items()
        )
    ]


def listed(pods: Pods) -> list[Json]:
    """The pods of the namespace."""
    found: list[Json] = pods.kubectl.json("-n", pods.namespace, "get", "pods")["items"]
    return found
