"""How long a request may take as a whole, and whether it is still wanted."""

import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

from wf_core.adapters.tenant_threads import THREADS
from wf_core.kinds import Cancelled
from wf_http.problems import Stopped

T = TypeVar("T")
LOOK = 0.05
"""Seconds after which a wait looks whether it was told to stop."""


class TimeIsUp(Exception):  # noqa: N818
    """The request took longer than it may."""


class Patience:
    """One for each request: every wait of it is a wait of this. Waits raise TimeIsUp and Stopped.

    The limit holds for the whole: a server that sends a byte a second gains nothing by it.
    """

    def __init__(self, seconds: float, cancelled: Cancelled) -> None:
        self.seconds = seconds
        self.sent = False
        """Whether a byte of the request may have reached a server: set before the first is written,
        and never taken back, whatever goes wrong later."""
        self._end = time.monotonic() + seconds
        self._cancelled = cancelled

    def left(self) -> float:
        """Seconds that are left."""
        if self._cancelled.is_set():
            raise Stopped
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeIsUp
        return left

    def for_socket(self, of: socket.socket, event: int) -> None:
        """Wait until `of` can be read or written (`selectors.EVENT_READ`, `EVENT_WRITE`)."""
        with selectors.DefaultSelector() as selector:
            selector.register(of, event)
            while not selector.select(min(LOOK, self.left())):
                pass

    def for_work(self, namespace: str, work: Callable[[], T]) -> T:
        """Have `work` done by a thread that is left to itself where it takes too long: a look-up of
        a name can't be stopped. One namespace has few such threads. Gives or raises what it does.
        """
        future = THREADS.start(namespace, work)
        try:
            while not wait((future,), min(LOOK, self.left())).done:
                pass
        finally:
            future.cancel()
        return future.result()
