"""Admission with 100,000 workflows waiting in 1,000 queues (semantics E3)."""

from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure
from wf_core.admission import Admission
from wf_core.config.values import QueueConfig, QueueLimits, Strategy
from wf_core.model.spec import Key

WAITING, QUEUES, DECISIONS = 100_000, 1_000, 20_000
BUDGET = 4.0
"""O(log queues): log 1,000 / log 10 is 3, and a larger heap is further from the caches."""


def measure(folder: Path) -> list[Figure]:
    """Decisions a second, and what one costs against the same with ten queues."""
    del folder  # pure
    figures = []
    for strategy in Strategy:
        many, few = _decision(strategy, QUEUES), _decision(strategy, 10)
        figures += [
            Figure(
                f"admission {strategy}, {WAITING:,} waiting in {QUEUES:,} queues",
                1 / many,
                "decisions/s",
                note=f"{many * 1e6:.1f} us each",
            ),
            Figure(
                f"admission {strategy}, a decision among {QUEUES:,} / 10 queues",
                many / few,
                "ratio",
                BUDGET,
            ),
        ]
    return figures


def _decision(strategy: Strategy, queues: int) -> float:
    """Seconds a decision takes, once everything waits and as one ends for each that starts."""
    limits = {f"q{n}": QueueLimits(weight=1.0 + n % 5) for n in range(queues)}
    admission = Admission(QueueConfig(strategy, max_running_count=queues, queues=limits))
    for n in range(WAITING):
        key = Key("default", f"w{n}")
        admission.offer(key, f"q{n % queues}", n % 3, float(n), str(n))
    running: list[Key] = []
    while (key_or_none := admission.next()) is not None:
        running.append(key_or_none)
    start = perf_counter()
    for n in range(DECISIONS):
        admission.release(running[n])
        started = admission.next()
        assert started is not None
        running.append(started)
    return (perf_counter() - start) / DECISIONS
