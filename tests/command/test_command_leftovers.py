"""What a killed engine, or a background process, leaves running, and when it is ended (C6)."""

import fcntl
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.command.command_calls import Bench, is_running
from tests.patience import PATIENCE

from wf_command import processes
from wf_command.group import GroupFile
from wf_command.kind import Command
from wf_core.kinds import Previous, Retryable
from wf_core.model.phases import Ended, Hook
from wf_core.model.state import Resource

KIND = Command()

ENGINE = """
import sys
from pathlib import Path
from tests.command.command_calls import Bench
from wf_command.kind import Command
call = Bench(Path(sys.argv[1])).call(run=sys.argv[2])
{begin}
Command().run(call)
"""


def until_written(path: Path) -> str:
    """The first line of `path`, once it is whole."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return text.strip()
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


@contextmanager
def engine(bench: Bench, run: str, begin: str = "") -> Iterator[None]:
    """A process that runs `run` through the kind, after `begin`; it gets SIGKILL at the end."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE.format(begin=begin), str(bench.folder), run],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def kill_an_engine_inside(bench: Bench, run: str, sign: Path) -> str:
    """Kill an engine once its command has written `sign`; gives what that says."""
    with engine(bench, run):
        return until_written(sign)


@pytest.mark.parametrize("hook", [Hook.RUN, Hook.ROLLBACK])
def test_c6_the_next_call_first_ends_what_a_killed_engine_left(
    bench: Bench, tmp_path: Path, hook: Hook
) -> None:
    sign = tmp_path / "pid"
    child = int(kill_an_engine_inside(bench, f"echo $$ > {sign}; sleep 60; :", sign))
    assert is_running(child)
    assert Path(f"/proc/{child}/cmdline").read_text()
    act = KIND.run if hook is Hook.RUN else KIND.rollback
    command = f"tr '\\0' ' ' < /proc/{child}/cmdline || :"  # empty once it has ended
    act(bench.call(hook, run=command, rollback=command))
    assert bench.output("stdout") == ""
    assert not is_running(child)


def test_c6_a_left_child_that_ignores_sigterm_is_killed(bench: Bench, tmp_path: Path) -> None:
    sign = tmp_path / "pid"
    script = f"trap '' TERM; echo $$ > {sign}; while :; do sleep 0.05; done"
    child = int(kill_an_engine_inside(bench, script, sign))
    KIND.run(bench.call(run=["true"], grace=0.2))
    assert not is_running(child)


def test_c6_a_group_whose_first_process_is_gone_is_known_by_its_environment(
    bench: Bench, tmp_path: Path
) -> None:
    """The first process and the lock are gone; the grandchild neither holds the file nor leads."""
    sign = tmp_path / "pid"
    program = (
        "import os, subprocess, sys; c = subprocess.Popen(['sleep', '60'], close_fds=True); "
        f"open({str(sign)!r}, 'w').write(f'{{os.getpid()}} {{c.pid}}' + chr(10)); c.wait()"
    )
    run = f'exec {sys.executable} -c "{program}"'
    first, grandchild = map(int, kill_an_engine_inside(bench, run, sign).split())
    os.kill(first, signal.SIGKILL)
    KIND.run(bench.call(run=["true"]))
    assert not is_running(grandchild)


def test_c6_a_left_command_that_closed_the_locked_file_is_ended_all_the_same(
    bench: Bench, tmp_path: Path
) -> None:
    sign = tmp_path / "pid"
    program = (
        "import os, time; os.closerange(3, 256); "
        f"open({str(sign)!r}, 'w').write(str(os.getpid()) + chr(10)); time.sleep(60)"
    )
    child = int(kill_an_engine_inside(bench, f'exec {sys.executable} -c "{program}"', sign))
    KIND.run(bench.call(run=["true"]))
    assert not is_running(child)


