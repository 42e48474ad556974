"""The oracle is worth something only if it notices: small faults of the machine, each put in for a
while, must lead to a disagreement (or to a state that the machine itself refuses)."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulation.oracle_pair import Disagreement
from tests.simulation.test_oracle_machine import play

from wf_core.errors import EngineError
from wf_core.model.phases import Phase, RequestType, Verdict
from wf_core.model.state import StepState
from wf_core.saga import (
    attempts,
    backoff,
    course,
    look,
    machine,
    recovery,
    requests,
    run,
    sizes,
    statuses,
    undo,
    watch,
)
from wf_core.saga.ledger import Ledger

SEEDS = 400


def never(*_args: Any, **_more: Any) -> bool:
    return False


def nothing(*_args: Any, **_more: Any) -> None:
    return None


def no_conditions(*_args: Any) -> list[Any]:
    return []


def settled_once_failed(ledger: Ledger, i: int) -> bool:
    return ledger.steps[i].phase in (Phase.ROLL_BACKED, Phase.FAILED)


def blocked_alone(ledger: Ledger, step: StepState, by: int) -> None:
    if step.blocked is not None:
        ledger.blocked[step.phase] += by


def refuse_all(_ledger: Ledger, _i: int, _now: float) -> tuple[Verdict, str]:
    return Verdict.REFUSED, "no"


def twice(real: Callable[..., float]) -> Callable[..., float]:
    return lambda *args: 2 * real(*args)


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "A2: a failed undo settles, whatever the policy": (Ledger, "is_settled", settled_once_failed),
    "A5: what waits for a person keeps its slot": (Ledger, "_count_blocked", blocked_alone),
    "B9: what runs is not asked to stop when it turns back": (undo, "turn", nothing),
    "A4: a pivot of unknown outcome is undone": (run, "pivot_unknown", never),
    "A4: nothing is committed": (run, "_commit", nothing),
    "A5: a blocked workflow keeps its slot": (course, "wholly_blocked", never),
    "A5: watches outlive a suspension": (watch, "end_watches", nothing),
    "A6: a status is not waited for": (statuses, "lacking", no_conditions),
    "A6: the waiting step is not told of the status": (statuses, "recheck", nothing),
    "B1: a look that failed ends the attempt": (look, "understood", lambda _, outcome: outcome),
    "B1: polls come late": (look, "poll_delay", twice(backoff.poll_delay)),
    "B3: interruptions are not counted": (attempts, "MAX_CALLED_AGAIN", 1_000),
    "B3: what was cut off is not called again": (run, "interrupted", nothing),
    "B6: retries wait twice their time": (attempts, "retry_delay", twice(backoff.retry_delay)),
    "B6: throttled is retried at once": (attempts, "THROTTLED_LEAST", 0.0),
    "B7: hooks that are stuck are not written off": (machine.Saga, "_stuck", nothing),
    "B7: the deadline has no say": (course, "deadline_passed", nothing),
    "B7: the deadline is forgotten in a crash": (course, "_arm_deadline", nothing),
    "B8: a wake is lost": (look, "wake", nothing),
    "B9: watches are not watched": (watch, "watch_period", lambda _ledger, _i: 0.0),
    "B10: what waits for its kind is left alone for ever": (recovery, "_GOES_AWAY", ()),
    "C7: whatever is too large is kept": (sizes, "too_large", nothing),
    "D: a blocked run can't be retried": (requests, "_run_is_blocked", never),
    "D: no undo is skipped": (
        requests,
        "_OF_STEP",
        requests._OF_STEP | {RequestType.SKIP_ROLLBACK: refuse_all},
    ),
    "F: nothing is reported": (Ledger, "report", nothing),
    "H: a saved wait is not clamped": (attempts, "longest_wait", lambda *_: 1e9),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_machine_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, instead = FAULTS[fault]
    monkeypatch.setattr(where, name, instead)
    for seed in range(SEEDS):
        try:
            play(seed)
        except (Disagreement, EngineError, AssertionError):
            return
    pytest.fail(f"not noticed in {SEEDS} games: {fault}")
