"""A control plane of one's own: apart from any other, restarted at will, gone afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl
from tests.k8s.processes import await_none_naming, naming
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
Programs = Mapping[str, Path]


def kubectl_of(plane: ControlPlane, programs: Programs) -> Kubectl:
    return Kubectl(programs["kubectl"], plane.kubeconfig(), plane.folder)


def test_two_at_once_do_not_meet(control_plane_programs: Programs, tmp_path: Path) -> None:
    with (
        running(control_plane_programs, tmp_path / "one") as one,
        running(control_plane_programs, tmp_path / "two") as two,
    ):
        first = kubectl_of(one, control_plane_programs)
        second = kubectl_of(two, control_plane_programs)
        first("create", "namespace", "of-the-first")
        assert "of-the-first" in first("get", "namespaces")
        assert "of-the-first" not in second("get", "namespaces")
        token = f"--token={one.tokens['admin']}"
        assert (
            "You must be logged in to the server" in second.run(token, "get", "namespaces").stderr
        )


def test_a_certificate_that_is_just_being_written_is_not_there_yet(tmp_path: Path) -> None:
    nowhere = {"etcd": tmp_path / "etcd", "kube-apiserver": tmp_path / "kube-apiserver"}
    plane = ControlPlane(nowhere, tmp_path / "plane")
    try:
        plane.ca.touch()
        assert not plane._answers("/readyz")
    finally:
        plane.stop()


def test_a_killed_api_server_comes_back_at_its_address_with_all_it_had(
    control_plane_programs: Programs, tmp_path: Path
) -> None:
    with running(control_plane_programs, tmp_path / "plane", durable=True) as plane:
        kubectl = kubectl_of(plane, control_plane_programs)
        kubectl("create", "namespace", "kept")
        plane.api_server.kill()
        assert kubectl.run("get", "namespaces").returncode != 0
        plane.start_api_server()
        assert "kept" in kubectl("get", "namespaces")


def test_no_process_and_no_data_are_left_behind(
    control_plane_programs: Programs, tmp_path: Path
) -> None:
    folder = tmp_path / "plane"
    with running(control_plane_programs, folder) as plane:
        assert set(naming(folder)) == set(plane.processes())
    assert naming(folder) == []
    assert not (folder / "etcd").exists()


@pytest.fixture
def for_people(
    control_plane_programs: Programs, tmp_path: Path
) -> Iterator[Callable[[], tuple["subprocess.Popen[str]", Path]]]:
    """Starts what `make cluster` starts; gives the process and the folder it works in."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple["subprocess.Popen[str]", Path]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        kubeconfig = Path(process.stdout.readline().strip())
        kubectl = Kubectl(control_plane_programs["kubectl"], kubeconfig, tmp_path)
        assert "default" in kubectl("get", "namespaces")
        return process, kubeconfig.parent

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_for_people_it_prints_the_kubeconfig_and_ends_in_order(
    for_people: Callable[[], tuple["subprocess.Popen[str]", Path]], number: signal.Signals
) -> None:
    process, folder = for_people()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert naming(folder) == []
    assert not folder.exists()


def test_no_process_outlives_a_starter_that_is_killed(
    for_people: Callable[[], tuple["subprocess.Popen[str]", Path]],
) -> None:
    process, folder = for_people()
    assert len(naming(folder)) == 3
    process.kill()
    process.wait()
    await_none_naming(folder)
