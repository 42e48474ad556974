"""Tests of steps that are pods. Where no node is, the test plays the kubelet's part."""

from tests.cluster.fixtures import (
    cluster,
    control_plane_programs,
    kubectl,
    kubectl_program,
    namespace,
    pytest_itemcollected,
)
from tests.k8s.controller_fixtures import controller_nursery
from tests.k8s.crd_fixtures import saga_kubectl, sagas
from tests.podstep.pod_fixtures import bench, kubelet, pod_controllers

__all__ = [
    "bench",
    "cluster",
    "control_plane_programs",
    "controller_nursery",
    "kubectl",
    "kubectl_program",
    "kubelet",
    "namespace",
    "pod_controllers",
    "pytest_itemcollected",
    "saga_kubectl",
    "sagas",
]
