"""Memory and start-up of a controller that finds 10,000 finished workflows of ten steps."""

import json
from pathlib import Path
from time import perf_counter, sleep

import attrs

from benchmarks.figures import Figure
from benchmarks.k8s.copies import multiply
from benchmarks.k8s.process import Process
from benchmarks.k8s.recorded import record
from benchmarks.k8s.stage import Stage, opened
from benchmarks.k8s.subjects import chain

WORKFLOWS, STEPS, BUDGET = 10_000, 10, 150.0


def measure(folder: Path) -> list[Figure]:
    """Two starts: with one of them there, and with all."""
    with opened(folder) as stage:
        few, full = stage.namespace(), stage.namespace()
        _finish_one(stage, few)
        alone = _start(stage, few, 1)
        size = _fill(stage, full)
        _start(stage, full, WORKFLOWS)  # the API server takes in first what came past it
        held = _start(stage, full, WORKFLOWS)
    what = f"{WORKFLOWS:,} finished workflows of {STEPS} steps"
    return [
        Figure(
            f"memory with {what}",
            held.resident,
            "MB",
            BUDGET,
            note=f"the whole process, {held.peak:.0f} MB at its peak; {alone.resident:.0f} MB "
            f"with one; an object has {size / 1e3:.1f} kB",
        ),
        Figure(
            f"start-up with {what}",
            held.seconds,
            "s",
            note=f"from the process's start until it knows them all; {alone.seconds:.1f} s "
            "with one",
        ),
    ]


@attrs.frozen
class Started:
    """A controller that knows its workflows: seconds since its start, megabytes, most megabytes."""

    seconds: float
    resident: float
    peak: float


def _start(stage: Stage, namespace: str, workflows: int) -> Started:
    counted = f'wf_workflows{{phase="Success",queue="default"}} {workflows}.0'
    begun = perf_counter()
    with stage.controller(namespace) as controller:
        while counted not in controller.page("/metrics").splitlines():
            sleep(0.2)
        took = perf_counter() - begun
        process = Process(controller.process.pid)
        return Started(took, process.resident(), process.peak())


def _finish_one(stage: Stage, namespace: str) -> None:
    stage.api.create(namespace, chain("w0", STEPS))
    record(stage, namespace, "w0", STEPS + 1)


def _fill(stage: Stage, namespace: str) -> int:
    """Put finished workflows there, each as a run leaves it; an object's bytes."""
    _finish_one(stage, namespace)
    multiply(stage.plane.etcd_url, namespace, "w0", [f"w{n}" for n in range(1, WORKFLOWS)])
    last = stage.api.get(namespace, f"w{WORKFLOWS - 1}")
    return len(json.dumps(last, separators=(",", ":")))
