"""Programs in namespaces of their own: when the first of them ends, the kernel ends all."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cluster.daemon import Daemon, Guard
from tests.patience import PATIENCE

PROC = Path("/proc")
INSIDE = Path("/run/wf")
INIT = Path(__file__).with_name("node_init.py")


class Wrapped(Daemon):
    """A program that another one starts as its only child, and waits for.

    `pid` and signals mean the program, once it is there; the wrapper ends when it ends.
    """

    def __init__(
        self,
        wrapper: Callable[[], Sequence[str]],
        command: Sequence[str],
        log: Path,
        guard: Guard,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(command, log, guard, environment)
        self._wrapper = wrapper
        self._wrapped = command
        self._child: int | None = None

    @property
    def pid(self) -> int:
        return self._child or super().pid

    def start(self) -> None:
        self._command = [*self._wrapper(), *self._wrapped]
        super().start()
        wrapper = super().pid
        deadline = time.monotonic() + PATIENCE
        while (child := child_of(wrapper)) is None:
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} was not started within {PATIENCE:g} s")
            time.sleep(0.005)
        self._child = child

    def _gone(self) -> None:
        super()._gone()
        self._child = None


class Namespaces:
    """A mount namespace and a PID namespace, that begin and end with their first process.

    What is written to `covered` folders of the machine lands below `folder`, and is seen by
    nobody outside. `folder` itself is INSIDE there, a path that is short enough for sockets.
    """

    def __init__(self, folder: Path, covered: Sequence[str], guard: Guard) -> None:
        self._guard = guard
        self._ready = folder / "ready"
        self._init = Wrapped(
            # --kill-child: the guard knows the wrapper's id, and its end is to be the end of all.
            lambda: ["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "--"],
            [sys.executable, "-I", str(INIT), str(folder), str(INSIDE), *covered],
            folder / "init.log",
            guard,
        )

    def start(self) -> None:
        """Begin, and return when the folders are covered."""
        self._init.start()
        deadline = time.monotonic() + PATIENCE
        while not self._ready.exists():
            self._init.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"no namespaces within {PATIENCE:g} s; see {self._init.log}")
            time.sleep(0.01)

    def daemon(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Daemon:
        """A program that will run inside; to be started once the namespaces are."""
        return Wrapped(self.entering, command, log, self._guard, environment)

    def stop(self) -> None:
        """End every process inside, and with them all that was mounted."""
        # The first process of a PID namespace is deaf to what it does not handle.
        self._init.stop(grace=0)

    def entering(self) -> list[str]:
        """What to put before a command so that it runs inside."""
        return ["nsenter", f"--target={self._init.pid}", "--mount", "--pid", "--"]


def child_of(parent: int) -> int | None:
    """The one child of a process, once it has one."""
    for entry in PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended while we looked.
        # The name in brackets may hold anything; what follows it is fixed.
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            return int(entry.name)
    return None
