"""A program in the background, known by its process id alone."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
TAIL = 15
"""Lines of a log that a message quotes."""


class Guard:
    """Sees to it that no process outlives us, even where we are killed."""

    def __init__(self, folder: Path) -> None:
        self._program = subprocess.Popen(
            # The folder is there for people who wonder what the process belongs to.
            [sys.executable, "-I", str(GUARD), str(folder)],
            stdin=subprocess.PIPE,
            text=True,
            # Ctrl-C must not reach it: what it guards would go unguarded.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._program.pid

    def tell(self, line: str) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(f"{line}\n")
        self._program.stdin.flush()

    def close(self) -> None:
        """End it, and with it whatever still runs."""
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait()


class Daemon:
    """A program that runs until it is told to stop. Its output is added to `log`."""

    def __init__(self, command: Sequence[str], log: Path, guard: Guard) -> None:
        self._command = command
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log

    @property
    def name(self) -> str:
        return Path(self._command[0]).name

    @property
    def pid(self) -> int:
        """The process id; RuntimeError where it does not run."""
        return self._running().pid

    def start(self) -> None:
        """Start the program, which must not run already."""
        if self._process is not None:
            raise RuntimeError(f"{self.name} runs already, as process {self._process.pid}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the one who started it, who stops it in order.
                start_new_session=True,
            )
        self._guard.tell(f"+{self._process.pid}")

    def check(self) -> None:
        """RuntimeError with the end of its log where it has ended by itself."""
        code = self._running().poll()
        if code is not None:
            said = "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])
            raise RuntimeError(f"{self.name} ended with code {code}; its log {self.log}:\n{said}")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP and SIGCONT."""
        self._running().send_signal(number)

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, insist after `grace` seconds, return once it is gone.

        Nothing happens where it does not run.
        """
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._gone()

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._running().kill()
        self._gone()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process

    def _gone(self) -> None:
        process = self._running()
        process.wait()
        self._guard.tell(f"-{process.pid}")
        self._process = None
