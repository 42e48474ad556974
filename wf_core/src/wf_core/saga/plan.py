"""What a workflow will do, told before it runs: the order of running and of undoing."""

from collections.abc import Sequence

import attrs

from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import StepSpec
from wf_core.model.state import Stored
from wf_core.saga.graph import Graph

Layers = tuple[tuple[str, ...], ...]


@attrs.frozen
class Plan:
    """Names of steps. The steps of a layer don't wait for each other.

    `run` is the order forward and `undo` the order back, should everything before the pivot have
    run. `past_pivot` only goes forward. `irreversible` can't be undone and is passed over.
    """

    run: Layers
    undo: Layers
    pivot: str | None
    past_pivot: tuple[str, ...]
    irreversible: tuple[str, ...]


def plan(steps: Sequence[StepSpec]) -> Plan:
    """The plan of valid steps (`wf_core.codec` checks that)."""
    graph = Graph.of(steps)
    past = _past_pivot(graph)
    undoable = [i for i, step in enumerate(steps) if step.rollback is not RollbackMode.NONE]
    run = _depths(graph.order, graph.upstream)
    undo = _depths(graph.order[::-1], graph.dependents, frozenset(past))
    return Plan(
        run=_layers(steps, graph.order, run),
        undo=_layers(steps, [i for i in undoable if i not in past], undo),
        pivot=None if graph.pivot is None else steps[graph.pivot].name,
        past_pivot=tuple(steps[i].name for i in graph.order if i in past),
        irreversible=tuple(step.name for step in steps if step.rollback is RollbackMode.NONE),
    )


def _past_pivot(graph: Graph) -> dict[int, None]:
    """The steps that can't start before the pivot's success: whoever waits for it, and whoever
    waits for them. One that waits for the pivot to be Running may still have to be undone."""
    past: dict[int, None] = {}
    for i in graph.order:
        if any(
            c.on in past or (c.on == graph.pivot and c.phase is Phase.SUCCESS)
            for c in graph.conditions[i]
        ):
            past[i] = None
    return past


def _depths(
    order: Sequence[int], before: Sequence[Sequence[int]], left_out: frozenset[int] = frozenset()
) -> list[int]:
    """How many layers come before each step; `order` has every step after those `before` it."""
    depths = [0] * len(order)
    for i in order:
        depths[i] = max((depths[b] + 1 for b in before[i] if b not in left_out), default=0)
    return depths


def _layers(steps: Sequence[StepSpec], chosen: Sequence[int], depths: Sequence[int]) -> Layers:
    """The chosen steps by depth, in the document's order inside a layer; no layer is empty."""
    layers: dict[int, list[str]] = {}
    for i in sorted(chosen):
        layers.setdefault(depths[i], []).append(steps[i].name)
    return tuple(tuple(layers[depth]) for depth in sorted(layers))


def effects_left(stored: Stored) -> tuple[str, ...]:
    """The steps whose effects may stand although their workflow does not go forward: they ran, or
    may have run, and are not undone."""
    return tuple(
        spec.name
        for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True)
        if step.attempt and step.phase is not Phase.ROLL_BACKED
    )
