"""How many workflows a minute one controller runs, and its CPU for each of their transitions."""

from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure
from benchmarks.k8s.process import Process
from benchmarks.k8s.stage import Stage, opened
from benchmarks.k8s.subjects import chain

SUBJECTS = ((1, 1_000), (10, 200))
"""Steps of a workflow, and how many of them."""


def measure(folder: Path) -> list[Figure]:
    """Workflows of one and of ten steps that do nothing; all of them wait when the controller
    starts. What it uses until it leads is left out: it is the same for any number of them."""
    figures: list[Figure] = []
    for steps, workflows in SUBJECTS:
        with opened(folder) as stage:
            figures += _figures(stage, steps, workflows)
    return figures


def _figures(stage: Stage, steps: int, workflows: int) -> list[Figure]:
    namespace = stage.namespace()
    for n in range(workflows):
        stage.api.create(namespace, chain(f"w{n}", steps))
    with stage.controller(namespace) as controller:
        process = Process(controller.process.pid)
        start, used = perf_counter(), process.cpu()
        stage.await_all(namespace, "Success", every=0.25, patience=120)
        took, used = perf_counter() - start, process.cpu() - used
    saves = workflows * (steps + 1)
    name = "one step" if steps == 1 else f"{steps} steps"
    return [
        Figure(
            f"workflows of {name}",
            workflows / took * 60,
            "a minute",
            note=f"{workflows:,} in {took:.1f} s, 100 at once; {saves / took:.0f} saves a second",
        ),
        Figure(
            f"controller's CPU a transition, {name}",
            used / saves * 1e3,
            "ms",
            note=f"{used:.1f} s, {used / took:.0%} of a core",
        ),
    ]
