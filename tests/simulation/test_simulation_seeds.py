"""Three hundred worlds in which everything goes wrong, and what must hold in all of them.

`make simulate SEEDS=10000` plays many more. I16 is not checked here: tests/contract replays
histories on every store.
"""

import pytest

from wf_core.testing.simulation import Violation, generate, play
from wf_core.testing.simulation.campaign import play_chunk

FAST = range(0, 40, 10)
SLOW = range(40, 300, 20)


def _played(first: int, count: int) -> None:
    chunk = play_chunk(list(range(first, first + count)))
    for seed, rule, message in chunk.broken:
        raise AssertionError(
            f"{rule}: {message}\npython -m wf_core.testing.simulation --seed {seed}"
        )


@pytest.mark.parametrize("first", FAST)
def test_the_promise_holds_in_random_worlds(first: int) -> None:
    _played(first, 10)


@pytest.mark.slow
@pytest.mark.parametrize("first", SLOW)
def test_the_promise_holds_in_many_random_worlds(first: int) -> None:
    _played(first, 20)


def test_h_a_seed_gives_the_same_trace_again() -> None:
    for seed in (3, 7, 11):
        assert play(generate(seed)).digest == play(generate(seed)).digest


def test_a_violation_carries_seed_rule_and_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    from wf_core.testing.simulation import observer

    monkeypatch.setattr(observer, "ON_CALL", (lambda *_: "wrong on purpose",))
    with pytest.raises(Violation) as caught:
        play(generate(7))
    violation = caught.value
    assert (violation.seed, "wrong on purpose" in str(violation)) == (7, True)
    assert any("people submit" in line for line in violation.timeline)
