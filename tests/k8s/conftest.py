"""Tests of what speaks to Kubernetes: on a real API server, started once for each worker."""

from tests.cluster.fixtures import (
    cluster,
    control_plane_programs,
    helm_program,
    kubectl,
    kubectl_program,
    namespace,
    pytest_itemcollected,
)
from tests.k8s.chart_fixtures import cluster_helm, helm
from tests.k8s.controller_fixtures import controller_nursery, controllers, notes
from tests.k8s.crd_fixtures import saga_kubectl, sagas
from tests.k8s.plane_fixtures import plane, plane_controllers, plane_sagas
from tests.k8s.store_fixtures import elsewhere, stores

__all__ = [
    "cluster",
    "cluster_helm",
    "control_plane_programs",
    "controller_nursery",
    "controllers",
    "elsewhere",
    "helm",
    "helm_program",
    "kubectl",
    "kubectl_program",
    "namespace",
    "notes",
    "plane",
    "plane_controllers",
    "plane_sagas",
    "pytest_itemcollected",
    "saga_kubectl",
    "sagas",
    "stores",
]
