"""A hundred worlds at an API server in which everything goes wrong, on the shipped store.

`make simulate SEEDS=10000` plays many more. What the API server in memory does is held against a
real one by tests/k8s, which runs the same store there.
"""

import os
import subprocess
import sys

import pytest

from wf_core.testing.simulation import play
from wf_core.testing.simulation.campaign import play_chunk
from wf_core.testing.simulation.coverage import Coverage
from wf_k8s.testing.simulation import KUBERNETES, generate


def _played(first: int, count: int) -> None:
    chunk = play_chunk(list(range(first, first + count)), KUBERNETES)
    for seed, rule, message in chunk.broken:
        raise AssertionError(f"{rule}: {message}\npython -m {KUBERNETES.program} --seed {seed}")


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_the_promise_holds_at_an_api_server(first: int) -> None:
    _played(first, 10)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(20, 100, 20))
def test_the_promise_holds_in_many_worlds_at_an_api_server(first: int) -> None:
    _played(first, 20)


def test_h_a_seed_gives_the_same_trace_again() -> None:
    for seed in (3, 7, 11):
        first = play(generate(seed), KUBERNETES).digest
        assert first == play(generate(seed), KUBERNETES).digest


@pytest.mark.long
def test_h_thirty_traces_are_equal_under_two_hash_seeds() -> None:
    command = [sys.executable, "-m", KUBERNETES.program, "--digest", "--workers", "1"]
    first, second = (
        subprocess.run(
            [*command, "--from", "0", "--seeds", "30"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for hash_seed in ("0", "4242")
    )
    assert len(first.splitlines()) == 30
    assert "broken" not in first
    assert first == second


def test_troubles_are_counted_and_expected() -> None:
    assert "trouble LeaderFrozen" in Coverage().missing(KUBERNETES.expected)
    met = Coverage()
    for seed in range(12):
        met.add(play(generate(seed), KUBERNETES).met)
    assert sum(met.counts[name] > 0 for name in KUBERNETES.expected) > 5
