"""A program in the background, known by its process id alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
TAIL = 15
"""Lines of a log that a message quotes."""


class Guard:
    """Sees to it that nothing outlives us, even where we are killed."""

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

    def at_end(self, command: Sequence[str]) -> None:
        """Have a command run at the end, once no guarded process is left."""
        self.tell(f"!{json.dumps(list(command))}")

    def close(self) -> None:
        """End it, and with it whatever still runs; RuntimeError where a command of the end failed
        (its own words went to standard error)."""
        assert self._program.stdin is not None
        self._program.stdin.close()
        if code := self._program.wait():
            raise RuntimeError(f"the clean-up ended with code {code}; something is left behind")


class Daemon:
    """A program that runs until it is told to stop. Its output is added to `log`.

    `environment` is added to our own.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        guard: Guard,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._name = Path(command[0]).name
        self._guard = guard
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log

    @property
    def name(self) -> str:
        return self._name

    @property
    def started(self) -> bool:
        """Whether it was started and not stopped; it may have ended by itself."""
        return self._process is not None

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
                env=self._environment,
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
        if self._running().poll() is None:
            os.kill(self.pid, number)

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, insist after `grace` seconds, return once it is gone.

        Nothing happens where it does not run.
        """
        if self._process is None:
            return
        # What runs inside another program may be gone a moment before that is.
        with suppress(ProcessLookupError):
            self.signal(signal.SIGTERM)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
        self._gone()

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self.signal(signal.SIGKILL)
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
