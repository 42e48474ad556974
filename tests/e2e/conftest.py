"""Tests from end to end: on a real node, started once for each worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.fixtures import helm_program, kubectl, kubectl_program
from tests.cluster.kubectl import Kubectl
from tests.cluster.node_fixtures import (
    cluster,
    namespace,
    node,
    node_programs,
    plane,
    pytest_itemcollected,
    wf_image,
)
from tests.e2e.pods import Pods
from tests.e2e.releases import Release
from tests.k8s.chart_helm import Helm
from tests.k8s.controller_fixtures import controller_nursery
from tests.k8s.crd_fixtures import saga_kubectl, sagas
from tests.k8s.crd_objects import Sagas
from tests.podstep.pod_fixtures import pod_controllers

__all__ = [
    "cluster",
    "controller_nursery",
    "helm_program",
    "kubectl",
    "kubectl_program",
    "namespace",
    "node",
    "node_programs",
    "plane",
    "pod_controllers",
    "pytest_itemcollected",
    "saga_kubectl",
    "sagas",
    "wf_image",
]


@pytest.fixture
def pods(kubectl: Kubectl, namespace: str) -> Pods:
    """The pods of a namespace of the test's own."""
    return Pods(kubectl, namespace)


@pytest.fixture(scope="session")
def helm(helm_program: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm as the node's administrator."""
    return Helm(helm_program, tmp_path_factory.mktemp("helm"), cluster.kubeconfig)


@pytest.fixture
def release(helm: Helm, sagas: Sagas, wf_image: str) -> Iterator[Release]:
    """The release `wf` in a namespace of the strictest pod security."""
    level = "pod-security.kubernetes.io/enforce=restricted"
    sagas.kubectl("label", "namespace", sagas.namespace, level)
    repository, _, tag = wf_image.rpartition(":")
    values = {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
        "namespaces": [sagas.namespace],
        "crd": {"create": False},
    }
    yield Release(helm, sagas, values)
    helm("uninstall", "wf", "--namespace", sagas.namespace, "--ignore-not-found", "--wait")
