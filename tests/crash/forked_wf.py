"""`wf` processes that start at once: forked from one that has imported everything already.

Each is a process of its own that runs the command line as it is shipped, and can be killed as one.
Run as `python -m tests.crash.forked_wf`: an order is a line of JSON on standard input, its answer a
line on standard output.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Forked:
    """One `wf` process; what it says is in `log`."""

    nursery: "Nursery"
    pid: int
    log: Path

    def said(self, text: str) -> bool:
        """Whether its log holds `text`."""
        return self.log.exists() and text in self.log.read_text()

    def await_said(self, text: str) -> None:
        """Wait until its log holds `text`."""
        until = time.monotonic() + PATIENCE
        while not self.said(text):
            assert time.monotonic() < until, f"never said {text!r}: {self.log.read_text()}"
            time.sleep(0.005)

    def kill(self) -> bool:
        """`kill -9`; whether it came before the process ended by itself."""
        os.kill(self.pid, signal.SIGKILL)
        return self.nursery.ended(self.pid) == -signal.SIGKILL

    # As of a `subprocess.Popen`:

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.nursery.poll(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(["wf"], timeout or 0.0)
            time.sleep(0.01)
        return code


class Nursery:
    """The process from which they are forked, from the side of the tests."""

    def __init__(self, *imports: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forked_wf", *imports],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.RLock()
        self._alive: dict[int, None] = {}
        self._codes: dict[int, int] = {}

    def start(self, arguments: Sequence[str], log: Path, env: Mapping[str, str]) -> Forked:
        """`wf ARGUMENTS` in the folder of `log`, with more in its environment."""
        order = {"arguments": list(arguments), "log": str(log), "env": dict(env)}
        with self._lock:
            pid = int(self._ask(order))
            self._alive[pid] = None
            self._codes.pop(pid, None)  # of another, long ago
            return Forked(self, pid, log)

    def ended(self, pid: int) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return self._noted(pid, "wait") or 0

    def poll(self, pid: int) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._noted(pid, "poll")

    def _noted(self, pid: int, how: str) -> int | None:
        with self._lock:
            if pid not in self._codes and (told := self._ask({how: pid})):
                self._codes[pid] = int(told)
                del self._alive[pid]
            return self._codes.get(pid)

    def close(self) -> None:
        """End it, and what a test that failed has left running."""
        for pid in self._alive:
            os.kill(pid, signal.SIGKILL)
        self._process.communicate()

    def _ask(self, order: object) -> str:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline().strip()


@contextlib.contextmanager
def nursery(*imports: str) -> Iterator[Nursery]:
    """One for a test; `imports` are modules that its processes need besides those of `wf`."""
    made = Nursery(*imports)
    try:
        yield made
    finally:
        made.close()


def _run(order: Mapping[str, object]) -> int:
    """In the child."""
    from wf_core.cli.app import run

    log = Path(str(order["log"]))
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.close(0)
    env, arguments = order["env"], order["arguments"]
    assert isinstance(env, dict)
    assert isinstance(arguments, list)
    os.environ.update(env)
    os.chdir(log.parent)
    return run(arguments)


def main() -> None:
    """Serve until standard input ends."""
    for name in ("wf_core.cli.serve", "wf_core.engine.scheduling", *sys.argv[1:]):
        __import__(name)
    from wf_core.cli.registry import installed

    assert installed().problems == ()
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order or "poll" in order:
            one, options = (order["wait"], 0) if "wait" in order else (order["poll"], os.WNOHANG)
            ended, status = os.waitpid(one, options)
            print(os.waitstatus_to_exitcode(status) if ended else "", flush=True)
            continue
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = _run(order)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
