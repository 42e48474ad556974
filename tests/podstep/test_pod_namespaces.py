"""A namespace that is deleted while no controller runs. The test plays the controller of
namespaces, which deletes what is in one and lets it go once it is empty."""

import json
import signal
import subprocess
import sys

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.k8s.controller_process import Controllers, until
from tests.k8s.crd_objects import Json, Sagas, workflow
from tests.podstep.kubelet import Kubelet
from tests.podstep.test_pod_workflows import LEASE_SECONDS, step

pytestmark = pytest.mark.slow
OFF = '[{"op": "remove", "path": "/metadata/finalizers"}]'


@pytest.fixture
def doomed(sagas: Sagas) -> tuple[Sagas, Kubelet]:
    """The workflows and pods of a namespace that goes; that of `sagas` keeps the Lease."""
    name = f"{sagas.namespace}-doomed"
    sagas.kubectl("create", "namespace", name)
    sagas.kubectl("create", "serviceaccount", "default", "-n", name)
    return attrs.evolve(sagas, namespace=name), Kubelet(sagas.kubectl, name)


def begun(sagas: Sagas, controllers: Controllers, kubelet: Kubelet) -> Json:
    """A workflow whose first step is done, and the pod of its second, which runs; its controller
    is dead."""
    leader = controllers.leader(also=(sagas.namespace,), lease_seconds=LEASE_SECONDS)
    sagas.create(workflow(step("make", rollback="none"), step("use", "make", rollback="none")))
    first = kubelet.await_pod("make")
    kubelet.run(first)
    kubelet.end(first)
    second = kubelet.await_pod("use")
    kubelet.run(second)
    leader.end(signal.SIGKILL)
    return second


def delete_namespace(sagas: Sagas, kubelet: Kubelet) -> None:
    """Have it deleted, and what is in it; the kubelet ends the pods."""
    in_it = ("-n", sagas.namespace)
    sagas.kubectl("delete", "namespace", sagas.namespace, "--wait=false")
    sagas.kubectl(*in_it, "delete", "saga", "--all", "--wait=false")
    sagas.kubectl(*in_it, "delete", "pods", "--all", "--wait=false")
    for pod in kubelet.all_pods():
        kubelet.let_go(pod)


def left(sagas: Sagas, kubelet: Kubelet) -> tuple[list[str], list[str]]:
    """The names of the workflows and pods there."""
    return sagas.names(), [each["metadata"]["name"] for each in kubelet.all_pods()]


def let_go(sagas: Sagas) -> None:
    """The namespace is empty and goes."""
    found = sagas.kubectl.json("get", "namespace", sagas.namespace)
    found["spec"]["finalizers"] = []
    path = f"/api/v1/namespaces/{sagas.namespace}/finalize"
    sagas.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(found))
    gone = sagas.kubectl.run("get", "namespace", sagas.namespace)
    assert "NotFound" in gone.stderr


def test_a_controller_that_comes_later_ends_what_is_in_it(
    doomed: tuple[Sagas, Kubelet], pod_controllers: Controllers
) -> None:
    sagas, kubelet = doomed
    pod = begun(sagas, pod_controllers, kubelet)
    delete_namespace(sagas, kubelet)
    assert left(sagas, kubelet) == (["order"], [pod["metadata"]["name"]])
    assert sagas.get()["status"]["phase"] == "Running"
    pod_controllers.leader(also=(sagas.namespace,), lease_seconds=LEASE_SECONDS)
    until(lambda: left(sagas, kubelet) == ([], []) or None, "workflow and pod are gone")
    let_go(sagas)


def test_what_no_controller_will_end_is_given_up_by_hand(
    cluster: Cluster, doomed: tuple[Sagas, Kubelet], pod_controllers: Controllers
) -> None:
    """As docs/operate.md says."""
    sagas, kubelet = doomed
    pod = begun(sagas, pod_controllers, kubelet)
    delete_namespace(sagas, kubelet)
    wf = (sys.executable, "-m", "wf_core.cli.main", "controller", "--release-pods")
    where = ("--kubeconfig", str(cluster.kubeconfig), "--namespace", sagas.namespace)
    done = subprocess.run([*wf, *where], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1 pod is held no more\n"), done.stderr
    assert not kubelet.exists(pod)
    assert left(sagas, kubelet) == (["order"], []), "the workflow holds the namespace alone"
    for name in sagas.kubectl("get", "saga", "-n", sagas.namespace, "-o", "name").split():
        sagas.kubectl("patch", "-n", sagas.namespace, name, "--type=json", "-p", OFF)
    assert left(sagas, kubelet) == ([], [])
    let_go(sagas)
