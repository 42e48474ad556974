"""A control plane of the test's own, for tests that restart it or look behind the API server."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.cluster import connection
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl
from tests.crash.forked_wf import Nursery
from tests.k8s.controller_process import Controllers
from tests.k8s.crd_objects import Sagas, define


@pytest.fixture
def plane(control_plane_programs: Mapping[str, Path], tmp_path: Path) -> Iterator[ControlPlane]:
    """Its data are on disk at every write."""
    with running(control_plane_programs, tmp_path / "plane", durable=True) as made:
        yield made


@pytest.fixture
def plane_sagas(plane: ControlPlane, kubectl_program: Path, tmp_path: Path) -> Sagas:
    """The workflows of its namespace `default`."""
    kubectl = Kubectl(kubectl_program, plane.kubeconfig(), tmp_path / "kubectl")
    define(kubectl)
    return Sagas(kubectl, "default")


@pytest.fixture
def plane_controllers(
    plane: ControlPlane, plane_sagas: Sagas, controller_nursery: Nursery, tmp_path: Path
) -> Iterator[Controllers]:
    """Controllers on that control plane."""
    namespace = plane_sagas.namespace
    made = Controllers(connection.own(plane), namespace, tmp_path, nursery=controller_nursery)
    try:
        yield made
    finally:
        made.close()
