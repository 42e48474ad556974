"""Random workflows, outcomes, crashes and requests: what must always hold, after every turn."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wf_core.model.outcomes import Outcome
from wf_core.model.phases import (
    FINISHED,
    DeletionPolicy,
    OnFailure,
    Phase,
    RequestType,
    RollbackMode,
    RollbackPolicy,
)
from wf_core.model.spec import DependOn, StepSpec, Workflow
from wf_core.saga.events import Admitted, Checkpointed, DeletionAsked, Woken
from wf_core.saga.ledger import Ledger
from wf_core.testing.saga_driver import (
    KINDS,
    Drive,
    blind,
    done,
    fatal,
    going,
    retryable,
    step,
    throttled,
    workflow,
)
from wf_core.testing.saga_invariants import Invariants

OUTCOME: dict[str, Outcome] = {
    "done": done(),
    "ready": done("ready"),
    "broken": done("broken", x=1),
    "huge": done(x="y" * 40_000),
    "going": going(),
    "going soon": going(1.0, "ready"),
    "retryable": retryable(),
    "fatal": fatal(),
    "throttled": throttled(),
    "blind": blind(),
}
OUTCOMES = st.sampled_from(sorted(OUTCOME))


@st.composite
def steps_of(draw: st.DrawFn) -> list[StepSpec]:
    """1 to 7 steps; each may depend on earlier ones."""
    n = draw(st.integers(1, 7))
    pivot = draw(st.none() | st.integers(0, n - 1))
    found = []
    for k in range(n):
        ups = draw(st.lists(st.integers(0, k - 1), max_size=2, unique=True)) if k else []
        after = []
        for up in ups:
            phase = draw(st.sampled_from([Phase.SUCCESS, Phase.SUCCESS, Phase.RUNNING]))
            status = draw(st.sampled_from([None, None, None, "ready"]))
            after.append(DependOn(f"s{up}", phase, status))
        options: dict[str, Any] = {
            "kind": draw(st.sampled_from(["plain", "plain", "blind", "once"])),
            "pivot": k == pivot,
            "run_retry_limit": draw(st.integers(0, 2)),
            "rollback_retry_limit": draw(st.integers(0, 2)),
            "timeout_seconds": draw(st.sampled_from([None, 30.0])),
            "rollback_timeout_seconds": draw(st.sampled_from([None, 30.0])),
            "sync_period_seconds": draw(st.sampled_from([0.0, 0.0, 20.0])),
            "rollback_policy": draw(st.sampled_from([None, None, *RollbackPolicy])),
        }
        if draw(st.integers(0, 5)) == 0 and k != pivot:
            options["rollback"] = RollbackMode.NONE
        found.append(step(f"s{k}", *after, **options))
    return found


WORKFLOWS = st.builds(
    lambda steps, **spec: workflow(*steps, **spec),
    steps_of(),
    on_failure=st.sampled_from(OnFailure),
    rollback_policy=st.sampled_from(RollbackPolicy),
    deletion_policy=st.sampled_from(DeletionPolicy),
    active_deadline_seconds=st.sampled_from([None, 200.0]),
)
ACTIONS = st.one_of(
    st.tuples(st.just("report"), st.integers(0, 6), OUTCOMES),
    st.tuples(st.just("report"), st.integers(0, 6), OUTCOMES),
    st.tuples(st.just("layer"), st.lists(OUTCOMES, min_size=7, max_size=7)),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 5.0, 61.0, 300.0])),
    st.tuples(st.just("next"), st.none()),
    st.tuples(st.just("ask"), st.sampled_from(RequestType), st.integers(0, 6)),
    st.tuples(st.just("admit"), st.none()),
    st.tuples(st.just("crash"), st.sampled_from([0.0, 1.0, 100.0, -50.0])),
    st.tuples(st.just("lose"), st.integers(0, 6), OUTCOMES),
    st.tuples(st.just("wake"), st.integers(0, 6)),
    st.tuples(st.just("checkpoint"), st.integers(0, 6)),
    st.tuples(st.just("limit"), st.sampled_from([None, 0, 1])),
    st.tuples(st.just("kinds"), st.sets(st.sampled_from(sorted(KINDS)))),
)


def nth(drive: Drive, n: int) -> str | None:
    flying = sorted(drive.flying)
    return flying[n % len(flying)] if flying else None


class Play:
    """One history: applies actions to a drive and checks after each."""

    def __init__(self, document: Workflow) -> None:
        self.drive = Drive(document)
        self.invariants = Invariants(self.drive)
        self.invariants.check()

    def act(self, action: tuple[Any, ...]) -> None:
        drive = self.drive
        match action:
            case ("report", n, outcome):
                name = nth(drive, n)
                if name:
                    drive.report(name, OUTCOME[outcome])
            case ("layer", outcomes):
                names = sorted(drive.flying)
                ending = zip(names, outcomes, strict=False)
                drive.turn(*[drive.reported(m, OUTCOME[o]) for m, o in ending])
            case ("wait", seconds):
                self.wait(seconds)
            case ("next", _):
                self.next()
            case ("ask", kind, n):
                names = [s.name for s in drive.saga.workflow.spec.steps]
                name = None if n == 6 else names[n % len(names)]
                more: dict[str, Any] = {"name": "go"} if kind is RequestType.SIGNAL else {}
                drive.request(kind, name, **more)
            case ("admit", _):
                if drive.saga.wants_slot:
                    drive.turn(Admitted())
            case ("crash", after):
                drive.crash(after=after)
            case ("lose", n, outcome):
                # The turn is taken, but its save never reaches the disk.
                name = nth(drive, n)
                if name:
                    drive.saga.advance([drive.reported(name, OUTCOME[outcome])], drive.now)
                drive.crash()
            case ("wake", n):
                drive.turn(Woken(n % len(drive.saga.steps)))
            case ("checkpoint", n):
                name = nth(drive, n)
                if name:
                    call = drive.flying[name]
                    drive.turn(Checkpointed(call.step, call.call, done("mid").resource, None))
            case ("limit", limit):
                drive.permits.limits = {} if limit is None else {"plain": limit}
                drive.turn()
            case ("kinds", kinds):
                drive.kinds = {k: v for k, v in KINDS.items() if k in kinds}
                drive.crash()
        self.check()

    def next(self) -> None:
        wake = self.drive.saga.next_wake
        if wake is not None:
            self.drive.now = max(self.drive.now, wake)
            self.drive.turn()
        self.check()

    def wait(self, seconds: float) -> None:
        until = self.drive.now + seconds
        for _ in range(100):
            wake = self.drive.saga.next_wake
            if wake is None or wake > until:
                break
            self.next()
        self.drive.now = max(self.drive.now, until)
        self.drive.turn()

    def check(self) -> None:
        self.invariants.check()
        books_balance(self.drive)

    def calm(self) -> None:
        """Faults stop, hooks return: it comes to rest, and then writes nothing (I10)."""
        drive = self.drive
        drive.permits.limits = {}
        if drive.kinds is not KINDS:
            drive.kinds = KINDS
            drive.crash()
        drive.turn()
        for _ in range(400):
            self.check()
            if drive.saga.wants_slot:
                drive.turn(Admitted())
            elif drive.flying:
                for name in sorted(drive.flying):
                    if name in drive.flying:
                        drive.report(name, done("ready"))
                        self.check()
            elif drive.saga.rests or drive.saga.removable:
                break
            else:
                assert drive.saga.next_wake is not None, f"stuck: {drive.phase} {drive.phases}"
                self.next()
        else:
            raise AssertionError(f"I10: not at rest: {drive.phase} {drive.phases}")


def books_balance(drive: Drive) -> None:
    """The open counts that are kept up are those that would be counted anew."""
    live = drive.saga._ledger
    snapshot = drive.saga.snapshot()
    anew = Ledger(
        snapshot.workflow,
        snapshot.head,
        snapshot.steps,
        snapshot.outbox,
        {},
        drive.permits,
        0,
        {},
        0,
        0.0,
    )
    assert live.open_conditions == anew.open_conditions
    assert live.settled == anew.settled
    assert live.open_dependents == anew.open_dependents
    assert live.count == anew.count
    assert live.blocked == anew.blocked
    assert live.attribute_bytes == anew.attribute_bytes
    assert drive.saved.steps == tuple(drive.saga.steps), "a change was not saved"
    assert drive.saved.outbox == tuple(live.outbox)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(WORKFLOWS, st.lists(ACTIONS, max_size=30))
def test_invariants_hold_after_every_turn(document: Workflow, actions: list[Any]) -> None:
    play = Play(document)
    for action in actions:
        play.act(action)
    play.calm()
    drive = play.drive
    if drive.phase in FINISHED and not drive.saga.watched:
        saves = drive.saves
        play.wait(100_000.0)
        assert drive.saves == saves, "I10: it writes although it is at rest"


@settings(max_examples=40, deadline=None)
@given(WORKFLOWS, st.lists(ACTIONS, max_size=15), st.lists(ACTIONS, max_size=10))
def test_deletion_at_any_moment_comes_to_an_end(
    document: Workflow, before: list[Any], after: list[Any]
) -> None:
    play = Play(document)
    for action in before:
        play.act(action)
    play.drive.turn(DeletionAsked(play.drive.now))
    play.check()
    for action in after:
        play.act(action)
    play.calm()


@settings(max_examples=40, deadline=None)
@given(WORKFLOWS, st.lists(ACTIONS, max_size=20))
def test_h_the_same_events_give_the_same_history(document: Workflow, actions: list[Any]) -> None:
    first, second = Play(document), Play(document)
    for action in actions:
        first.act(action)
        second.act(action)
    assert first.drive.history == second.drive.history
    assert first.drive.saved == second.drive.saved
    assert [c.call for c in first.drive.calls] == [c.call for c in second.drive.calls]
