"""Debian's packages for tests that need a program of the machine's."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

from tests.cluster.binaries import UnavailableError, cache, only_one


def there(program: str) -> bool:
    return shutil.which(program) is not None


def install(packages: Sequence[str], say: Callable[[str], None]) -> None:
    """Install Debian packages; UnavailableError where that can't be done."""
    if not there("apt-get"):
        raise UnavailableError(f"this needs {', '.join(packages)}, and there is no apt-get")
    if os.geteuid() != 0:
        raise UnavailableError(f"this needs {', '.join(packages)}; only root can install that")
    say(f"installing {', '.join(packages)}")
    wanted = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    with only_one(cache() / ".install.lock", lambda: say("waiting for another installation")):
        # A fresh machine may have no list of packages yet.
        for command in (wanted, ["apt-get", "update"], wanted):
            done = attempt(command)
            if command is wanted and done.returncode == 0:
                return
    raise UnavailableError(f"{' '.join(packages)} can't be installed: {last_line(done)}")


def attempt(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """How a command ended."""
    quietly = {
        "DEBIAN_FRONTEND": "noninteractive",
        "RUNLEVEL": "1",  # what is installed starts no service
        "LC_ALL": "C",
    }
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **quietly},
    )


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
