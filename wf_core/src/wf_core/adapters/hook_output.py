"""What hooks print and log goes to `wf logs`, in a process that is wf's own.

The thread of a hook is bound to its call. Streams and a log handler, put in place while a command
runs an engine, give what such a thread writes to the call. Without them, as in a program that uses
wf as a library, nothing is taken from anybody.
"""

import io
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from wf_core.kinds import StepCall

LONGEST = 8 * 1024
"""Characters of a line without an end that are kept back."""

_OWN = frozenset(("wf", "wf_core"))


class _Bound(threading.local):
    speaker: "_Speaker | None" = None


_bound = _Bound()


class _Speaker:
    """What one call of a hook prints, by stream, given on line by line."""

    def __init__(self, call: StepCall) -> None:
        self._call = call
        self._begun: dict[str, str] = {}

    def write(self, text: str, stream: str) -> None:
        text = self._begun.pop(stream, "") + text
        whole, end, begun = text.rpartition("\n")
        if len(begun) > LONGEST:
            whole, end, begun = text, "\n", ""
        if begun:
            self._begun[stream] = begun
        if end:
            self._call.log(whole, stream)

    def flush(self) -> None:
        for stream, text in self._begun.items():
            self._call.log(text, stream)
        self._begun.clear()


def bind(call: StepCall) -> None:
    """From now on this thread speaks for a call."""
    _bound.speaker = _Speaker(call)


def unbind() -> None:
    """The call is over; a line that was begun is given on as it is."""
    speaker, _bound.speaker = _bound.speaker, None
    if speaker is not None:
        speaker.flush()


def _in_child() -> None:
    _bound.speaker = None  # what a forked child says is not heard by our parent's loop


os.register_at_fork(after_in_child=_in_child)


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer` of a hook's thread."""

    def __init__(self, stream: "_Stream") -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        raw = bytes(data)
        self._stream.write(raw.decode(errors="replace"))
        return len(raw)


class _Stream(io.TextIOBase):
    """Stands in for a standard stream: what a hook's thread writes goes to its call, what the
    engine's own thread writes to the stream that was there. Anybody else's text, such as that of a
    thread that a hook started, goes to `stray`: stdout is the answer of a command alone."""

    def __init__(self, name: str, real: TextIO, stray: TextIO) -> None:
        self._name = name
        self.real = real
        self._stray = stray
        self._owner = threading.get_ident()

    def _target(self) -> TextIO:
        return self.real if threading.get_ident() == self._owner else self._stray

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        speaker = _bound.speaker
        if speaker is None:
            return self._target().write(text)
        speaker.write(text, self._name)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _bound.speaker is None:
            self._target().flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return _bound.speaker is None and self._target().isatty()

    def fileno(self) -> int:
        return self._target().fileno()

    def close(self) -> None:
        """Nobody closes the streams of a process by what stands in for them."""

    @property
    def buffer(self) -> Any:
        return self._target().buffer if _bound.speaker is None else _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.real.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.real.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class _Logs(logging.Handler):
    """Gives what is logged in a hook's thread to its call."""

    def emit(self, record: logging.LogRecord) -> None:
        speaker = _bound.speaker
        if speaker is not None:
            speaker.write(self.format(record) + "\n", "logging")


def _others_take(record: logging.LogRecord) -> bool:
    """What the handlers that were there go on with: nothing of hooks, and of others no more than
    before the level was lowered for hooks."""
    if _bound.speaker is not None:
        return False
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OWN


@contextmanager
def captured() -> Iterator[None]:
    """While this lasts, what hooks print, and log at INFO or above, goes to their calls. Entered on
    the engine's own thread."""
    with _logs_captured(), streams_captured():
        yield


@contextmanager
def streams_captured() -> Iterator[None]:
    """Stand in for the streams that are there now, such as those that a live tree put in place."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout", out, err), _Stream("stderr", err, err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


@contextmanager
def _logs_captured() -> Iterator[None]:
    root, kinds, ours = logging.getLogger(), logging.getLogger("wf.kind"), _Logs()
    ours.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    levels = [(each, each.level) for each in (root, kinds)]
    theirs = list(root.handlers)
    for handler in theirs:
        handler.addFilter(_others_take)
    root.addHandler(ours)
    for logger, _ in levels:
        if logger.getEffectiveLevel() > logging.INFO:
            logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in levels:
            logger.setLevel(level)
        root.removeHandler(ours)
        for handler in theirs:
            handler.removeFilter(_others_take)
