"""What the oracle knows of a workflow: plain values, nothing counted, nothing kept up to date.

Everything that follows from these values is asked anew each time (oracle_rules.py). `Step` and
`Head` have the fields of the saved state under their names; below them stands what a crash takes.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from wf_core.model.phases import BlockReason, Ended, Hook, Phase, Purpose, Ran, RequestType, Undo
from wf_core.model.requests import Asked
from wf_core.model.spec import StepSpec, WorkflowSpec
from wf_core.model.state import Resource, StepState

RUN_HELP = (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
PAUSE_HELP = (*RUN_HELP, RequestType.CANCEL)
UNDO_HELP = (
    RequestType.RETRY_ROLLBACK,
    RequestType.SKIP_ROLLBACK,
    RequestType.MARK_ROLLED_BACK,
)


@attrs.frozen
class Block:
    """Why a step waits for a person, which requests help, and since when."""

    reason: BlockReason
    options: tuple[RequestType, ...]
    since: float


@attrs.frozen
class Window:
    """A moment that the rules leave open: not before `earliest`, no later than `latest`."""

    earliest: float
    latest: float


@attrs.define
class Flight:
    """A call that has not reported."""

    number: int
    hook: Hook
    purpose: Purpose
    look_ends: float | None = None
    grace_ends: float | None = None
    stopping: bool = False
    timed_out: bool = False
    dropped: bool = False
    written_off: bool = False
    too_large: bool = False


@attrs.define
class Step:
    """One step. `open`: an attempt was begun, or planned, and has not ended. `planned_at`: when the
    next attempt was put down, `counted`: after a failure that counts, `clamped`: put forward
    since the clock was set back. Below the line is what a crash takes."""

    phase: Phase = Phase.PENDING
    reached: dict[Phase, float] = attrs.Factory(dict)
    ran: Ran | None = None
    undo: Undo | None = None
    failed: bool = False
    attempt: int = 0
    run_retry_count: int = 0
    latest_run_retry_at: float | None = None
    rollback_attempt: int = 0
    rollback_retry_count: int = 0
    latest_rollback_retry_at: float | None = None
    in_progress: bool = False
    waits_for_person: bool = False
    interruptions: int = 0
    next_attempt_at: float | None = None
    attempt_deadline_at: float | None = None
    previous: Ended = Ended.NONE
    run_error: bool = False
    rollback_error: bool = False
    sync_error: bool = False
    blocked: Block | None = None
    resource: Resource | None = None
    attributes: dict[str, Any] = attrs.Factory(dict)
    attempts: list[tuple[Hook, int, Ended]] = attrs.Factory(list)
    open: bool = False
    planned_at: float = 0.0
    counted: bool = False
    clamped: bool = False
    # ---
    flight: Flight | None = None
    cut_off: bool = False
    woken: bool = False
    looks: int = 0
    may_look_at: float = 0.0
    look: Window | None = None
    watch: Window | None = None
    times_out_at: float | None = None


@attrs.define
class Head:
    """The workflow itself. `cause`: it has to turn back. `saved`: an engine saved it before."""

    phase: Phase = Phase.PENDING
    reached: dict[Phase, float] = attrs.Factory(dict)
    deadline_at: float | None = None
    deadline_left: float | None = None
    suspended: bool = False
    parked: bool = False
    committed: bool = False
    deletion_asked_at: float | None = None
    cause: bool = False
    signals: dict[str, Any] = attrs.Factory(dict)
    conditions: list[tuple[str, str]] = attrs.Factory(list)
    answers: list[tuple[int, RequestType, str, str | None]] = attrs.Factory(list)
    saved: bool = False
    outbox_seq: int = 0
    undelivered: list[int] = attrs.Factory(list)


@attrs.frozen
class KnownKind:
    """What the rules ask of a kind."""

    has_sync: bool
    reissue: bool


@attrs.frozen
class Seen:
    """What the machine made of the turn, where the rules leave a choice.

    `calls` are its calls by step: who of several gets a scarce permit. From `steps`: the jitter of
    a wait, the second that a permit may take, and what can't be seen from its calls. `phase` is
    the workflow's: whether it turned back, and so had no need to start anything any more.
    """

    calls: Mapping[int, tuple[Hook, Purpose]]
    steps: tuple[StepState, ...]
    phase: Phase


@attrs.define
class World:
    """A workflow at a moment, and what this turn asks for."""

    spec: WorkflowSpec
    head: Head
    steps: list[Step]
    asked: list[Asked]
    kinds: Mapping[str, KnownKind]
    grace: float
    sync_timeout: float
    now: float = 0.0
    numbers: int = 0
    seen: Seen = Seen({}, (), Phase.PENDING)
    calls: list[tuple[int, Hook, Purpose, int, float | None]] = attrs.Factory(list)
    stops: list[int] = attrs.Factory(list)
    written_off: list[int] = attrs.Factory(list)
    refused: dict[int, Purpose] = attrs.Factory(dict)
    reports: list[tuple[str, Phase]] = attrs.Factory(list)

    def report(self, step: int | None, phase: Phase) -> None:
        """F: the callback is told the workflow's phases, and each step's success and failure."""
        told = step is None or phase in (Phase.SUCCESS, Phase.FAILED)
        if told and self.spec.callback is not None:
            self.reports.append(("" if step is None else self.spec.steps[step].name, phase))
            self.head.outbox_seq += 1
            self.head.undelivered.append(self.head.outbox_seq)

    # The document, read anew each time

    @property
    def indices(self) -> range:
        """The steps as numbers."""
        return range(len(self.steps))

    def template(self, i: int) -> StepSpec:
        """What the author wrote of step i."""
        return self.spec.steps[i]

    def kind(self, i: int) -> KnownKind | None:
        """The kind of step i, if it is installed."""
        return self.kinds.get(self.spec.steps[i].step_template.type)

    def index(self, name: str | None) -> int | None:
        """The step of that name."""
        names = [s.name for s in self.spec.steps]
        return names.index(name) if name in names else None

    @property
    def pivot(self) -> int | None:
        """The step after which the saga only goes forward."""
        return next((i for i in self.indices if self.spec.steps[i].pivot), None)

    def conditions(self, i: int) -> list[tuple[int, Phase, str | None]]:
        """(upstream step, phase, resource status) that step i waits for (A4, A6)."""
        written = [(d.name, d.phase, d.resource_status) for d in self.spec.steps[i].depend_ons]
        found = [(self._at(name), phase, status) for name, phase, status in written]
        if i == self.pivot:
            below = self._descendants(i)
            found += [(k, Phase.SUCCESS, None) for k in self.indices if k != i and k not in below]
        return found

    def dependents(self, i: int) -> list[int]:
        """The steps that name step i, whatever phase they wait for (A2)."""
        return [k for k in self.indices if any(on == i for on, _, _ in self.conditions(k))]

    def _at(self, name: str) -> int:
        found = self.index(name)
        assert found is not None
        return found

    def _descendants(self, i: int) -> set[int]:
        found: set[int] = set()
        while True:
            more = {
                k
                for k in self.indices
                if any(
                    d.name in {self.spec.steps[m].name for m in {i, *found}}
                    for d in self.spec.steps[k].depend_ons
                )
            }
            if more <= found:
                return found
            found |= more


def fresh(
    spec: WorkflowSpec,
    kinds: Mapping[str, KnownKind],
    asked: Iterable[Asked],
    *,
    grace: float,
    sync_timeout: float,
) -> World:
    """A workflow as it was created."""
    return World(
        spec, Head(), [Step() for _ in spec.steps], list(asked), kinds, grace, sync_timeout
    )


def remembered(world: World) -> tuple[Head, list[Step]]:
    """What a save keeps: everything but what a crash takes."""
    head = copy.deepcopy(world.head)
    steps = copy.deepcopy(world.steps)
    for step in steps:
        step.flight = step.look = step.watch = step.times_out_at = None
        step.cut_off = step.woken = False
        step.looks = 0
        step.may_look_at = 0.0
    head.saved = True
    return head, steps
