"""A controller while its API server is away for a moment."""

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow
from tests.patience import PATIENCE


@pytest.mark.slow
def test_a_leader_outlives_a_short_absence_of_the_api_server(
    plane: ControlPlane, plane_sagas: Sagas, plane_controllers: Controllers, notes: Notes
) -> None:
    # Short is what the lease outlasts: on a busy machine the start of an API server takes long.
    leader = plane_controllers.leader(lease_seconds=10 * int(PATIENCE))
    plane_sagas.create(workflow(notes.step("a", then="sleep 2"), notes.step("b", "a")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    plane.api_server.stop(grace=0)
    leader.await_said("Check that the API server can be reached")
    plane.start_api_server()
    until(lambda: plane_sagas.known() or None, "kubectl finds workflows again")
    await_phase(plane_sagas, "Success")
    assert leader.process.poll() is None
    assert notes.lines() == ["run-a", "run-b"]
