"""`wf run --chaos`: real hooks, real processes, real SIGKILLs; what holds and what is caught."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.chaos.chaos_site import WF, ChaosSite, command
from tests.patience import PATIENCE

CHAIN = (command("a"), command("b", "a"))
DIAMOND = (*CHAIN, command("c", "a"), command("d", "b", "c"))


@pytest.fixture
def site(tmp_path: Path) -> ChaosSite:
    return ChaosSite(tmp_path)


@pytest.mark.slow
def test_a_sound_saga_holds_and_leaves_nothing_behind(site: ChaosSite) -> None:
    site.write(*CHAIN)
    done = site.chaos(3, "-o", "json")
    assert done.code == 0, done.err
    report = done.report
    assert (report["asked"], report["held"], report["violation"]) == (3, 3, None)
    assert report["reached"] == 3
    assert sum(report["crashes"].values()) >= 3
    assert report["notes"] == []
    assert done.err.splitlines()[-1] == "wf: run 3 of 3"
    assert site.left() == set()
    assert site.kept() == []


@pytest.mark.slow
def test_a_run_that_must_not_be_called_twice_is_caught_with_its_story(site: ChaosSite) -> None:
    site.write(command("a", run="echo called >> files/a"), extra='[ "$(wc -l < files/a)" -eq 1 ]')
    done = site.chaos(9)
    assert done.code == 1, done.out + done.err
    for said in (
        "broke the promise",
        "the workflow is Success, so all of it must show (WF_EXPECT=all)",
        "it exited with 1",
        "all Success order: 1 files",
        "run of a (attempt 1)",
        "killed here",
        "life 2:",
        "a: Running -> Success",
    ):
        assert said in done.out
    (kept,) = site.kept()
    assert f"its store: {kept}" in done.out

    (site.folder / "files/a").unlink()
    again = done.out.strip().splitlines()[-1]
    assert "--chaos-run" in again
    path = f"{Path(WF).parent}{os.pathsep}{os.environ['PATH']}"
    replayed = subprocess.run(
        ["/bin/sh", "-c", again],
        cwd=site.folder,
        env={**os.environ, "PATH": path, "TMPDIR": str(site.folder / "tmp")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert replayed.returncode == 1, replayed.stderr
    assert "0 of 1 run held" in replayed.stdout


def test_the_document_is_refused_where_already_an_undisturbed_undo_leaves_something(
    site: ChaosSite,
) -> None:
    site.write(command("a", undo="true"))
    done = site.chaos(5)
    assert done.code == 2
    assert "the run without any fault does not hold" in done.err
    assert "none RollBacked order: 1 files" in done.err
    assert "run 1 of" not in done.err


def test_a_wrong_check_is_told_before_any_crash_and_the_run_is_undone(site: ChaosSite) -> None:
    site.write(command("a"))
    done = site.wf("--chaos", "5", "--check", '[ "$WF_EXPECT" = none ]')
    assert done.code == 2
    assert "the workflow is Success, so all of it must show" in done.err
    assert site.left() == set()
    assert site.kept() == []


def test_a_world_that_is_not_clean_is_told_before_anything_runs(site: ChaosSite) -> None:
    site.write(command("a"))
    (site.folder / "files/old").touch()
    done = site.chaos(5)
    assert done.code == 2
    assert "before anything ran: clean up what is left" in done.err
    assert site.left() == {"old"}


def test_a_workflow_that_fails_by_itself_is_told(site: ChaosSite) -> None:
    site.write(command("a", run="exit 127"))
    done = site.chaos(5)
    assert done.code == 2
    assert "the run without any fault ended RollBacked" in done.err
    assert "needs a workflow that succeeds by itself" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--check", "true"), "--check belongs to --chaos; add `--chaos N`, or drop it"),
        (("--seed", "3"), "--seed belongs to --chaos"),
        (("--chaos", "3"), "--chaos needs `--check CMD`"),
        (("--chaos", "0", "--check", "true"), "0 is not in the range x>=1"),
        (("--chaos", "2", "--check", "true", "--replace"), "drop --replace"),
        (("--chaos", "2", "--check", "true", "other.yaml"), "exactly one FILE"),
        (("--chaos", "2", "--check", "true", "--chaos-run", "3"), "there is no run 3 of 2"),
    ],
)
def test_options_that_do_not_fit_are_told(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    from wf_core.cli.app import run

    assert run(["run", "order.yaml", *options]) == 2
    assert said in capsys.readouterr().err


def test_ctrl_c_ends_the_life_and_its_command_and_says_where_the_run_is(site: ChaosSite) -> None:
    site.write(command("a", run="touch files/a; echo $$ > pid; exec sleep 3600"))
    process = site.start("--chaos", "5", "--check", "sh check.sh")
    until = time.monotonic() + PATIENCE
    while not (site.folder / "pid").exists() or not (site.folder / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    pid = int((site.folder / "pid").read_text())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "resume order` goes on with it" in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.long
def test_twenty_runs_of_a_diamond_hold(site: ChaosSite) -> None:
    site.write(*DIAMOND)
    done = site.chaos(20, "--seed", "5", "-o", "json")
    assert done.code == 0, done.out + done.err
    report = done.report
    assert report["held"] == 20
    assert report["faults"]
    assert set(report["endings"]) <= {"RollBacked", "Success, then RollBacked on request"}
    assert site.left() == set()


@pytest.mark.slow
def test_as_many_runs_as_boundaries_hit_every_one_of_them(site: ChaosSite) -> None:
    site.write(command("a"))
    done = site.chaos(12, "-o", "json")
    assert done.code == 0, done.out + done.err
    assert done.report["boundaries"] == 12
    assert done.report["reached"] == 12
    kinds = {place for place in done.report["crashes"] if not place.startswith("soon")}
    assert kinds >= {f"{s} {w}" for s in ("before", "after") for w in ("save", "run", "rollback")}


@pytest.mark.long
def test_runs_beyond_the_boundaries_fail_for_good_too_and_are_undone(site: ChaosSite) -> None:
    site.write(command("a"))
    done = site.chaos(24, "-o", "json")
    assert done.code == 0, done.out + done.err
    assert set(done.report["endings"]) == {"RollBacked", "Success, then RollBacked on request"}
    assert site.left() == set()


@pytest.mark.slow
def test_an_undo_that_can_not_be_repeated_is_caught(site: ChaosSite) -> None:
    """`rm` without -f fails where the file is gone already."""
    site.write(command("a", undo="rm files/a"))
    done = site.chaos(20)
    assert done.code == 1, done.out + done.err
    assert "the workflow is Failed; step 'a': rollback: exited with code 1" in done.out
    assert "no failure of an undo that is final was injected" in done.out


@pytest.mark.slow
def test_past_the_pivot_the_check_cleans_up_itself(site: ChaosSite) -> None:
    site.write(command("a"), command("b", "a", pivot=True), command("c", "b"))
    check = 'sh check.sh && { [ "$WF_EXPECT" = none ] || rm files/*; }'
    done = site.wf("--chaos", "14", "--check", check, "-o", "json")
    assert done.code == 0, done.out + done.err
    assert "Success, and committed" in done.report["endings"]
    assert "past the pivot nothing is undone" in done.report["notes"][0]


@pytest.mark.slow
def test_a_check_that_always_says_yes_is_named(site: ChaosSite) -> None:
    site.write(command("a"))
    done = site.wf("--chaos", "1", "--check", "true", "-o", "json")
    assert done.code == 0
    assert "it can't tell all from none" in done.report["notes"][0]
