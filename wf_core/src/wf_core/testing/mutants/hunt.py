"""Hunting a mutant: with the simulation, seed after seed, or with the tests it names."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

import attrs

from wf_core.testing.mutants.mutant import Mutant, applied, to_text
from wf_core.testing.simulation import Violation, play
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.storage import Setup

MUTANT = "WF_MUTANT"
"""The environment variable that tells the tests' plugin which mutant lives."""
SUITE_SECONDS = 900.0
"""A suite that takes longer hangs because of its mutant: without one it takes minutes."""
_PASSED, _NOT_THERE, _NOTHING_RUN = 0, 4, 5  # pytest's exit codes
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@attrs.frozen
class Catch:
    """What caught a mutant: a rule at a seed, or (`seed` None) a test."""

    rule: str
    message: str
    seed: int | None = None


def hunt(
    mutant: Mutant, seeds: int, setup: Setup = MEMORY, last: Catch | None = None
) -> Catch | None:
    """Hunt a mutant in at most so many seeds from 0 on; None where it survives. A suite that hangs
    has caught it. What caught it the last time is tried first.

    Raises `Stale` where it does not fit the code.
    """
    if mutant.suite:
        with applied(mutant):
            pass  # one that is stale would be taken for one that is caught
        if last is not None and last.seed is None:
            caught = _tested(mutant, (last.rule,), (_PASSED, _NOT_THERE, _NOTHING_RUN))
            if caught is not None:
                return caught
        return _tested(mutant, mutant.suite, (_PASSED,))
    first = () if last is None or last.seed is None else (last.seed,)
    with applied(mutant):
        for seed in (*first, *range(seeds)):
            try:
                play(setup.generate(seed), setup)
            except Violation as violation:
                return Catch(violation.rule, violation.message, seed)
    return None


def _tested(mutant: Mutant, suite: Sequence[str], survived: Sequence[int]) -> Catch | None:
    """Run tests with the mutant; `survived` are the exit codes by which it does."""
    plugin = "wf_core.testing.mutants.plugin"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", plugin, *suite],
            env={**os.environ, MUTANT: to_text(mutant)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SUITE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Catch(" ".join(suite), f"the suite did not end in {SUITE_SECONDS:g} s")
    failed = _FAILED.search(done.stdout)
    if done.returncode == 1 and failed is not None:
        return Catch(failed.group(1), "a test fails")
    if done.returncode in survived:
        return None
    raise RuntimeError(f"{' '.join(suite)} could not be run:\n{done.stdout}{done.stderr}")
