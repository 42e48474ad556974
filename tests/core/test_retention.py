"""How long finished workflows are kept."""

from typing import Any

import pytest

from wf_core.config import QueueLimits, Ttl
from wf_core.config.values import ControllerConfig, QueueConfig
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import NO_TTL, Key, TimeToLive
from wf_core.model.state import Owner
from wf_core.ports import Row
from wf_core.retention import Retention, owed, owed_by_row

ENDED = 1_000.0
UNFINISHED = sorted(set(Phase) - FINISHED)


def rule(everywhere: Ttl | None = None, **queues: Ttl) -> Retention:
    limits = {name: QueueLimits(ttl=ttl) for name, ttl in queues.items()}
    return Retention(ControllerConfig(queue=QueueConfig(queues=limits), ttl=everywhere or Ttl()))


def row(phase: Phase = Phase.SUCCESS, ttl: TimeToLive = NO_TTL, **more: Any) -> Row:
    key = Key("default", "order")
    ended = ENDED if phase in FINISHED else None
    return Row(key, "u", "night", 0, phase, 1.0, 1, 1, Owner(), finished_at=ended, ttl=ttl, **more)


@pytest.mark.parametrize("phase", UNFINISHED)
def test_what_is_unfinished_is_never_due(phase: Phase) -> None:
    everything = TimeToLive(0.0, 0.0, 0.0)
    assert rule().due_at(phase, ENDED, "default", everything) is None
    assert rule().due_of_row(row(phase, everything)) is None


@pytest.mark.parametrize(
    ("phase", "due"),
    [(Phase.SUCCESS, 1_001.0), (Phase.ROLL_BACKED, 1_002.0), (Phase.FAILED, 1_003.0)],
)
def test_each_outcome_has_its_own_age(phase: Phase, due: float) -> None:
    assert rule().due_of_row(row(phase, TimeToLive(1.0, 2.0, 3.0))) == due
    assert rule(Ttl(1.0, 2.0, 3.0)).due_of_row(row(phase)) == due
    assert rule(night=Ttl(1.0, 2.0, 3.0)).due_of_row(row(phase)) == due


@pytest.mark.parametrize("phase", sorted(FINISHED))
def test_who_says_nothing_keeps_for_ever(phase: Phase) -> None:
    assert rule(other=Ttl(1.0, 1.0, 1.0)).due_of_row(row(phase)) is None


def test_precedence_is_by_outcome() -> None:
    """The document may speak of one outcome, its queue of another."""
    kept = rule(Ttl(success=30.0, failed=30.0), night=Ttl(success=20.0, roll_backed=20.0))
    own = TimeToLive(success=10.0)
    due = {phase: kept.due_of_row(row(phase, own)) for phase in sorted(FINISHED)}
    assert due == {Phase.SUCCESS: 1_010.0, Phase.ROLL_BACKED: 1_020.0, Phase.FAILED: 1_030.0}


def test_nothing_is_an_age_of_its_own() -> None:
    assert rule(Ttl(success=60.0)).due_of_row(row(ttl=TimeToLive(success=0.0))) == ENDED


def test_what_owes_something_says_what() -> None:
    assert owed_by_row(row()) is None
    assert owed_by_row(row(reporting=True)) == "callbacks are not delivered yet"
    assert owed_by_row(row(asked=True)) == "a request waits for an answer"
    assert owed_by_row(row(deleting=True)) == "its deletion was asked"
    assert owed(deleting=True, asked=True, reporting=True) == "its deletion was asked"
