"""Where it is measured: etcd, which waits for the disk, kube-apiserver, and controllers, each a
process of its own.
"""

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from tests.cluster.binaries import CONTROL_PLANE, find
from tests.cluster.connection import Cluster, own
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl
from tests.k8s.controller_process import ControllerProcess, Controllers
from tests.k8s.crd_objects import define

from benchmarks.k8s.api import Api

ROOM = {"throttleQPS": 100_000.0, "controllerConfig": {"concurrency": 120}}
"""The shipped configuration but for two limits, which are not what is measured: requests a second,
and hooks at once, of which there are as many as workflows that may run."""


@attrs.frozen
class Stage:
    """One control plane that knows our resource. `folder` is its own."""

    plane: ControlPlane
    cluster: Cluster
    kubectl: Kubectl
    api: Api
    folder: Path

    def namespace(self) -> str:
        """A new one."""
        name = f"bench-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        return name

    @contextmanager
    def controller(self, namespace: str) -> Iterator[ControllerProcess]:
        """A controller for that namespace; it leads."""
        folder = self.folder / namespace
        folder.mkdir(exist_ok=True)
        controllers = Controllers(self.cluster, namespace, folder)
        try:
            yield controllers.leader(**ROOM)
        finally:
            controllers.close()

    def await_all(self, namespace: str, phase: str, every: float, patience: float) -> None:
        """Return once all workflows of a namespace are in that phase; looks `every` so many
        seconds. Raises TimeoutError."""
        end = time.monotonic() + patience
        while not self.api.all_in(namespace, phase):
            if time.monotonic() > end:
                raise TimeoutError(f"{namespace}: not all are {phase} within {patience:g} s")
            time.sleep(every)


@contextmanager
def opened(folder: Path, *, audited: bool = False) -> Iterator[Stage]:
    """A stage below `folder`, gone afterwards."""
    programs = find(CONTROL_PLANE, lambda text: print(text, file=sys.stderr, flush=True))
    own_folder = folder / f"stage-{secrets.token_hex(4)}"
    own_folder.mkdir()
    with running(programs, own_folder / "plane", durable=True, audited=audited) as plane:
        kubectl = Kubectl(programs["kubectl"], plane.kubeconfig(), own_folder)
        define(kubectl)
        cluster = own(plane)
        api = Api(cluster)
        try:
            yield Stage(plane, cluster, kubectl, api, own_folder)
        finally:
            api.close()
