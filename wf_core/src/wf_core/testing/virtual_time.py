"""An event loop on which time is a number: nothing waits, and the same program runs the same way.

>>> import asyncio
>>> async def nap() -> float:
...     await asyncio.sleep(3600)
...     return asyncio.get_running_loop().time()
>>> run(nap())
3600.0
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MAX_TURNS = 1_000_000
"""Turns of the loop at one moment after which it is taken for a loop without end."""


class VirtualTimeError(Exception):
    """The program under test can't go on in virtual time."""


class DeadlockError(VirtualTimeError):
    """Nothing is ready, no timer is set, and somebody still waits."""


class LivelockError(VirtualTimeError):
    """Something is always ready, so time stands still."""


class ThreadsRefusedError(VirtualTimeError):
    """Another thread was asked for, or spoke to the loop: the result would depend on its speed."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """A single-threaded loop: its clock starts at 0 and jumps to the next timer when all is idle.

    Timers fire at exactly the time they were set for. `DeadlockError` and `LivelockError` are
    raised out of `run_until_complete` instead of hanging. There are no sockets, processes or
    threads. Exceptions that nobody awaits are kept in `unhandled`, as asyncio's contexts.
    """

    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, *, max_turns: int = MAX_TURNS) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = 0
        self._max_turns = max_turns
        self._clock_resolution = math.ulp(0.0)
        # The one thing that BaseEventLoop asks of a subclass: who waits when nothing is ready.
        self._selector = _TimeSelector(self._wait)
        self.unhandled: list[dict[str, Any]] = []

    def time(self) -> float:
        """Seconds since the loop was made, virtual ones."""
        return self._now

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep in `unhandled` what asyncio would only log."""
        self.unhandled.append(context)

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As `call_soon`, on this thread alone. Raises `ThreadsRefusedError` on any other."""
        # What runs is known for each thread apart, so another thread finds another loop or none.
        if asyncio._get_running_loop() is not self:
            raise ThreadsRefusedError("another thread spoke to the loop; replace it by a coroutine")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(
        self, executor: object, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Raises `ThreadsRefusedError`: threads have no place in virtual time."""
        del executor, args
        name = getattr(func, "__qualname__", repr(func))
        raise ThreadsRefusedError(f"{name} was handed to a thread; replace it by a coroutine")

    def _wait(self, timeout: float | None) -> None:
        """Stand in for waiting: `timeout` is 0 if something is ready, None if nothing will be."""
        if timeout is None:
            raise DeadlockError(
                f"at {self._now:g} s nothing is ready and no timer is set, but there wait:\n"
                + ("\n".join(self._waiting()) or "  no task: a future that nobody will set")
            )
        if timeout == 0:
            self._turns += 1
            if self._turns > self._max_turns:
                raise LivelockError(
                    f"at {self._now:g} s the loop turned {self._max_turns} times and time stood"
                    " still; these tasks are alive:\n" + "\n".join(self._waiting())
                )
            return
        self._turns = 0
        # Not `now + timeout`: that may round to just before the timer, which then never fires.
        self._now = self._scheduled[0].when()
        # The loop runs what is due before `now + resolution`: the next number, hence just this.
        self._clock_resolution = math.ulp(self._now)

    def _waiting(self) -> list[str]:
        """A line for each unfinished task, by name: what it is and where it waits."""
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: _natural(task.get_name()))
        return [f"  {task.get_name()}: {_place(task)}" for task in tasks]

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing comes from outside."""


class VirtualClock:
    """A `wf_core.ports.Clock` that follows a loop: `start` (epoch seconds) plus the loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: float = 1_800_000_000.0) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> float:
        """Epoch seconds."""
        return self._start + self._loop.time()


def run(main: Coroutine[Any, Any, T], *, max_turns: int = MAX_TURNS) -> T:
    """Run a coroutine on a loop of its own and give its result; what it left running is cancelled.

    Raises what the coroutine raises, `DeadlockError`, `LivelockError`, and, where all else went
    well, the first exception in a task or callback that nobody awaited: no failure goes unseen.
    """
    loop = VirtualTimeLoop(max_turns=max_turns)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main)
    for context in loop.unhandled:
        error = context.get("exception")
        if not isinstance(error, BaseException):
            raise VirtualTimeError(str(context.get("message")))
        error.add_note(f"nobody awaited it: {context.get('message')}")
        raise error
    return result


class _TimeSelector:
    """What `BaseEventLoop` waits on."""

    def __init__(self, wait: Callable[[float | None], None]) -> None:
        self._wait = wait

    def select(self, timeout: float | None) -> list[Any]:
        self._wait(timeout)
        return []


def _natural(name: str) -> tuple[str, int]:
    """Task-2 before Task-10."""
    head = name.rstrip("0123456789")
    return head, int(name[len(head) :] or 0)


def _place(task: asyncio.Task[Any]) -> str:
    """The coroutine of a task and the innermost `file:line` that it waits at."""
    coroutine: Any = task.get_coro()
    name = getattr(coroutine, "__qualname__", repr(coroutine))
    frame = getattr(coroutine, "cr_frame", None)
    while (inner := getattr(coroutine, "cr_await", None)) is not None:
        coroutine = inner
        frame = getattr(coroutine, "cr_frame", None) or frame
    if frame is None:
        return str(name)
    return f"{name} at {frame.f_code.co_filename}:{frame.f_lineno}"
