"""Pods on the cluster of the tests."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl
from tests.crash.forked_wf import Nursery
from tests.k8s.controller_process import Controllers
from tests.k8s.crd_objects import Sagas
from tests.podstep.kubelet import Kubelet
from tests.podstep.pod_bench import Bench

from wf_podstep.kind import PodStep


@pytest.fixture
def kubelet(saga_kubectl: Kubectl, namespace: str) -> Kubelet:
    """The kubelet of the test's own namespace, which has the account that pods run as."""
    found = saga_kubectl.run("-n", namespace, "get", "serviceaccount", "default")
    if found.returncode:  # where a controller manager runs it is there, or comes at once
        saga_kubectl.run("-n", namespace, "create", "serviceaccount", "default")
    return Kubelet(saga_kubectl, namespace)


@pytest.fixture
def bench(
    cluster: Cluster, kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Bench]]:
    """Makes steps; each asks through connections of its own, as another process would."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    kinds = []

    def make(uid: str | None = None, store: str | None = None) -> Bench:
        kind = PodStep()
        kinds.append(kind)
        address = f"k8s:/{kubelet.namespace}" if store is None else store
        return Bench(kind, kubelet, address, uid or str(uuid.uuid4()))

    yield make
    for kind in kinds:
        kind.clusters.close()


@pytest.fixture
def pod_controllers(
    cluster: Cluster, sagas: Sagas, controller_nursery: Nursery, tmp_path: Path
) -> Iterator[Controllers]:
    """Controllers for the workflows of `sagas`."""
    made = Controllers(cluster, sagas.namespace, tmp_path, nursery=controller_nursery)
    try:
        yield made
    finally:
        made.close()
