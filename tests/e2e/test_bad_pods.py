"""Pods that fail in every way, and the sentence that a person sees for each."""

import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.cluster.images import BUSYBOX_IMAGE
from tests.cluster.kubectl import Kubectl
from tests.cluster.node_fixtures import namespace_with_pods
from tests.e2e.pod_steps import labelled, listed, step
from tests.e2e.pods import Json, Pods
from tests.k8s.controller_process import Controllers, await_phase
from tests.k8s.crd_objects import Sagas, workflow

DEADLINE = 15
"""Seconds until a pod that can't start is given up: all of them are waited for at once."""
NEVER_PULLED = {"containers": [{"name": "main", "imagePullPolicy": "Never"}]}
EATS = "x=a; while :; do x=$x$x; done"

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "exit code": (
        {"command": ["sh", "-c", "echo not enough money >&2; exit 3"]},
        r"pod \S+ exited with code 3: not enough money",
    ),
    "program not found by the shell": (
        {"command": ["sh", "-c", "paay"]},
        r"exited with code 127: a program was not found: sh: paay: not found",
    ),
    "command that does not exist": (
        {"command": ["/no/such/program"]},
        r"could not be started; correct its command: .*no such file or directory",
    ),
    "image that is not on the node": (
        {"image": "wf.local/none:1", "podTemplate": {"spec": NEVER_PULLED}},
        r"the image wf.local/none:1 is not on the node, and imagePullPolicy forbids to pull it",
    ),
    "image that can't be pulled": (
        {"image": "registry.invalid/none:1", "startDeadlineSeconds": DEADLINE},
        r"could not start within 15 s: the image registry.invalid/none:1 can't be pulled: ",
    ),
    "name of no image": (
        {"image": "wf.local//none"},
        r"the image wf.local//none is no name of an image",
    ),
    "out of memory": (
        {"command": ["sh", "-c", EATS], "resources": {"limits": {"memory": "32Mi"}}},
        r"used more memory than its limit and was killed; raise resources.limits.memory",
    ),
    "deadline": (
        {"command": ["sleep", "600"], "activeDeadlineSeconds": 2},
        r"ran longer than its activeDeadlineSeconds: Pod was active on the node longer",
    ),
    "no node": (
        {"nodeSelector": {"there": "nowhere"}, "startDeadlineSeconds": DEADLINE},
        r"could not start within 15 s: no node takes it: 0/1 nodes are available",
    ),
    "secret that is missing": (
        {"envFrom": [{"secretRef": {"name": "none"}}], "startDeadlineSeconds": DEADLINE},
        r"could not start within 15 s: container main can't be made "
        r'\(CreateContainerConfigError\): secret "none" not found',
    ),
    "secret that is missing as a volume": (
        {
            "volumes": [{"name": "keys", "secret": {"secretName": "none"}}],
            "volumeMounts": [{"name": "keys", "mountPath": "/keys"}],
            "startDeadlineSeconds": DEADLINE,
        },
        r"could not start within 15 s: node \S+ has not started it; an image, a volume, or a "
        r"Secret or ConfigMap mounted as one may be missing: "
        r"`kubectl describe pod \S+` shows which",
    ),
    "scheduling gate": (
        {
            "podTemplate": {"spec": {"schedulingGates": [{"name": "example.com/later"}]}},
            "startDeadlineSeconds": DEADLINE,
        },
        r"could not start within 15 s: no scheduler may take it yet: its scheduling gates "
        r"example.com/later",
    ),
    "scheduler that does not run": (
        {
            "podTemplate": {"spec": {"schedulerName": "nobody"}},
            "startDeadlineSeconds": DEADLINE,
        },
        r"could not start within 15 s: the scheduler 'nobody' has not looked at it; check that it",
    ),
    "init container that does not end": (
        {
            "podTemplate": {
                "spec": {
                    "initContainers": [
                        {"name": "wait", "image": BUSYBOX_IMAGE, "command": ["sleep", "600"]}
                    ]
                }
            },
            "startDeadlineSeconds": DEADLINE,
        },
        r"could not start within 15 s: init container wait has not finished",
    ),
    "service account that is missing": (
        {"serviceAccountName": "nobody"},
        r'its service account does not exist in namespace \S+: .*serviceaccount "nobody" not found',
    ),
    "key that Kubernetes does not know": (
        {"podTemplate": {"spec": {"memroy": 1}}},
        r"Kubernetes does not take its pod: .*memroy",
    ),
}


@attrs.frozen
class Ended:
    """A workflow of one step whose pod is bad: what its step says, and what is left of its pods."""

    said: str
    left: list[Json]


def name_of(number: int) -> str:
    """The name of the workflow with the bad pod of that number."""
    return f"bad-{number}"


@pytest.fixture(scope="module")
def ended(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    saga_kubectl: Kubectl,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Ended]]:
    """All of BAD, which a controller ran at the same time."""
    with namespace_with_pods(request, saga_kubectl) as namespace:
        sagas, pods = Sagas(saga_kubectl, namespace), Pods(saga_kubectl, namespace)
        controllers = Controllers(cluster, namespace, tmp_path_factory.mktemp("bad-pods"))
        try:
            controllers.leader()
            for number, (parameters, _) in enumerate(BAD.values()):
                sagas.create(workflow(step("pay", **parameters), name=name_of(number)))
            found = {}
            for number, name in enumerate(BAD):
                status = await_phase(sagas, "RollBacked", name_of(number))["status"]
                left = labelled(listed(pods), workflow=name_of(number))
                found[name] = Ended(status["steps"]["pay"]["runError"], left)
            yield found
        finally:
            controllers.close()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_pod_is_told_in_a_sentence(ended: dict[str, Ended], name: str) -> None:
    _, told = BAD[name]
    assert re.search(told, ended[name].said), ended[name].said
    # What could not start is gone; what ran and failed is kept to look at.
    assert all(each["status"]["phase"] == "Failed" for each in ended[name].left)


def test_pods_that_ran_and_failed_are_kept(ended: dict[str, Ended]) -> None:
    kept = {name for name in BAD if ended[name].left}
    assert {"exit code", "out of memory"} <= kept
