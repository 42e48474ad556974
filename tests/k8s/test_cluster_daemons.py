"""The programs in the background: watched, and stopped by their own ids."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.control_plane import running
from tests.cluster.daemon import GUARD, Daemon, Guard
from tests.cluster.ports import Port

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('up', flush=True); time.sleep(600)",
]


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    guard = Guard(tmp_path)
    yield guard
    guard.close()


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def up(daemon: Daemon) -> None:
    """Return once it has said that it is up."""
    while not daemon.log.read_bytes():
        daemon.check()


def test_a_stubborn_program_is_stopped_too(guard: Guard, tmp_path: Path) -> None:
    daemon = Daemon(STUBBORN, tmp_path / "log", guard)
    daemon.start()
    up(daemon)
    process = Path(f"/proc/{daemon.pid}")
    daemon.stop(grace=0.05)
    assert not process.exists()
    with pytest.raises(RuntimeError, match="does not run"):
        daemon.check()


def test_what_was_stopped_can_be_started_again(guard: Guard, tmp_path: Path) -> None:
    daemon = Daemon(SLEEPS, tmp_path / "log", guard)
    daemon.start()
    first = daemon.pid
    with pytest.raises(RuntimeError, match=f"runs already, as process {first}"):
        daemon.start()
    daemon.kill()
    daemon.start()
    assert daemon.pid != first
    daemon.stop()


def test_stopping_what_does_not_run_is_no_fault(guard: Guard, tmp_path: Path) -> None:
    Daemon(SLEEPS, tmp_path / "log", guard).stop()


def test_a_program_that_ends_is_reported_with_what_it_said(tmp_path: Path) -> None:
    programs = {
        "etcd": program(tmp_path, "etcd", "exec sleep 600"),
        "kube-apiserver": program(tmp_path, "kube-apiserver", "echo no such flag: -x; exit 7"),
    }
    with (
        pytest.raises(RuntimeError, match=r"(?s)kube-apiserver ended with code 7.*no such flag"),
        running(programs, tmp_path / "plane"),
    ):
        pytest.fail("it can't be ready")


def test_the_guard_ends_what_is_left_and_nothing_else(tmp_path: Path) -> None:
    left, ended = subprocess.Popen(SLEEPS), subprocess.Popen(SLEEPS)
    try:
        subprocess.run(
            [sys.executable, "-I", str(GUARD), str(tmp_path)],
            input=f"+{left.pid}\n+{ended.pid}\n-{ended.pid}\n",
            text=True,
            check=True,
        )
        assert left.wait(10) == -signal.SIGKILL
        assert ended.poll() is None
    finally:
        for process in (left, ended):
            process.kill()
            process.wait()


def test_a_port_is_nobody_elses_while_it_is_held() -> None:
    ports = [Port() for _ in range(200)]
    try:
        assert len({port.number for port in ports}) == len(ports)
    finally:
        for port in ports:
            port.release()
