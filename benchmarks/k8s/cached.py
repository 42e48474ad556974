"""Memory and start-up of a controller that finds 10,000 finished workflows of ten steps."""

import json
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, sleep

from tests.k8s.controller_process import ControllerProcess

from benchmarks.figures import Figure
from benchmarks.k8s.api import Api
from benchmarks.k8s.process import Process
from benchmarks.k8s.recorded import record
from benchmarks.k8s.stage import Stage, opened
from benchmarks.k8s.subjects import chain

WORKFLOWS, STEPS, BUDGET = 10_000, 10, 150.0
WRITERS = 8


def measure(folder: Path) -> list[Figure]:
    """Two starts: with nothing there, and with all of them."""
    with opened(folder) as stage:
        empty, full, apart = (stage.namespace() for _ in range(3))
        alone, alone_took, _ = _start(stage, empty)
        size = _fill(stage, full, apart)
        held, took, peak = _start(stage, full)
    what = f"{WORKFLOWS:,} finished workflows of {STEPS} steps"
    return [
        Figure(
            f"memory with {what}",
            held,
            "MB",
            BUDGET,
            note=f"the whole process; {alone:.0f} MB with none, {peak:.0f} MB at its peak; "
            f"an object has {size / 1e3:.1f} kB",
        ),
        Figure(
            f"start-up with {what}",
            took,
            "s",
            note=f"from the process's start until it is ready; {alone_took:.1f} s with none",
        ),
    ]


def _start(stage: Stage, namespace: str) -> tuple[float, float, float]:
    """A controller's megabytes, the seconds until it was ready, and its most megabytes."""
    begun = perf_counter()
    with stage.controller(namespace) as controller:
        while not _ready(controller):
            sleep(0.02)
        took = perf_counter() - begun
        sleep(2.0)
        process = Process(controller.process.pid)
        return process.resident(), took, process.peak()


def _ready(controller: ControllerProcess) -> bool:
    try:
        return controller.page("/readyz") == "ok\n"
    except urllib.error.HTTPError as error:
        error.close()
        return False


def _fill(stage: Stage, namespace: str, apart: str) -> int:
    """Put finished workflows there, each as a run leaves it; an object's bytes."""
    stage.api.create(apart, chain("made", STEPS))
    record(stage, apart, "made", STEPS + 1)
    status = stage.api.get(apart, "made")["status"]
    patch = json.dumps([{"op": "add", "path": "/status", "value": status}]).encode()

    def fill(numbers: range) -> None:
        api = Api(stage.cluster)
        for n in numbers:
            api.create(namespace, chain(f"w{n}", STEPS, guarded=False))
            api.patch_status(namespace, f"w{n}", patch)
        api.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(fill, [range(n, WORKFLOWS, WRITERS) for n in range(WRITERS)]))
    return len(json.dumps(stage.api.get(namespace, "w0"), separators=(",", ":")))
