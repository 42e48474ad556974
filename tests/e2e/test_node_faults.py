"""The node breaks in the middle and mends; nothing of it is left behind, however it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
from tests.cluster.daemon import Daemon
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Node
from tests.cluster.node_sweep import groups_of
from tests.e2e.pods import Pods, until
from tests.k8s.processes import naming
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
WAITS = "echo began; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo ended"


def released(pods: Pods, name: str) -> None:
    """Let a pod that runs WAITS end."""
    pods.kubectl("exec", name, f"--namespace={pods.namespace}", "--", "touch", "/tmp/go")


def test_a_pod_outlives_a_restart_of_containerd(node: Node, pods: Pods) -> None:
    pods.run("waits", "sh", "-c", WAITS)
    pods.await_phase("waits", "Running")
    node.containerd.kill()
    node.start_containerd()
    pods.run("later", "true")
    pods.await_phase("later", "Succeeded")
    released(pods, "waits")
    pod = pods.await_phase("waits", "Succeeded")
    assert pods.logs("waits") == "began\nended\n"
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_pod_that_ends_while_kubelet_is_down_is_reported_after(node: Node, pods: Pods) -> None:
    pods.run("waits", "sh", "-c", WAITS)
    pods.await_phase("waits", "Running")
    (container,) = pods.get("waits")["status"]["containerStatuses"]
    identity = container["containerID"].removeprefix("containerd://")
    with down(node.kubelet):
        node.ctr("tasks", "exec", "--exec-id", "go", identity, "touch", "/tmp/go")
    pods.await_phase("waits", "Succeeded")
    assert pods.logs("waits") == "began\nended\n"


@contextmanager
def down(daemon: Daemon) -> Iterator[None]:
    """A daemon is killed, and started again."""
    daemon.kill()
    try:
        yield
    finally:
        daemon.start()


@attrs.frozen
class Belongings:
    """What a node has of the machine. There may be other nodes: nothing of theirs counts."""

    folder: Path
    port: int
    namespace: Path
    interface: int
    containers: frozenset[str]

    @classmethod
    def of(cls, folder: Path, url: str) -> "Belongings":
        """Of the node in `folder`, whose API server is at `url`."""
        port = urlsplit(url).port
        assert port is not None
        (rule,) = rules_to(port)
        bridge = rule.split(" -i ")[1].split()[0]
        tasks = folder / "node/containerd/state/io.containerd.runtime.v2.task/k8s.io"
        (init,) = (each for each in naming(folder) if is_init(each))
        return cls(
            folder=folder,
            port=port,
            namespace=Path(f"/proc/{init}/ns/pid").readlink(),
            interface=socket.if_nametoindex(bridge),
            containers=frozenset(each.name for each in tasks.iterdir()),
        )

    def left(self) -> list[str]:
        """What is still there."""
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        # A number is given to one interface only, as long as the machine runs.
        interfaces = [number for number, _ in socket.if_nameindex()]
        return [
            *(f"rule {each}" for each in rules_to(self.port)),
            *(f"mount {each}" for each in mounts if str(self.folder) in each),
            *(f"group {each}" for name in self.containers for each in groups_of(name)),
            *(f"interface {each}" for each in interfaces if each == self.interface),
            *(f"process {each}" for each in naming(self.folder)),
            *(f"process {each}" for each in within(self.namespace)),
        ]


def rules_to(port: int) -> list[str]:
    """The rules that lead to a port of this machine."""
    listed = subprocess.run(
        ["iptables", "-w", "-t", "nat", "-S"], capture_output=True, text=True, check=True
    )
    return [each for each in listed.stdout.splitlines() if each.endswith(f"127.0.0.1:{port}")]


def is_init(process: int) -> bool:
    """Whether it is the first of its namespace."""
    status = Path(f"/proc/{process}/status").read_text()
    ids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
    return len(ids) > 2 and ids[-1] == "1"


def within(namespace: Path) -> list[str]:
    """The processes of a PID namespace."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if (entry / "ns/pid").readlink() == namespace:
                found.append(entry.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # It ended while we looked, or is none of ours.
    return found


def host_files() -> set[Path]:
    """What lies where a node would write, were it not kept from it."""
    folders = ("/run", "/run/netns", "/var/lib", "/var/log", "/opt", "/etc")
    return {each for folder in folders for each in Path(folder).glob("*")}


@attrs.frozen
class ForPeople:
    """What `make node` starts, with a pod that would run for ten minutes."""

    process: "subprocess.Popen[str]"
    belongings: Belongings


@pytest.fixture
def start(node_programs: Mapping[str, Path], tmp_path: Path) -> Iterator[Callable[[], ForPeople]]:
    started: list[subprocess.Popen[str]] = []

    def start() -> ForPeople:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster", "--node"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        kubeconfig = Path(process.stdout.readline().strip())
        kubectl = Kubectl(node_programs["kubectl"], kubeconfig, tmp_path)
        kubectl("wait", "--for=create", "serviceaccount/default")
        pods = Pods(kubectl, "default")
        pods.run("long", "sleep", "600")
        pods.await_phase("long", "Running")
        view = kubectl.json("config", "view")
        url = view["clusters"][0]["cluster"]["server"]
        return ForPeople(process, Belongings.of(kubeconfig.parents[1], url))

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_is_left_of_a_node_that_is_stopped(start: Callable[[], ForPeople]) -> None:
    before = host_files()
    people = start()
    there = {each.split()[0] for each in people.belongings.left()}
    assert there == {"rule", "group", "interface", "process"}
    people.process.send_signal(signal.SIGINT)
    assert people.process.wait(PATIENCE) == 0
    assert people.belongings.left() == []
    assert not people.belongings.folder.exists()
    assert host_files() <= before


def test_nothing_is_left_running_of_a_node_whose_starter_is_killed(
    start: Callable[[], ForPeople],
) -> None:
    people = start()
    people.process.kill()
    people.process.wait()
    left = people.belongings.left
    until(lambda: not left() or None, lambda: f"nothing is left, but {left()}")
