"""The dependency graph of a workflow, steps as integers.

The pivot implicitly depends on the Success of every step that is not its descendant (semantics A4).
"""

import heapq
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

import attrs

from wf_core.model.phases import Phase
from wf_core.model.spec import DependOn, StepSpec


@attrs.frozen
class Condition:
    """Step `on` must have reached `phase`, and its resource show `resource_status` where given."""

    on: int
    phase: Phase
    resource_status: str | None = None


@attrs.frozen(eq=False)
class Graph:
    """What depends on what.

    `conditions[i]` are what step i waits for; `dependents[i]` the steps that name i (each once);
    `upstream[i]` the steps that i names (each once); `gates[i]` the (step, phase) that wait for i,
    `status_waiters[i]` the steps that ask for a status of i's resource (each once); `order` is
    topological with the spec's order as tie-break, `position` its inverse.
    """

    conditions: tuple[tuple[Condition, ...], ...]
    upstream: tuple[tuple[int, ...], ...]
    dependents: tuple[tuple[int, ...], ...]
    gates: tuple[tuple[tuple[int, Phase], ...], ...]
    status_waiters: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]
    position: tuple[int, ...]
    pivot: int | None
    index: Mapping[str, int]
    _ancestors: list[int] = attrs.field(factory=list)

    @classmethod
    def of(cls, steps: Sequence[StepSpec]) -> "Graph":
        """Build the graph of valid steps: names known, no cycle (`wf_core.codec` checks that)."""
        index = {step.name: i for i, step in enumerate(steps)}
        conditions = [
            [Condition(index[d.name], d.phase, d.resource_status) for d in step.depend_ons]
            for step in steps
        ]
        pivot = next((i for i, step in enumerate(steps) if step.pivot), None)
        if pivot is not None:
            conditions[pivot] += _pivot_conditions(conditions, pivot)
        upstream = tuple(tuple(dict.fromkeys(c.on for c in each)) for each in conditions)
        dependents: list[list[int]] = [[] for _ in steps]
        for i, ups in enumerate(upstream):
            for up in ups:
                dependents[up].append(i)
        gates: list[list[tuple[int, Phase]]] = [[] for _ in steps]
        status_waiters: list[dict[int, None]] = [{} for _ in steps]
        for i, each in enumerate(conditions):
            for condition in each:
                gates[condition.on].append((i, condition.phase))
                if condition.resource_status is not None:
                    status_waiters[condition.on][i] = None
        order = topological(upstream, dependents)
        position = [0] * len(steps)
        for at, i in enumerate(order):
            position[i] = at
        return cls(
            conditions=tuple(map(tuple, conditions)),
            upstream=upstream,
            dependents=tuple(map(tuple, dependents)),
            gates=tuple(map(tuple, gates)),
            status_waiters=tuple(map(tuple, status_waiters)),
            order=tuple(order),
            position=tuple(position),
            pivot=pivot,
            index=index,
        )

    @classmethod
    def shared(cls, steps: Sequence[StepSpec]) -> "Graph":
        """As `of`, one for all workflows of the same shape as long as any of them lives."""
        shape = tuple((step.name, step.depend_ons, step.pivot) for step in steps)
        graph = _SHARED.get(shape)
        if graph is None:
            graph = _SHARED[shape] = cls.of(steps)
        return graph

    def ancestors(self, i: int) -> int:
        """The ancestors of step i as a bit set over `position`: bits in topological order."""
        if not self._ancestors:
            sets = [0] * len(self.order)
            for at in self.order:
                bits = 0
                for up in self.upstream[at]:
                    bits |= sets[up] | (1 << self.position[up])
                sets[at] = bits
            self._ancestors.extend(sets)
        return self._ancestors[i]

    def is_ancestor(self, a: int, of: int) -> bool:
        """Whether step `a` is upstream of step `of`."""
        return bool(self.ancestors(of) >> self.position[a] & 1)


_Shape = tuple[tuple[str, tuple[DependOn, ...], bool], ...]
_SHARED: WeakValueDictionary[_Shape, Graph] = WeakValueDictionary()


def _pivot_conditions(conditions: Sequence[Sequence[Condition]], pivot: int) -> list[Condition]:
    """The pivot waits for Success of all that is not downstream of it."""
    below = descendants(conditions, pivot)
    named = {c.on for c in conditions[pivot] if c.phase is Phase.SUCCESS}
    return [
        Condition(i, Phase.SUCCESS)
        for i in range(len(conditions))
        if i != pivot and i not in below and i not in named
    ]


def descendants(conditions: Sequence[Sequence[Condition]], root: int) -> frozenset[int]:
    """All steps that depend on `root`, however far."""
    dependents: list[list[int]] = [[] for _ in conditions]
    for i, each in enumerate(conditions):
        for condition in each:
            dependents[condition.on].append(i)
    found: set[int] = set()
    stack = [root]
    while stack:
        for i in dependents[stack.pop()]:
            if i not in found:
                found.add(i)
                stack.append(i)
    return frozenset(found)


def topological(
    upstream: Sequence[Sequence[int]], dependents: Sequence[Sequence[int]]
) -> list[int]:
    """Every step after what it depends on, else in the spec's order; steps on a cycle lack."""
    open_ = [len(each) for each in upstream]
    ready = [i for i, n in enumerate(open_) if n == 0]
    order: list[int] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(i)
        for dependent in dependents[i]:
            open_[dependent] -= 1
            if open_[dependent] == 0:
                heapq.heappush(ready, dependent)
    return order


def find_cycle(upstream: Sequence[Sequence[int]]) -> list[int] | None:
    """A cycle in full (first step repeated at the end), in the direction "depends on", or None."""
    state = [0] * len(upstream)  # 0 new, 1 on the path, 2 done
    for root in range(len(upstream)):
        if state[root]:
            continue
        path = [root]
        state[root] = 1
        iterators = [iter(upstream[root])]
        while path:
            up = next(iterators[-1], None)
            if up is None:
                state[path.pop()] = 2
                iterators.pop()
            elif state[up] == 1:
                return [*path[path.index(up) :], up]
            elif state[up] == 0:
                state[up] = 1
                path.append(up)
                iterators.append(iter(upstream[up]))
    return None
