"""The books of one saga: its state, what changed since the last save, and the open counts.

Everything here costs O(what changed): moving a step touches that step and its neighbours.
"""

from collections.abc import Callable, Mapping, Sequence

import attrs
from msgspec.structs import replace

from wf_core.model.phases import (
    FINISHED,
    Ended,
    Hook,
    PermitClass,
    Phase,
    Purpose,
    RollbackMode,
    RollbackPolicy,
    Undo,
)
from wf_core.model.requests import Answer, Asked, Request
from wf_core.model.spec import StepSpec, Workflow
from wf_core.model.state import (
    KEPT_ATTEMPTS,
    MAX_OUTBOX,
    Attempt,
    Blocked,
    Condition,
    Folder,
    OutboxEntry,
    StepState,
    Transition,
    WorkflowState,
)
from wf_core.saga import deaths
from wf_core.saga.backoff import fraction
from wf_core.saga.delta import Delta
from wf_core.saga.events import Effect, KnownKind, Permits
from wf_core.saga.graph import Graph
from wf_core.saga.reports import reported
from wf_core.saga.sizes import parameters_size, size
from wf_core.saga.sizes import short as short  # the engine cuts its errors alike
from wf_core.saga.table import check_step, check_workflow
from wf_core.saga.timers import Timers
from wf_core.saga.waiting import Waiting

WORKFLOW_TIMER = -1
Misplaced = Callable[[str, Folder], str | None]
"""Why hooks of the kind of that name can't work in a folder, from here; None where they can."""
KEPT_ANSWERS = 64


@attrs.define
class Flight:
    """A call that was asked for and has not reported. `permit` is given back when it ends.

    `stopping`: it was asked to stop; `timed_out`: since its attempt's time is over; `dropped`: what
    it reports is of no interest; `too_large`: what it wanted saved on its way did not fit.
    """

    call: int
    hook: Hook
    purpose: Purpose
    permit: PermitClass | None
    stopping: bool = False
    timed_out: bool = False
    dropped: bool = False
    too_large: str | None = None


