"""A small campaign (`make campaign` runs the large one): workflows of five steps in four queues,
while controllers are killed or replaced, the API server restarts, the network breaks and callbacks
are refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.campaign.campaign import Plan, run

PLAN = Plan(
    workflows=40,
    seed=8,
    lease_seconds=3,
    leading=(0.5, 2.0),
    strikes=4,
    pausing=0.5,
    restarts=(0.2, 0.5),
    patience=240,
)


@pytest.mark.slow
@pytest.mark.crash
def test_every_workflow_ends_right_whatever_breaks(
    control_plane_programs: Mapping[str, Path], tmp_path: Path
) -> None:
    report = run(PLAN, control_plane_programs, tmp_path)
    assert report.faults == [], str(report)
    assert report.restarts == len(PLAN.restarts)
    assert report.kills + report.pauses > 0
