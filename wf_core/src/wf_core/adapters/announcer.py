"""Observers, told by a thread of their own from a bounded queue: slow ones hold up nothing."""

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable

from wf_core.ports import Event

QUEUE = 10_000
CLOSING = 2.0  # seconds that what is queued has left when the engine ends

log = logging.getLogger("wf.observers")


class NoAnnouncer:
    """Implements `ports.Announcer` where no plugin observes: nobody is told, at no cost."""

    def announce(self, event: Event) -> None:
        """Nobody wants to know."""

    async def close(self) -> None:
        """Nothing is queued."""


class ThreadAnnouncer:
    """Implements `ports.Announcer`. `notify` is `Registry.notify`; its thread starts at need."""

    def __init__(self, notify: Callable[[Event], None], *, limit: int = QUEUE) -> None:
        self._notify = notify
        self._queue: queue.Queue[Event | None] = queue.Queue(limit)
        self._thread: threading.Thread | None = None
        self._dropped = 0

    def announce(self, event: Event) -> None:
        """Queue an event; when the queue is full it is dropped, and that is logged once a burst."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._tell, name="wf-observers", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._dropped += 1
            if self._dropped == 1:
                log.warning("observers are too slow: events are dropped until they catch up")
        else:
            if self._dropped:
                log.warning("observers missed %d events", self._dropped)
                self._dropped = 0

    async def close(self) -> None:
        """Let what is queued be told, for at most `CLOSING` seconds."""
        if self._thread is None:
            return
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            left = self._queue.qsize()
            log.warning("observers missed the end: %d events were still queued", left)
            return
        await asyncio.to_thread(self._thread.join, CLOSING)

    def _tell(self) -> None:
        own = os.getpid()
        while (event := self._queue.get()) is not None:
            self._notify(event)
            if os.getpid() != own:
                os._exit(0)  # a process that an observer forked: it is not to tell anything more
