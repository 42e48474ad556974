"""Every small world: all graphs of up to four steps up to isomorphism, and all that can happen.

Larger graphs get smaller budgets, so that all of it takes minutes. What a budget leaves out is not
proved: it is said in docs/reliability.md.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations

import attrs

from wf_core.model.phases import RollbackMode, RollbackPolicy
from wf_core.model.spec import (
    DependOn,
    Metadata,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.prove.search import Bound, Found, search
from wf_core.prove.world import EVERYTHING

Edges = tuple[tuple[int, int], ...]
_RETRY_ONCE = RetryPolicy(run_retry_limit=1, rollback_retry_limit=1)


@attrs.frozen
class SmallWorld:
    """A workflow and how far it is searched."""

    name: str
    workflow: Workflow
    bound: Bound

    def search(self) -> Found:
        """Everything that can happen in it."""
        return search(self.workflow, EVERYTHING, self.bound)


def small_worlds() -> Iterator[SmallWorld]:
    """All of them, the largest first, so that workers end together."""
    unbounded = 5_000_000
    for n, crashes, oddities in ((4, 2, 0), (4, 1, 1), (3, 2, 1), (2, 2, 2), (1, 2, 3)):
        for edges in graphs(n):
            bound = Bound(crashes=crashes, oddities=oddities, states=unbounded)
            yield SmallWorld(f"{_drawn(n, edges)}, {_budget(bound)}", _workflow(n, edges), bound)
    for n, crashes, oddities in ((3, 1, 0), (2, 2, 1), (1, 2, 3)):
        bound = Bound(crashes=crashes, oddities=oddities, cancels=1, states=unbounded)
        for edges in graphs(n):
            for what, workflow in _variants(n, edges):
                yield SmallWorld(f"{_drawn(n, edges)}, {what}, {_budget(bound)}", workflow, bound)


def graphs(n: int) -> list[Edges]:
    """All acyclic graphs of n steps up to isomorphism, as (from, to) with from < to."""
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    found: dict[Edges, Edges] = {}
    for mask in range(1 << len(pairs)):
        edges = tuple(pair for k, pair in enumerate(pairs) if mask >> k & 1)
        form = min(
            tuple(sorted((order[a], order[b]) for a, b in edges))
            for order in permutations(range(n))
        )
        found.setdefault(form, edges)
    return list(found.values())


def _workflow(
    n: int,
    edges: Sequence[tuple[int, int]],
    policy: RollbackPolicy = RollbackPolicy.PRESERVE_ON_FAILURE,
    pivot: int | None = None,
    irreversible: int | None = None,
    timeout: float | None = None,
) -> Workflow:
    template = StepTemplate(
        "any",
        retry_policy=_RETRY_ONCE,
        timeout_seconds=timeout,
        rollback_timeout_seconds=timeout,
    )
    steps = tuple(
        StepSpec(
            f"s{i}",
            template,
            tuple(DependOn(f"s{a}") for a, b in edges if b == i),
            pivot=i == pivot,
            rollback=RollbackMode.NONE if i == irreversible else RollbackMode.REQUIRED,
        )
        for i in range(n)
    )
    return Workflow(
        Metadata("small", uid="small"), WorkflowSpec(steps=steps, rollback_policy=policy)
    )


def _variants(n: int, edges: Edges) -> Iterator[tuple[str, Workflow]]:
    yield "cancelled, Always", _workflow(n, edges, RollbackPolicy.ALWAYS)
    yield "cancelled, timeouts", _workflow(n, edges, timeout=30.0)
    yield "cancelled, s0 irreversible", _workflow(n, edges, irreversible=0)
    for pivot in range(n):
        yield f"cancelled, s{pivot} pivot", _workflow(n, edges, pivot=pivot)


def _drawn(n: int, edges: Edges) -> str:
    return f"{n} steps " + (" ".join(f"{a}>{b}" for a, b in edges) or "unconnected")


def _budget(bound: Bound) -> str:
    return f"{bound.crashes} crashes, {bound.oddities} oddities"
