"""A turn costs what changed, never all steps (design 3, 8)."""

import gc
from collections.abc import Callable, Sequence
from time import process_time

import pytest

from wf_core.model.outcomes import Succeeded
from wf_core.model.phases import PermitClass, Phase
from wf_core.model.spec import StepSpec
from wf_core.model.state import Owner
from wf_core.saga.events import Admitted, Call, Event, Reported
from wf_core.saga.machine import Saga
from wf_core.testing.saga_driver import KINDS, Gate, chain, fatal, fresh, step, workflow


def fan(n: int) -> list[StepSpec]:
    return [*[step(f"f{k}") for k in range(n - 1)], step("p", pivot=True)]


def seconds(steps: Sequence[StepSpec]) -> float:
    """The time of running everything, failing at the last step and undoing everything."""
    saga = Saga(fresh(workflow(*steps)), KINDS, Gate())
    last = len(steps) - 1
    events: list[Event] = [Admitted()]
    gc.collect()
    start = process_time()
    now, n = 0.0, 0
    while events:
        effects = saga.advance(events, now)
        n += 1
        saga.take_changes(Owner("test", 1), n)
        events = []
        for effect in effects:
            if isinstance(effect, Call):
                outcome = Succeeded()
                failing = effect.step == last and effect.hook == "run"
                events.append(Reported(effect.step, effect.call, fatal() if failing else outcome))
    assert saga.head.phase is Phase.ROLL_BACKED
    return process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("make", [chain, fan])
def test_ten_times_the_steps_cost_ten_times_the_time(
    make: Callable[[int], list[StepSpec]],
) -> None:
    small, large = make(500), make(5000)
    ratio = min(
        min(seconds(large) for _ in range(2)) / max(seconds(small) for _ in range(3))
        for _ in range(2)
    )
    assert ratio <= 12


def test_a_kind_that_is_short_is_not_asked_for_every_step_that_waits() -> None:
    class Counting(Gate):
        asked = 0

        def take(self, kind: str, cls: PermitClass, now: float, *, opens: bool) -> bool:
            Counting.asked += 1
            return super().take(kind, cls, now, opens=opens)

    saga = Saga(fresh(workflow(*fan(1000))), KINDS, Counting({"plain": 3}))
    saga.advance([Admitted()], 0.0)
    assert Counting.asked == 3 + 2  # once more when nothing else moves
