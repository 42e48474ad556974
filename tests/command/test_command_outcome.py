"""What an exit code, or the lack of one, means for a step."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from tests.command.command_calls import Bench, is_running
from tests.patience import PATIENCE

from wf_command.kind import Command
from wf_core.kinds import CannotLook, Fatal, Retryable, StepCall, Success, Throttled
from wf_core.model.phases import Hook, Purpose

KIND = Command()


def test_exit_code_zero_is_success_without_results(bench: Bench) -> None:
    assert KIND.run(bench.call(run=["true"])) == Success(None, None)


def test_text_goes_through_the_shell_and_a_list_does_not(bench: Bench) -> None:
    KIND.run(bench.call(run="echo a && echo b"))
    KIND.run(bench.call(run=["echo", "$HOME && x"]))
    assert bench.output("stdout") == "a\nb\n$HOME && x"


@pytest.mark.parametrize("hook", [Hook.RUN, Hook.ROLLBACK])
def test_b6_another_code_is_retryable_and_shows_the_last_lines_of_stderr(
    bench: Bench, hook: Hook
) -> None:
    script = "for i in 1 2 3 4 5 6 7; do echo line$i >&2; done; exit 3"
    act = KIND.run if hook is Hook.RUN else KIND.rollback
    with pytest.raises(Retryable) as failure:
        act(bench.call(hook, run=script, rollback=script))
    assert type(failure.value) is Retryable
    assert str(failure.value) == (f"{hook}: exited with code 3: line3\nline4\nline5\nline6\nline7")


def test_b6_code_75_is_throttled_and_not_counted(bench: Bench) -> None:
    with pytest.raises(Throttled, match="code 75") as failure:
        KIND.run(bench.call(run="exit 75"))
    assert failure.value.after == 5.0


def test_b6_listed_codes_are_fatal_and_others_stay_retryable(bench: Bench) -> None:
    with pytest.raises(Fatal, match="run: exited with code 9"):
        KIND.run(bench.call(run="exit 9", fatal_exit_codes=[8, 9]))
    with pytest.raises(Retryable, match="code 7"):
        KIND.run(bench.call(run="exit 7", fatal_exit_codes=[8, 9]))


def test_a_signal_is_named(bench: Bench) -> None:
    with pytest.raises(Retryable, match="run: was ended by SIGKILL"):
        KIND.run(bench.call(run="kill -KILL $$"))


def missing_on_path(bench: Bench, folder: Path) -> StepCall:
    del folder
    return bench.call(run=["no-such-program-here"])


def missing_by_path(bench: Bench, folder: Path) -> StepCall:
    return bench.call(run=["./tool"], cwd=str(folder))


def not_executable(bench: Bench, folder: Path) -> StepCall:
    (folder / "tool").write_text("")
    return bench.call(run=["./tool"], cwd=str(folder))


def missing_folder(bench: Bench, folder: Path) -> StepCall:
    return bench.call(run=["true"], cwd=str(folder / "gone"))


def missing_in_the_shell(bench: Bench, folder: Path) -> StepCall:
    del folder
    return bench.call(run="no-such-program-here")


def character_nobody_can_pass(bench: Bench, folder: Path) -> StepCall:
    del folder
    return bench.call(run=["echo", "a\0b"])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (missing_on_path, "run: there is no program 'no-such-program-here' on the PATH; install"),
        (missing_by_path, "run: there is no program './tool'; install it"),
        (not_executable, "run: there is no program './tool'; install it"),
        (missing_folder, "cwd: there is no folder '.*gone'; make it, or correct the path"),
        (missing_in_the_shell, r"code 127 \(a program was not found\): .*no-such-program-here"),
        (character_nobody_can_pass, "a character that no process can be given"),
    ],
)
def test_what_can_never_start_is_fatal(
    bench: Bench, tmp_path: Path, make: Callable[[Bench, Path], StepCall], sentence: str
) -> None:
    with pytest.raises(Fatal, match=sentence):
        KIND.run(make(bench, tmp_path))


def test_program_is_found_relative_to_cwd(bench: Bench, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\npwd\n")
    tool.chmod(0o755)
    KIND.run(bench.call(run=["./tool"], cwd=str(tmp_path)))
    assert bench.output("stdout") == str(tmp_path.resolve())


def test_b7_a_timeout_ends_the_whole_group_and_is_retryable(bench: Bench) -> None:
    with pytest.raises(Retryable, match=r"^timed out after 0.2 s$"):
        KIND.run(bench.call(run="sleep 3600 & sleep 3601; echo never", timeout=0.2))
    assert bench.output("stdout") == ""


def test_b7_what_ignores_sigterm_is_killed_after_the_grace(bench: Bench) -> None:
    cancelled = threading.Event()
    bench.cancelled = cancelled
    ready: list[float] = []

    def cancel_once_ready(*_: str) -> None:
        ready.append(time.monotonic())
        cancelled.set()

    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    call = attrs.evolve(bench.call(run=script, grace=0.4), write_log=cancel_once_ready)
    with pytest.raises(Retryable, match=r"^stopped$"):
        KIND.run(call)
    assert time.monotonic() - ready[0] >= 0.4


def test_b7_a_stopped_command_gets_to_act_on_sigterm(bench: Bench) -> None:
    # If nothing woke it, only the end of the grace would end it.
    with pytest.raises(Retryable, match="timed out"):
        KIND.run(bench.call(run="kill -STOP $$; sleep 3600", timeout=0.2, grace=3600.0))


def test_b7_a_cancelled_command_may_clean_up_and_its_code_does_not_count(bench: Bench) -> None:
    cancelled = threading.Event()
    bench.cancelled = cancelled
    script = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    call = bench.call(run=script, grace=PATIENCE)

    def cancel_once_ready(text: str, stream: str) -> None:
        bench.logged.append((stream, text))
        cancelled.set()

    with pytest.raises(Retryable, match=r"^stopped$"):
        KIND.run(attrs.evolve(call, write_log=cancel_once_ready))
    assert bench.output("stdout") == "ready\ncleaned"


def test_a_call_cancelled_before_it_began_starts_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("wf_command.call.start", refuse)
    cancelled = threading.Event()
    cancelled.set()
    bench.cancelled = cancelled
    with pytest.raises(Retryable, match=r"^stopped$"):
        KIND.run(bench.call(run=["true"]))


def test_a_failed_command_leaves_nothing_in_the_background(bench: Bench, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(Retryable):
        KIND.run(bench.call(run=f"sleep 60 & echo $! > {pid_file}; exit 1"))
    assert not is_running(int(pid_file.read_text()))


def test_an_undo_without_a_command_is_fatal_and_says_what_to_do(bench: Bench) -> None:
    with pytest.raises(Fatal, match="rollback: give the command that undoes `run`"):
        KIND.rollback(bench.call(Hook.ROLLBACK))


def test_b2_a_run_that_comes_after_its_undo_is_refused(bench: Bench, tmp_path: Path) -> None:
    KIND.rollback(bench.call(Hook.ROLLBACK, rollback=["true"]))
    with pytest.raises(Fatal, match="came after the undo"):
        KIND.run(bench.call(run=["touch", str(tmp_path / "ran")]))
    assert not (tmp_path / "ran").exists()
    KIND.rollback(bench.call(Hook.ROLLBACK, rollback=["true"], attempt=2))


def test_b1_a_check_that_passes_may_renew_resource_and_attributes(bench: Bench) -> None:
    check = """echo '{"status": "up"}' > "$WF_RESOURCE"; echo '{"load": 1}' > "$WF_ATTRIBUTES" """
    answer = KIND.sync(bench.call(Hook.SYNC, check=check))
    assert isinstance(answer, Success)
    assert answer.resource is not None
    assert (answer.resource.status, answer.attributes) == ("up", {"load": 1})


def test_a_step_without_check_has_nothing_to_look_at(bench: Bench) -> None:
    assert KIND.sync(bench.call(Hook.SYNC)) is None


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("exit 1", Retryable),
        ("exit 75", CannotLook),
        ("no-such-program-here", CannotLook),
        (["no-such-program-here"], CannotLook),
        ("sleep 60", CannotLook),
        ("echo '[' > $WF_ATTRIBUTES", Retryable),
        ("exit 4", Fatal),
    ],
)
def test_b9_only_a_fatal_code_of_a_check_undoes_the_workflow(
    bench: Bench, check: str | list[str], expected: type[Exception]
) -> None:
    seconds = 0.3 if check == "sleep 60" else PATIENCE
    with pytest.raises(expected) as failure:
        KIND.sync(bench.call(Hook.SYNC, check=check, fatal_exit_codes=[4], timeout=seconds))
    assert type(failure.value) is expected
    assert not bench.saved


def test_b1_a_command_is_never_in_progress(bench: Bench) -> None:
    with pytest.raises(Retryable, match="has to be called again"):
        KIND.sync(bench.call(Hook.SYNC, purpose=Purpose.RUN, check=["true"]))
