"""The live tree: what one look at it tells."""

import io
import itertools

from rich.console import Console
from tests.core.cli.made import BORN, DONE, RUNNING, step, stored, workflow

from wf_core.cli.tree import render, render_all
from wf_core.model.phases import BlockReason, Phase, Undo
from wf_core.model.state import Blocked, StepState, Stored


def drawn(shown: Stored, lines: int = 50, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(render(shown, BORN + 3, lines))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_step_hangs_below_the_last_step_it_waits_for() -> None:
    made = workflow(step("a"), step("b", "a"), step("c", "a", "b"), step("d"))
    rows = drawn(stored(made, DONE, RUNNING))
    where = {row.split()[-1] if "after" in row else row: row for row in rows}
    assert len(where) == 5
    indents = [row.index(name) for row, name in zip(rows[1:], "abcd", strict=True)]
    assert indents == [indents[0], indents[0] + 4, indents[0] + 8, indents[0]]


def test_the_title_has_phase_progress_and_time() -> None:
    made = workflow(step("a"), step("b"))
    head = {"phase": Phase.RUNNING, "reached": {Phase.RUNNING: BORN}}
    assert drawn(stored(made, DONE, RUNNING, **head))[0].split() == [
        "order",
        "Running",
        "1/2",
        "3.0s",
    ]


def test_a_finished_step_shows_how_long_it_took_a_running_one_how_long_it_runs() -> None:
    rows = drawn(stored(workflow(step("a"), step("b")), DONE, RUNNING))
    assert "2.0s" in rows[1]
    assert "3.0s" in rows[2]


def test_a_retry_an_error_and_a_person_are_named() -> None:
    retried = StepState(
        phase=Phase.RUNNING,
        attempt=2,
        next_attempt_at=BORN + 7,
        run_error="no\nroute",
        reached={Phase.RUNNING: BORN},
    )
    stuck = StepState(
        phase=Phase.FAILED,
        attempt=1,
        rollback_error="locked",
        undo=Undo.FAILED,
        blocked=Blocked(BlockReason.ROLLBACK_FAILED, BORN),
    )
    never = StepState(phase=Phase.ROLL_BACKED, undo=Undo.NEVER_RAN)
    made = workflow(step("a"), step("b"), step("c"))
    _, first, second, third = drawn(stored(made, retried, stuck, never))
    assert first.endswith("attempt 2 in 4.0s; no route")
    assert second.endswith("blocked: RollbackFailed; locked")
    assert third.endswith("never ran")


def test_names_and_errors_are_not_read_as_markup() -> None:
    shown = stored(workflow(), StepState(phase=Phase.RUNNING, run_error="[bold]x[/nope]"))
    assert "[bold]x[/nope]" in drawn(shown)[1]


def test_a_deep_graph_is_a_list_in_the_order_of_running() -> None:
    names = [f"s{i}" for i in range(9)]
    chain = [step(names[0]), *(step(b, a) for a, b in itertools.pairwise(names))]
    rows = drawn(stored(workflow(*reversed(chain))))
    assert [row.split()[2] for row in rows[1:]] == names


def test_of_too_many_steps_those_that_move_are_shown_and_the_rest_counted() -> None:
    made = workflow(*(step(f"s{i}") for i in range(100)))
    states = [DONE] * 60 + [RUNNING] * 2
    rows = drawn(stored(made, *states), lines=10)
    assert len(rows) == 11
    assert sum("Running" in row for row in rows[:-1]) == 2
    assert rows[-1].endswith("... and 91 more: 38 Pending, 53 Success")


def test_no_line_is_wider_than_the_terminal() -> None:
    shown = stored(workflow(), StepState(phase=Phase.RUNNING, run_error="x" * 500))
    assert max(map(len, drawn(shown, width=60))) == 60


def test_several_workflows_share_the_lines() -> None:
    console = Console(file=io.StringIO(), width=80)
    each = [stored(workflow(*(step(f"s{i}") for i in range(30)), name=n)) for n in "abc"]
    console.print(render_all(each, BORN, 30))
    assert isinstance(console.file, io.StringIO)
    assert len(console.file.getvalue().splitlines()) <= 30
