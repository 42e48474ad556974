"""Tests of what speaks to Kubernetes: on a real API server, started once for each worker."""

from tests.cluster.fixtures import (
    cluster,
    control_plane_programs,
    kubectl,
    kubectl_program,
    namespace,
    pytest_itemcollected,
)

__all__ = [
    "cluster",
    "control_plane_programs",
    "kubectl",
    "kubectl_program",
    "namespace",
    "pytest_itemcollected",
]
