"""The points of a hook at which its process may die, in the order in which it comes to them.

Such a point is before each line of the kind's own package, and before each thing that Python itself
is about to do to the outside (a file that is opened to be written, a process that is started, a
connection), whichever library does it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_OUTSIDE = (
    "fcntl.",
    "ftplib.",
    "http.client.",
    "os.",
    "shutil.",
    "smtplib.",
    "socket.",
    "sqlite3.",
    "subprocess.",
    "urllib.",
)
_READS = frozenset(
    {
        "os.fwalk",
        "os.getxattr",
        "os.listdir",
        "os.listxattr",
        "os.putenv",
        "os.scandir",
        "os.unsetenv",
        "os.walk",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostname",
    }
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Boundaries:
    """Counts those that are crossed, and kills this process at the one numbered `die_at`; before
    that it tells where it is, in words that go on after "killed"."""

    def __init__(self, package: str, die_at: int, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._package = package
        self._inside = f"{package}."
        self._die_at = die_at
        self._watching = False
        self.crossed = 0
        sys.addaudithook(self._audit)

    def cross(self, where: str) -> None:
        """One more; does not return from the one to die at."""
        self.crossed += 1
        if self.crossed == self._die_at:
            self._watching = False
            self._tell(where)
            os.kill(os.getpid(), signal.SIGKILL)

    def __enter__(self) -> "Boundaries":
        self._watching = True
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        self._watching = False

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching or event in _READS:
            return
        if event.startswith(_OUTSIDE) or (event == "open" and _writes(arguments)):
            self.cross(f"before {event} {arguments[0] if arguments else ''}".strip())

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """A global trace function: asks for the lines of the frames that are the kind's."""
        name = frame.f_globals.get("__name__", "")
        ours = name == self._package or str(name).startswith(self._inside)
        return self._line if ours and event == "call" else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and self._watching:
            file = frame.f_code.co_filename.rpartition(os.sep)[2]
            self.cross(f"before line {frame.f_lineno} of {file}")
        return self._line


def _writes(arguments: tuple[Any, ...]) -> bool:
    return isinstance(arguments[-1], int) and bool(arguments[-1] & _WRITES)
