"""What everything in one play shares: the world, its time, its chance, who is alive."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import TYPE_CHECKING, Any

from wf_core.adapters.open_record import Kept
from wf_core.testing.simulation.coverage import Coverage
from wf_core.testing.simulation.gate import Gated
from wf_core.testing.simulation.outside import Outside
from wf_core.testing.simulation.storage import Storage
from wf_core.testing.simulation.trace import Trace, Violation
from wf_core.testing.simulation.world import Act, Behaviour, Fault, Point, World, Wrong

if TYPE_CHECKING:
    from wf_core.testing.simulation.process import Process

START = 1_800_000_000.0
"""Epoch seconds at which a play begins."""

_PROCESS: ContextVar["Process | None"] = ContextVar("wf_simulated_process", default=None)
_SUCCEED = Behaviour(Act.SUCCEED)


class Stage:
    """One play of a world, on the running loop. `storage` is set by who sets it up;
    `pauses`: its processes may be stopped for a while."""

    storage: Storage

    def __init__(self, world: World) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_task_factory(_task)
        self.world = world
        self.chance = Random(world.seed * 2 + 1)
        self.outside = Outside()
        self.trace = Trace()
        self.coverage = Coverage()
        self.calm = asyncio.Event()
        self.store_away_until = 0.0
        self.receiver_down_until = 0.0
        self.clock_offset = 0.0
        self.processes: list[Process] = []
        self.died = asyncio.Event()
        self.deaths = Kept()
        self.lone = True
        self.pauses = False
        self.saves = 0
        self.saved_at = 0.0
        self.changed_at = 0.0
        self.violation: Violation | None = None
        self._nobody = copy_context()
        self._left = {name: list(plan) for name, plan in world.hooks.items()}
        self._faults: dict[tuple[int, Point, int], Fault] = {
            (fault.process, fault.point, fault.n): fault for fault in world.faults
        }

    @property
    def now(self) -> float:
        """Seconds since the play began."""
        return self.loop.time()

    @property
    def wall(self) -> float:
        """Epoch seconds, whatever clocks jump."""
        return START + self.loop.time()

    @property
    def alive(self) -> list["Process"]:
        """Processes that live, oldest first."""
        return [process for process in self.processes if process.alive]

    def note(self, text: str) -> None:
        """Something happened."""
        self.trace.note(self.loop.time(), text)

    def met(self, what: str) -> None:
        """It is covered."""
        self.coverage.met(what)

    def broken(self, rule: str, message: str) -> None:
        """A rule does not hold: the play ends with the first violation, wherever it was found."""
        if self.violation is None:
            self.note(f"VIOLATION {rule}: {message}")
            self.violation = Violation(rule, message)

    def detached(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:  # any result
        """Run something that no process takes with it when it dies."""
        return self.loop.create_task(work, context=self._nobody.copy())

    def fault(self, process: "Process", point: Point) -> Fault | None:
        """What goes wrong at this point of a process, counting its points."""
        process.points[point] = n = process.points.get(point, 0) + 1
        if self.calm.is_set():
            return None
        fault = self._faults.get((process.number, point, n))
        if fault is not None:
            self.met(f"fault {point} {fault.wrong}")
            if fault.wrong in (Wrong.REFUSED, Wrong.INVALID):
                # The engine lets the workflow go, as if another ran it: nobody counts it then.
                self.lone = False
            self.note(f"p{process.number} FAULT {fault.wrong} at {point} {n}")
            if process.recovering and fault.wrong in (Wrong.CRASH_BEFORE, Wrong.CRASH_AFTER):
                self.met("recovery crashed")
        return fault

    def behaviour(self, name: str, hook: str) -> Behaviour:
        """What the next call of a step's hook does; `name` is `workflow/step`."""
        if self.calm.is_set():
            return _SUCCEED
        plan = self._left.get(f"{name}/{hook}")
        behaviour = plan.pop(0) if plan else _SUCCEED
        self.met(f"{hook} {behaviour.act}")
        return behaviour


def belong(context: Context, process: "Process") -> None:
    """Let what runs in a context be part of a process."""
    context.run(_PROCESS.set, process)


def _task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """The loop's task factory: a task belongs to the process that began it, and dies with it."""
    context = options.get("context")
    process = _PROCESS.get() if context is None else context.get(_PROCESS)
    if process is not None and process.pausable:
        work = Gated(work, process)
    task = asyncio.Task(work, loop=loop, **options)
    if process is not None:
        process.owns(task)
    return task
