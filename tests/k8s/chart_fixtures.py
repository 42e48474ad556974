"""helm for the tests of this folder."""

from pathlib import Path

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.k8s.chart_helm import Helm


@pytest.fixture(scope="session")
def helm(helm_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm without a cluster."""
    return Helm(helm_program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def cluster_helm(helm: Helm, cluster: Cluster) -> Helm:
    """helm as the administrator of the cluster of the tests."""
    return attrs.evolve(helm, kubeconfig=cluster.kubeconfig)
