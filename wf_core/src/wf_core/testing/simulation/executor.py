"""Hooks of the simulated world: each call does what the world says, and acts on what is outside."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from wf_core.errors import EngineError
from wf_core.kinds import StepCall
from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook, Purpose
from wf_core.model.state import MAX_STEP_ATTRIBUTES, Resource
from wf_core.ports import Report
from wf_core.testing.simulation.world import Act, Behaviour, Point, Wrong

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_core.testing.simulation.story import Called

_SPOILT_POOL = 4
_FAILURES = {
    Act.RETRYABLE: Failure(Severity.RETRYABLE, "busy"),
    Act.THROTTLED: Failure(Severity.THROTTLED, "throttled", after=3.0),
    Act.FATAL: Failure(Severity.FATAL, "no"),
    Act.CANNOT_LOOK: Failure(Severity.CANNOT_LOOK, "can't see"),
    Act.ACT_THEN_RAISE: Failure(Severity.RETRYABLE, "raised after it acted"),
    Act.ACT_LATE: Failure(Severity.RETRYABLE, "raised before it acted"),
}
_GOING = (Act.PROGRESS, Act.ASK)
_STOPPED = Failure(Severity.RETRYABLE, "stopped")
_REFUSED = Failure(Severity.FATAL, "it was undone under this key")


class Cancel:
    """`call.cancelled` on the loop."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def is_set(self) -> bool:
        """Whether the hook was asked to stop."""
        return self.asked.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Raises EngineError: nothing blocks in virtual time."""
        raise EngineError(f"a simulated hook can't block ({timeout} s)")


class SimulatedExecutor:
    """Implements `ports.HookExecutor` for one process."""

    def __init__(self, stage: "Stage", process: "Process", observer: "Observer") -> None:
        self._stage = stage
        self._process = process
        self._observer = observer
        self._asking: asyncio.Future[bool] | None = None
        self._lost = 0
        self._closed = False

    def start(self, call: StepCall, report: Report) -> "_Running":
        """As `ports.HookExecutor.start`. In a dead process nothing starts."""
        if self._closed:
            raise EngineError("the pool of hooks is closed: it takes no more calls")
        assert isinstance(call.cancelled, Cancel)
        running = _Running(call.cancelled, self)
        if not self._process.alive:
            return running
        fault = self._stage.fault(self._process, Point.HOOK)
        if fault is not None and fault.wrong is Wrong.CRASH_BEFORE:
            self._process.kill()
            return running
        running.called = called = self._observer.called(self._process, call)
        self._stage.loop.create_task(self._perform(call, called, report))
        if fault is not None:
            self._process.kill()
        return running

    def cancellation(self) -> Cancel:
        """As `ports.HookExecutor.cancellation`."""
        return Cancel()

    def post(self, callback: Callable[[], None]) -> None:
        """As `ports.HookExecutor.post`."""
        self._stage.loop.call_soon(callback)

    def ask(self, question: Callable[[Callable[[bool], None]], None]) -> None:
        """As `ports.HookExecutor.ask`; the simulated hook waits for the answer."""
        asking: asyncio.Future[bool] = self._stage.loop.create_future()
        self._asking = asking

        def done(saved: bool) -> None:
            if not asking.done():
                asking.set_result(saved)

        question(done)

    @property
    def healthy(self) -> bool:
        """As `ports.HookExecutor.healthy`."""
        return self._lost * 2 < _SPOILT_POOL

    async def close(self) -> None:
        """As `ports.HookExecutor.close`: hooks that still run are left to run."""
        self._closed = True

    @property
    def now(self) -> float:
        """The loop's time."""
        return self._stage.now

    def write_off(self) -> None:
        """A thread is lost."""
        self._lost += 1

    async def _perform(self, call: StepCall, called: "Called", report: Report) -> None:
        outcome: Outcome | None = None
        try:
            outcome = await self._outcome(call, called)
        finally:
            self._observer.ended(called, outcome)
        fault = self._stage.fault(self._process, Point.REPORT)
        if fault is not None and fault.wrong is Wrong.CRASH_BEFORE:
            self._process.kill()
            return
        report(outcome)
        if fault is not None:
            self._process.kill()

    async def _outcome(self, call: StepCall, called: "Called") -> Outcome:
        hook = {Purpose.WATCH: "watch"}.get(call.purpose, "look")
        if call.hook is not Hook.SYNC:
            hook = str(call.hook)
        does = self._stage.behaviour(f"{call.workflow}/{call.step}", hook)
        called.act = does.act
        if does.act not in (Act.HANG, Act.HANG_THEN_SUCCEED) and not _after(does.act):
            await self._takes(does)
        if call.hook is Hook.SYNC:
            return await self._look(call, does)
        if does.act in (Act.CRASH_BEFORE_ACT, Act.CRASH_THEN_ACT):
            if does.act is Act.CRASH_THEN_ACT:
                self._later(call, does.seconds)
            await self._die()
        if does.act in (Act.HANG, Act.HANG_THEN_SUCCEED):
            await self._hang(call)
            if does.act is Act.HANG:
                return _STOPPED
        if does.act is Act.ACT_LATE:
            self._later(call, does.seconds)
        elif does.act not in _FAILURES or does.act is Act.ACT_THEN_RAISE:
            lasts = does.seconds if does.act in _GOING else 0.0
            if not self._act(call, lasts):
                return _REFUSED
        if does.act is Act.ACT_THEN_CRASH:
            await self._die()
        if does.act is Act.CHECKPOINT and not await self._checkpoint(call, called):
            return Failure(Severity.RETRYABLE, "the checkpoint was not saved")
        if does.act in _GOING:
            asks = does.act is Act.ASK
            if asks:
                self._stage.outside.ask(call.run_key, call.purpose)
            resource = Resource(id=call.run_key[:6], status="starting")
            again = 2.0 if does.again is None else does.again
            return Progressing(again, resource, waits_for_person=asks)
        if does.act in _FAILURES:
            return _FAILURES[does.act]
        return self._succeeded(call, does)

    async def _look(self, call: StepCall, does: Behaviour) -> Outcome:
        if does.act in (Act.HANG, Act.HANG_THEN_SUCCEED):
            await self._hang(call)
            return _FAILURES[Act.CANNOT_LOOK]
        if does.act in _FAILURES:
            return _FAILURES[does.act]
        outside, now = self._stage.outside, self._stage.now
        again = 3.0 if does.again is None else does.again
        going = Progressing(again, waits_for_person=outside.asks(call.run_key, call.purpose))
        if call.purpose is Purpose.ROLLBACK:
            return Succeeded() if outside.undone(call.run_key, now) else going
        if call.purpose is Purpose.RUN and not outside.done(call.run_key, now):
            return going
        return self._succeeded(call, does)

    def _succeeded(self, call: StepCall, does: Behaviour) -> Succeeded:
        if call.purpose is Purpose.ROLLBACK:
            return Succeeded()
        attributes: dict[str, object] = {"made": call.run_key[:6], "text": "many"}
        if does.act is Act.TOO_LARGE:
            attributes["long"] = "x" * (MAX_STEP_ATTRIBUTES + 1)
        # What a run just made becomes ready later, as a look will show.
        ready = call.hook is Hook.SYNC or call.kind == "plain"
        resource = Resource(id=call.run_key[:6], status="ready" if ready else "starting")
        return Succeeded(resource, attributes)

    def _act(self, call: StepCall, lasts: float) -> bool:
        outside, now = self._stage.outside, self._stage.now
        if call.hook is Hook.ROLLBACK:
            outside.undo(call.run_key, now, lasts)
            return True
        if outside.act(call.run_key, now, lasts):
            return True
        self._stage.met("late run refused outside")
        return False

    def _later(self, call: StepCall, seconds: float) -> None:
        """The hook's effect comes about after the hook is over, whatever became of its process."""

        async def act() -> None:
            await asyncio.sleep(seconds)
            self._stage.met("late effect outside")
            self._stage.note(f"outside: {call.workflow}/{call.step} {call.hook} takes effect late")
            self._act(call, 0.0)

        self._stage.detached(act())

    async def _takes(self, does: Behaviour) -> None:
        """The time of a call; in the calm after all faults what is stuck comes to its end."""
        if does.act is Act.STUCK:
            try:
                async with asyncio.timeout(does.seconds):
                    await self._stage.calm.wait()
            except TimeoutError:
                return
        elif does.seconds and does.act not in _GOING:
            await asyncio.sleep(does.seconds)

    async def _hang(self, call: StepCall) -> None:
        assert isinstance(call.cancelled, Cancel)
        waits = [
            self._stage.loop.create_task(call.cancelled.asked.wait()),
            self._stage.loop.create_task(self._stage.calm.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _checkpoint(self, call: StepCall, called: "Called") -> bool:
        resource = Resource(id=call.run_key[:6], status="starting")
        call.checkpoint(resource)
        asking, self._asking = self._asking, None
        assert asking is not None
        saved = await asking
        if saved:
            self._observer.checkpointed(called, resource)
        return saved

    async def _die(self) -> None:
        self._process.kill()
        await asyncio.Event().wait()


class _Running:
    """Implements `ports.Running`."""

    def __init__(self, asked: Cancel, executor: SimulatedExecutor) -> None:
        self._asked = asked
        self._executor = executor
        self.called: Called | None = None

    def cancel(self) -> None:
        self._asked.asked.set()
        if self.called is not None and self.called.stopped_at is None:
            self.called.stopped_at = self._executor.now

    def write_off(self) -> None:
        if self.called is not None:
            self.called.stuck = True
        self._executor.write_off()


def _after(act: Act) -> bool:
    """Whether the behaviour's seconds begin when the call is over."""
    return act in (Act.ACT_LATE, Act.CRASH_THEN_ACT)
