"""What judges the killed runs finds each way in which they could have gone wrong."""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from tests.crash.killed_runs import STEPS, Shape, Site, Watcher, step_name

from wf_core.model.phases import Phase
from wf_core.model.state import Transition

CHAIN = tuple((i - 1,) if i else () for i in range(STEPS))
LAST = 3
"""The step that fails, where one does."""

Lines = list[str]


def call(hook: str, i: int, pid: int) -> Lines:
    return [f"{hook} s{i} {pid} begin", f"{hook} s{i} {pid} end"]


def whole(*, fails: bool) -> Lines:
    """The log of a run that nobody killed."""
    steps = range(LAST + 1 if fails else STEPS)
    runs = [line for i in steps for line in call("run", i, i + 1)]
    undo = [line for i in reversed(steps) for line in call("undo", i, 100 + i)]
    return runs + undo if fails else runs


def judged(
    folder: Path, lines: Lines, *, fails: bool, code: int, left: int, saved: str = ""
) -> None:
    """Judge a log; `saved` names a step whose success, or undo, was saved before the last line."""

    @attrs.frozen
    class Told(Site):
        def saved(self) -> tuple[Transition, ...]:
            after = Phase.ROLL_BACKED if fails else Phase.SUCCESS
            return (Transition(1.0, Phase.RUNNING, after, saved),)

    site = Told(folder, Shape(CHAIN, LAST if fails else None))
    site.prepare()
    for i in range(left):
        (site.files / step_name(i)).touch()
    watcher = Watcher(site)
    if saved:
        site.log.write_text("\n".join(whole(fails=fails)) + "\n")
        watcher.look()
    site.log.write_text("\n".join(lines) + "\n")
    watcher.judge(code, "")


def test_runs_as_they_should_be_pass(tmp_path: Path) -> None:
    judged(tmp_path / "all", whole(fails=False), fails=False, code=0, left=STEPS, saved="s4")
    judged(tmp_path / "none", whole(fails=True), fails=True, code=3, left=0, saved="s2")


def test_a_wrong_exit_code_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        judged(tmp_path, whole(fails=True), fails=True, code=4, left=0)


@pytest.mark.parametrize(("fails", "left"), [(False, STEPS - 1), (True, 1)])
def test_something_between_all_and_nothing_is_found(tmp_path: Path, fails: bool, left: int) -> None:
    with pytest.raises(AssertionError):
        judged(tmp_path, whole(fails=fails), fails=fails, code=3 if fails else 0, left=left)


def test_a_second_run_after_a_saved_success_is_found(tmp_path: Path) -> None:
    lines = whole(fails=False) + call("run", 4, 200)
    with pytest.raises(AssertionError, match="s4 ran again after its saved success"):
        judged(tmp_path, lines, fails=False, code=0, left=STEPS, saved="s4")


def test_a_second_undo_after_a_saved_one_is_found(tmp_path: Path) -> None:
    lines = whole(fails=True) + call("undo", 0, 200)
    with pytest.raises(AssertionError, match="s0 was undone twice"):
        judged(tmp_path, lines, fails=True, code=3, left=0, saved="s0")


def reversed_undo(lines: Lines) -> Lines:
    return lines[: 2 * (LAST + 1)] + [
        line for i in range(LAST + 1) for line in call("undo", i, 100 + i)
    ]


def run_after_undo(lines: Lines) -> Lines:
    return [*lines, *call("run", 0, 200), *call("undo", 0, 201)]


def early_run(lines: Lines) -> Lines:
    return lines[2:4] + lines[:2] + lines[4:]


def overlapping(lines: Lines) -> Lines:
    return [lines[0], *call("run", 0, 200), *lines[1:]]


def no_undo(lines: Lines) -> Lines:
    return lines[:-2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (reversed_undo, "s0 was undone before s1"),
        (run_after_undo, "s0 ran after its undo began"),
        (early_run, "s1 ran before s0"),
        (overlapping, "two calls of s0 overlapped"),
        (no_undo, "a step that ran was not undone"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_calls_in_a_wrong_order_are_found(
    tmp_path: Path, change: Callable[[Lines], Lines], sentence: str
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        judged(tmp_path, change(whole(fails=True)), fails=True, code=3, left=0)
