"""Pods as the API server would show them, for tests that need no API server."""

import json
from typing import Any

from wf_k8s.releasing import POD_FINALIZER
from wf_podstep.names import GATE
from wf_podstep.seen import Pod, read_pod

Json = dict[str, Any]
NAME = "order-pay-1"


def pod(
    phase: str = "Running",
    *,
    reason: str = "",
    message: str = "",
    conditions: list[Json] | None = None,
    containers: list[Json] | None = None,
    inits: list[Json] | None = None,
    of: Json | None = None,
    **more: Any,
) -> Pod:
    """A pod of one container, `main`; `of` is what its spec has else, `more` are its labels and
    what `meta` takes."""
    return read_pod(
        json.dumps(
            {
                "metadata": meta(**more),
                "spec": spec(tombstone=bool(more.get("tombstone")), **(of or {})),
                "status": {
                    "phase": phase,
                    "reason": reason,
                    "message": message,
                    "conditions": conditions or [],
                    "containerStatuses": containers or [],
                    "initContainerStatuses": inits or [],
                },
            }
        ).encode()
    )


def spec(*, tombstone: bool, **more: Any) -> Json:
    """The spec of a pod on node `n1`, or of one that is never scheduled."""
    where = {"schedulingGates": [{"name": GATE}]} if tombstone else {"nodeName": "n1"}
    return {"containers": [{"name": "main", "image": "shop/pay:1"}], **where, **more}


def meta(
    name: str = NAME,
    uid: str = "u1",
    version: int = 1,
    *,
    step: str = "pay",
    hook: str = "run",
    attempt: int = 1,
    retain: str = "onFailure",
    workflow_uid: str = "w1",
    tombstone: bool = False,
    deleting: bool = False,
    grace: int | None = None,
    held: bool = False,
    owned: bool = False,
) -> Json:
    """Metadata of one of our pods."""
    prefix = "workflow.example.com/"
    labels = {
        f"{prefix}uid": workflow_uid,
        f"{prefix}step": step,
        f"{prefix}hook": hook,
        f"{prefix}attempt": str(attempt),
        f"{prefix}retain-pods": retain,
        **({f"{prefix}tombstone": "true"} if tombstone else {}),
    }
    return {
        "name": name,
        "namespace": "shop",
        "uid": uid,
        "resourceVersion": str(version),
        "labels": labels,
        **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {}),
        **({"deletionGracePeriodSeconds": grace} if grace is not None else {}),
        **({"finalizers": [POD_FINALIZER]} if held else {}),
        **({"ownerReferences": [{"kind": "Workflow"}]} if owned else {}),
    }


def ended(code: int, message: str = "", reason: str = "Error", name: str = "main") -> Json:
    """A container that has ended."""
    state = {"terminated": {"exitCode": code, "message": message, "reason": reason}}
    return {"name": name, "image": "shop/pay:1", "state": state}


def waiting(reason: str, message: str = "", name: str = "main") -> Json:
    """A container that has not started."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "image": "shop/pay:1", "state": state}


def disrupted(reason: str) -> Json:
    """The condition by which Kubernetes says that it ended a pod."""
    return {"type": "DisruptionTarget", "status": "True", "reason": reason}
