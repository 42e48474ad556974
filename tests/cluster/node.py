"""A real node: kubelet, containerd and runc on this machine, and what gives pods to it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster import bridge, node_config
from tests.cluster.bridge import Bridge
from tests.cluster.control_plane import ControlPlane
from tests.cluster.daemon import Daemon, Guard
from tests.cluster.inside import INSIDE, Namespaces
from tests.cluster.kubectl import Kubectl
from tests.cluster.ports import free_port
from tests.patience import PATIENCE

NAME = "localhost"
"""The node's name, under which the API server reaches its kubelet on this machine."""
COVERED = ("run", "var/lib", "var/log")
"""Folders that these programs write to whatever they are told."""
ENDPOINT = INSIDE / "containerd.sock"
READY = '{.status.conditions[?(@.type=="Ready")].status}'
SWEEP = Path(__file__).with_name("node_sweep.py")


class Node:
    """One node of a control plane, with the controllers and the scheduler that pods need.

    kubelet, containerd and all containers are in namespaces of their own, which end together.
    Everything is written below `folder`.
    """

    gateway: str
    """This machine's address, as pods see it; there once the node has started."""

    def __init__(
        self, programs: Mapping[str, Path], plane: ControlPlane, folder: Path, kubectl: Kubectl
    ) -> None:
        self.folder = folder
        self._programs = programs
        self._plane = plane
        self._kubectl = kubectl
        for name in ("containerd/cni", "containerd/state", "kubelet", "volume-plugins"):
            (folder / name).mkdir(parents=True)
        self._guard = Guard(folder)
        state = folder / "containerd/state"
        self._guard.at_end([sys.executable, "-I", str(SWEEP), str(state), str(PATIENCE)])
        self._namespaces = Namespaces(folder, COVERED, self._guard)
        self._controllers = [
            self._outside(
                "kube-controller-manager",
                f"--service-account-private-key-file={plane.service_account_key}",
                f"--root-ca-file={plane.ca}",
            ),
            self._outside("kube-scheduler"),
        ]
        self.containerd = self._inside("containerd", f"--config={INSIDE}/containerd.toml")
        self.kubelet = self._inside(
            "kubelet",
            f"--config={INSIDE}/kubelet.json",
            f"--kubeconfig={plane.kubeconfig()}",
            f"--root-dir={INSIDE}/kubelet",
            f"--cert-dir={INSIDE}/kubelet/pki",
            f"--hostname-override={NAME}",
        )

    def start(self, images: Sequence[Path]) -> None:
        """Start all of it, load images, and return when the node is ready for pods.

        RuntimeError where a program ends, TimeoutError where it does not become ready.
        """
        self._configure(self._connect())
        for controller in self._controllers:
            controller.start()
        self._namespaces.start()
        self.start_containerd()
        for image in images:
            self.load(image)
        self.kubelet.start()
        self._await(self._is_ready, "the node is not ready")

    def start_containerd(self) -> None:
        """Start it and return when it answers."""
        self.containerd.start()
        self._await(self._containerd_answers, "containerd does not answer")

    def check(self) -> None:
        """RuntimeError, with the end of its log, where one of its programs has ended by itself."""
        for daemon in (*self._controllers, self.containerd, self.kubelet):
            if daemon.started:
                daemon.check()

    def load(self, archive: Path) -> None:
        """Have the images of an archive in Docker's form."""
        self.ctr("images", "import", str(archive))

    def ctr_command(self) -> list[str]:
        """containerd's own tool, for the images and containers of this node."""
        ctr = [str(self._programs["ctr"]), f"--address={ENDPOINT}", "--namespace=k8s.io"]
        return [*self._namespaces.entering(), *ctr]

    def ctr(self, *arguments: str) -> str:
        """What containerd's own tool writes; RuntimeError with its words where it fails."""
        done = self._run_ctr(*arguments)
        if done.returncode:
            raise RuntimeError(f"ctr {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def stop(self) -> None:
        """End every process, and remove what they left; the logs stay."""
        # Killed: nothing that they hold is kept.
        for daemon in (self.kubelet, self.containerd, *self._controllers):
            daemon.stop(grace=0)
        self._namespaces.stop()
        self._guard.close()
        for name in ("containerd", "kubelet", "covered", "working"):
            if (self.folder / name).exists():
                shutil.rmtree(self.folder / name)

    def _connect(self) -> Bridge:
        port = urlsplit(self._plane.url).port
        assert port is not None
        ours = bridge.take()
        self._guard.at_end(["ip", "link", "delete", ours.name])
        bridge.open_up(ours)
        bridge.run(*bridge.change_rule("-A", ours, port))
        self._guard.at_end(bridge.change_rule("-D", ours, port))
        self.gateway = ours.gateway
        return ours

    def _configure(self, ours: Bridge) -> None:
        cni, runc = self._programs["bridge"].parent, Path(shutil.which("runc") or "runc")
        (self.folder / "containerd/cni/wf.conflist").write_text(ours.cni(INSIDE / "addresses"))
        (self.folder / "containerd.toml").write_text(
            node_config.containerd(ENDPOINT, INSIDE / "containerd", cni, runc)
        )
        (self.folder / "kubelet.json").write_text(
            node_config.kubelet(ENDPOINT, INSIDE, free_port())
        )
        (self.folder / "resolv.conf").write_text("# Pods of tests look nothing up.\n")

    def _inside(self, program: str, *flags: str) -> Daemon:
        path = f"{self._programs['containerd-shim-runc-v2'].parent}:{os.environ['PATH']}"
        command = [str(self._programs[program]), *flags]
        return self._namespaces.daemon(command, self.folder / f"{program}.log", {"PATH": path})

    def _outside(self, program: str, *flags: str) -> Daemon:
        command = [
            str(self._programs[program]),
            f"--kubeconfig={self._plane.kubeconfig()}",
            "--leader-elect=false",
            "--secure-port=0",
            *flags,
        ]
        return Daemon(command, self.folder / f"{program}.log", self._guard)

    def _run_ctr(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.ctr_command(), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def _containerd_answers(self) -> bool:
        return self._run_ctr("version").returncode == 0

    def _is_ready(self) -> bool:
        said = self._kubectl.run("get", "node", NAME, "-o", f"jsonpath={READY}")
        return said.stdout == "True"

    def _await(self, holds: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{otherwise} after {PATIENCE:g} s; see the logs in {self.folder}"
                )
            time.sleep(0.1)


@contextmanager
def running(
    programs: Mapping[str, Path],
    plane: ControlPlane,
    folder: Path,
    kubectl: Kubectl,
    images: Sequence[Path],
) -> Iterator[Node]:
    """A node that is ready and has the images, and is gone afterwards."""
    node = Node(programs, plane, folder, kubectl)
    try:
        node.start(images)
        yield node
    finally:
        node.stop()
