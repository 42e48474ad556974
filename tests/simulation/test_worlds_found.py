"""Worlds that once broke a rule, as they were shrunk: each is played again, and breaks none."""

from pathlib import Path

import pytest

from wf_core.testing.simulation import play
from wf_core.testing.simulation.world import from_json
from wf_k8s.testing.simulation import KUBERNETES

WORLDS = sorted((Path(__file__).parent / "worlds").glob("*.json"))


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_world_that_broke_a_rule_breaks_none(path: Path) -> None:
    play(from_json(path.read_bytes()), KUBERNETES)


def test_there_are_such_worlds() -> None:
    assert WORLDS