class Ledger:
    """State and open counts of one saga. Steps are integers."""

    __slots__ = (  # dozens of names: a dict for each of thousands of sagas would be a waste
        "_answered",
        "_claimed",
        "_cursor_moved",
        "_dirty",
        "_failed",
        "_head_dirty",
        "_history",
        "_outbox_new",
        "_sync_timeout",
        "_sync_timeouts",
        "applying",
        "asked",
        "attribute_bytes",
        "awaiting_status",
        "blocked",
        "calls",
        "count",
        "died",
        "effects",
        "flights",
        "grace",
        "graph",
        "head",
        "index",
        "interrupted",
        "kinds",
        "looks",
        "misplaced",
        "next_look",
        "open",
        "open_conditions",
        "open_dependents",
        "outbox",
        "parameter_bytes",
        "permits",
        "polls",
        "ready",
        "retries",
        "retry_floor",
        "settled",
        "spec",
        "steps",
        "timers",
        "uid",
        "undoable",
        "urgent",
        "woken",
    )

    def __init__(
        self,
        workflow: Workflow,
        head: WorkflowState,
        steps: Sequence[StepState],
        outbox: Sequence[OutboxEntry],
        kinds: Mapping[str, KnownKind],
        permits: Permits,
        grace: float,
        sync_timeouts: Mapping[str, float],
        sync_timeout: float,
        retry_floor: float,
        misplaced: Misplaced | None = None,
    ) -> None:
        self.uid = workflow.metadata.uid
        self.spec = workflow.spec
        self.graph = Graph.shared(workflow.spec.steps)
        self.index = self.graph.index
        self.head = head
        self.steps = list(steps)
        self.kinds = kinds
        self.permits = permits
        self.grace = grace
        self.retry_floor = retry_floor
        self._sync_timeout = sync_timeout
        self._sync_timeouts = sync_timeouts
        self.misplaced = misplaced
        self.flights: dict[int, Flight] = {}
        self.effects: list[Effect] = []
        self.calls = 0
        self.open: dict[int, None] = {}
        self.polls: dict[int, int] = {}
        self.next_look: dict[int, float] = {}
        self.asked: list[Asked] = []
        self.applying: Request | None = None
        self.woken: dict[int, None] = {}
        self.interrupted: dict[int, None] = {}
        self.died: Mapping[int, bool] = {}  # open when a process died: whether alone
        self.ready = Waiting()
        self.retries = {PermitClass.ROLLBACK: Waiting(), PermitClass.RUN: Waiting()}
        self.looks = {purpose: Waiting() for purpose in Purpose}
        self.undoable = Waiting()
        self.awaiting_status: dict[int, None] = {}
        self.timers = Timers()
        self._dirty: dict[int, None] = {}
        self._head_dirty = False
        self._cursor_moved = False
        self._claimed = False
        self.urgent = False
        self._history: list[Transition] = []
        self._failed: list[int] = []
        self.attribute_bytes = sum(size(step.attributes) for step in self.steps)
        self.parameter_bytes = sum(parameters_size(step.parameters) for step in self.steps)
        self._outbox_new: list[OutboxEntry] = []
        self._answered: list[int] = []
        self.outbox = list(outbox)
        self.count = dict.fromkeys(Phase, 0)
        self.blocked = dict.fromkeys(Phase, 0)
        for step in self.steps:
            self.count[step.phase] += 1
            self._count_blocked(step, 1)
        # A condition on a phase is latched: it asks whether the phase was ever reached (A6).
        self.open_conditions = [
            sum(c.phase not in self.steps[c.on].reached for c in each)
            for each in self.graph.conditions
        ]
        self.settled = bytearray(self.is_settled(i) for i in range(len(self.steps)))
        self.open_dependents = [
            sum(not self.settled[d] for d in each) for each in self.graph.dependents
        ]

    # Reading

    def step_spec(self, i: int) -> StepSpec:
        """The specification of step i."""
        return self.spec.steps[i]

    def name_of(self, i: int) -> str:
        """The name of step i."""
        return self.spec.steps[i].name

    def kind_of(self, i: int) -> str:
        """The name of step i's kind."""
        return self.spec.steps[i].step_template.type

    def policy_of(self, i: int) -> RollbackPolicy:
        """The step's own rollback policy, else the workflow's (seed fault 10)."""
        return self.spec.steps[i].step_template.rollback_policy or self.spec.rollback_policy

    def is_settled(self, i: int) -> bool:
        """Whether the steps that i depends on need not wait for its undo (semantics A2)."""
        step = self.steps[i]
        if step.phase is Phase.ROLL_BACKED:
            return True
        return step.phase is Phase.FAILED and (
            step.undo is Undo.SKIPPED or self.policy_of(i) is RollbackPolicy.ALWAYS
        )

    def purpose_of(self, i: int) -> Purpose:
        """What a look at step i asks about."""
        phase = self.steps[i].phase
        if phase is Phase.ROLLING_BACK:
            return Purpose.ROLLBACK
        return Purpose.RUN if phase is Phase.RUNNING else Purpose.WATCH

    def jitter(self, i: int, *what: object) -> float:
        """A fraction in [0, 1) of this workflow's step's own."""
        return fraction(self.uid, self.spec.steps[i].name, *what)

    def sync_timeout(self, i: int) -> float:
        """Seconds that one look at step i may take."""
        return self._sync_timeouts.get(self.kind_of(i), self._sync_timeout)

    @property
    def dirty(self) -> bool:
        """Whether anything is to be saved. What the callback has been told rides along with other
        changes, and is worth a save of its own only at the end (semantics C3)."""
        told = self._cursor_moved and not self.outbox and self.head.phase in FINISHED
        return bool(self._head_dirty or self._dirty or self._answered or told)

    # Writing

    def put(self, i: int, **changes: object) -> StepState:
        """Change step i within its phase."""
        before = self.steps[i]
        after = replace(before, **changes)
        self._count_blocked(before, -1)
        self._count_blocked(after, 1)
        self.steps[i] = after
        self._dirty[i] = None
        return after

    def put_head(self, **changes: object) -> None:
        """Change the workflow within its phase."""
        self.head = replace(self.head, **changes)
        self._head_dirty = True

    def move(self, i: int, to: Phase, now: float, reason: str = "", **changes: object) -> None:
        """Move step i along the table, with everything that follows for its neighbours."""
        before = self.steps[i]
        check_step(before.phase, to)
        after = self.put(i, phase=to, reached={**before.reached, to: now}, **changes)
        if to is Phase.RUNNING and not self.head.key_uid:
            self.put_head(key_uid=self.uid)
        self.count[before.phase] -= 1
        self.count[to] += 1
        name = self.spec.steps[i].name
        attempt = after.rollback_attempt if after.rollback_attempt else after.attempt
        self._record(now, before.phase, to, name, reason, attempt)
        self.report(to, now, name)
        if to in (Phase.RUNNING, Phase.SUCCESS) and to not in before.reached:
            self._reach(i, to)
        if self.settled[i] != self.is_settled(i):
            self.settle(i)

    def move_workflow(self, to: Phase, now: float, reason: str = "", **changes: object) -> None:
        """Move the workflow along the table."""
        before = self.head
        check_workflow(before.phase, to)
        self.put_head(phase=to, reached={**before.reached, to: now}, **changes)
        self._record(now, before.phase, to, None, reason)
        self.report(to, now, None)
        self.urgent = True

    def settle(self, i: int) -> None:
        """Step i no longer holds up the undo of what it depends on, or does so again."""
        self.settled[i] = self.is_settled(i)
        by = -1 if self.settled[i] else 1
        for up in self.graph.upstream[i]:
            self.open_dependents[up] += by
            if self.open_dependents[up] == 0:
                self.offer_undo(up)

    def offer_undo(self, i: int) -> None:
        """Let step i be undone next, if the workflow rolls back and nothing of it is in flight."""
        if (
            self.head.phase is Phase.ROLLING_BACK
            and self.steps[i].phase in (Phase.RUNNING, Phase.SUCCESS)
            and self.open_dependents[i] == 0
            and i not in self.flights
        ):
            # What is not called waits for no permit, and behind nobody who does.
            called = self.step_spec(i).rollback is not RollbackMode.NONE
            self.undoable.add(self.kind_of(i) if called else "", i)

    def offer_run(self, i: int) -> None:
        """Let step i start next, its phase conditions being reached."""
        self.ready.add(self.kind_of(i), i)

    def offer_again(self, i: int, cls: PermitClass) -> None:
        """Let the saved attempt of step i be called when a permit is free."""
        self.retries[cls].add(self.kind_of(i), i)

    def offer_look(self, i: int) -> None:
        """Let step i be looked at when a permit is free."""
        self.looks[self.purpose_of(i)].add(self.kind_of(i), i)

    def forget_waiting(self) -> None:
        """Nothing forward waits any more: the workflow turns back."""
        for waiting in (self.ready, self.retries[PermitClass.RUN], *self.looks.values()):
            waiting.clear()
        self.awaiting_status.clear()

    def end_attempt(
        self, i: int, hook: Hook, outcome: Ended, now: float, error: str | None
    ) -> None:
        """Book a finished attempt; `previous` is what the next call is told (semantics B2)."""
        step = self.steps[i]
        number = step.attempt if hook is Hook.RUN else step.rollback_attempt
        attempt = Attempt(hook, number, outcome, now, error)
        self.put(
            i,
            attempts=(*step.attempts, attempt)[-KEPT_ATTEMPTS:],
            previous=outcome,
            in_progress=False,
            waits_for_person=False,
            interruptions=0,
            deaths=0 if outcome is Ended.SUCCEEDED else deaths.kept(step, now),
            attempt_deadline_at=None,
            next_attempt_at=None,
        )
        for timer in ("look", "timeout", "grace"):
            self.timers.clear(i, timer)
        self.woken.pop(i, None)
        self.polls.pop(i, None)
        self.next_look.pop(i, None)
        self.interrupted.pop(i, None)
        self.close_attempt(i)

    def open_attempt(self, i: int, cls: PermitClass, now: float) -> bool:
        """Take the permit of a call that begins an attempt (semantics E1)."""
        if not self.permits.take(self.kind_of(i), cls, now, opens=True):
            return False
        self.open[i] = None
        return True

    def reopen_attempt(self, i: int) -> None:
        """Count an attempt that was open before a crash."""
        self.permits.reopen(self.kind_of(i))
        self.open[i] = None

    def close_attempt(self, i: int) -> None:
        """The attempt, if one was open, is over."""
        if i in self.open:
            del self.open[i]
            self.permits.close(self.kind_of(i))

    def drop_attempt(self, i: int, cls: PermitClass) -> None:
        """Give a permit back that turned out not to be needed."""
        self.permits.give(self.kind_of(i), cls)
        self.close_attempt(i)

    def want_rollback(self, cause: str) -> None:
        """Turn back as soon as the pivot's outcome is known; the first cause is kept."""
        if not self.head.cause:
            self.put_head(cause=short(cause))

    def failed(self, i: int, now: float) -> None:
        """Tell the callback and the observers that a run failed for good: no phase says so."""
        self._failed.append(i)
        self.report(Phase.FAILED, now, self.spec.steps[i].name)

    def block(self, i: int, blocked: Blocked) -> None:
        """Say that step i waits for a person."""
        self.put(i, blocked=replace(blocked, message=short(blocked.message)))

    def condition(self, type_: str, reason: str, message: str, now: float) -> None:
        """Add a standing remark, once a type and reason."""
        if not any(c.type == type_ and c.reason == reason for c in self.head.conditions):
            added = Condition(type_, reason, short(message), now)
            self.put_head(conditions=(*self.head.conditions, added))

    def drop_condition(self, type_: str) -> None:
        """Take remarks of a type away; that rides along with the next save."""
        left = tuple(each for each in self.head.conditions if each.type != type_)
        if left != self.head.conditions:
            self.head = replace(self.head, conditions=left)

    def report(self, phase: Phase, now: float, step: str | None) -> None:
        """Put an entry into the outbox, where a callback wants it; at the limit the oldest goes."""
        if not reported(self.spec.callback, phase, step):
            return
        by, why = self._asked_of(step)
        entry = OutboxEntry(self.head.outbox_seq + 1, phase, now, step, by, why)
        self.put_head(outbox_seq=entry.seq)
        self.outbox.append(entry)
        self._outbox_new.append(entry)
        if len(self.outbox) > MAX_OUTBOX:
            oldest = self.outbox.pop(0)
            self.put_head(outbox_delivered=oldest.seq, outbox_dropped=self.head.outbox_dropped + 1)

    def settle_callback(self, seq: int, dropped: bool) -> None:
        """Forget entries up to `seq`; one that was given up is counted."""
        if seq <= self.head.outbox_delivered:
            return
        while self.outbox and self.outbox[0].seq <= seq:
            del self.outbox[0]
        self.head = replace(
            self.head,
            outbox_delivered=seq,
            outbox_dropped=self.head.outbox_dropped + int(dropped),
        )
        self._cursor_moved = True

    def answer(self, answer: Answer) -> None:
        """Answer a request, in the save that applies it."""
        self.put_head(answers=(*self.head.answers, answer)[-KEPT_ANSWERS:])
        self._answered.append(answer.seq)
        self.urgent = True

    def prepare_effects(self) -> None:
        """What changed must be saved before the effects; the first calls of an owner wait for the
        save that says so (semantics C5)."""
        if self.effects and not self._claimed:
            self._head_dirty = True
        if self.effects and self.dirty:
            self.urgent = True

    def take_delta(self) -> Delta:
        """What is to be saved; the ledger is clean afterwards."""
        delta = Delta(
            head=self.head,
            steps={i: self.steps[i] for i in self._dirty},
            # More than the outbox holds can come at once: what gave way is counted, not stored.
            outbox=tuple(e for e in self._outbox_new if e.seq > self.head.outbox_delivered),
            history=tuple(replace(each, revision=self.head.revision) for each in self._history),
            answered=tuple(self._answered),
            failed=tuple(self._failed),
        )
        self._dirty.clear()
        self._head_dirty = False
        self._cursor_moved = False
        self._claimed = True
        self.urgent = False
        self._history.clear()
        self._outbox_new.clear()
        self._answered.clear()
        self._failed.clear()
        return delta

    # Within

    def _asked_of(self, step: str | None) -> tuple[str, str]:
        """Who asked for what moves now, and why. The reason belongs to what the request names: the
        workflow, or one step."""
        request = self.applying
        if request is None:
            return "", ""
        return request.by, short(request.reason) if request.step == step else ""

    def _record(
        self,
        now: float,
        before: Phase,
        after: Phase,
        step: str | None,
        reason: str,
        attempt: int = 0,
    ) -> None:
        by, why = self._asked_of(step)
        if why and why not in reason:
            reason = f"{reason}: {why}" if reason else why
        self._history.append(Transition(now, before, after, step, short(reason), attempt, by=by))

    def _reach(self, i: int, phase: Phase) -> None:
        for waiter, awaited in self.graph.gates[i]:
            if awaited is phase:
                self.open_conditions[waiter] -= 1
                if self.open_conditions[waiter] == 0 and self.steps[waiter].phase is Phase.PENDING:
                    self.offer_run(waiter)

    def _count_blocked(self, step: StepState, by: int) -> None:
        if step.blocked is not None or step.waits_for_person:
            self.blocked[step.phase] += by
