"""Hunting a mutant: with the simulation, seed after seed, or with the tests it names."""

import os
import re
import subprocess
import sys

import attrs

from wf_core.testing.mutants.mutant import Mutant, applied, to_text
from wf_core.testing.simulation import Violation, play
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.storage import Setup

MUTANT = "WF_MUTANT"
"""The environment variable that tells the tests' plugin which mutant lives."""
SUITE_SECONDS = 900.0
"""A suite that takes longer hangs because of its mutant: without one it takes minutes."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@attrs.frozen
class Catch:
    """What caught a mutant: a rule at a seed, or (`seed` None) a test."""

    rule: str
    message: str
    seed: int | None = None


def hunt(mutant: Mutant, seeds: int, setup: Setup = MEMORY) -> Catch | None:
    """Hunt a mutant in at most so many seeds from 0 on; None where it survives. A suite that hangs
    has caught it.

    Raises `Stale` where it does not fit the code.
    """
    if mutant.suite:
        return _tested(mutant)
    with applied(mutant):
        for seed in range(seeds):
            try:
                play(setup.generate(seed), setup)
            except Violation as violation:
                return Catch(violation.rule, violation.message, seed)
    return None


def _tested(mutant: Mutant) -> Catch | None:
    with applied(mutant):
        pass  # one that is stale would be taken for one that is caught
    plugin = "wf_core.testing.mutants.plugin"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", plugin, *mutant.suite],
            env={**os.environ, MUTANT: to_text(mutant)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SUITE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Catch(" ".join(mutant.suite), f"the suite did not end in {SUITE_SECONDS:g} s")
    failed = _FAILED.search(done.stdout)
    if done.returncode == 1 and failed is not None:
        return Catch(failed.group(1), "a test fails")
    if done.returncode == 0:
        return None
    raise RuntimeError(f"{' '.join(mutant.suite)} could not be run:\n{done.stdout}{done.stderr}")
