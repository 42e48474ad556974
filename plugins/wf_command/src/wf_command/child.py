"""One command while it runs: started in a group of its own, followed, ended where it must be."""

import errno
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from wf_command import processes
from wf_command.group import KILL_WAIT, send
from wf_command.output import Output
from wf_command.problems import Busy, CannotStart, Ended, Problem
from wf_core.kinds import Cancelled

# Writes the record of `wf_command.group` before it becomes the command, so that no moment exists at
# which the command runs and nobody could find it. A subshell keeps its variables to itself.
_LAUNCHER = """\
(
  if [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r began < "/proc/$$/stat"
    read -r boot < /proc/sys/kernel/random/boot_id
  else
    began=$(LC_ALL=C ps -o lstart= -p $$)
    boot=
  fi
  printf '%s\\n%s\\n%s\\n' "$$" "$began" "$boot" > "$1"
) || exit 75
shift
exec "$@"
"""
_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05
_CHUNK = 65536
_DRAIN = 1.0
"""Seconds that reading may go on after the end, where something left behind keeps writing."""

_BUSY = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class Child:
    """A running command, as a context manager: an error that passes through leaves none behind."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", outputs: tuple[Output, Output], grace: float
    ) -> None:
        self._process = process
        self._outputs = outputs
        self._grace = grace
        self._pause = _FIRST_PAUSE
        self._selector = selectors.DefaultSelector()
        for pipe, output in zip((process.stdout, process.stderr), outputs, strict=True):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ, output)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            send(self._process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # the next call finds it by the record
                self._process.wait(KILL_WAIT)
        if kind is None or issubclass(kind, Problem):
            self._drain()
        for key in list(self._selector.get_map().values()):
            self._forget(key)
        self._selector.close()

    def follow(self, cancelled: Cancelled, timeout: float | None) -> int:
        """Read its output until it exits; gives the exit code, negative for a signal.

        Raises `Ended` where it was ended because it was asked to stop or `timeout` seconds passed,
        whatever its exit code then is.
        """
        started = time.monotonic()
        while self._process.poll() is None:
            if cancelled.is_set():
                self.end_group()
                raise Ended("stopped")
            if timeout is not None and time.monotonic() - started >= timeout:
                self.end_group()
                raise Ended(f"timed out after {timeout:g} s")
            self._read(cancelled)
        return self._process.wait()

    def end_group(self) -> None:
        """SIGTERM to all of the group that is left, SIGKILL after the grace, and wait.

        Raises `Ended` where even that does not end it.
        """
        group = self._process.pid
        kill_at = time.monotonic() + self._grace
        asked = False
        while self._process.poll() is None or processes.members(group):
            now = time.monotonic()
            if now >= kill_at + KILL_WAIT:
                raise Ended(f"process group {group} does not end, not even by SIGKILL")
            if now >= kill_at or not asked:
                send(group, signal.SIGKILL if now >= kill_at else signal.SIGTERM)
                asked = True
            self._read(None)

    def _read(self, cancelled: Cancelled | None) -> None:
        """Take the output that is there, waiting a moment for it."""
        pause = self._pause
        self._pause = min(pause * 1.5, _LONGEST_PAUSE)
        if not self._selector.get_map():
            if cancelled is None:
                time.sleep(pause)
            else:
                cancelled.wait(pause)
            return
        for key, _ in self._selector.select(pause):
            self._take(key)

    def _drain(self) -> None:
        """Take what the command wrote before it exited."""
        until = time.monotonic() + _DRAIN
        while time.monotonic() < until and (ready := self._selector.select(0)):
            for key, _ in ready:
                self._take(key)
        for output in self._outputs:
            output.close()

    def _take(self, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, _CHUNK)
        if data:
            output: Output = key.data
            output.feed(data)
        else:
            self._forget(key)
            self._pause = _FIRST_PAUSE  # most likely it exits in a moment

    def _forget(self, key: selectors.SelectorKey) -> None:
        pipe = key.fileobj
        self._selector.unregister(pipe)
        if not isinstance(pipe, int):
            pipe.close()  # type: ignore[attr-defined]


def start(
    arguments: Sequence[str],
    *,
    record: Path,
    lock: int,
    environment: Mapping[str, str],
    folder: Path,
) -> "subprocess.Popen[bytes]":
    """Start a command that inherits `lock` and writes its group into `record`.

    Raises `CannotStart`, or `Busy` where the machine is short of processes, memory or files.
    """
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", _LAUNCHER, "wf-command", str(record), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=(lock,),
            env=dict(environment),
            cwd=folder,
        )
    except OSError as error:
        if error.errno in _BUSY:
            raise Busy(f"no process could be started: {error.strerror}") from error
        raise CannotStart(f"the command can't be started: {error.strerror}") from error
    except ValueError:  # its text, and its traceback, could show a value of `env`
        raise CannotStart(
            "the command, or `env`, holds a character that no process can be given (such as NUL)"
        ) from None
