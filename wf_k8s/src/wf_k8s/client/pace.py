"""When to send: the budget of requests a second, and how long to wait after a failure."""

import asyncio
import contextlib
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

Item = TypeVar("Item")
_EXACT = 1e-6  # seconds that sums of periods may be off
_LONGEST_WAIT = 1.0  # seconds until one that waits looks whether anybody keeps the time


@attrs.frozen
class Backoff:
    """Waits that double from `first` to `longest` seconds, of which chance takes up to half."""

    first: float = 0.2
    longest: float = 30.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1); `chance` in [0, 1)."""
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return full * (1 - chance / 2)


class Turns(Generic[Item]):
    """Who may send next: at most `qps` requests a second, a second's worth at once after a pause.
    Namespaces take turns, and those of one namespace are in the order of asking (semantics E7)."""

    def __init__(self, qps: float, now: float) -> None:
        self._interval = 1.0 / qps
        self._next = now
        self._lines: OrderedDict[str, deque[Item]] = OrderedDict()

    def ask(self, namespace: str, item: Item) -> None:
        """Let it wait, its namespace behind those that wait already."""
        self._lines.setdefault(namespace, deque()).append(item)

    def leave(self, namespace: str, item: Item) -> None:
        """It waits no longer, if it did."""
        line = self._lines.get(namespace)
        if line is not None and item in line:
            line.remove(item)
            if not line:
                del self._lines[namespace]

    def due(self, now: float) -> list[Item]:
        """Those whose turn has come."""
        found = []
        while self._lines and (place := self._place(now)) <= now + _EXACT:
            self._next = place + self._interval
            namespace, line = self._lines.popitem(last=False)
            found.append(line.popleft())
            if line:
                self._lines[namespace] = line
        return found

    def next_at(self, now: float) -> float | None:
        """When `due` has somebody next; None where nobody waits."""
        return self._place(now) if self._lines else None

    def _place(self, now: float) -> float:
        return max(self._next, now - max(0.0, 1.0 - self._interval))


class Throttle:
    """At most `qps` requests a second, by `Turns`. `None` is no limit.

    Loops of several threads may share one: whichever asks first keeps the time for all, and where
    its loop ended meanwhile another takes over within a second.
    """

    def __init__(self, qps: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._turns: Turns[asyncio.Future[None]] | None = Turns(qps, now()) if qps else None
        self._rings_at = -math.inf

    async def turn(self, namespace: str = "") -> None:
        """Wait for a turn of that namespace; what belongs to none is the empty one."""
        if self._turns is None:
            return
        turn = asyncio.get_running_loop().create_future()
        with self._lock:
            self._turns.ask(namespace, turn)
        try:
            self._serve()
            while not turn.done():
                await asyncio.wait((turn,), timeout=_LONGEST_WAIT)
                if not turn.done():
                    self._serve()
        finally:
            with self._lock:
                self._turns.leave(namespace, turn)

    def _serve(self) -> None:
        """Tell those whose turn it is, and come back for the next unless another loop does."""
        assert self._turns is not None
        with self._lock:
            now = self._now()
            due, at = self._turns.due(now), self._turns.next_at(now)
            rings = at is not None and not now < self._rings_at <= at
            if at is not None and rings:
                self._rings_at = at
        for turn in due:
            # Of a loop that was closed nobody waits any more.
            with contextlib.suppress(RuntimeError):
                turn.get_loop().call_soon_threadsafe(_tell, turn)
        if at is not None and rings:
            asyncio.get_running_loop().call_later(at - now, self._rang)

    def _rang(self) -> None:
        with self._lock:
            self._rings_at = -math.inf
        self._serve()


def _tell(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def namespace_of(path: str) -> str:
    """The namespace that a request is about, by its path; empty where it is about none."""
    before, found, after = path.partition("/namespaces/")
    return after.partition("/")[0] if found and before.startswith("/api") else ""
