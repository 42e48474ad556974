"""The hooks' pool of threads.

All bookkeeping is done on the loop's thread. Worker threads share two queues with it: calls go out
through one, and what is to happen on the loop comes back through the other, as many at a time as
there are, with one wake-up of the loop for all of them.
"""

import asyncio
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Never

from wf_core.adapters import hook_output
from wf_core.adapters.cancellation import Cancellation
from wf_core.errors import EngineError
from wf_core.kinds import Retryable, StepCall
from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.ports import Report

Perform = Callable[[StepCall], Outcome]


class ThreadExecutor:
    """Implements `ports.HookExecutor` with at most `threads` daemon threads, started as needed.

    A thread whose hook does not stop can be written off: another takes its place, and it ends as
    soon as its hook does. Made, and used, on the thread of a running loop; only `post` and `ask`
    are for hooks.
    """

    def __init__(self, perform: Perform, threads: int) -> None:
        self._perform = perform
        self._limit = threads
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._calls: SimpleQueue[_Running | None] = SimpleQueue()
        self._inbox: deque[Callable[[], None]] = deque()
        self._waking = False
        self._live = 0  # threads that take calls, or will once their hook ends
        self._open = 0  # calls that such a thread runs, or that wait for one
        self._lost = 0  # threads written off whose hook still runs
        self._made = 0
        self._closed = False
        self._ended: asyncio.Event | None = None
        self._questions: set[_Question] = set()

    @property
    def healthy(self) -> bool:
        """False once half of the pool is written off (semantics B7)."""
        return self._lost * 2 < self._limit

    @property
    def threads(self) -> int:
        """How many threads take calls now."""
        return self._live

    def cancellation(self) -> Cancellation:
        """What becomes `call.cancelled`."""
        return Cancellation()

    def start(self, call: StepCall, report: Report) -> "_Running":
        """Run the hook of `call` as soon as a thread is free; `report` is called on the loop."""
        if self._closed:
            raise EngineError("the pool of hooks is closed: it takes no more calls")
        running = _Running(self, call, report)
        self._open += 1
        self._staff()
        if self._live:
            self._calls.put(running)
        else:
            # The machine is out of threads: not the hook's fault, so it is not counted.
            why = Failure(Severity.THROTTLED, "the machine has no thread to spare", after=1.0)
            self._loop.call_soon(partial(self._finish, running, why, False))
        return running

    def post(self, callback: Callable[[], None]) -> None:
        """From a hook: run `callback` on the loop's thread, soon and in order."""
        self._inbox.append(callback)
        if not self._waking:
            # Two threads may both see False: a second wake-up finds an empty inbox, no harm done.
            self._waking = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise
                # The engine is gone; nobody is left to hear what a late hook has to say.

    def ask(self, question: Callable[[Callable[[bool], None]], None]) -> None:
        """From a hook: run `question(done)` on the loop and hold the hook until `done(saved)`.

        Raises Retryable where it was not saved, or the engine ends before that.
        """
        if os.getpid() != self._pid:
            raise Retryable("a process that the hook forked can't have anything saved")
        asked = _Question()
        self.post(partial(self._put, asked, question))
        # A loop that was closed without `close` tells nobody, so it is looked at now and then.
        while not asked.answered.wait(1.0):
            if self._loop.is_closed():
                break
        if asked.saved is None:
            raise Retryable("the engine ended before this was saved")
        if not asked.saved:
            raise Retryable("this was not saved: the engine no longer runs the workflow")

    async def close(self) -> None:
        """Take no more calls, wake hooks that ask, and let the threads end.

        Returns once all idle threads have ended. A hook that still runs is not waited for; its
        outcome is reported if the loop lives to see it.
        """
        self._closed = True
        for question in self._questions:
            question.answered.set()
        self._questions.clear()
        for _ in range(self._live):
            self._calls.put(None)
        if self._ended is None:
            self._ended = asyncio.Event()
        if self._live > self._open:
            await self._ended.wait()

    def _staff(self) -> None:
        """Start a thread where calls are more than threads."""
        if self._open <= self._live or self._live >= self._limit:
            return
        self._made += 1
        thread = threading.Thread(target=self._work, name=f"wf-hook-{self._made}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # a limit of the machine; calls wait for the threads there are
            return
        self._live += 1

    def _work(self) -> None:
        """A thread's life. It touches nothing but the queues and the call it runs."""
        take, perform = self._calls.get, self._perform
        while (running := take()) is not None:
            hook_output.bind(running.call)
            try:
                outcome = perform(running.call)
            except BaseException as error:  # whatever it is, the step must hear of it
                trace = "".join(traceback.format_exception(error))
                outcome = Failure(
                    Severity.RETRYABLE, f"{type(error).__name__}: {error}", trace=trace
                )
            hook_output.unbind()
            if os.getpid() != self._pid:
                _end_child(running.call, outcome)
            leaves = running.written_off
            self.post(partial(self._finish, running, outcome, leaves))
            if leaves:
                return
            del running, outcome  # an idle thread keeps nothing alive
        self.post(self._left)

    def _deliver(self) -> None:
        # First the flag, then the inbox: what is put in later wakes us again.
        self._waking = False
        inbox = self._inbox
        for _ in range(len(inbox)):
            callback = inbox.popleft()
            try:
                callback()
            except Exception as error:  # one report that fails must not keep the others back
                self._loop.call_exception_handler(
                    {"message": "a report of a hook failed", "exception": error}
                )

    def _finish(self, running: "_Running", outcome: Outcome, left: bool) -> None:
        running.over = True
        if not running.written_off:
            self._open -= 1
        else:
            self._lost -= 1
            if not left:
                # It ended just as it was written off: the thread is there after all.
                self._live += 1
                if self._live > self._limit:
                    self._calls.put(None)
        self._settle()
        running.report(outcome)

    def _write_off(self, running: "_Running") -> None:
        if running.over or running.written_off:
            return
        running.written_off = True
        self._open -= 1
        self._live -= 1
        self._lost += 1
        self._staff()
        self._settle()

    def _left(self) -> None:
        self._live -= 1
        # A thread may be told to end while calls still wait, where others were written off since.
        self._staff()
        self._settle()

    def _settle(self) -> None:
        if self._ended is not None and self._live <= self._open:
            self._ended.set()

    def _put(self, asked: "_Question", question: Callable[[Callable[[bool], None]], None]) -> None:
        if self._closed:
            asked.answered.set()
            return
        self._questions.add(asked)

        def done(saved: bool = True) -> None:
            asked.saved = saved
            self._questions.discard(asked)
            asked.answered.set()

        question(done)


def _end_child(call: StepCall, outcome: Outcome) -> Never:
    """End a process that a hook forked and that came back from the hook: what follows is the
    engine's alone. Nothing is flushed: what is buffered is our parent's."""
    words = f"wf: a process forked by {call.hook} of step '{call.step}' came back from it: ended\n"
    with suppress(OSError):
        os.write(2, words.encode())
    os._exit(isinstance(outcome, Failure))


class _Running:
    """Implements `ports.Running`."""

    __slots__ = ("_pool", "call", "over", "report", "written_off")

    def __init__(self, pool: ThreadExecutor, call: StepCall, report: Report) -> None:
        self._pool = pool
        self.call = call
        self.report = report
        self.over = False
        self.written_off = False

    def cancel(self) -> None:
        """Ask the hook to stop."""
        cancelled = self.call.cancelled
        if not isinstance(cancelled, Cancellation):
            raise EngineError("`call.cancelled` was not made by this executor")
        cancelled.set()

    def write_off(self) -> None:
        """The hook does not stop: replace its thread."""
        self._pool._write_off(self)


class _Question:
    """A hook that is held until it is answered; `saved` stays None where the engine ends first."""

    __slots__ = ("answered", "saved")

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.saved: bool | None = None
