"""Steps that are pods: what one asks of the API server, and how soon a pod's dependents follow it.

The kubelet's part is played: a pod is over as soon as it is there, so that what is left is ours
and the API server's.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
from tests.cluster import audit
from tests.cluster.audit import Asked
from tests.k8s.crd_objects import Json, step, workflow

from benchmarks.figures import Figure, median
from benchmarks.k8s.api import Api
from benchmarks.k8s.stage import Stage, opened
from wf_k8s.client.resources import PODS
from wf_k8s.client.session import AGENT
from wf_k8s.store.guard import FINALIZER

LENGTH, REPEATS, WARM = 10, 12, 2
QUIET = 2.0
"""Seconds after the last end in which whatever still follows is asked."""
OVER = "application/merge-patch+json"


def measure(folder: Path) -> list[Figure]:
    """Requests, counted on one stage, and times, taken on another that writes no audit log."""
    return [*_requests(folder), *_times(folder)]


def _requests(folder: Path) -> list[Figure]:
    with opened(folder, audited=True) as stage:
        namespace = _namespace(stage)
        with stage.controller(namespace):
            _play(stage, namespace, "counted")
            stage.await_all(namespace, "Success", every=0.2, patience=60)
            time.sleep(QUIET)
            asked = audit.read(audit.log(stage.folder / "plane"), AGENT)
    verbs = Counter(_said(each) for each in asked if each.resource in ("workflows", "pods"))
    begun = verbs.pop("watch pods", 0), verbs.pop("watch workflows", 0)
    saves = verbs.pop("patch workflows/status", 0)
    return [
        Figure(
            f"requests on pods a step, chain of {LENGTH} pods",
            sum(many for what, many in verbs.items() if what.endswith(" pods")) / LENGTH,
            "requests",
            2,
            exact=True,
            note=f"{', '.join(f'{many} {what}' for what, many in verbs.items())}, "
            f"{saves} saves; the floor is its creation and its removal at the end",
        ),
        Figure("watches of pods", begun[0], "requests", 1, exact=True),
    ]


def _said(each: Asked) -> str:
    return f"{each.verb} {each.resource}{'/' if each.subresource else ''}{each.subresource}"


def _times(folder: Path) -> list[Figure]:
    with opened(folder) as stage:
        namespace = _namespace(stage)
        followed: list[float] = []
        bare: list[float] = []
        with stage.controller(namespace):
            for n in range(WARM + REPEATS):
                played = _play(stage, namespace, f"run{n}")
                if n >= WARM:
                    followed += played.followed
                    bare += played.bare
    return [
        Figure(
            "a pod's end to its dependent's pod / one bare write",
            median(followed) / median(bare),
            "ratio",
            note=f"medians {median(followed) * 1e3:.2f} ms / {median(bare) * 1e3:.2f} ms, of "
            f"{len(followed)} and {len(bare)}; in between are two writes: the save and the pod. "
            "The bare write is the one that ends a pod",
        ),
    ]


@attrs.frozen
class Played:
    """Seconds from each pod's end to the next one's creation, as a watch tells of it; and of each
    write that ended one."""

    followed: list[float]
    bare: list[float]


def _play(stage: Stage, namespace: str, name: str) -> Played:
    """Run one chain, ending each of its pods as soon as it is there."""
    kubelet, events = Api(stage.cluster), Api(stage.cluster)
    played = Played([], [])
    try:
        selector = f"labelSelector=workflow.example.com%2Fworkflow%3D{name}"
        seen = _added(events, f"{PODS.path(namespace)}?watch=1&{selector}")
        stage.api.create(namespace, _chain(name))
        over = 0.0
        for n in range(LENGTH):
            pod = next(seen)
            if n:
                played.followed.append(perf_counter() - over)
            begun = perf_counter()
            path = PODS.path(namespace, pod["metadata"]["name"], "status")
            kubelet.ask("PATCH", path, _succeeded(pod), OVER)
            over = perf_counter()
            played.bare.append(over - begun)
    finally:
        kubelet.close()
        events.close()
    return played


def _added(api: Api, path: str) -> Iterator[Json]:
    """The pods that come, as soon as they do."""
    for line in api.follow(path):
        event = json.loads(line)
        if event["type"] == "ADDED":
            yield event["object"]


def _succeeded(pod: Json) -> bytes:
    told = {"exitCode": 0, "reason": "Completed", "message": '{"made": "it"}'}
    main: dict[str, Any] = pod["spec"]["containers"][0]
    status = {
        "name": main["name"],
        "image": main["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": told},
    }
    return json.dumps({"status": {"phase": "Succeeded", "containerStatuses": [status]}}).encode()


def _chain(name: str) -> Json:
    template = {"type": "pod", "parameters": {"image": "shop/pay:1", "rollback": "none"}}
    steps = [
        step(f"s{n}", *([f"s{n - 1}"] if n else []), stepTemplate=template) for n in range(LENGTH)
    ]
    document = workflow(*steps, name=name)
    document["metadata"]["finalizers"] = [FINALIZER]
    return document


def _namespace(stage: Stage) -> str:
    """A new one, with the account that pods run as: no controller manager is there to make it."""
    namespace = stage.namespace()
    stage.kubectl("-n", namespace, "create", "serviceaccount", "default")
    return namespace
