"""Hands on the permits that a turn left to the workflows that wait for them (semantics E1, E2)."""

import asyncio
from collections.abc import Callable

from wf_core.limits import Limits
from wf_core.ports import Clock


class Turnstile:
    """Calls `again(holder)` for each workflow that a permit is put aside for."""

    def __init__(self, limits: Limits, clock: Clock, again: Callable[[str], None]) -> None:
        self._limits = limits
        self._clock = clock
        self._again = again
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def passed(self, holder: str) -> None:
        """A turn of `holder` has taken and given permits."""
        self._limits.settle(holder)
        self.serve()

    def serve(self) -> None:
        """Let those try again for whom a permit is free now, or will be when a token comes."""
        if self._closed:
            return
        now = self._clock.now()
        for holder in self._limits.ready(now):
            self._again(holder)
        at = self._limits.next_token_at(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(0.0, at - now)
            self._timer = asyncio.get_running_loop().call_later(delay, self.serve)

    def close(self) -> None:
        """Hand on nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
