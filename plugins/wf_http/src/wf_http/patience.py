"""How long a request may take as a whole, and whether it is still wanted."""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

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

    def for_work(self, work: Callable[[], T]) -> T:
        """Have `work` done by a thread that is left to itself where it takes too long: a look-up of
        a name can't be stopped. Gives or raises what it does."""
        done: _Work[T] = _Work(work)
        threading.Thread(target=done.do, name="wf-http-name", daemon=True).start()
        while not done.over.wait(min(LOOK, self.left())):
            pass
        return done.result()


class _Work(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.over = threading.Event()
        self._work = work
        self._result: list[T] = []
        self._error: Exception | None = None

    def do(self) -> None:
        try:
            self._result.append(self._work())
        except Exception as error:  # raised where it is waited for
            self._error = error
        finally:
            self.over.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]
