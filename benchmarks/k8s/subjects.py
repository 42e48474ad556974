"""The workflows that are measured: chains of steps that do nothing."""

from typing import Any

from tests.k8s.crd_objects import Json, step, workflow

from wf_k8s.store.guard import FINALIZER


def chain(name: str, length: int, *, guarded: bool = True, **spec: Any) -> Json:
    """Each step waits for the one before it. `guarded`: the finalizer is there from the start, as
    `wf` and the chart's admission policy set it."""
    document = workflow(*(_step(n) for n in range(length)), name=name, **spec)
    if guarded:
        document["metadata"]["finalizers"] = [FINALIZER]
    return document


def _step(n: int) -> Json:
    made = step(f"s{n}", *([f"s{n - 1}"] if n else []))
    made["stepTemplate"]["parameters"] = {"sleepSeconds": 0}
    return made
