"""Tests from end to end: on a real node, started once for each worker."""

import pytest
from tests.cluster.fixtures import kubectl, kubectl_program
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
from tests.k8s.crd_fixtures import saga_kubectl, sagas

__all__ = [
    "cluster",
    "kubectl",
    "kubectl_program",
    "namespace",
    "node",
    "node_programs",
    "plane",
    "pytest_itemcollected",
    "saga_kubectl",
    "sagas",
    "wf_image",
]


@pytest.fixture
def pods(kubectl: Kubectl, namespace: str) -> Pods:
    """The pods of a namespace of the test's own."""
    return Pods(kubectl, namespace)
