"""The saga: one verb, `advance(events, now) -> effects`, and the changes since the last save.

A turn folds everything that arrived and starts nothing; then it derives what follows, taking
permits, until nothing moves (semantics C1). The caller saves, and only then performs the effects.
The same spec, state, events and permits give the same result, for ever.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from wf_core.model.outcomes import Succeeded
from wf_core.model.phases import BlockReason, PermitClass, Phase, Purpose
from wf_core.model.requests import Asked
from wf_core.model.spec import Parameters, Workflow
from wf_core.model.state import (
    SCHEMA_VERSION,
    Blocked,
    Owner,
    Resource,
    StepState,
    Stored,
    WorkflowState,
    Writer,
)
from wf_core.saga import course, look, recovery, requests, results, run, telling, undo, watch
from wf_core.saga.ancestry import upstream_values
from wf_core.saga.calls import give_permit, stop
from wf_core.saga.delta import Delta
from wf_core.saga.events import (
    Admitted,
    CallbackFailing,
    CallbackSettled,
    Checkpointed,
    DeletionAsked,
    Effect,
    Event,
    KnownKind,
    Permits,
    PolicyChanged,
    Refused,
    Reported,
    Woken,
    WriteOff,
)
from wf_core.saga.ledger import WORKFLOW_TIMER, Ledger, Misplaced
from wf_core.saga.sizes import short
from wf_core.saga.table import check_together


class Saga:
    """One workflow, from what was stored.

    `kinds` are what is installed, by name; `permits` hands out permits; `grace` is the seconds a
    hook has to stop once asked, `sync_timeout` (and `sync_timeouts` by kind) the seconds of a look,
    `retry_floor` the least seconds between a failed attempt and the next.
    `misplaced` says why a kind can't work in the workflow's folder.
    `died` names the steps whose calls were open when the process before this one died, and whether
    each was open alone; what it does not name nobody knows (B3).
    Everything found unfinished is recovered at `now`, in the first `advance`. Raises EngineError
    for a state that no engine leaves (C10).
    """

    def __init__(
        self,
        stored: Stored,
        kinds: Mapping[str, KnownKind],
        permits: Permits,
        *,
        grace: float = 10.0,
        sync_timeout: float = 60.0,
        sync_timeouts: Mapping[str, float] | None = None,
        retry_floor: float = 0.0,
        misplaced: Misplaced | None = None,
        died: Mapping[str, bool] | None = None,
    ) -> None:
        self._workflow = stored.workflow
        names = (step.name for step in stored.workflow.spec.steps)
        check_together(stored.head.phase, zip(names, stored.steps, strict=True))
        self._ledger = Ledger(
            stored.workflow,
            stored.head,
            stored.steps,
            stored.outbox,
            kinds,
            permits,
            grace,
            sync_timeouts or {},
            sync_timeout,
            retry_floor,
            misplaced,
        )
        self._ledger.asked = sorted(stored.asked, key=lambda asked: asked.seq)
        index = self._ledger.index
        self._ledger.died = {index[step]: alone for step, alone in (died or {}).items()}
        self._recovered = False

    # What the shell asks

    @property
    def workflow(self) -> Workflow:
        """The document."""
        return self._workflow

    @property
    def head(self) -> WorkflowState:
        """The workflow's state, saved or not."""
        return self._ledger.head

    @property
    def key_uid(self) -> str:
        """The uid that idempotency keys come from, and by which plugins know the workflow."""
        return self._ledger.head.key_uid or self._ledger.uid

    @property
    def steps(self) -> Sequence[StepState]:
        """The steps' states, saved or not."""
        return self._ledger.steps

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self._ledger.dirty

    @property
    def urgent(self) -> bool:
        """Whether the workflow's end, or a person, waits for the save."""
        return self._ledger.urgent

    @property
    def next_wake(self) -> float | None:
        """When time itself is an event, epoch seconds."""
        return self._ledger.timers.next()

    @property
    def in_flight(self) -> int:
        """How many calls have not reported."""
        return len(self._ledger.flights)

    @property
    def asked(self) -> bool:
        """Whether a request waits for its answer, or deletion was asked for."""
        return bool(self._ledger.asked) or self._ledger.head.deletion_asked_at is not None

    @property
    def wants_slot(self) -> bool:
        """Whether it waits to be admitted, or to go on."""
        return course.wants_slot(self._ledger)

    @property
    def holds_slot(self) -> bool:
        """Whether it counts as running."""
        return course.holds_slot(self._ledger)

    @property
    def removable(self) -> bool:
        """Whether its deletion was asked and nothing stands against it any more."""
        return course.removable(self._ledger)

    @property
    def rests(self) -> bool:
        """Whether nothing happens unless a person, or a watch, moves it."""
        ledger = self._ledger
        if ledger.head.phase in (Phase.SUCCESS, Phase.ROLL_BACKED, Phase.FAILED):
            return not ledger.flights
        if ledger.head.suspended and ledger.head.phase in (Phase.PENDING, Phase.RUNNING):
            going = any(s.in_progress and s.blocked is None for s in ledger.steps)
            return not ledger.flights and not going
        # What waits for a person's answer has looks, and perhaps a deadline, of its own.
        asked = any(s.waits_for_person and s.blocked is None for s in ledger.steps)
        return course.wholly_blocked(ledger) and not asked

    @property
    def watched(self) -> bool:
        """Whether a step in Success is looked at again and again."""
        return any(watch.watch_period(self._ledger, i) > 0 for i in range(len(self.steps)))

    def snapshot(self) -> Stored:
        """What would be stored now."""
        ledger = self._ledger
        return Stored(
            self._workflow,
            ledger.head,
            tuple(ledger.steps),
            tuple(ledger.outbox),
            tuple(ledger.asked),
        )

    def upstream_values(self, i: int) -> tuple[Parameters, dict[str, Resource]]:
        """Attributes and resources of the ancestors of step i."""
        ledger = self._ledger
        return upstream_values(ledger.graph, ledger.spec.steps, ledger.steps, i)

    def take_changes(self, owner: Owner, n: int) -> Delta:
        """What is to be saved now, as revision + 1 by `owner`'s n-th write; it counts as saved."""
        ledger = self._ledger
        ledger.put_head(
            revision=ledger.head.revision + 1,
            owner=owner,
            writer=Writer(owner.epoch, n),
            schema_version=SCHEMA_VERSION,
        )
        return ledger.take_delta()

    # The one verb

    def advance(self, events: Sequence[Event], now: float) -> list[Effect]:
        """Take everything that arrived, at `now` (epoch seconds); gives what to do once saved."""
        ledger = self._ledger
        if not self._recovered:
            self._recovered = True
            recovery.recover(ledger, now)
        self._fold(events, now)
        requests.answer_all(ledger, now)
        while (timer := ledger.timers.pop(now)) is not None:
            self._fire(*timer, now)
        self._derive(now)
        ledger.prepare_effects()
        effects = ledger.effects
        ledger.effects = []
        return effects

    def _fold(self, events: Sequence[Event], now: float) -> None:
        ledger = self._ledger
        # Hook outcomes first, by step; then requests by sequence: the same whatever the arrival.
        reports = [e for e in events if isinstance(e, Reported | Checkpointed)]
        for report in sorted(reports, key=lambda e: (e.step, isinstance(e, Reported))):
            if isinstance(report, Reported):
                self._reported(report, now)
            else:
                self._checkpointed(report)
        for event in events:
            match event:
                case Asked():
                    waiting = any(event.seq == asked.seq for asked in ledger.asked)
                    answered = any(event.seq == answer.seq for answer in ledger.head.answers)
                    if not waiting and not answered:
                        ledger.asked.append(event)
                case Admitted():
                    course.admit(ledger, now)
                case Refused(error):
                    if ledger.head.phase is Phase.PENDING:
                        ledger.move_workflow(Phase.FAILED, now, error, error=short(error))
                case Woken(step):
                    look.wake(ledger, step, now)
                case DeletionAsked(at):
                    course.delete(ledger, at, now)
                # One that goes without an undo has dropped what it was about: there is no way back.
                case PolicyChanged(policy) if not course.orphaned(ledger):
                    spec = replace(self._workflow.spec, deletion_policy=policy)
                    self._workflow = replace(self._workflow, spec=spec)
                    course.change_policy(ledger, spec, now)
                case CallbackSettled(seq, dropped, error):
                    telling.settled(ledger, seq, dropped, error, now)
                case CallbackFailing(seq, error):
                    telling.failing(ledger, seq, error, now)
        ledger.asked.sort(key=lambda asked: asked.seq)

    def _reported(self, event: Reported, now: float) -> None:
        ledger, i = self._ledger, event.step
        flight = ledger.flights.get(i)
        if flight is None or flight.call != event.call:
            return
        del ledger.flights[i]
        give_permit(ledger, i, flight)
        for timer in ("look-timeout", "grace"):
            ledger.timers.clear(i, timer)
        blocked = ledger.steps[i].blocked
        if blocked is not None and blocked.reason is BlockReason.HOOK_STUCK:
            ledger.put(i, blocked=None)
        if course.orphaned(ledger):
            ledger.close_attempt(i)
            return
        outcome = look.understood(flight, event.outcome)
        if flight.dropped:
            ledger.offer_undo(i)
            watch.arm_watch(ledger, i, now)
        elif flight.purpose is Purpose.WATCH:
            watch.outcome(ledger, i, outcome, now)
        elif flight.purpose is Purpose.ROLLBACK:
            undo.outcome(ledger, i, flight, outcome, now)
        else:
            run.outcome(ledger, i, flight, outcome, now)

    def _checkpointed(self, event: Checkpointed) -> None:
        ledger, i = self._ledger, event.step
        flight = ledger.flights.get(i)
        if flight is not None and flight.call == event.call and not flight.dropped:
            result = Succeeded(event.resource, event.attributes)
            flight.too_large = results.keep(ledger, i, result)
            # The hook waits for the save, whether or not anything is new in it.
            ledger.put(i)
            ledger.urgent = True

    def _fire(self, i: int, name: str, now: float) -> None:
        ledger = self._ledger
        if i == WORKFLOW_TIMER:
            course.deadline_passed(ledger)
            return
        flight = ledger.flights.get(i)
        undoing = ledger.steps[i].phase is Phase.ROLLING_BACK
        match name:
            case "attempt":
                ledger.offer_again(i, PermitClass.ROLLBACK if undoing else PermitClass.RUN)
            case "look" | "watch":
                ledger.offer_look(i)
            case "grace":
                self._stuck(i, now)
            case _ if flight is not None:
                flight.timed_out = flight.timed_out or name == "timeout"
                stop(ledger, i)
                # Once only: neither a second limit nor a hook that is stuck gets more time.
                if flight.permit is not None and ledger.timers.due(i, "grace") is None:
                    ledger.timers.set(i, "grace", now + ledger.grace)
            # What waits for its kind neither fails nor is undone (semantics B10).
            case _ if not course.orphaned(ledger) and ledger.steps[i].blocked is None:
                (undo if undoing else run).timed_out(ledger, i, now)

    def _stuck(self, i: int, now: float) -> None:
        """A hook that does not stop: its thread and its permit are given up, not its outcome."""
        ledger = self._ledger
        flight = ledger.flights[i]
        give_permit(ledger, i, flight)
        why = (
            f"its {flight.hook} was asked to stop and has not within {ledger.grace:g} s; it counts "
            "as timed out once the process that runs it has ended"
        )
        ledger.block(i, Blocked(BlockReason.HOOK_STUCK, now, why))
        ledger.effects.append(WriteOff(i, flight.call))

    def _derive(self, now: float) -> None:
        ledger = self._ledger
        while True:
            moved = course.turn_back(ledger, now)
            if not course.orphaned(ledger):
                moved |= self._serve(now)
            if not moved:
                phase = ledger.head.phase
                course.finish(ledger, now)
                moved = course.stand_still(ledger, now) or ledger.head.phase is not phase
            if not moved:
                break

    def _serve(self, now: float) -> bool:
        """Hand out permits: undo before run before watch (semantics E2)."""
        ledger, head = self._ledger, self._ledger.head
        served = False
        if head.phase is Phase.ROLLING_BACK:
            retries = ledger.retries[PermitClass.ROLLBACK]
            served |= retries.serve(lambda i: undo.again(ledger, i, now))
            served |= ledger.undoable.serve(lambda i: undo.start(ledger, i, now))
            served |= ledger.looks[Purpose.ROLLBACK].serve(lambda i: look.look(ledger, i, now))
        if head.phase is Phase.RUNNING:
            served |= ledger.looks[Purpose.RUN].serve(lambda i: look.look(ledger, i, now))
            if not head.suspended and not head.parked:
                retries = ledger.retries[PermitClass.RUN]
                served |= retries.serve(lambda i: run.again(ledger, i, now))
                served |= ledger.ready.serve(lambda i: run.start(ledger, i, now))
        # Watches last (semantics E2): not before what became ready in this very turn.
        return served or ledger.looks[Purpose.WATCH].serve(lambda i: watch.watch(ledger, i, now))
