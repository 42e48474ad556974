"""Random workflows and the things that happen to them, from any source of choice.

A `Choose` picks one of several; `random.Random` and Hypothesis both give one, so that the volume
driver and the state machine play the same game.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tests.simulation.oracle_pair import Pair, installed

from wf_core.model.outcomes import Outcome, Succeeded
from wf_core.model.phases import (
    DeletionPolicy,
    OnFailure,
    Phase,
    RequestType,
    RollbackMode,
    RollbackPolicy,
)
from wf_core.model.spec import Callback, DependOn, StepSpec, Workflow
from wf_core.saga.events import (
    Admitted,
    CallbackSettled,
    Checkpointed,
    DeletionAsked,
    Refused,
    Woken,
)
from wf_core.testing.saga_driver import (
    KINDS,
    blind,
    done,
    fatal,
    going,
    retryable,
    step,
    throttled,
    workflow,
)

T = TypeVar("T")


class Choose(Protocol):
    """Picks one."""

    def __call__(self, options: Sequence[T], /) -> T: ...


OUTCOMES: dict[str, Outcome] = {
    "done": done(),
    "ready": done("ready", x=1),
    "other": done("other"),
    "huge": done("made", x="y" * 40_000),
    "going": going(),
    "going soon": going(1.0, "ready"),
    "asks": going(waits_for_person=True),
    "asks and looks": going(2.0, "ready", waits_for_person=True),
    "retryable": retryable(),
    "fatal": fatal(),
    "throttled": throttled(0.2),
    "throttled long": throttled(90.0),
    "throttled for hours": throttled(7200.0),
    "blind": blind(),
}
COMMON = ("done", "done", "ready", "going", "asks", "retryable")
WAITS = (0.0, 0.4, 5.0, 15.0, 61.0, 300.0)


def some_workflow(choose: Choose) -> Workflow:
    """1 to 8 steps, in any shape, with every policy there is."""
    n = choose(range(1, 9))
    pivot = choose([None, None, *range(n)])
    steps = [_some_step(choose, k, k == pivot) for k in range(n)]
    return workflow(
        *steps,
        suspend=choose([False] * 9 + [True]),
        on_failure=choose([OnFailure.ROLLBACK, OnFailure.ROLLBACK, OnFailure.PAUSE]),
        rollback_policy=choose(list(RollbackPolicy)),
        callback=choose([None, None, Callback("http://receiver")]),
        deletion_policy=choose(list(DeletionPolicy)),
        active_deadline_seconds=choose([None, None, 200.0]),
    )


def _some_step(choose: Choose, k: int, pivot: bool) -> StepSpec:
    conditions: dict[int, DependOn] = {}
    for _ in range(choose([0, 1, 1, 2, 3]) if k else 0):
        up = choose(range(k))
        phase = choose([Phase.SUCCESS, Phase.SUCCESS, Phase.RUNNING])
        conditions[up] = DependOn(f"s{up}", phase, choose([None, None, None, "ready"]))
    options: dict[str, Any] = {
        "run_retry_limit": choose([0, 1, -1]),
        "rollback_retry_limit": choose([0, 1, -1]),
        "run_retry_period_seconds": choose([60.0, 60.0, 0.0]),
        "factor": choose([1.0, 2.0]),
        "max_period_seconds": choose([3600.0, 90.0]),
        "timeout_seconds": choose([None, None, 30.0]),
        "rollback_timeout_seconds": choose([None, None, 30.0]),
        "sync_period_seconds": choose([0.0, 0.0, 3.0, 20.0]),
        "rollback_policy": choose([None, None, *RollbackPolicy]),
    }
    if not pivot and choose(range(6)) == 0:
        options["rollback"] = RollbackMode.NONE
    if choose(range(20)) == 0:
        options["parameters"] = {"bad": 1}
    kind = choose(["plain", "plain", "plain", "blind", "once"])
    return step(f"s{k}", *conditions.values(), kind=kind, pivot=pivot, **options)


class Game:
    """One pair, and moves to choose from. Permits are short in some games, kinds lack in others."""

    def __init__(self, choose: Choose, *, admitted: bool = True) -> None:
        document = some_workflow(choose)
        bad = any("bad" in s.step_template.parameters for s in document.spec.steps)
        self.permits_vary = not bad and choose([True, False])
        self.pair = Pair(document, admitted=admitted)

    def play(self, choose: Choose) -> None:
        """Make one move, what is likely more often."""
        self.move(choose(_WEIGHTED), choose)

    def move(self, name: str, choose: Choose) -> None:
        """Make the move of that name."""
        _MOVES[name](self, choose)

    def report(self, choose: Choose) -> None:
        """Some call in flight reports something likely."""
        self._report(choose, choose(COMMON))

    def report_trouble(self, choose: Choose) -> None:
        """Some call in flight reports anything."""
        self._report(choose, choose(sorted(OUTCOMES)))

    def _report(self, choose: Choose, outcome: str, *, lost: bool = False) -> None:
        flying = sorted(self.pair.flying)
        if flying:
            event = self.pair.reported(choose(flying), OUTCOMES[outcome])
            self.pair.turn(event, lost=lost)

    def layer(self, choose: Choose) -> None:
        """Everything in flight reports at once."""
        flying = sorted(self.pair.flying)
        if flying:
            self.pair.turn(*[self.pair.reported(name, OUTCOMES[choose(COMMON)]) for name in flying])

    def next_moment(self, _choose: Choose) -> None:
        """Time comes to what the machine waits for."""
        wake = self.pair.saga.next_wake
        if wake is not None:
            self.pair.now = max(self.pair.now, wake)
            self.pair.turn()

    def jump(self, choose: Choose) -> None:
        """A turn comes late: several moments have passed at once."""
        self.pair.now += choose(WAITS)
        self.pair.turn()

    def wait(self, choose: Choose) -> None:
        """Time passes, moment by moment."""
        self.pair.wait(choose(WAITS))
        self.pair.turn()

    def ask(self, choose: Choose) -> None:
        """A person asks for something."""
        kind = choose(list(RequestType))
        names = [s.name for s in self.pair.saga.workflow.spec.steps]
        more: dict[str, Any] = {"name": "go", "value": 1} if kind is RequestType.SIGNAL else {}
        self.pair.request(kind, choose([*names, *names, None, "nobody"]), **more)

    def ask_what_helps(self, choose: Choose) -> None:
        """A person asks for what a blocked step offers."""
        steps = self.pair.saga.steps
        names = [s.name for s in self.pair.saga.workflow.spec.steps]
        offers = [
            (option, names[i])
            for i, s in enumerate(steps)
            if s.blocked
            for option in s.blocked.options
        ]
        if offers:
            option, name = choose(offers)
            self.pair.request(RequestType(option), name)

    def admit(self, _choose: Choose) -> None:
        """A slot is free."""
        self.pair.turn(Admitted())

    def refuse(self, _choose: Choose) -> None:
        """This engine can't start it."""
        if self.pair.phase is Phase.PENDING:
            self.pair.turn(Refused("no such kind"))

    def crash(self, choose: Choose) -> None:
        """The process dies; the clock of the next one may be behind."""
        self.pair.crash(after=choose([0.0, 0.0, 1.0, 100.0, -50.0, -5000.0]))

    def lose(self, choose: Choose) -> None:
        """A turn is taken, and the process dies before it is saved."""
        self._report(choose, choose(COMMON), lost=True)
        self.pair.crash()

    def lose_time(self, choose: Choose) -> None:
        """Time is taken, and the process dies before it is saved."""
        self.pair.now += choose(WAITS)
        self.pair.turn(lost=True)
        self.pair.crash()

    def linger(self, choose: Choose) -> None:
        """Saves that nobody waits for are put off from now on, or no longer."""
        self.pair.lingers = choose([True, False])

    def wake(self, choose: Choose) -> None:
        """A hint comes in."""
        self.pair.turn(Woken(choose(range(len(self.pair.saga.steps)))))

    def checkpoint(self, choose: Choose) -> None:
        """A hook saves what it has so far."""
        flying = sorted(self.pair.flying)
        if flying:
            call = self.pair.flying[choose(flying)]
            result = OUTCOMES[choose(["ready", "huge"])]
            assert isinstance(result, Succeeded)
            self.pair.turn(Checkpointed(call.step, call.call, result.resource, result.attributes))

    def limit(self, choose: Choose) -> None:
        """Permits become short, or plenty."""
        if self.permits_vary:
            limit = choose([None, 0, 1, 2])
            self.pair.permits.limits = {} if limit is None else dict.fromkeys(KINDS, limit)
            self.pair.turn()

    def replug(self, choose: Choose) -> None:
        """The process comes back with other plugins."""
        if not self.permits_vary:
            lacking = choose([None, *KINDS])
            self.pair.kinds = installed([name for name in KINDS if name != lacking])
            self.pair.crash()

    def tell(self, choose: Choose) -> None:
        """The callback answers, or is given up."""
        outbox = self.pair.saga.snapshot().outbox
        if outbox:
            self.pair.turn(CallbackSettled(outbox[0].seq, choose([False, True])))

    def delete(self, _choose: Choose) -> None:
        """Somebody wants it gone."""
        if self.pair.saga.head.deletion_asked_at is None:
            self.pair.turn(DeletionAsked(self.pair.now))


_LIKELY = (Game.report, Game.report_trouble, Game.next_moment)
_OFTEN = (Game.layer, Game.jump, Game.wait, Game.ask, Game.ask_what_helps, Game.admit)
_SELDOM = (
    Game.refuse,
    Game.crash,
    Game.lose,
    Game.lose_time,
    Game.linger,
    Game.wake,
    Game.checkpoint,
    Game.limit,
    Game.replug,
    Game.tell,
)
_MOVES: dict[str, Callable[[Game, Choose], None]] = {
    move.__name__: move for move in (*_LIKELY, *_OFTEN, *_SELDOM)
}
MOVES = tuple(_MOVES)
_WEIGHTED = tuple(m.__name__ for m in (*_LIKELY * 4, *_OFTEN * 2, *_SELDOM))
