"""The fixtures of tests that need a cluster; a conftest takes them in by importing them."""

import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.cluster import binaries, connection
from tests.cluster.connection import Cluster
from tests.cluster.control_plane import running
from tests.cluster.kubectl import Kubectl

BUILDING = 3600
"""Seconds that a test may take whose programs have to be built first."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a cluster, and give it time where the programs have to be built."""
    needs = getattr(item, "fixturenames", ())
    programs: tuple[str, ...] = ()
    if {"cluster", "control_plane_programs", "kubectl_program"} & set(needs):
        programs += binaries.CONTROL_PLANE
    if "helm_program" in needs:
        programs += binaries.HELM
    if programs:
        item.add_marker(pytest.mark.cluster)
        if not binaries.all_there(programs):
            item.add_marker(pytest.mark.timeout(BUILDING))


def teller(config: pytest.Config) -> Callable[[str], None]:
    """Tells the person at the terminal what takes long."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        # Past pytest's capture, and that of a worker: a build of minutes must not look hung.
        with capture.global_and_fixture_disabled():
            print(f"\ncluster tests: {text}", file=sys.__stderr__, flush=True)

    return say


def find(programs: tuple[str, ...], config: pytest.Config) -> Mapping[str, Path]:
    """The programs; skips where they are not there and can't be built."""
    try:
        return binaries.find(programs, teller(config))
    except binaries.UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def control_plane_programs(pytestconfig: pytest.Config) -> Mapping[str, Path]:
    """The paths of etcd, kube-apiserver and kubectl, for tests with a control plane of their own:
    `with running(control_plane_programs, tmp_path) as plane`."""
    return find(binaries.CONTROL_PLANE, pytestconfig)


@pytest.fixture(scope="session")
def kubectl_program(pytestconfig: pytest.Config) -> Path:
    """The path of kubectl."""
    there = connection.kubectl_on_path() if connection.existing() else None
    return there or find(("kubectl",), pytestconfig)["kubectl"]


@pytest.fixture(scope="session")
def helm_program(pytestconfig: pytest.Config) -> Path:
    """The path of helm."""
    on_path = shutil.which("helm") if connection.existing() else None
    return Path(on_path) if on_path else find(binaries.HELM, pytestconfig)["helm"]


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest,
    kubectl_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """The cluster of this process: each worker has its own, so that tests may see all of it.

    What stops or restarts a control plane takes one of its own instead. With WF_TEST_KUBECONFIG
    it is that cluster, which all workers share.
    """
    folder = tmp_path_factory.mktemp("cluster")
    file = connection.existing()
    if file is not None:
        yield connection.attached(file, kubectl_program, folder)
        return
    programs: Mapping[str, Path] = request.getfixturevalue("control_plane_programs")
    with running(programs, folder / "plane") as plane:
        yield connection.own(plane)


@pytest.fixture(scope="session")
def kubectl(
    cluster: Cluster, kubectl_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Kubectl:
    """kubectl as the administrator; `kubectl.speaking_from(...)` is one for another user."""
    return Kubectl(kubectl_program, cluster.kubeconfig, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own. On a cluster of ours it is never quite removed afterwards:
    nothing runs there that would."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