def test_c6_what_an_interrupted_run_wrote_down_reaches_its_undo(
    bench: Bench, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    script = f"""echo '{{"id": "vm-7"}}' > "$WF_RESOURCE"; echo x > {sign}; sleep 60"""
    kill_an_engine_inside(bench, script, sign)
    undo = bench.call(
        Hook.ROLLBACK, rollback='cat "$WF_INPUT"', previous=Previous(outcome=Ended.UNKNOWN)
    )
    KIND.rollback(undo)
    assert bench.saved == [(Resource(id="vm-7"), None)]
    assert '"id": "vm-7"' in bench.output("stdout")


def test_c6_a_daemon_that_keeps_the_lock_is_named_and_nothing_runs(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wf_command.group.KILL_WAIT", 0.2)
    sign = tmp_path / "pid"
    daemon = f"setsid sh -c 'echo $$ > {sign}; exec sleep 60' >/dev/null 2>&1 &"
    KIND.run(bench.call(run=f"{daemon} while ! [ -s {sign} ]; do sleep 0.01; done"))
    pid = int(until_written(sign))
    with pytest.raises(Retryable, match=rf"left process {pid} \(sleep\) running; end it"):
        KIND.run(bench.call(run=["touch", str(tmp_path / "ran")], grace=0.1))
    assert not (tmp_path / "ran").exists()
    assert is_running(pid), "it is not in the group, so it must be left to a person"


def test_a_group_number_that_was_given_to_another_process_is_left_alone(bench: Bench) -> None:
    """The record names a living group, but its first process began at another time."""
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        stat = Path(f"/proc/{stranger.pid}/stat").read_text().split()
        stat[21] = str(int(stat[21]) - 1)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        record = f"{stranger.pid}\n{' '.join(stat)}\n{boot}\n"
        (bench.folder / "command.lock").write_text(record)
        KIND.run(bench.call(run=["true"]))
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.crash
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.002, 0.003, 0.005, 0.008, 0.02])
def test_c6_whenever_the_engine_is_killed_the_next_call_finds_what_it_started(
    bench: Bench, tmp_path: Path, delay: float
) -> None:
    """Among others: between taking the lock, starting the command, and writing its group down."""
    sign = tmp_path / "sign"
    begin = f"Path({str(sign)!r}).write_text(chr(10))\n"
    with engine(bench, "sleep 60; :", begin=begin):
        until_written(sign)
        time.sleep(delay)
    KIND.run(bench.call(run=["true"]))
    marker = ("WF_INPUT", str(bench.folder / "call" / "input.json"))
    left = [p for p in processes.running() if processes.has_variable(p.pid, *marker)]
    assert left == []


@pytest.mark.parametrize("record", ["", "12", "\0\0\0", "x\ny\nz\n"])
def test_an_unfinished_record_does_not_stop_the_next_call(bench: Bench, record: str) -> None:
    (bench.folder / "command.lock").write_text(record)
    KIND.run(bench.call(run=["echo", "ran"]))
    assert bench.output("stdout") == "ran"


def test_a_record_that_a_command_made_huge_is_not_read_whole(bench: Bench) -> None:
    """The command inherits the file, so its length is whatever the command makes of it."""
    lock = bench.folder / "command.lock"
    with lock.open("wb") as file:
        file.write(b"9" * 4000)
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        KIND.run(bench.call(run=["echo", "ran"]))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bench.output("stdout") == "ran"
    assert most < 8 * 1024 * 1024


def test_c6_the_lock_is_held_exactly_while_the_command_lives(bench: Bench) -> None:
    lock = bench.folder / "command.lock"
    KIND.run(bench.call(run=f"flock -n {lock} true && echo free || echo held"))
    assert bench.output("stdout") == "held"
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_a_successful_run_left_lives_through_checks_until_the_undo(
    bench: Bench, tmp_path: Path
) -> None:
    sign = tmp_path / "pid"
    KIND.run(bench.call(run=f"sleep 60 >/dev/null 2>&1 & echo $! > {sign}"))
    server = int(until_written(sign))
    KIND.sync(bench.call(Hook.SYNC, check=f"kill -0 {server}"))
    assert is_running(server)
    KIND.rollback(bench.call(Hook.ROLLBACK, rollback=["true"]))
    assert not is_running(server)


def test_a_background_process_that_keeps_the_output_open_does_not_hold_up_the_step(
    bench: Bench,
) -> None:
    KIND.run(bench.call(run="sleep 3600 & echo done"))
    assert bench.output("stdout") == "done"


def test_a_log_that_fails_leaves_no_process_behind(bench: Bench, tmp_path: Path) -> None:
    sign = tmp_path / "pid"

    class FullError(Exception):
        """The log can't be written."""

    class Full(list[tuple[str, str]]):
        def append(self, item: tuple[str, str]) -> None:
            raise FullError(item)

    bench.logged = Full()
    with pytest.raises(FullError):
        KIND.run(bench.call(run=f"echo $$ > {sign}; echo out; sleep 60; :"))
    assert not is_running(int(sign.read_text()))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_c12_a_process_that_the_engine_forks_meanwhile_holds_no_step(tmp_path: Path) -> None:
    """The group inherits the step's file on purpose (C6); a child that some hook forks must not."""
    group = GroupFile(tmp_path / "command.lock", ("WF_INPUT", "x"))
    read, write = os.pipe()
    with group.taken(0.1):
        child = os.fork()
        if not child:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        with group.taken(0.0):  # free, though the child lives
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)
