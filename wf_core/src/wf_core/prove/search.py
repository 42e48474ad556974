"""Breadth-first search over all that can happen, with a visited set over canonical states.

The shipped machine takes every turn. A crash forgets what was not saved and every call in flight;
it may come in any state, a budget of them in all. A save that nothing waits for may be made or not.
Breadth first, so the first story that reaches an end is a shortest one.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import attrs

from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Asked, Request
from wf_core.model.spec import Workflow
from wf_core.model.state import Owner, StepState, Stored, WorkflowState
from wf_core.prove.canonical import Canonical
from wf_core.prove.rules import Violation, check_call, check_end, check_state
from wf_core.prove.world import (
    ODD,
    Effect,
    EveryKind,
    NoLimits,
    Outcomes,
    effect_of_answer,
    effect_of_call,
    outcome_of,
)
from wf_core.saga.branch import fork
from wf_core.saga.events import Admitted, Call, Event, Reported
from wf_core.saga.machine import Saga

_KINDS = EveryKind()
_PERMITS = NoLimits()
_OWNER = Owner("search", 1)


@attrs.frozen
class Bound:
    """How far to search: so many crashes in all, requests to cancel, oddities (a failure that is
    tried again, work that goes on by itself, a hook that hangs until time passes), and states."""

    crashes: int = 1
    cancels: int = 0
    oddities: int = 0
    states: int = 200_000


@attrs.frozen(eq=False)
class Trail:
    """What happened last, and before."""

    what: str
    before: "Trail | None" = None

    def story(self) -> tuple[str, ...]:
        """Everything that happened, from the beginning."""
        lines: list[str] = []
        trail: Trail | None = self
        while trail is not None:
            lines.append(trail.what)
            trail = trail.before
        return tuple(lines[::-1])


@attrs.define(eq=False)
class Node:
    """A state: the live machine, what was saved, what is in flight and outside, the budgets."""

    saga: Saga
    saved: Stored
    calls: dict[int, Call]
    effects: tuple[Effect, ...]
    crashes: int
    cancels: int
    oddities: int
    now: float
    trail: Trail


@attrs.frozen
class End:
    """Where the saga can come to rest: the shortest story that leads there."""

    phase: Phase
    state: Stored
    effects: tuple[Effect, ...]
    story: tuple[str, ...]


@attrs.define
class Found:
    """What a search found. `complete` is False where it stopped at its bound."""

    states: int = 0
    edges: int = 0
    complete: bool = True
    ends: dict[tuple[object, ...], End] = attrs.field(factory=dict)
    violations: list[tuple[Violation, tuple[str, ...]]] = attrs.field(factory=list)


def search(
    workflow: Workflow,
    outcomes: Outcomes,
    bound: Bound,
    progress: Callable[[Found], None] | None = None,
) -> Found:
    """Search everything that can happen to `workflow`; `progress` is told every 10,000 states.

    Stops at the first violated rule: what follows it means nothing.
    """
    found = Found()
    canonical = Canonical(workflow)
    steps = workflow.spec.steps
    first = Stored(workflow, WorkflowState(), tuple(StepState() for _ in steps))
    root = Node(
        _machine(first),
        first,
        {},
        (Effect.NOTHING,) * len(steps),
        bound.crashes,
        bound.cancels,
        bound.oddities,
        0.0,
        Trail("submitted"),
    )
    queue: deque[Node] = deque()
    visited: set[bytes] = set()

    def visit(node: Node) -> None:
        key = canonical.key(node)
        if key not in visited:
            visited.add(key)
            queue.append(node)

    start = _turn(root, [Admitted()], "admitted", found)
    if start is not None:
        visit(start)
    while queue and not found.violations:
        if len(visited) > bound.states:
            found.complete = False
            break
        node = queue.popleft()
        found.states += 1
        if progress is not None and found.states % 10_000 == 0:
            progress(found)
        moved = False
        for after, crash in _moves(node, outcomes, found):
            found.edges += 1
            moved |= not crash
            visit(after)
        if not moved and not found.violations:
            _end(node, found)
    return found


def _moves(node: Node, outcomes: Outcomes, found: Found) -> Iterator[tuple[Node, bool]]:
    """Everything that can happen next, and whether it is a crash."""
    names = [step.name for step in node.saved.workflow.spec.steps]
    for i, call in sorted(node.calls.items()):
        for answer in outcomes.of(call):
            odd = answer in ODD
            if odd and not node.oddities:
                continue
            after = _turn(
                node,
                [Reported(i, call.call, outcome_of(answer))],
                f"{call.hook} of '{names[i]}' {answer}",
                found,
                ended=i,
                effects=_with(node.effects, i, effect_of_answer(call, answer, node.effects[i])),
                oddities=node.oddities - odd,
            )
            if after is not None:
                yield after, False
    at = node.saga.next_wake
    hangs = bool(node.calls)
    if at is not None and (node.oddities or not hangs):
        after = _turn(
            node, [], "time passes", found, now=max(at, node.now), oddities=node.oddities - hangs
        )
        if after is not None:
            yield after, False
    if node.saga.wants_slot:
        after = _turn(node, [Admitted()], "admitted again", found)
        if after is not None:
            yield after, False
    if node.saga.dirty:
        after = _save(node, "saved")
        yield after, False
    if node.cancels and node.saga.head.phase is Phase.RUNNING:
        asked = Asked(node.cancels, Request(RequestType.CANCEL))
        after = _turn(node, [asked], "somebody cancels", found, cancels=node.cancels - 1)
        if after is not None:
            yield after, False
    if node.crashes:
        after = _crash(node, found)
        if after is not None:
            yield after, True


def _turn(
    node: Node,
    events: Sequence[Event],
    what: str,
    found: Found,
    *,
    ended: int | None = None,
    effects: tuple[Effect, ...] | None = None,
    oddities: int | None = None,
    now: float | None = None,
    cancels: int | None = None,
) -> Node | None:
    """One turn of the machine, as the shell takes it; None where a rule was broken."""
    saga = fork(node.saga)
    after = Node(
        saga,
        node.saved,
        {i: call for i, call in node.calls.items() if i != ended},
        node.effects if effects is None else effects,
        node.crashes,
        node.cancels if cancels is None else cancels,
        node.oddities if oddities is None else oddities,
        node.now if now is None else now,
        Trail(what, node.trail),
    )
    asked = saga.advance(events, after.now)
    # A save that nothing waits for may be late; that only matters if a crash can still come.
    if saga.dirty and (saga.urgent or not after.crashes):
        _take(after)
    for effect in asked:
        if isinstance(effect, Call):
            violation = check_call(after.saved, after.effects, after.calls, effect)
            if violation is not None:
                found.violations.append((violation, after.trail.story()))
                return None
            after.calls[effect.step] = effect
            i = effect.step
            after.effects = _with(after.effects, i, effect_of_call(effect, after.effects[i]))
    violation = check_state(after.saved, after.effects)
    if violation is not None:
        found.violations.append((violation, after.trail.story()))
        return None
    return after


def _save(node: Node, what: str) -> Node:
    saga = fork(node.saga)
    after = attrs.evolve(node, saga=saga, trail=Trail(what, node.trail))
    _take(after)
    return after


def _take(node: Node) -> None:
    node.saga.take_changes(_OWNER, 1)
    node.saved = node.saga.snapshot()


def _crash(node: Node, found: Found) -> Node | None:
    """The engine dies and another takes over from what was saved."""
    if not node.calls and not node.saga.dirty:
        return None  # nothing to lose: the successor finds what is there already
    again = attrs.evolve(
        node,
        saga=_machine(node.saved),
        calls={},
        crashes=node.crashes - 1,
        trail=Trail("the engine crashes", node.trail),
    )
    events = [Admitted()] if node.saved.head.phase is Phase.PENDING else []
    return _turn(again, events, "another engine takes over", found)


def _end(node: Node, found: Found) -> None:
    violation = check_end(node.saga, node.saved, node.effects)
    if violation is not None:
        found.violations.append((violation, node.trail.story()))
        return
    head = node.saved.head
    key = (
        head.phase,
        node.effects,
        tuple((s.phase, s.undo, s.blocked.reason if s.blocked else None) for s in node.saved.steps),
    )
    if key not in found.ends:
        found.ends[key] = End(head.phase, node.saved, node.effects, node.trail.story())


def _machine(stored: Stored) -> Saga:
    return Saga(stored, _KINDS, _PERMITS)


def _with(values: tuple, i: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:i], value, *values[i + 1 :])
