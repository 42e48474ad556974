"""The chart's policy on the pods that the controller makes, on a real API server."""

import json
import secrets
from collections.abc import Callable, Iterator

import pytest
from tests.cluster.kubectl import Kubectl
from tests.k8s.chart_helm import CHART, Helm
from tests.k8s.controller_process import until
from tests.k8s.crd_objects import Json

ENFORCE = "pod-security.kubernetes.io/enforce"


def pod(name: str = "a", spec: Json | None = None) -> Json:
    """A pod that the strictest pod security lets through."""
    contained = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "main", "image": "busybox", "securityContext": contained}],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **(spec or {}),
        },
    }


@pytest.fixture(scope="module")
def namespace(saga_kubectl: Kubectl, cluster_helm: Helm) -> Iterator[str]:
    """One that a release of the chart with that policy is for."""
    name = f"test-{secrets.token_hex(4)}"
    saga_kubectl("create", "namespace", name)
    for account in ("default", "builder"):
        saga_kubectl.run("-n", name, "create", "serviceaccount", account)
    values = {
        "namespaces": [name],
        "crd": {"create": False},
        "podSteps": {"serviceAccounts": ["default"]},
        "serviceAccount": {"name": "controller"},
        "admission": {"stepPods": {"enabled": True}},
    }
    cluster_helm("install", name, str(CHART), "--namespace", name, values=values)
    try:
        until(
            lambda: "enforce is one of" in asked(saga_kubectl, name, pod()) or None,
            "the policy counts",
        )
        yield name
    finally:
        cluster_helm("uninstall", name, "--namespace", name)
        saga_kubectl("delete", "namespace", name, "--wait=false")


def asked(kubectl: Kubectl, namespace: str, document: Json, verb: str = "create") -> str:
    """What the API server has against a pod that the controller makes; nothing is stored."""
    user = f"--as=system:serviceaccount:{namespace}:controller"
    where = (verb, "--dry-run=server", "-f", "-", "-n", namespace, user)
    return kubectl.run(*where, stdin=json.dumps(document)).stderr


@pytest.fixture
def level(saga_kubectl: Kubectl, namespace: str) -> Iterator[Callable[[str], None]]:
    """Sets the level that the namespace enforces."""

    def enforce(level: str) -> None:
        saga_kubectl("label", "namespace", namespace, f"{ENFORCE}={level}", "--overwrite")

    yield enforce
    saga_kubectl("label", "namespace", namespace, f"{ENFORCE}-")


def test_19_the_controller_makes_pods_only_where_pod_security_is_enforced(
    saga_kubectl: Kubectl, namespace: str, level: Callable[[str], None]
) -> None:
    said = asked(saga_kubectl, namespace, pod())
    assert f"label {ENFORCE} is one of: baseline, restricted; set it on " in said
    level("privileged")
    until(lambda: "is one of" in asked(saga_kubectl, namespace, pod()) or None, "it is refused")
    level("restricted")
    until(lambda: asked(saga_kubectl, namespace, pod()) == "" or None, "it is let through")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"hostNetwork": True}, "hostNetwork=true"),
        ({"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}, "hostPath"),
        ({"serviceAccountName": "builder"}, "may use these service accounts alone: default"),
    ],
)
def test_19_what_a_namespaces_pod_security_forbids_is_refused_to_the_controller(
    saga_kubectl: Kubectl,
    namespace: str,
    level: Callable[[str], None],
    spec: Json,
    told: str,
) -> None:
    level("baseline")
    until(lambda: asked(saga_kubectl, namespace, pod()) == "" or None, "the level counts")
    assert told in asked(saga_kubectl, namespace, pod(spec=spec))


def test_19_the_controller_changes_metadata_of_pods_and_not_what_they_run(
    saga_kubectl: Kubectl, namespace: str
) -> None:
    saga_kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(pod("kept")))
    account = f"{namespace}:controller"
    user = f"--as=system:serviceaccount:{account}"
    # The controller need not get a pod before it patches it, as kubectl does.
    reads = ("reads", "--verb=get", "--resource=pods")
    saga_kubectl("-n", namespace, "create", "role", *reads)
    bound = ("reads", "--role=reads", f"--serviceaccount={account}")
    saga_kubectl("-n", namespace, "create", "rolebinding", *bound)

    def patched(body: Json) -> str:
        patch = ("patch", "pod", "kept", "-n", namespace, user, "-p", json.dumps(body))
        return saga_kubectl.run(*patch).stderr

    assert patched({"metadata": {"labels": {"a": "b"}}}) == ""
    image = {"spec": {"containers": [{"name": "main", "image": "miner"}]}}
    assert "may change the metadata of pods, but not what they run" in patched(image)


def test_19_pods_of_others_are_not_its_business(saga_kubectl: Kubectl, namespace: str) -> None:
    where = ("create", "--dry-run=server", "-f", "-", "-n", namespace)
    saga_kubectl(*where, stdin=json.dumps(pod("other", {"serviceAccountName": "builder"})))
