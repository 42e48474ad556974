"""Stores on the cluster of the tests."""

import secrets
from pathlib import Path

import attrs
import pytest
import yaml
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Sagas

from wf_core.adapters.clock import SystemClock
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session
from wf_k8s.store.owners import MachineOwners
from wf_k8s.store.store import K8sStore


@attrs.frozen
class Stores:
    """Opens stores on one namespace, each as another process would."""

    kubeconfig: Path
    namespace: str
    folder: Path
    kubectl: Kubectl

    def open(
        self, kubeconfig: Path | None = None, *, namespace: str | None = None, timeout: float = 5.0
    ) -> K8sStore:
        """One more, perhaps through another kubeconfig or on another namespace."""
        access = Access(f"/{namespace or self.namespace}", str(kubeconfig or self.kubeconfig))
        session = Session(access, timeout=timeout)
        return K8sStore(session, self.owners(), SystemClock().now)

    def owners(self) -> MachineOwners:
        """Another process on this machine."""
        return MachineOwners(self.folder)

    def another_namespace(self) -> str:
        """A namespace in which nothing is yet. It goes with the cluster."""
        name = f"test-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        return name

    def through(self, port: int) -> Path:
        """A kubeconfig that reaches the API server by a port of this machine, without TLS."""
        view = yaml.safe_load(self.kubeconfig.read_text())
        for each in view["clusters"]:
            each["cluster"] = {"server": f"http://127.0.0.1:{port}"}
        file = self.folder / f"proxied-{port}.kubeconfig"
        file.write_text(yaml.safe_dump(view))
        return file


@pytest.fixture
def stores(cluster: Cluster, saga_kubectl: Kubectl, namespace: str, tmp_path: Path) -> Stores:
    """Stores on the test's own namespace."""
    return Stores(cluster.kubeconfig, namespace, tmp_path, saga_kubectl)


@pytest.fixture
def elsewhere(sagas: Sagas, stores: Stores) -> Sagas:
    """The workflows of a second namespace."""
    return attrs.evolve(sagas, namespace=stores.another_namespace())
