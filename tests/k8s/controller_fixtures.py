"""Controllers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.crash.forked_wf import Nursery, nursery
from tests.k8s.controller_process import Controllers, Notes
from tests.k8s.crd_objects import Sagas

CONTROLLER_IMPORTS = (
    *("wf_k8s.controller.controller", "kubernetes.aio.config", "kubernetes.aio.client.rest"),
)


@pytest.fixture(scope="session")
def controller_nursery() -> Iterator[Nursery]:
    """Where controllers come from: most of what the start of one costs is what it imports."""
    with nursery(*CONTROLLER_IMPORTS) as made:
        yield made


@pytest.fixture
def controllers(
    cluster: Cluster, sagas: Sagas, controller_nursery: Nursery, tmp_path: Path
) -> Iterator[Controllers]:
    """For the workflows of `sagas`; those that still run at the end are killed."""
    made = Controllers(cluster, sagas.namespace, tmp_path, nursery=controller_nursery)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """What steps did in the outside world."""
    return Notes(tmp_path / "notes")
