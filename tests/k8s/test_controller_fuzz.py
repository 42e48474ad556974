"""Some eighty objects of any shape (`make fuzz-objects` makes 10,000): none stops the controller,
holds up another workflow, or is in the way of its own deletion."""

from pathlib import Path

import pytest
from tests.campaign.fuzz_objects import fuzz
from tests.cluster.connection import Cluster
from tests.k8s.crd_objects import Sagas

SEED = 12
ACCEPTED = 80


@pytest.mark.slow
def test_no_object_stops_the_controller(cluster: Cluster, sagas: Sagas, tmp_path: Path) -> None:
    report = fuzz(cluster, sagas.namespace, tmp_path, SEED, ACCEPTED)
    assert report.faults == [], str(report)
    assert report.accepted == ACCEPTED
    assert report.left_alone > 0
