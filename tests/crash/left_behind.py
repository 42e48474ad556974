"""Ends what a test's commands left running, so that a test that fails leaves nothing either."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from wf_command import processes


def end_what_works_in(folder: Path) -> None:
    """SIGKILL to every process of ours whose working folder is `folder` or below it."""
    for process in list(processes.running()):
        with suppress(OSError):  # it is gone, or another user's
            where = Path(f"/proc/{process.pid}/cwd").readlink()
            if where.is_relative_to(folder):
                os.kill(process.pid, signal.SIGKILL)
