"""The process group of an earlier call, found again and ended, also after the engine was killed.

Every command starts in a session and process group of its own and inherits a file on which the
engine took a `flock`. The lock lasts as long as any process that has the file open: holding it
proves that nothing that inherited it is left. The file says which group that was, and when its
first process began, so that a group that was given the same number later is left alone.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from wf_command import processes
from wf_command.problems import StillRunning
from wf_core.adapters.own_files import close_own, open_own

KILL_WAIT = 5.0
"""Seconds that a process may take to go once it was sent SIGKILL."""

_PAUSE = 0.02
_MOST_RECORD = 4096
"""Characters of a record that are read: three short lines."""


def send(group: int, number: signal.Signals) -> None:
    """Signal a whole group. That it is gone, or another user's, shows when one looks again."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        if number is signal.SIGTERM:
            os.killpg(group, signal.SIGCONT)  # what is stopped can't act on SIGTERM


@attrs.frozen
class GroupFile:
    """The locked file of one step's commands. `marker` is an environment variable, name and value,
    that only processes of this step were started with."""

    path: Path
    marker: tuple[str, str]

    @contextmanager
    def taken(self, grace: float) -> Iterator[int]:
        """Hold the lock, with an empty record: end what is left of the earlier call first.

        Gives the descriptor that a new command must inherit; it is closed here at the end, so that
        from then on the command alone holds the lock. Raises `StillRunning`.
        """
        descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT)
        try:
            self._end_earlier(descriptor, grace)
            os.ftruncate(descriptor, 0)
            yield descriptor
        finally:
            close_own(descriptor)

    def _end_earlier(self, descriptor: int, grace: float) -> None:
        kill_at = time.monotonic() + grace
        group: int | None = None
        asked = False
        while True:
            free = _try_lock(descriptor)
            group = group or self._earlier_group()
            left = processes.members(group) if group else []
            if free and not left:
                return
            now = time.monotonic()
            if now >= kill_at + KILL_WAIT:
                raise StillRunning(self._who_is_left(left))
            if group and left and (now >= kill_at or not asked):
                send(group, signal.SIGKILL if now >= kill_at else signal.SIGTERM)
                asked = True
            time.sleep(_PAUSE)

    def _earlier_group(self) -> int | None:
        """The recorded group, if it is certain that it is still ours."""
        with self.path.open(errors="replace") as file:  # whose length a command may have changed
            lines = file.read(_MOST_RECORD).split("\n")
        if len(lines) < 4 or not lines[0].isdigit():
            return None  # never written, or being written right now
        group = int(lines[0])
        first = _first_process(group, lines[1], lines[2])
        for process in processes.members(group):
            if process == first or processes.has_variable(process.pid, *self.marker):
                return group
        return None

    def _who_is_left(self, left: list[processes.Process]) -> str:
        pids = [process.pid for process in left] or processes.holders(self.path)
        if not pids:
            return (
                f"a process of an earlier attempt still holds {self.path}; "
                f"find it with `lsof {self.path}`, end it, then retry"
            )
        named = ", ".join(f"{pid} ({processes.command_of(pid) or 'gone'})" for pid in pids[:5])
        return f"an earlier attempt left process {named} running; end it, then retry"


def _first_process(group: int, began: str, boot: str) -> processes.Process | None:
    """The group's first process, as the launcher wrote it down."""
    if processes.ON_LINUX:
        return processes.parse_stat(began, boot)
    return processes.Process(group, group, began.strip())


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
