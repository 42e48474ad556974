"""Why something waits, in one sentence each, from the functions that decide (design 4)."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import attrs

from wf_core.model.phases import FINISHED, PermitClass, Phase
from wf_core.model.state import INTERNAL_ERROR, MESSAGE, Blocked, StepState, Stored
from wf_core.saga import attempts, course, run, statuses
from wf_core.saga.attempts import RUN, UNDO, Side
from wf_core.saga.events import KnownKind
from wf_core.saga.ledger import Ledger


class Reason(StrEnum):
    """What a step or a workflow waits for."""

    ADMISSION = "Admission"
    SUSPENDED = "Suspended"
    PIVOT = "Pivot"
    CALLBACK = "Callback"
    CONDITION = "Condition"
    STATUS = "Status"
    PERMIT = "Permit"
    BACKOFF = "Backoff"
    IN_PROGRESS = "InProgress"
    CALL = "Call"
    PERSON = "Person"
    DEPENDENTS = "Dependents"
    FAULT = "Fault"
    REFUSED = "Refused"


@attrs.frozen
class Waiting:
    """Something that waits: a step, or the workflow itself where `step` is None."""

    step: str | None
    reason: Reason
    sentence: str


@attrs.frozen
class BlockedStep:
    """A line of `status.blocked`."""

    step: str
    blocked: Blocked


class NoPermits:
    """Explaining calls nothing."""

    def take(
        self,
        kind: str,  # noqa: ARG002
        cls: PermitClass,  # noqa: ARG002
        now: float,  # noqa: ARG002
        *,
        opens: bool,  # noqa: ARG002
    ) -> bool:
        """Never."""
        return False

    def give(self, kind: str, cls: PermitClass) -> None: ...

    def close(self, kind: str) -> None: ...

    def reopen(self, kind: str) -> None: ...


def explain(stored: Stored, kinds: Mapping[str, KnownKind], now: float) -> list[Waiting]:
    """One sentence for everything that waits at `now` (epoch seconds), the workflow first.

    Told from what is stored: a call that is in flight, and one that waits for its permit, look the
    same where the attempt was begun before.
    """
    ledger = _ledger(stored, kinds)
    waiting = [*_workflow(ledger)]
    for i in range(len(ledger.steps)):
        found = _step(ledger, i, now)
        if found is not None:
            waiting.append(Waiting(ledger.name_of(i), *found))
    return waiting


def holds_slot(stored: Stored, kinds: Mapping[str, KnownKind]) -> bool:
    """Whether the workflow counts against `maxRunningCount`, going by what is stored."""
    return course.holds_slot(_ledger(stored, kinds))


def in_flight(stored: Stored, kind: str, now: float) -> tuple[list[str], list[str]]:
    """The steps of that kind with a call in flight, and those that are due to be tried again: of
    these a store does not tell whether they were called yet."""
    sure: list[str] = []
    perhaps: list[str] = []
    for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True):
        if spec.step_template.type != kind or not _is_called(step):
            continue
        if step.next_attempt_at is None:
            sure.append(spec.name)
        elif step.next_attempt_at <= now:
            perhaps.append(spec.name)
    return sure, perhaps


def _is_called(step: StepState) -> bool:
    if step.in_progress or step.blocked is not None:
        return False
    if step.phase is Phase.RUNNING:
        return not step.failed and attempts.is_open(step)
    return step.phase is Phase.ROLLING_BACK


def _ledger(stored: Stored, kinds: Mapping[str, KnownKind]) -> Ledger:
    return Ledger(
        stored.workflow,
        stored.head,
        stored.steps,
        stored.outbox,
        kinds,
        NoPermits(),
        grace=0.0,
        sync_timeouts={},
        sync_timeout=0.0,
        retry_floor=0.0,
    )


def blocked_of(stored: Stored) -> list[BlockedStep]:
    """What waits for a person, in the document's order."""
    return [
        BlockedStep(spec.name, step.blocked)
        for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True)
        if step.blocked is not None
    ]


_Found = tuple[Reason, str]


def _workflow(ledger: Ledger) -> Iterator[Waiting]:
    head = ledger.head
    for condition in head.conditions:
        if condition.type == INTERNAL_ERROR:
            yield Waiting(None, Reason.FAULT, f"left alone, by a fault of wf: {condition.message}")
    if head.suspended:
        yield Waiting(None, Reason.SUSPENDED, "suspended; a Continue request lets it go on")
    elif course.wants_slot(ledger):
        goes = "begin" if head.phase is Phase.PENDING else "go on"
        queue = ledger.spec.queue
        sentence = f"waits for a slot in queue '{queue}' to {goes}"
        yield Waiting(None, Reason.ADMISSION, sentence)
    cause = course.cause_to_turn_back(ledger)
    if cause and run.pivot_unknown(ledger):
        pivot = ledger.graph.pivot
        assert pivot is not None
        sentence = (
            f"turns back ({cause}) unless its pivot '{ledger.name_of(pivot)}' succeeds, "
            "which has not said how it ended"
        )
        yield Waiting(None, Reason.PIVOT, sentence)
    if head.phase in FINISHED and ledger.outbox:
        left = len(ledger.outbox)
        sentence = f"{left} callback{'s have' if left > 1 else ' has'} not been delivered yet"
        yield Waiting(None, Reason.CALLBACK, sentence)


