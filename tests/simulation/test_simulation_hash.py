"""H: the trace of a seed does not depend on how Python hashes text, nor on the run."""

import os
import subprocess
import sys

import pytest


def _digests(seeds: int, *hash_seeds: str) -> list[str]:
    """What each of these processes prints: a line a seed. They run side by side."""
    command = [sys.executable, "-m", "wf_core.testing.simulation", "--digest", "--workers", "1"]
    processes = [
        subprocess.Popen(
            [*command, "--from", "0", "--seeds", str(seeds)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in hash_seeds
    ]
    return [process.communicate()[0] for process in processes]


def test_h_twenty_traces_are_equal_under_two_hash_seeds() -> None:
    first, second = _digests(20, "0", "4242")
    assert len(first.splitlines()) == 20
    assert "broken" not in first
    assert first == second


@pytest.mark.long
def test_h_two_hundred_traces_are_equal_under_two_hash_seeds_and_on_two_runs() -> None:
    first, again, other = _digests(200, "1", "1", "77")
    assert len(first.splitlines()) == 200
    assert "broken" not in first
    assert first == again == other
