"""Worlds that once broke a rule, as they were shrunk: each is played again, and breaks none."""

from pathlib import Path

import pytest

from wf_core.testing.simulation import play
from wf_core.testing.simulation.world import from_json
from wf_k8s.testing.simulation import KUBERNETES

WORLDS = {
    path.stem: from_json(path.read_bytes())
    for path in sorted((Path(__file__).parent / "worlds").glob("*.json"))
}
ANYWHERE = [name for name, world in WORLDS.items() if not world.troubles]
"""Troubles are those of an API server."""


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_that_broke_a_rule_breaks_none_at_an_api_server(name: str) -> None:
    play(WORLDS[name], KUBERNETES)


@pytest.mark.parametrize("name", ANYWHERE)
def test_a_world_that_broke_a_rule_breaks_none_in_memory(name: str) -> None:
    play(WORLDS[name])


def test_there_are_such_worlds() -> None:
    assert ANYWHERE
