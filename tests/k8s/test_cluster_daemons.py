"""The programs in the background: watched, and stopped by their own ids."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.control_plane import running
from tests.cluster.daemon import GUARD, Daemon, Guard
from tests.cluster.inside import Wrapped
from tests.cluster.ports import Port
from tests.patience import PATIENCE

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
        assert left.wait(PATIENCE) == -signal.SIGKILL
        assert ended.poll() is None
    finally:
        for process in (left, ended):
            process.kill()
            process.wait()


def test_the_guard_runs_what_is_to_be_run_at_the_end_however_it_comes(tmp_path: Path) -> None:
    """The last first, since it may stand on the first; all, though one fails."""
    left, notes = subprocess.Popen(SLEEPS), tmp_path / "notes"
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(GUARD), str(tmp_path)],
            input=f"""+{left.pid}
!["sh", "-c", "echo first >> {notes}"]
!["false"]
!["sh", "-c", "echo last >> {notes}"]
""",
            text=True,
            check=False,
        )
    finally:
        left.kill()
        left.wait()
    assert notes.read_text().split() == ["last", "first"]
    assert done.returncode == 1


def test_a_clean_up_that_failed_is_a_fault(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    guard.at_end(["false"])
    with pytest.raises(RuntimeError, match="something is left behind"):
        guard.close()


def test_a_program_behind_a_wrapper_is_the_one_that_gets_signals(
    guard: Guard, tmp_path: Path
) -> None:
    wrapper = ["sh", "-c", '"$@"; echo "it ended with $?" >&2; exit 9', "sh"]
    daemon = Wrapped(lambda: wrapper, SLEEPS, tmp_path / "log", guard)
    daemon.start()
    up(daemon)
    assert daemon.name == Path(sys.executable).name
    assert SLEEPS[-1].encode() in Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
    daemon.kill()
    assert f"it ended with {128 + signal.SIGKILL}" in daemon.log.read_text()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = daemon.pid
    daemon.start()
    daemon.stop()


def test_a_wrapper_that_can_not_start_its_program_is_reported(guard: Guard, tmp_path: Path) -> None:
    refuses = ["sh", "-c", "echo not permitted >&2; exit 1", "sh"]
    daemon = Wrapped(lambda: refuses, SLEEPS, tmp_path / "log", guard)
    with pytest.raises(RuntimeError, match=r"(?s)ended with code 1.*not permitted"):
        daemon.start()


def test_a_port_is_nobody_elses_while_it_is_held() -> None:
    ports = [Port() for _ in range(200)]
    try:
        assert len({port.number for port in ports}) == len(ports)
    finally:
        for port in ports:
            port.release()
