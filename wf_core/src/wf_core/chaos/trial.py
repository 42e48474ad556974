"""One run: lives, killed and resumed by the next, until the workflow rests; then the check."""

from pathlib import Path

import attrs

from wf_core.adapters.clock import SystemClock
from wf_core.chaos.check import Check, Checked, Expect
from wf_core.chaos.leaves import Seen, left, seen
from wf_core.chaos.lives import LifeFailed, Nursery, Place
from wf_core.chaos.orders import Goal, Mark, Orders
from wf_core.chaos.plan import Plan
from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Workflow
from wf_core.model.state import Stored, Transition

MOST_HELP = 3
"""How often a workflow that waits for a person is helped before that counts as no end."""


@attrs.frozen
class World:
    """What all runs share. After a run that was undone, `leaves` must be as before. `boundaries`
    is how many a run without faults crosses, `patience` how many seconds one life may take; both
    are known once there was such a run."""

    workflow: Workflow
    check: Check | None
    nursery: Nursery
    config: str | None
    leaves: Path | None = None
    boundaries: int = 0
    patience: float | None = None


@attrs.frozen
class Broken:
    """A promise that did not hold: what was expected, what was found, what the check said."""

    expected: str
    found: str
    output: str = ""


@attrs.define
class Trial:
    """A run and what is known of it. `killed` holds the marks at which lives were killed; `blunt`:
    the check took a world in which all shows for one in which none does."""

    world: World
    plan: Plan
    place: Place
    lives: int = 0
    committed: bool = False
    blunt: bool = False
    helped: int = 0
    killed: list[Mark] = attrs.field(factory=list)
    ended: str = ""
    broken: Broken | None = None

    @classmethod
    def of(cls, world: World, plan: Plan, folder: Path) -> "Trial":
        """A trial in a folder that is made for it."""
        folder.mkdir(mode=0o700)
        return cls(world, plan, Place(folder))

    def run(self) -> None:
        """From the first life to the last check."""
        try:
            self._run()
        except LifeFailed as failed:
            self.broken = Broken("the workflow comes to an end", str(failed))

    def history(self) -> tuple[Transition, ...]:
        """What was saved, as far as anything was."""
        orders = self._orders(Goal.RUN)
        try:
            return self.place.history(orders.key)
        except WorkflowNotFound:
            return ()

    def _run(self) -> None:
        leaves = self.world.leaves
        before = {} if leaves is None else seen(leaves)
        stored = self._live_on(Goal.RUN)
        self.committed = stored.head.committed
        if stored.head.phase is Phase.SUCCESS:
            if not self.plan.number and not self.committed:
                # The one run in which nothing else is looked for: can the check say no?
                check = self.world.check
                self.blunt = check is not None and check(Expect.NONE, Phase.SUCCESS).code == 0
            if not self._holds(Expect.ALL, stored):
                if not self.plan.number and not self.committed:
                    self._live_on(Goal.UNDO)  # no fault was injected: there is nothing to keep
                return
            if self.committed:
                self.ended = "Success, and committed"
                return
            stored = self._live_on(Goal.UNDO)
            self.ended = "Success, then RollBacked on request"
        else:
            self.ended = "RollBacked"
        if stored.head.phase is Phase.ROLL_BACKED:
            if self._holds(Expect.NONE, stored) and leaves is not None:
                self._left_nothing(leaves, before)
        else:
            self.ended = str(stored.head.phase)
            self.broken = Broken(
                "Success or RollBacked; no failure of an undo that is final was injected",
                _state(stored),
            )

    def _holds(self, expect: Expect, stored: Stored) -> bool:
        if self.world.check is None:
            return True
        checked = self.world.check(expect, stored.head.phase)
        if checked.code:
            phase = stored.head.phase
            self.ended = str(phase)
            self.broken = Broken(
                f"the check exits with 0: the workflow is {phase}, so {_means(checked)}",
                f"it exited with {checked.code}",
                checked.output,
            )
        return not checked.code

    def _left_nothing(self, leaves: Path, before: Seen) -> None:
        found = left(before, seen(leaves))
        if found is not None:
            expected = f"{leaves} is as it was before the run: the workflow was undone"
            self.broken = Broken(expected, found)

    def _live_on(self, goal: Goal) -> Stored:
        """Lives until the workflow rests; whoever has to be asked is played here."""
        crashes = 0
        for _ in range(MOST_HELP):
            while not self._live(goal, crashes):
                crashes += 1
            stored = self.place.stored(self._orders(goal).key)
            if not self._help(stored):
                break
        return stored

    def _live(self, goal: Goal, crashes: int) -> bool:
        self.lives += 1
        orders = self._orders(goal, crashes)
        if self.place.live(orders, self.world.nursery, self.world.patience):
            return True
        mark = next(mark for mark in self.place.marks() if mark.life == orders.life and mark.killed)
        self.killed.append(mark)
        return False

    def _orders(self, goal: Goal, crashes: int = 0) -> Orders:
        plan, world = self.plan, self.world
        if self.killed:
            kill_at, kill_after = plan.another_crash(self.lives, crashes, world.boundaries)
        else:
            kill_at, kill_after = max(0, plan.crash_at - self.place.crossed()), plan.kill_after
        return Orders(
            workflow=world.workflow,
            store=str(self.place.store),
            trace=str(self.place.trace),
            goal=goal,
            life=self.lives,
            chance=plan.chance,
            config=world.config,
            kill_at=kill_at,
            kill_after=kill_after,
            faults=plan.faults and not self.helped and bool(plan.faults_at_once or self.killed),
            doomed=plan.doomed,
        )

    def _help(self, stored: Stored) -> bool:
        """Do what a person could do about a run that waits for one; False where it does not."""
        if stored.head.phase is not Phase.RUNNING:
            return False
        self.helped += 1
        requests = [Request(RequestType.CANCEL)]
        if stored.head.committed:
            requests = [
                Request(RequestType.RETRY_RUN, spec.name)
                for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True)
                if step.blocked is not None
            ]
        for request in requests:
            self.place.ask(self._orders(Goal.RUN).key, request, SystemClock().now())
        return True


def _means(checked: Checked) -> str:
    if checked.expect is Expect.ALL:
        return "all of it must show (WF_EXPECT=all)"
    return "none of it may show (WF_EXPECT=none)"


def _state(stored: Stored) -> str:
    """Where a workflow that should have ended stands, and why."""
    said = [f"the workflow is {stored.head.phase}"]
    for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True):
        why = step.blocked.message if step.blocked else step.rollback_error
        if why:
            said.append(f"step '{spec.name}': {why}")
    return "; ".join(said)
