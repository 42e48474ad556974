"""What a transition takes, against one bare status patch of the same size, in turns within one run.

A transition of a chain is: save, call the next step's hook, which does nothing, take its answer.
The bare patches are those of the same chain's saves, sent one after the other by a client that does
nothing else, to an object that no controller sees.
"""

from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from benchmarks.figures import Figure, median
from benchmarks.k8s.recorded import Saves, record
from benchmarks.k8s.stage import Stage, opened
from benchmarks.k8s.subjects import chain

LENGTH, REPEATS, WARM = 10, 60, 10
BUDGET = 1.5


def measure(folder: Path) -> list[Figure]:
    """The ratio, and both of its parts."""
    with opened(folder) as stage:
        namespace, apart = stage.namespace(), stage.namespace()
        stage.api.create(apart, chain("recorded", LENGTH))
        saves = record(stage, apart, "recorded", LENGTH + 1)
        ours: list[float] = []
        bare: list[float] = []
        with stage.controller(namespace):
            for n in range(WARM + REPEATS):
                done = _run(stage, namespace, f"run{n}")
                took = _patches(stage, apart, f"bare{n}", saves)
                if n >= WARM:
                    ours += _transitions(done)
                    bare += took
    size = sum(map(len, saves.patches)) / len(saves.patches)
    return [
        Figure(
            "a transition / one bare status patch",
            median(ours) / median(bare),
            "ratio",
            BUDGET,
            note=f"medians {median(ours) * 1e3:.2f} ms / {median(bare) * 1e3:.2f} ms, "
            f"of {len(ours)} and {len(bare)}; a patch has {size / 1e3:.1f} kB",
        ),
    ]


def _run(stage: Stage, namespace: str, name: str) -> Any:
    """The workflow, once the controller is done with it. It is looked at seldom, so as not to
    disturb."""
    stage.api.create(namespace, chain(name, LENGTH))
    while True:
        sleep(0.1)
        found = stage.api.get(namespace, name)
        if found["status"]["phase"] == "Success" and "finalizers" not in found["metadata"]:
            return found


def _transitions(done: Any) -> list[float]:
    """Seconds from each save's turn to the next one's."""
    at = {each["revision"]: each["at"] for each in done["status"]["history"]}
    assert sorted(at) == list(range(1, LENGTH + 2)), f"saves {sorted(at)}"
    return [at[n + 1] - at[n] for n in range(1, LENGTH + 1)]


def _patches(stage: Stage, namespace: str, name: str, saves: Saves) -> list[float]:
    """Seconds of each patch, bare."""
    uid = stage.api.create(namespace, chain(name, LENGTH))["metadata"]["uid"]
    took = []
    for patch in saves.of(uid):
        start = perf_counter()
        stage.api.patch_status(namespace, name, patch)
        took.append(perf_counter() - start)
    return took