def _step(ledger: Ledger, i: int, now: float) -> _Found | None:
    step = ledger.steps[i]
    phase = ledger.head.phase
    if step.blocked is not None:
        return Reason.PERSON, _person(step.blocked)
    if phase is Phase.RUNNING:
        if step.phase is Phase.PENDING:
            return _not_begun(ledger, i)
        if step.phase is Phase.RUNNING and not step.failed:
            return _attempt(ledger, i, RUN, now)
    if phase in (Phase.ROLLING_BACK, Phase.FAILED):
        if step.phase is Phase.ROLLING_BACK:
            return _attempt(ledger, i, UNDO, now)
        if step.phase in (Phase.RUNNING, Phase.SUCCESS):
            return _not_undone(ledger, i)
    return None


def _person(blocked: Blocked) -> str:
    helps = f"; what helps: {', '.join(blocked.options)}" if blocked.options else ""
    return f"waits for a person ({blocked.reason}): {blocked.message}{helps}"


def _not_begun(ledger: Ledger, i: int) -> _Found | None:
    if ledger.steps[i].failed:
        return None  # the workflow says why it has not turned back yet
    for condition in ledger.graph.conditions[i]:
        upstream = ledger.steps[condition.on]
        if condition.phase not in upstream.reached:
            return Reason.CONDITION, (
                f"waits for '{ledger.name_of(condition.on)}' to reach {condition.phase}; "
                f"it is {upstream.phase}"
            )
    for condition in statuses.lacking(ledger, i):
        return Reason.STATUS, (
            f"waits for the resource of '{ledger.name_of(condition.on)}' to show status "
            f"'{condition.resource_status}'; it shows '{statuses.found(ledger, condition.on)}'"
        )
    return _standing(ledger) or _permit(ledger, i, "run")


def _attempt(ledger: Ledger, i: int, side: Side, now: float) -> _Found:
    step = ledger.steps[i]
    number = getattr(step, side.attempt)
    error = getattr(step, side.error)
    last = f"; last error: {error}" if error else ""
    if step.in_progress:
        seconds = max(0.0, now - step.reached.get(step.phase, now))
        if step.waits_for_person:
            asked = _said(step) or "; waits for a person's answer"
            return Reason.PERSON, f"its {side.hook} started {seconds:.0f} s ago{asked}{last}"
        return Reason.IN_PROGRESS, (
            f"its {side.hook}, begun {seconds:.0f} s ago, is in progress outside; "
            f"'{ledger.kind_of(i)}' is asked about it{_said(step)}{last}"
        )
    at = step.next_attempt_at
    if at is not None and at > now:
        raised = attempts.raised_wait(ledger, i, side)
        floor = (
            ""
            if raised is None
            else (
                f"; the document asks for a retry after {raised:g} s, which is below the shortest "
                "retry period of the engine"
            )
        )
        return Reason.BACKOFF, (
            f"attempt {number} of its {side.hook} begins in {at - now:.0f} s{floor}{last}"
        )
    if side is RUN and at is not None:
        standing = _standing(ledger)
        if standing:
            return standing
    return Reason.CALL, (
        f"attempt {number} of its {side.hook} is in flight, or waits for a permit of kind "
        f"'{ledger.kind_of(i)}'{last}"
    )


def _said(step: StepState) -> str:
    """What the kind said of what is in progress."""
    if step.resource is None or MESSAGE not in step.resource.attributes:
        return ""
    return f"; {step.resource.status}: {step.resource.attributes[MESSAGE]}"


def _not_undone(ledger: Ledger, i: int) -> _Found:
    open_ = [d for d in ledger.graph.dependents[i] if not ledger.settled[d]]
    if open_:
        names = ", ".join(f"'{ledger.name_of(d)}'" for d in open_[:3])
        more = f" and {len(open_) - 3} more" if len(open_) > 3 else ""
        return Reason.DEPENDENTS, f"is undone after {names}{more}"
    if ledger.steps[i].phase is Phase.RUNNING and attempts.is_open(ledger.steps[i]):
        return Reason.CALL, "its run was asked to stop; it is undone once that has ended"
    return _permit(ledger, i, "rollback")


def _standing(ledger: Ledger) -> _Found | None:
    if ledger.head.suspended:
        return Reason.SUSPENDED, "waits for the suspended workflow to continue"
    if ledger.head.parked and not ledger.head.slotless:
        return Reason.ADMISSION, "waits for the workflow to get a slot again"
    return None


def _permit(ledger: Ledger, i: int, hook: str) -> _Found:
    return Reason.PERMIT, f"waits for a permit of kind '{ledger.kind_of(i)}' to {hook}"
