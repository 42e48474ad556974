"""Controllers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.k8s.controller_process import Controllers, Notes
from tests.k8s.crd_objects import Sagas


@pytest.fixture
def controllers(cluster: Cluster, sagas: Sagas, tmp_path: Path) -> Iterator[Controllers]:
    """For the workflows of `sagas`; those that still run at the end are killed."""
    made = Controllers(cluster, sagas.namespace, tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """What steps did in the outside world."""
    return Notes(tmp_path / "notes")
