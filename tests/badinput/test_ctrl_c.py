"""Ctrl-C: once stops cleanly, so that `wf resume` goes on, twice ends at once; the exit is 130."""

import signal
from pathlib import Path

import pytest
from tests.badinput.wf_process import Desk, ended, until
from tests.crash.left_behind import end_what_works_in

HELD = "echo {name} >> calls; touch began; [ -e go ] || sleep 3600"


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_once_stops_cleanly_and_resume_goes_on(
    desk: Desk, tmp_path: Path, number: signal.Signals
) -> None:
    steps = {name: (f"echo {name} >> calls", "true") for name in ("a", "c")}
    desk.write({"a": steps["a"], "b": (HELD.format(name="b"), "true"), "c": steps["c"]})
    process = desk.start("run", "order.yaml")
    until((tmp_path / "began").exists, "the second step runs")

    process.send_signal(number)
    said = ended(process)

    assert said.code == 130
    assert said.err == (
        "wf: stopping; once more ends at once\nwf: stopped; `wf resume order` goes on\n"
    )
    assert desk.phases() == {"a": "Success", "b": "Running", "c": "Pending"}
    assert (tmp_path / "calls").read_text().split() == ["a", "b"]

    (tmp_path / "go").touch()
    resumed = desk.wf("resume")
    assert resumed.code == 0, resumed.err
    assert (tmp_path / "calls").read_text().split() == ["a", "b", "b", "c"]


def test_twice_ends_at_once_and_resume_goes_on(desk: Desk, tmp_path: Path) -> None:
    deaf = "trap '' TERM; touch began; [ -e go ] || sleep 3600"
    desk.write({"a": (deaf, "true"), "b": ("touch done", "rm -f done")})
    # Nothing but a second interrupt may end this within the test's time.
    document = tmp_path / "order.yaml"
    document.write_text(document.read_text().replace('"grace": 1', '"grace": 3600'))
    process = desk.start("run", "order.yaml")
    until((tmp_path / "began").exists, "the step runs")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == "wf: stopping; once more ends at once\n"

    process.send_signal(signal.SIGINT)
    said = ended(process)

    assert said.code == 130
    assert not (tmp_path / "done").exists()
    assert desk.phases() == {"a": "Running", "b": "Pending"}

    end_what_works_in(tmp_path)  # the command is deaf: a resume would wait for its grace
    (tmp_path / "go").touch()
    resumed = desk.wf("resume", "order")
    assert resumed.code == 0, resumed.err
    assert (tmp_path / "done").exists()


@pytest.mark.slow
def test_an_interrupted_undo_goes_on(desk: Desk, tmp_path: Path) -> None:
    desk.write(
        {
            "a": ("touch file-a", "rm -f file-a"),
            "b": ("touch file-b", "touch began; [ -e go ] || sleep 3600; rm -f file-b"),
            "c": ("exit 1", "true"),
        }
    )
    process = desk.start("run", "order.yaml")
    until((tmp_path / "began").exists, "the undo of the second step runs")
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130
    assert desk.phases() == {"a": "Success", "b": "RollingBack", "c": "RollBacked"}

    (tmp_path / "go").touch()
    resumed = desk.wf("resume", "order")

    assert resumed.code == 3, resumed.err
    assert not list(tmp_path.glob("file-*"))
