"""The Workflow resource on the cluster of the tests."""

import pytest
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Sagas, make_known


@pytest.fixture(scope="session")
def saga_kubectl(kubectl: Kubectl) -> Kubectl:
    """kubectl of a cluster that knows our resource."""
    make_known(kubectl)
    return kubectl


@pytest.fixture
def sagas(saga_kubectl: Kubectl, namespace: str) -> Sagas:
    """The workflows of a namespace of the test's own."""
    return Sagas(saga_kubectl, namespace)
