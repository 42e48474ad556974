"""A small flood (`make flood` plays the large one): the attacks of other namespaces do not stop,
restart or break the chart's controller, and no workflow of the victims is lost or goes wrong."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.campaign.flood import Plan, run

PLAN = Plan(
    runs=1,
    workflows=6,
    rate=2.0,
    namespaces=1,
    pace=20.0,
    variations=3,
    objects=10,
    seed=5,
    lead=3.0,
    patience=200.0,
    # How quick anything is depends on the machine: `make flood` judges that.
    ratio=math.inf,
)


@pytest.mark.slow
def test_no_attack_stops_the_controller_or_breaks_a_workflow_of_another_namespace(
    control_plane_programs: Mapping[str, Path], helm_program: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    programs = {**control_plane_programs, "helm": helm_program}
    report = run(PLAN, programs, tmp_path, said.append)
    assert report.faults() == [], str(report)
    alone, flooded = report.turns
    assert len(alone.took) == len(flooded.took) == PLAN.workflows
    assert flooded.hostile is not None
    assert flooded.hostile["fuzzed"] >= PLAN.objects
    assert set(flooded.hostile["began"]) >= set(PLAN.attacks)
