"""Processes of their own: interrupted, killed, watched, serving."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.cli.made import Shell, step, workflow
from tests.patience import PATIENCE

from wf_core.codec import dump
from wf_core.model.spec import Json, StepSpec, StepTemplate

WF = [sys.executable, "-m", "wf_core.cli.main"]
SLOW = dump(workflow(step("one", parameters={"sleepSeconds": 3600})))
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
QUICK = dump(workflow(step("one", parameters={"sleepSeconds": 0}), name="quick"))


def command(script: str, name: str = "order", **parameters: Json) -> str:
    """A document with one step of the kind `command`."""
    given = {"run": script, "rollback": "true", **parameters}
    made = StepSpec("one", StepTemplate("command", given))
    return dump(workflow(made, name=name))


pytestmark = pytest.mark.slow


class Processes:
    """`wf` processes that end with the test."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, terminal: int | None = None) -> "subprocess.Popen[str]":
        """Both outputs go to a terminal, where one is given, else each to a pipe."""
        out = subprocess.PIPE if terminal is None else terminal
        process = subprocess.Popen(
            [*WF, *arguments],
            stdout=out,
            stderr=out,
            text=True,
            env={
                **os.environ,
                "WF_STORE": self.shell.url,
                "TERM": "xterm",
                "NO_COLOR": "1",
                "COLUMNS": "100",
            },
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def processes(shell: Shell) -> Iterator[Processes]:
    made = Processes(shell)
    yield made
    made.end()


def running(process: "subprocess.Popen[str]") -> None:
    """Read until a step runs."""
    assert process.stdout is not None
    for line in process.stdout:
        if "one Pending -> Running" in line:
            return
    raise AssertionError(process.stderr.read() if process.stderr else "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_cleanly_and_resume_goes_on(
    shell: Shell, processes: Processes, number: signal.Signals
) -> None:
    process = processes.start("run", shell.file("slow.yaml", command("sleep 3600")))
    running(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "wf: stopped; `wf resume order` goes on"
    assert shell.load().head.owner.id == ""
    shell.wf("cancel", "order")
    assert shell.wf("resume").code == 3


def test_a_second_signal_ends_at_once(shell: Shell, processes: Processes) -> None:
    # The command ignores being asked to stop, so that a clean end would take its whole grace.
    stubborn = command("trap '' TERM; while :; do sleep 1; done", grace=3600)
    process = processes.start("run", shell.file("slow.yaml", stubborn))
    running(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == "wf: stopping; once more ends at once\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130


def test_a_second_process_cannot_run_the_same_workflow(shell: Shell, processes: Processes) -> None:
    file = shell.file("slow.yaml", SLOW)
    running(processes.start("run", file))
    refused = shell.wf("resume", "order")
    assert refused.code == 1
    assert "order" in refused.err
    everything = shell.wf("resume")
    assert everything.code == 0
    assert "wf: left alone: " in everything.err
    assert "`wf resume order`" in shell.wf("run", file).err
    assert shell.wf("delete", "--force", "order").code == 1


def test_a_request_is_answered_by_the_process_that_runs_it(
    shell: Shell, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(processes.start("run", shell.file("slow.yaml", SLOW)))
    assert shell.wf("suspend", "order").out == "order: Suspend is applied\n"
    assert "no effect: it is suspended already" in shell.wf("suspend", "order").out
    monkeypatch.setattr("wf_core.cli.asking.PATIENCE", 0.2)
    asked = shell.wf("mark-succeeded", "order", "one").out
    assert asked.endswith("is asked; it applies once the call in flight has ended\n")


def test_serve_runs_what_is_submitted_and_watch_shows_it(
    shell: Shell, processes: Processes
) -> None:
    server = processes.start("serve")
    shell.wf("submit", shell.file("quick.yaml", QUICK))
    watched = shell.wf("watch", "quick")
    assert watched.code == 0
    assert watched.lines[-1].endswith("workflow quick Running -> Success")
    assert shell.wf("delete", "quick").out == "quick is deleted\n"
    server.send_signal(signal.SIGTERM)
    _, err = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0
    assert err.splitlines()[-1] == "wf: stopped; `wf serve` goes on"


def test_e3_a_second_serve_names_the_first_and_stops_while_run_goes_on(
    shell: Shell, processes: Processes
) -> None:
    first = processes.start("serve")
    assert first.stderr is not None
    assert first.stderr.readline().startswith("wf: serving ")
    second = processes.start("serve")
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (1, "")
    assert f"is already served, by process {first.pid} on this machine" in err
    assert "serving " not in err
    assert shell.wf("run", shell.file("quick.yaml", QUICK)).code == 0


def test_logs_follow_until_the_workflow_ends(shell: Shell, processes: Processes) -> None:
    document = command("echo first; sleep 0.3; echo second", name="quick")
    shell.wf("submit", shell.file("quick.yaml", document))
    following = processes.start("logs", "-f", "quick")
    processes.start("serve")
    out, _ = following.communicate(timeout=PATIENCE)
    assert following.returncode == 0
    assert [line for line in out.splitlines() if "first" in line or "second" in line] == [
        "one | first",
        "one | second",
    ]
    assert shell.wf("logs", "quick", "one").lines == [line[6:] for line in out.splitlines()]


def test_the_program_is_installed_under_its_name() -> None:
    program = Path(sys.executable).with_name("wf")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("wf ")


@pytest.mark.parametrize(("signals", "code"), [(0, 0), (1, 130), (2, 130)])
def test_a_terminal_gets_the_tree_and_its_cursor_back(
    shell: Shell, processes: Processes, signals: int, code: int
) -> None:
    ours, theirs = pty.openpty()
    process = processes.start(
        "run", shell.file("w.yaml", SLOW if signals else QUICK), terminal=theirs
    )
    os.close(theirs)
    shown = ""
    while chunk := read(ours):
        shown += chunk
        if signals and "one  Running" in shown:
            process.send_signal(signal.SIGINT)
            signals -= 1
    os.close(ours)
    assert process.wait(timeout=PATIENCE) == code
    assert shown.count(HIDE) == 1
    assert SHOW in shown[shown.index(HIDE) :]


def read(terminal: int) -> str:
    """What comes next; nothing once whoever wrote is gone."""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:
        return ""
