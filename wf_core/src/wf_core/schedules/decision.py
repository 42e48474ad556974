"""What a schedule does next, from what is saved of it, how its runs stand and what time it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import attrs
from msgspec.structs import replace

from wf_core.model.phases import FINISHED, Phase
from wf_core.model.schedule import (
    MAX_RUNS,
    ConcurrencyPolicy,
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    ScheduledRun,
)
from wf_core.schedules.runs import run_name
from wf_core.schedules.timetable import BadScheduleError, Passed, Timetable, timetable

SUSPENDED = "Suspended"
INVALID = "InvalidSpec"
MISSED = "Missed"
SKIPPED = "Skipped"
WAITING = "Waiting"
REFUSED = "Refused"
LEFT_ALONE = "LeftAlone"
"""The reasons that a status may give."""


@attrs.frozen
class RunState:
    """How a run stands. `cancellable`: a Cancel would do something, and is not asked yet.
    `owes`: what it did is there and not undone, though it has ended. `settled`: nobody waits for
    anything of it, so that it may be forgotten once it has ended."""

    phase: Phase
    finished_at: float | None = None
    cancellable: bool = False
    owes: bool = False
    settled: bool = True


@attrs.frozen
class Decision:
    """`status` is what to save, equal to what is saved where nothing has changed. First the runs
    `cancel` are asked to cancel and `remove` are forgotten; `start` is the slot of the run that is
    made with the save. `wake_at` is when to decide again though nothing happened."""

    status: CronStatus
    start: float | None = None
    cancel: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    wake_at: float | None = None


def decide(
    schedule: CronWorkflow,
    created_at: float,
    status: CronStatus,
    runs: Mapping[str, RunState],
    now: float,
    fault: str = "",
    unsaved: Sequence[ScheduledRun] = (),
) -> Decision:
    """One turn. `runs` holds those of `status` and `unsaved` that are still there; `fault` is why
    no run of it could begin. `unsaved` are runs that `status` does not know of: a scheduler made
    them and was killed before it saved that. Times are epoch seconds."""
    spec = schedule.spec
    try:
        table = timetable(spec.schedule, spec.time_zone)
    except BadScheduleError as error:
        fault, table = str(error), None
    saved, status = status, _adopted(spec, table, status, created_at, unsaved)
    followed = _followed(status, runs)
    remove = _beyond_limits(spec, saved, followed, runs)
    if table is None or fault or spec.suspend:
        said = (INVALID, fault) if fault else (SUSPENDED, "")
        # What an expression that means something is mended from had no slots.
        seen = followed.timetable if table is not None else _named(spec)
        idle = _said(replace(followed, next_schedule_time=None, timetable=seen), *said)
        return Decision(idle, remove=remove)
    since = _counted_from(spec, status, created_at, now)
    due = _Due(schedule, table, table.passed(since, now), runs, now)
    decision = due.decide(_recovered(replace(followed, timetable=_named(spec), decided_time=since)))
    after = table.after(max(now, decision.status.decided_time or now))
    wakes = [at for at in (after, due.lapses(decision.status)) if at is not None]
    return attrs.evolve(
        decision,
        status=replace(decision.status, next_schedule_time=after),
        remove=remove,
        wake_at=min(wakes, default=None),
    )


def without(status: CronStatus, names: Sequence[str]) -> CronStatus:
    """The status once these runs are gone."""
    return replace(
        status,
        active=tuple(run for run in status.active if run.name not in names),
        finished=tuple(run for run in status.finished if run.name not in names),
    )


def refused(status: CronStatus, slot: float, why: str, before: CronStatus) -> CronStatus:
    """The status where the run of a slot could not be made after all; `before` is the saved one."""
    left = tuple(run for run in status.active if run.scheduled_time != slot)
    last = before.last_schedule_time
    return _said(
        replace(status, active=left, skipped=status.skipped + 1, last_schedule_time=last),
        REFUSED,
        f"the slot of {_shown(slot)} was skipped: {why}",
    )


def _adopted(
    spec: CronWorkflowSpec,
    table: Timetable | None,
    status: CronStatus,
    created_at: float,
    unsaved: Sequence[ScheduledRun],
) -> CronStatus:
    """The status that the scheduler would have saved which made these runs."""
    same = table is not None and status.timetable in ("", _named(spec))
    for run in sorted(unsaved, key=lambda run: run.scheduled_time):
        slot, since = run.scheduled_time, status.decided_time
        if status.waiting_time == slot:
            status = replace(status, waiting_time=None)
        if table is not None and same:
            passed = table.passed(created_at if since is None else since, slot)
            if passed is not None:
                status = _counted(status, passed)
            status = replace(status, timetable=_named(spec))
        status = replace(
            status,
            active=(*status.active, run),
            decided_time=slot if since is None else max(slot, since),
            last_schedule_time=max(slot, status.last_schedule_time or slot),
        )
    return status


def _counted(status: CronStatus, passed: Passed) -> CronStatus:
    """All but the latest are over: one that waited, and those that nobody was there for."""
    status = replace(status, decided_time=passed.latest)
    if status.waiting_time is not None:
        by = f"that of {_shown(passed.latest)} has come meanwhile"
        status = _skipped(status, status.waiting_time, by)
    earlier = passed.count - 1
    if not earlier:
        return status
    many = f"{'at least ' if passed.more else ''}{earlier}"
    which = "slot before it was" if earlier == 1 else "slots before it were"
    return _said(
        replace(status, missed=status.missed + earlier),
        MISSED,
        f"the latest slot is that of {_shown(passed.latest)}; {many} {which} missed",
    )


def _skipped(status: CronStatus, slot: float, why: str) -> CronStatus:
    return _said(
        replace(status, waiting_time=None, skipped=status.skipped + 1),
        SKIPPED,
        f"the slot of {_shown(slot)} was skipped: {why}",
    )


def held_up(status: CronStatus, slot: float, why: str) -> CronStatus:
    """The saved status where the run of a slot is not allowed now, and tried again."""
    said = f"the run of the slot of {_shown(slot)} is refused, and tried again: {why}"
    return _said(status, REFUSED, said)


def _followed(status: CronStatus, runs: Mapping[str, RunState]) -> CronStatus:
    """The runs as they are now, sorted into those under way and those that have ended."""
    active: list[ScheduledRun] = []
    finished: list[ScheduledRun] = []
    succeeded = status.last_successful_time
    for run in sorted((*status.active, *status.finished), key=lambda run: run.scheduled_time):
        state = runs.get(run.name)
        if state is None:
            continue  # somebody removed it
        if state.phase not in FINISHED or (run.replaced and state.owes):
            phase = Phase.RUNNING if state.phase is Phase.PENDING else state.phase
            active.append(replace(run, phase=phase, finished_time=None))
            continue
        finished.append(replace(run, phase=state.phase, finished_time=state.finished_at))
        if state.phase is Phase.SUCCESS and state.finished_at is not None:
            succeeded = max(state.finished_at, succeeded or state.finished_at)
    return replace(
        status,
        active=tuple(active),
        finished=tuple(finished[-MAX_RUNS:]),
        last_successful_time=succeeded,
    )


def _beyond_limits(
    spec: CronWorkflowSpec,
    status: CronStatus,
    followed: CronStatus,
    runs: Mapping[str, RunState],
) -> tuple[str, ...]:
    """Those to forget: ended, saved as that, and older than as many of the same outcome as are
    kept. What is not undone or not reported yet is not forgotten."""
    saved = {run.name for run in status.finished}
    found = []
    for phase, limit in (
        (Phase.SUCCESS, spec.successful_runs_history_limit),
        (Phase.ROLL_BACKED, spec.rolled_back_runs_history_limit),
        (Phase.FAILED, spec.failed_runs_history_limit),
    ):
        ended = [run.name for run in followed.finished if run.phase is phase]
        for name in ended[: max(0, len(ended) - limit)]:
            if name in saved and runs[name].settled and not runs[name].owes:
                found.append(name)
    return tuple(found)


def _named(spec: CronWorkflowSpec) -> str:
    return f"{spec.schedule} {spec.time_zone}"


def _counted_from(
    spec: CronWorkflowSpec, status: CronStatus, created_at: float, now: float
) -> float:
    """Slots up to this are none of ours any more. Those of another expression that passed before
    it was seen never were."""
    if not status.timetable:
        return created_at
    if status.timetable != _named(spec):
        return max(now, status.decided_time or now)
    return created_at if status.decided_time is None else status.decided_time


def _recovered(status: CronStatus) -> CronStatus:
    """What was said of a spec that is mended, or of a suspension that is over, holds no more."""
    over = status.reason in (SUSPENDED, INVALID, LEFT_ALONE)
    return _said(status, "", "") if over else status


@attrs.frozen
class _Due:
    """The slots that have come since the last decision, and one that waits from before."""

    schedule: CronWorkflow
    table: Timetable
    passed: Passed | None
    runs: Mapping[str, RunState]
    now: float

    def decide(self, status: CronStatus) -> Decision:
        slot = status.waiting_time
        if self.passed is not None:
            status = _counted(status, self.passed)
            slot = self.passed.latest
        if slot is None:
            return Decision(status)
        if self._too_late(slot):
            return Decision(self._missed(status, slot))
        policy = self.schedule.spec.concurrency_policy
        if not status.active or policy is ConcurrencyPolicy.ALLOW:
            return self._start(status, slot)
        if policy is ConcurrencyPolicy.FORBID:
            return Decision(_skipped(status, slot, self._under_way(status)))
        return self._wait(status, slot)

    def lapses(self, status: CronStatus) -> float | None:
        """When the slot that waits is too late."""
        deadline = self.schedule.spec.starting_deadline_seconds
        if status.waiting_time is None or deadline is None:
            return None
        return status.waiting_time + deadline + 1  # the first whole second at which it is

    def _too_late(self, slot: float) -> bool:
        deadline = self.schedule.spec.starting_deadline_seconds
        return deadline is not None and self.now - slot > deadline

    def _missed(self, status: CronStatus, slot: float) -> CronStatus:
        return _said(
            replace(status, waiting_time=None, missed=status.missed + 1),
            MISSED,
            f"the slot of {_shown(slot)} was missed: "
            f"startingDeadlineSeconds ({self.schedule.spec.starting_deadline_seconds:g}) were over",
        )

    def _start(self, status: CronStatus, slot: float) -> Decision:
        if len(status.active) >= MAX_RUNS:
            why = f"{MAX_RUNS} runs are under way"
            return Decision(_skipped(status, slot, why))
        name = run_name(self.schedule, slot, seconds=self.table.has_seconds)
        started = replace(
            status,
            waiting_time=None,
            last_schedule_time=slot,
            active=(*status.active, ScheduledRun(name, slot)),
        )
        # How many were missed before it stays said; what was said of earlier ones does not.
        late = self.passed is not None and self.passed.count > 1
        return Decision(started if late else _said(started, "", ""), start=slot)

    def _wait(self, status: CronStatus, slot: float) -> Decision:
        waiting = replace(
            status,
            waiting_time=slot,
            active=tuple(replace(run, replaced=True) for run in status.active),
        )
        cancel = tuple(
            run.name
            for run in status.active
            if not run.replaced and self.runs[run.name].cancellable  # once: it is asked and saved
        )
        said = _said(waiting, WAITING, self._waits_for(waiting, slot))
        return Decision(said, cancel=cancel)

    def _waits_for(self, status: CronStatus, slot: float) -> str:
        stuck = [run.name for run in status.active if run.phase is Phase.FAILED]
        if stuck:
            return (
                f"the slot of {_shown(slot)} waits: the undo of {_few(stuck)} is stuck; "
                f"`wf explain {stuck[0]}` says what helps"
            )
        names = _few([run.name for run in status.active])
        return f"the slot of {_shown(slot)} waits until {names} is undone, or has ended"

    def _under_way(self, status: CronStatus) -> str:
        return f"{_few([run.name for run in status.active])} was under way"


def _said(status: CronStatus, reason: str, message: str) -> CronStatus:
    return replace(status, reason=reason, message=message)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _shown(slot: float) -> str:
    return datetime.fromtimestamp(slot, UTC).isoformat().replace("+00:00", "Z")
