"""Tells of a loop that is held: nothing else goes on meanwhile, no lease is renewed and no probe is
answered. A thread of its own looks, since nothing on the loop can."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType

from wf_core.model.spec import Key

LIMIT_SECONDS = 1.0
"""A loop that is held for longer is reported."""
_PARTS = 4
"""Heartbeats within the limit."""
MOST_FRAMES = 12
"""Of a stack that is told, the innermost."""
_LOOP = ("asyncio/events.py", "asyncio/base_events.py")
_IDLE = "selectors.py"
"""Where a loop waits that nobody holds."""

log = logging.getLogger("wf.loop")


def _nobody(seconds: float) -> None:
    """Nobody counts."""


class Watchdog:
    """Watches the loop that runs while it is entered. `held(seconds)` is called, on the watchdog's
    thread or on the loop's, each time that the loop was held for over `limit` seconds."""

    def __init__(
        self, held: Callable[[float], None] = _nobody, *, limit: float = LIMIT_SECONDS
    ) -> None:
        self._held = held
        self._limit = limit
        self._beat_at = 0.0
        self._told = False
        self._ended = threading.Event()
        self._watched = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Watchdog":
        """Watch the running loop, from its own thread."""
        self._watched = threading.get_ident()
        self._beat(asyncio.get_running_loop(), time.monotonic())
        self._thread = threading.Thread(target=self._watch, name="wf-watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """On the loop: it is not held now. It was where this comes late."""
        now = time.monotonic()
        self._beat_at = now
        if now - due > self._limit:
            if not self._told:
                log.warning(
                    "the loop was held for %.1f s, or the machine stood still: nothing else went "
                    "on meanwhile",
                    now - due,
                )
            else:
                log.warning("the loop goes on, after %.1f s", now - due)
            self._held(now - due)
        self._told = False
        pause = self._limit / _PARTS
        self._timer = loop.call_later(pause, self._beat, loop, now + pause)

    def _watch(self) -> None:
        while not self._ended.wait(self._limit / _PARTS):
            late = time.monotonic() - self._beat_at - self._limit / _PARTS
            if late > self._limit and not self._told:
                self._tell(late)

    def _tell(self, late: float) -> None:
        frame = sys._current_frames().get(self._watched)
        if frame is None or frame.f_code.co_filename.endswith(_IDLE):
            return  # the machine stood still, and nobody holds the loop
        self._told = True
        of = next(_keys(frame), None)
        log.error(
            "the loop is held%s, for %.1f s by now: nothing else goes on. It is at:\n%s",
            "" if of is None else f" by a turn of workflow '{of}'",
            late,
            "".join(_turn(frame)),
        )


def _turn(frame: FrameType) -> list[str]:
    """The innermost frames of what the loop runs, but for those of asyncio and of imports."""
    stack = traceback.extract_stack(frame)
    loops = [n for n, each in enumerate(stack) if each.filename.endswith(_LOOP)]
    turn = stack[loops[-1] + 1 :] if loops else stack
    ours = [each for each in turn if not each.filename.startswith("<frozen")]
    return traceback.format_list(ours[-MOST_FRAMES:])


def _keys(frame: FrameType | None) -> Iterator[Key]:
    """The workflows that the frames of a stack are about, innermost first."""
    while frame is not None:
        for value in (frame.f_locals.get("key"), getattr(frame.f_locals.get("self"), "key", None)):
            if isinstance(value, Key):
                yield value
        frame = frame.f_back
