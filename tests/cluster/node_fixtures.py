"""The fixtures of tests that need a node; a conftest takes them in by importing them.

With WF_TEST_KUBECONFIG pods run on the nodes of that cluster, and what breaks a node is skipped.
Images are pulled there: WF_TEST_BUSYBOX names one of busybox, WF_TEST_IMAGE the controller's.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from image import __main__ as image
from tests.cluster import binaries, connection, control_plane, fixtures, images, machine
from tests.cluster import node as nodes
from tests.cluster.connection import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Node

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(ROOT.glob("plugins/wf_*"))
IN_THE_IMAGE = [
    *(ROOT / name for name in ("wf_core", "wf_k8s")),
    # As `make image-tar` has it, which says why.
    *(plugin for plugin in PLUGINS if plugin.name not in ("wf_command", "wf_otel")),
]

PATIENCE = 900
"""Seconds that a test may take: the first one waits for the node, and for the image."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a node, and give it time where the programs have to be built."""
    fixtures.pytest_itemcollected(item)
    if {"cluster", "node_programs"} & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.e2e)
        built = connection.existing() or binaries.all_there(binaries.NODE)
        item.add_marker(pytest.mark.timeout(PATIENCE if built else fixtures.BUILDING))


@pytest.fixture(scope="session")
def node_programs(pytestconfig: pytest.Config) -> Mapping[str, Path]:
    """The paths of what a node and its control plane are made of; skips where this machine can't
    be a node, with the reason."""
    if connection.existing():
        pytest.skip(f"{connection.EXISTING} names a cluster whose nodes are not ours to break")
    try:
        machine.make_ready(fixtures.teller(pytestconfig))
    except binaries.UnavailableError as error:
        pytest.skip(str(error))
    return fixtures.find((*binaries.CONTROL_PLANE, *binaries.NODE), pytestconfig)


@pytest.fixture(scope="session")
def plane(
    node_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """The node's control plane."""
    folder = tmp_path_factory.mktemp("cluster") / "plane"
    with control_plane.running(node_programs, folder) as plane:
        yield plane


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest,
    kubectl_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Cluster:
    """The same, as tests speak to it; or the cluster that is there."""
    file = connection.existing()
    if file is not None:
        return connection.attached(file, kubectl_program, tmp_path_factory.mktemp("cluster"))
    plane: ControlPlane = request.getfixturevalue("plane")
    return connection.own(plane)


@pytest.fixture(scope="session")
def node(
    node_programs: Mapping[str, Path],
    plane: ControlPlane,
    kubectl: Kubectl,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Node]:
    """The node of this process, ready, with the images of `tests.cluster.images`."""
    folder = tmp_path_factory.mktemp("node")
    archives = images.write_all(folder / "images")
    with nodes.running(node_programs, plane, folder, kubectl, archives) as node:
        yield node


@pytest.fixture(scope="session")
def wf_image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the controller's own image, which nodes have or can pull."""
    if connection.existing():
        named = os.environ.get("WF_TEST_IMAGE")
        return named or pytest.skip("WF_TEST_IMAGE names no image of the controller")
    node: Node = request.getfixturevalue("node")
    target = tmp_path_factory.mktemp("wf-image") / "image.tar"
    name = image.build("wf.local/wf:test", IN_THE_IMAGE, target)
    node.load(target)
    target.unlink()
    return name


@contextmanager
def namespace_with_pods(request: pytest.FixtureRequest, kubectl: Kubectl) -> Iterator[str]:
    """A namespace in which pods can be made; it goes afterwards, and they with it."""
    node: Node | None = None
    if not connection.existing():
        node = request.getfixturevalue("node")
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    # Pods are refused until their service account is there.
    kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}")
    yield name
    if node is not None:
        node.check()
    # Nobody waits for that: what comes next has a namespace of its own.
    kubectl("delete", "pods", "--all", f"--namespace={name}", "--grace-period=1", "--wait=false")
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace(request: pytest.FixtureRequest, kubectl: Kubectl) -> Iterator[str]:
    """One of the test's own."""
    with namespace_with_pods(request, kubectl) as name:
        yield name
