"""Hooks that do what a script says, in virtual time and without threads.

script = Script().on("pay", Do(Failure(Severity.RETRYABLE, "busy"), seconds=2), Do())
executor = ScriptedExecutor(script, loop_clock)
"""

import asyncio
from collections.abc import Callable, Mapping

import attrs

from wf_core.errors import EngineError
from wf_core.kinds import StepCall
from wf_core.model.outcomes import Failure, Outcome, Severity, Succeeded
from wf_core.model.phases import Hook
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.ports import Clock, Report

FOREVER = float("inf")
_SUCCEEDED = Succeeded()
_STOPPED = Failure(Severity.RETRYABLE, "stopped")


@attrs.frozen
class Do:
    """What one call does.

    It saves `checkpoints`, acts (unless `acts` is False), takes `seconds` (`FOREVER` hangs), and
    reports `outcome`: an act and then a failure is a hook that raises too late. `when_stopped` is
    the outcome once it was asked to stop, reported `stops_after` seconds later; None ignores that.
    `log` is written before anything else.
    """

    outcome: Outcome = _SUCCEEDED
    seconds: float = 0.0
    acts: bool = True
    checkpoints: tuple[Resource, ...] = ()
    when_stopped: Outcome | None = _STOPPED
    stops_after: float = 0.0
    log: str = ""


_SIMPLY = Do()


class Script:
    """What each call of each step does: the plan of a step's hook in order, the last for ever."""

    def __init__(self, otherwise: Do = _SIMPLY) -> None:
        self._otherwise = otherwise
        self._plans: dict[tuple[str, Hook], tuple[Do, ...]] = {}
        self._calls: dict[tuple[str, str, Hook], int] = {}

    def on(self, step: str, *plan: Do, hook: Hook = Hook.RUN) -> "Script":
        """Say what the calls of a step's hook do; gives the script itself."""
        self._plans[step, hook] = plan
        return self

    def __call__(self, call: StepCall) -> Do:
        """What this call does; every workflow goes through the plan from its start."""
        plan = self._plans.get((call.step, call.hook), (self._otherwise,))
        counted = call.uid, call.step, call.hook
        n = self._calls.get(counted, 0)
        self._calls[counted] = n + 1
        return plan[min(n, len(plan) - 1)]


@attrs.define(eq=False)
class Called:
    """One call as it went: times are epoch seconds, None where it never came to that."""

    call: StepCall
    began_at: float
    acted_at: float | None = None
    ended_at: float | None = None
    stopped_at: float | None = None
    checkpoints: list[bool] = attrs.field(factory=list)

    @property
    def name(self) -> str:
        """`step.hook`, with the attempt behind: `pay.run/1`."""
        return f"{self.call.step}.{self.call.hook}/{self.call.attempt}"


class Cancel:
    """`call.cancelled` on the loop: whoever waits is told at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def is_set(self) -> bool:
        """Whether the hook was asked to stop."""
        return self.asked.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Raises EngineError: nothing blocks in virtual time."""
        raise EngineError(f"a scripted hook can't block ({timeout} s); await `asked` instead")


class ScriptedExecutor:
    """Implements `ports.HookExecutor`: each call is a task that does what `script(call)` says.

    `calls` keeps all that were begun, in order. `crash` ends them without a report, as the end of
    the process would. `pool` is how many write-offs make it unhealthy, twice.
    """

    def __init__(self, script: Callable[[StepCall], Do], clock: Clock, pool: int = 8) -> None:
        self._script = script
        self._clock = clock
        self._pool = pool
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._asking: asyncio.Future[bool] | None = None
        self._lost = 0
        self._closed = False
        self.calls: list[Called] = []

    @property
    def names(self) -> list[str]:
        """Every call by its name, in the order of their beginnings."""
        return [each.name for each in self.calls]

    @property
    def running(self) -> list[Called]:
        """Calls that have not ended."""
        return [each for each in self.calls if each.ended_at is None]

    def start(self, call: StepCall, report: Report) -> "_Scripted":
        """As `ports.HookExecutor.start`."""
        if self._closed:
            raise EngineError("the pool of hooks is closed: it takes no more calls")
        called = Called(call, self._clock.now())
        self.calls.append(called)
        task = asyncio.get_running_loop().create_task(self._perform(called, report))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return _Scripted(self, called)

    def cancellation(self) -> Cancel:
        """As `ports.HookExecutor.cancellation`."""
        return Cancel()

    def post(self, callback: Callable[[], None]) -> None:
        """As `ports.HookExecutor.post`."""
        asyncio.get_running_loop().call_soon(callback)

    def ask(self, question: Callable[[Callable[[bool], None]], None]) -> None:
        """As `ports.HookExecutor.ask`; the script waits for the answer, since nothing blocks."""
        asking: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asking = asking

        def done(saved: bool) -> None:
            if not asking.done():
                asking.set_result(saved)

        question(done)

    @property
    def healthy(self) -> bool:
        """As `ports.HookExecutor.healthy`."""
        return self._lost * 2 < self._pool

    async def close(self) -> None:
        """As `ports.HookExecutor.close`: hooks that still run are left to run."""
        self._closed = True

    def crash(self) -> None:
        """The process is gone, and its hooks with it."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()

    def write_off(self) -> None:
        """A thread is lost."""
        self._lost += 1

    async def _perform(self, called: Called, report: Report) -> None:
        call = called.call
        do = self._script(call)
        if do.log:
            call.log(do.log)
        outcome = await self._checkpoints(called, do)
        if outcome is None:
            if do.acts:
                called.acted_at = self._clock.now()
            outcome = await self._outcome(called, do)
        called.ended_at = self._clock.now()
        report(outcome)

    async def _checkpoints(self, called: Called, do: Do) -> Outcome | None:
        for resource in do.checkpoints:
            called.call.checkpoint(resource)
            asking, self._asking = self._asking, None
            assert asking is not None
            saved = await asking
            called.checkpoints.append(saved)
            if not saved:
                return Failure(Severity.RETRYABLE, "the checkpoint was not saved")
        return None

    async def _outcome(self, called: Called, do: Do) -> Outcome:
        cancel = called.call.cancelled
        assert isinstance(cancel, Cancel)
        seconds = None if do.seconds == FOREVER else do.seconds
        if do.when_stopped is None:
            await (asyncio.Event().wait() if seconds is None else asyncio.sleep(seconds))
            return do.outcome
        try:
            async with asyncio.timeout(seconds):
                await cancel.asked.wait()
        except TimeoutError:
            return do.outcome
        called.stopped_at = self._clock.now()
        await asyncio.sleep(do.stops_after)
        return do.when_stopped


@attrs.frozen(eq=False)
class _Scripted:
    """Implements `ports.Running`."""

    executor: ScriptedExecutor
    called: Called

    def cancel(self) -> None:
        cancel = self.called.call.cancelled
        assert isinstance(cancel, Cancel)
        cancel.asked.set()

    def write_off(self) -> None:
        self.executor.write_off()


def resource(id: str, status: str = "", **attributes: Json) -> Resource:
    """A resource in short."""
    kept: Mapping[str, Json] = attributes
    return Resource(status=status, id=id, attributes=dict(kept))
