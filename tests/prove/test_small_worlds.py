"""All that can happen in every small world keeps the rules: the strongest proof there is."""

import pytest

from wf_core.prove.small_worlds import SmallWorld, graphs, small_worlds

WORLDS = list(small_worlds())
WIDE = ("4 steps unconnected,", "4 steps 0>1,")
"""Where the least is ordered the most can happen: these take as long as all others together. The
same of three steps is searched beside them."""


def _parameter(world: SmallWorld) -> object:
    steps = len(world.workflow.spec.steps)
    large = steps > 2 or (steps == 2 and world.bound.oddities > 1)
    marks = [pytest.mark.slow] if large else []
    if steps > 3:
        # A search is as long as its world is large: nothing but the work bounds it.
        marks = [pytest.mark.long, pytest.mark.timeout(3600)]
        if world.name.startswith(WIDE):
            marks.append(pytest.mark.full)
    return pytest.param(world, id=world.name, marks=marks)


def test_there_are_as_many_graphs_as_there_are_unlabelled_acyclic_ones() -> None:
    # OEIS A003087: 1, 2, 6, 31 for one to four nodes.
    assert [len(graphs(n)) for n in (1, 2, 3, 4)] == [1, 2, 6, 31]


@pytest.mark.parametrize("world", [_parameter(world) for world in WORLDS])
def test_no_rule_is_broken_in_any_state(world: SmallWorld) -> None:
    found = world.search()
    assert found.violations == []
    assert found.complete
    assert {"Success", "RollBacked"} <= {str(end.phase) for end in found.ends.values()}
