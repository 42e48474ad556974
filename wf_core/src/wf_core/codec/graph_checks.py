"""What must hold of the dependencies: names known and unique, no cycle, at most one pivot."""

from collections import deque
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from wf_core.codec.shape import WAITED_FOR
from wf_core.errors import Fault
from wf_core.model.spec import StepSpec
from wf_core.nearest import Hints
from wf_core.saga.graph import Graph


def graph_faults(steps: Sequence[StepSpec]) -> Iterator[Fault]:
    """Faults of names and dependencies."""
    yield from _duplicates(steps)
    yield from _pivots(steps)
    index = {step.name: i for i, step in enumerate(steps)}
    hints = Hints(tuple(index))
    for i, step in enumerate(steps):
        for n, depend_on in enumerate(step.depend_ons):
            path = f"$.spec.steps[{i}].dependOns[{n}]"
            if depend_on.name == step.name:
                yield Fault(f"{path}.name", f"step {step.name!r} depends on itself")
            elif depend_on.name not in index:
                yield Fault(
                    f"{path}.name",
                    f"no step {depend_on.name!r}",
                    hint=hints.hint(depend_on.name),
                )
            if depend_on.phase not in WAITED_FOR:
                yield Fault(
                    f"{path}.phase",
                    f"must be Running or Success, not {depend_on.phase.value!r}",
                )
    for cycle in cycles(steps):
        yield _cycle_fault(cycle, steps)


def known_graph(steps: Sequence[StepSpec]) -> Graph | None:
    """The graph of the dependencies that are sound, or None where some form a cycle.

    Lets the rest of a faulty document be checked at once.
    """
    names = {step.name for step in steps}
    sound = []
    for step in steps:
        kept = tuple(d for d in step.depend_ons if d.name in names and d.name != step.name)
        same = len(kept) == len(step.depend_ons)
        sound.append(step if same else replace(step, depend_ons=kept))
    graph = Graph.of(sound)
    return graph if len(graph.order) == len(steps) else None


def _duplicates(steps: Sequence[StepSpec]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for i, step in enumerate(steps):
        if first.setdefault(step.name, i) != i:
            yield Fault(
                f"$.spec.steps[{i}].name",
                f"step {step.name!r} is already at steps[{first[step.name]}]; names are unique",
            )


def _pivots(steps: Sequence[StepSpec]) -> Iterator[Fault]:
    pivots = [i for i, step in enumerate(steps) if step.pivot]
    for i in pivots[1:]:
        yield Fault(
            f"$.spec.steps[{i}].pivot",
            f"step {steps[pivots[0]].name!r} is the pivot already; a workflow has at most one",
        )


def cycles(steps: Sequence[StepSpec]) -> Iterator[list[int]]:
    """One cycle, in the direction "depends on", of each group of steps that wait for each other.

    It begins and ends with the group's first step and is the shortest through it.
    """
    index = {step.name: i for i, step in enumerate(steps)}
    upstream = [
        [index[d.name] for d in step.depend_ons if d.name in index and index[d.name] != i]
        for i, step in enumerate(steps)
    ]
    for group in sorted(map(sorted, _groups(upstream))):
        yield _shortest(group, upstream)


def _groups(upstream: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The strongly connected parts of more than one step (Tarjan, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    stacked: set[int] = set()
    for root in range(len(upstream)):
        if root in number:
            continue
        path = [(root, iter(upstream[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        stacked.add(root)
        while path:
            at, ups = path[-1]
            for up in ups:
                if up not in number:
                    number[up] = low[up] = len(number)
                    stack.append(up)
                    stacked.add(up)
                    path.append((up, iter(upstream[up])))
                    break
                if up in stacked:
                    low[at] = min(low[at], number[up])
            else:
                path.pop()
                if path:
                    below = path[-1][0]
                    low[below] = min(low[below], low[at])
                if low[at] == number[at]:
                    group = [stack.pop()]
                    while group[-1] != at:
                        group.append(stack.pop())
                    stacked.difference_update(group)
                    if len(group) > 1:
                        yield group


def _shortest(group: Sequence[int], upstream: Sequence[Sequence[int]]) -> list[int]:
    first = group[0]
    inside = set(group)
    came: dict[int, int] = {}
    queue = deque([first])
    while queue:
        at = queue.popleft()
        for up in upstream[at]:
            if up == first:
                back = [at]
                while back[-1] != first:
                    back.append(came[back[-1]])
                return [*reversed(back), first]
            if up in inside and up not in came:
                came[up] = at
                queue.append(up)
    raise AssertionError("a strongly connected part holds a cycle through each of its members")


def _cycle_fault(cycle: Sequence[int], steps: Sequence[StepSpec]) -> Fault:
    names = " -> ".join(steps[i].name for i in cycle)
    second = steps[cycle[1]].name
    n = next(n for n, d in enumerate(steps[cycle[0]].depend_ons) if d.name == second)
    return Fault(
        f"$.spec.steps[{cycle[0]}].dependOns[{n}].name",
        f"the steps depend on each other in a cycle: {names}",
    )
