"""Work that can't be stopped, such as the look-up of a host name, in threads of which each tenant
has a few: a name's own server says how long its look-up takes, and must not use up all threads."""

import os
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
AT_ONCE = 8
"""Threads that work for one tenant. Its other work waits, and nobody else's does."""

_Waiting = deque[tuple[Future[Any], Callable[[], Any]]]


class TenantThreads:
    """Does work for tenants. Any thread may ask.

    Threads are made as needed and end with their work; none keeps the process from ending.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, _Waiting] = {}

    def forked(self) -> None:
        """Begin anew in a child process, which has none of its parent's threads."""
        self._begin()

    def start(self, tenant: str, work: Callable[[], T]) -> Future[T]:
        """Have `work` done. Cancel what is given where it is wanted no longer: work that waits for
        its turn is then forgotten."""
        future: Future[T] = Future()
        entry = (future, work)

        def over(_: Future[T]) -> None:
            if future.cancelled():
                self._forget(tenant, entry)

        with self._lock:
            self._waiting.setdefault(tenant, deque()).append(entry)
            more = self._running[tenant] < AT_ONCE
            self._running[tenant] += more
        future.add_done_callback(over)
        if more:
            threading.Thread(
                target=self._serve, args=(tenant,), name="wf-tenant", daemon=True
            ).start()
        return future

    def _forget(self, tenant: str, entry: tuple[Future[Any], Callable[[], Any]]) -> None:
        with self._lock:
            line = self._waiting.get(tenant, deque())
            if entry in line:
                line.remove(entry)

    def _serve(self, tenant: str) -> None:
        while (following := self._next(tenant)) is not None:
            future, work = following
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except Exception as error:  # raised where it is waited for
                future.set_exception(error)
            else:
                future.set_result(result)

    def _next(self, tenant: str) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            line = self._waiting.get(tenant)
            if line:
                return line.popleft()
            self._waiting.pop(tenant, None)
            self._running[tenant] -= 1
            if not self._running[tenant]:
                del self._running[tenant]
            return None


THREADS = TenantThreads()
"""Those of this process: what a tenant has going is counted over all that ask."""
os.register_at_fork(after_in_child=THREADS.forked)


def addresses(host: str) -> list[str]:
    """What a host name is looked up to have, the best first. Takes as long as it takes.

    The port is not looked up, and must not be: what is judged is what is connected to. Raises
    OSError and UnicodeError.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
