"""Files that only this process may hold open, because a lock on them says that it lives.

What is started with another program does not inherit them (O_CLOEXEC). A child that a hook forks
does, and a `flock` lasts as long as anybody has the file open: so a forked child closes them first.
"""

import errno
import os
import stat
import threading
from pathlib import Path

_open: dict[int, None] = {}
_changing = threading.Lock()  # no fork happens between opening a file and noting it


def open_own(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file for this process alone. Raises OSError, also for what is no plain file: whoever
    may write to its folder could have a pipe or a link there, that leads or holds us up."""
    with _changing:
        flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, mode)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "is no plain file: remove it", str(path))
        _open[descriptor] = None
    return descriptor


def close_own(descriptor: int) -> None:
    """Close what `open_own` gave."""
    with _changing:
        _open.pop(descriptor, None)
        os.close(descriptor)


def _in_child() -> None:
    for descriptor in _open:
        os.close(descriptor)
    _open.clear()
    _changing.release()


os.register_at_fork(
    before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_in_child
)
