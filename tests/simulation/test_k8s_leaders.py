"""Leaders that stand still, and those who believe that they lead: no stale write is accepted."""

import pytest

from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.testing.simulation import World, play
from wf_core.testing.simulation.world import Act, Behaviour, Operator, Submission, Trouble
from wf_k8s.testing.simulation import KUBERNETES

STEPS = tuple(
    StepSpec(f"s{i}", StepTemplate("plain"), (DependOn(f"s{i - 1}"),) if i else ())
    for i in range(4)
)


def _told(trouble: str, seconds: float) -> list[str]:
    """The story of a chain that takes a minute, with two engines and a trouble after 5 s."""
    world = World(
        1,
        (Submission(0.0, Workflow(Metadata("w0", uid="uid-w0"), WorkflowSpec(STEPS))),),
        hooks={f"w0/s{i}/run": (Behaviour(Act.SUCCEED, 15.0),) * 2 for i in range(4)},
        troubles=(Trouble(5.0, trouble, seconds),),
        operator=Operator(engines=2, save_seconds=0.003),
        calm_at=200.0,
    )
    return list(play(world, KUBERNETES).timeline)


def _at(told: list[str], text: str) -> int:
    return next(i for i, line in enumerate(told) if text in line)


@pytest.mark.parametrize("trouble", ["LeaderPaused", "LeaderFrozen"])
def test_a_leader_that_stands_still_does_nothing(trouble: str) -> None:
    told = _told(trouble, 30.0)
    still = told[_at(told, "p0 stands still") + 1 : _at(told, "p0 goes on")]
    assert not [line for line in still if "p0 " in line]
    assert [line for line in still if "p1 saves w0" in line], "the other has taken over"


@pytest.mark.parametrize("trouble", ["LeaderPaused", "LeaderFrozen", "LeaderCutOff"])
def test_c5_nothing_that_a_former_leader_writes_is_taken(trouble: str) -> None:
    """One that was frozen believes that it leads, since its clock stood still too."""
    told = _told(trouble, 30.0)
    taken = told[_at(told, "p1 saves w0") :]
    assert not [line for line in taken if "p0 saves" in line]
    assert "workflow:Running->Success" in "".join(taken)


def test_a_short_pause_changes_nothing() -> None:
    assert "p1 saves" not in "".join(_told("LeaderPaused", 5.0))


def test_after_a_deletion_of_the_lease_one_leads() -> None:
    """Whoever is first makes it again."""
    told = _told("LeaseDeleted", 0.0)
    writers = [line.split()[1] for line in told if " saves w0" in line]
    assert writers == sorted(writers), "who has stopped does not begin again"
