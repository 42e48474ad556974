"""Memory of 10,000 workflows of ten steps that one engine holds."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure

WORKFLOWS, STEPS, BUDGET = 10_000, 10, 150.0


def measure(folder: Path) -> list[Figure]:
    """All of them running at once, and all but a few waiting in the queue; a process each."""
    return [
        _figure("all running", WORKFLOWS, folder),
        _figure("100 running, the others waiting", 100, folder),
    ]


def _figure(name: str, running: int, folder: Path) -> Figure:
    name = f"memory of {WORKFLOWS:,} workflows of {STEPS} steps, {name}"
    store = folder / f"memory-{running}.db"
    command = [sys.executable, "-m", "benchmarks.held", str(store)]
    done = subprocess.run(
        [*command, str(WORKFLOWS), str(STEPS), str(running)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return Figure(name, None, "MB", BUDGET, note=done.stderr.strip().splitlines()[-1])
    answer = json.loads(done.stdout)
    each = answer["megabytes"] / WORKFLOWS * 1e3
    note = f"of one template, {each:.1f} kB each; {answer['running']:,} running, "
    note += f"the engine alone takes {answer['alone']:.0f} MB"
    return Figure(name, answer["megabytes"], "MB", BUDGET, note=note)
