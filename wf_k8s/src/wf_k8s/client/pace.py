"""When to send: the budget of requests a second, and how long to wait after a failure."""

import asyncio
import threading
import time
from collections.abc import Callable

import attrs


@attrs.frozen
class Backoff:
    """Waits that double from `first` to `longest` seconds, of which chance takes up to half."""

    first: float = 0.2
    longest: float = 30.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1); `chance` in [0, 1)."""
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return full * (1 - chance / 2)


class Throttle:
    """At most `qps` requests a second, in the order in which they were asked for.

    A second's worth may go at once after a pause. `None` is no limit. Loops of several threads may
    share one.
    """

    def __init__(self, qps: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._interval = 1.0 / qps if qps else 0.0
        self._burst = 1.0 if qps else 0.0
        self._now = now
        self._next = now()

    def delay(self) -> float:
        """Take a place; seconds until its turn."""
        if not self._interval:
            return 0.0
        with self._lock:
            now = self._now()
            place = max(self._next, now - self._burst + self._interval)
            self._next = place + self._interval
        return max(0.0, place - now)

    async def turn(self) -> None:
        """Wait for a turn."""
        delay = self.delay()
        if delay > 0:
            await asyncio.sleep(delay)
