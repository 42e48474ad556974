"""H: the trace of a seed does not depend on how Python hashes text, nor on the run."""

import os
import subprocess
import sys

import pytest


def _digests(seeds: int, hash_seed: str) -> str:
    command = [sys.executable, "-m", "wf_core.testing.simulation", "--digest"]
    done = subprocess.run(
        [*command, "--seeds", str(seeds), "--workers", "1"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_h_twenty_traces_are_equal_under_two_hash_seeds() -> None:
    first = _digests(20, "0")
    assert len(first.splitlines()) == 20
    assert first == _digests(20, "4242")


@pytest.mark.slow
def test_h_two_hundred_traces_are_equal_under_two_hash_seeds_and_on_two_runs() -> None:
    first = _digests(200, "1")
    assert len(first.splitlines()) == 200
    assert first == _digests(200, "77") == _digests(200, "1")
