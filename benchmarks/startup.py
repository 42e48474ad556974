"""Start-up, as whole processes, bytecode being there already."""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure, median

REPEATS = 11
VERSION_BUDGET, RUN_BUDGET = 0.15, 0.4
DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: one}
spec:
  steps:
  - name: only
    stepTemplate: {type: random, parameters: {sleepSeconds: 0}}
"""


def measure(folder: Path) -> list[Figure]:
    """`wf --version`, and `wf run` of one step on a fresh store."""
    document = folder / "one.yaml"
    document.write_text(DOCUMENT)
    python = _figure("python -c pass", [sys.executable, "-c", "pass"], folder, None)
    return [
        python,
        _figure("wf --version", _wf("--version"), folder, VERSION_BUDGET),
        _figure("wf run, one step", _wf("run", str(document)), folder, RUN_BUDGET),
    ]


def _wf(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("wf")), *arguments]


def _figure(name: str, command: list[str], folder: Path, budget: float | None) -> Figure:
    # As an installed `wf` has it: bytecode is kept, by the run that is not counted.
    kept = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    took = []
    for n in range(REPEATS + 1):
        env = {**kept, "WF_STORE": f"sqlite:{folder / f'start-{n}.db'}"}
        start = perf_counter()
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        took.append(perf_counter() - start)
        (folder / f"start-{n}.db").unlink(missing_ok=True)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            why = f"exit code {done.returncode}: {said[-1] if said else 'nothing was said'}"
            return Figure(name, None, "s", budget, note=why)
    return Figure(name, median(took[1:]), "s", budget, note=f"whole process, {REPEATS} times")
