"""The kit passes what keeps its promises, and fails each that breaks one for the right reason."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance import wrong_kinds as wrong
from tests.conformance.shelf_kinds import Order, Put
from tests.conformance.shelf_worlds import CHECKS, outcomes, world_of

from wf_core.kinds import StepKind

IN_PROGRESS = {
    "test_a_look_killed_anywhere_is_taken_up_by_the_next",
    "test_work_in_progress_is_ended_by_its_undo",
    "test_work_in_progress_is_looked_at_to_its_end",
}


@pytest.mark.slow
def test_it_passes_a_kind_that_keeps_its_promises(tmp_path: Path) -> None:
    failed, skipped = outcomes(world_of(Put), tmp_path)
    assert failed == {}
    assert set(skipped) == IN_PROGRESS


@pytest.mark.slow
def test_it_passes_a_kind_that_leaves_work_in_progress(tmp_path: Path) -> None:
    assert outcomes(world_of(Order), tmp_path) == ({}, {})


RUN_AGAIN = "test_a_run_killed_anywhere_is_finished_by_the_next_call"
RUN_UNDONE = "test_a_run_killed_anywhere_is_undone"
UNDO_AGAIN = "test_an_undo_killed_anywhere_is_finished_by_the_next_call"
LATE = "test_a_run_that_comes_after_its_undo_has_no_effect"
TWICE = "test_a_second_run_under_the_same_key_has_no_second_effect"
UNDO_TWICE = "test_a_second_undo_succeeds"
AWAY = "test_an_outside_that_is_away_is_tried_again"
ELSEWHERE = "test_another_process_undoes_what_a_run_did"
NEVER = "test_the_undo_of_a_run_that_never_happened_succeeds"
STOPS = "test_a_hook_that_is_told_to_stop_ends_in_time"
BAD = "test_bad_parameters_are_refused_and_not_tried_again"
LOOKED = "test_work_in_progress_is_looked_at_to_its_end"
CALLED_OFF = "test_work_in_progress_is_ended_by_its_undo"
SAVED = "test_what_it_answers_can_be_saved"
ROUND = "test_parameters_round_trip"
EFFECT = "test_a_run_has_its_effect"

CASES: list[tuple[type[StepKind], str, str, set[str]]] = [
    (wrong.NewNameEachTime, TWICE, "Hand `call.key` on to what makes it", {RUN_AGAIN}),
    (
        wrong.RemembersOnItself,
        ELSEWHERE,
        "what is kept on the kind or in a module is gone by then",
        {RUN_AGAIN, RUN_UNDONE, UNDO_AGAIN, LATE, UNDO_TWICE, AWAY},
    ),
    (
        wrong.UndoWantsSomething,
        NEVER,
        "an undo succeeds where the run never took effect, but it failed",
        {RUN_UNDONE, UNDO_AGAIN, UNDO_TWICE},
    ),
    (wrong.TakesLateRuns, LATE, "Leave a mark under `call.run_key` in `rollback`", set()),
    (wrong.Deaf, STOPS, "a run that is told to stop ends within 1 s, but it did not", set()),
    (wrong.GivesUpAtOnce, AWAY, "while the outside is away, but it ended as Fatal", set()),
    (wrong.NeverGivesUp, BAD, "fails for good, but it ended as Retryable", set()),
    (wrong.ForgetsWhatItBegan, RUN_UNDONE, "killed before line .* can be undone, but", set()),
    (wrong.UndoesInTheWrongOrder, UNDO_AGAIN, "go on where an earlier call of it ended", set()),
    (wrong.StartsAfreshAfterACrash, RUN_AGAIN, "succeeds after it was killed before", set()),
    (
        wrong.Coroutine,
        "test_the_engine_takes_the_kind",
        "whose `run` is `async def`",
        set(),
    ),
    (
        wrong.Silent,
        "test_the_kind_and_its_parameters_are_described",
        "nothing is said of `colour`",
        set(),
    ),
    (wrong.MultipliesEachTime, ROUND, "size=1024.* became .*size=1048576", set()),
    (wrong.CheckRaises, ROUND, "IndexError: string index out of range", set()),
    (wrong.AnswersTooMuch, SAVED, "at most 32 KiB, but the attributes are 100011 bytes", set()),
    (
        wrong.LooksWithConsequences,
        "test_a_look_at_a_finished_step_changes_nothing",
        "Only look in `sync`",
        set(),
    ),
    (
        wrong.NeverLooks,
        LOOKED,
        "a kind that answers InProgress has a `sync`, but it has none",
        {EFFECT, ELSEWHERE, TWICE, UNDO_TWICE, LATE, RUN_AGAIN, UNDO_AGAIN, AWAY, SAVED},
    ),
    (wrong.LeavesItGoing, CALLED_OFF, "an undo first ends what a run left", {RUN_AGAIN}),
]
FEW = (wrong.NewNameEachTime, wrong.TakesLateRuns, wrong.Coroutine, wrong.NeverLooks)
"""Each case is some two hundred processes: the others are left to `make test-rest`."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "check", "sentence", "others"),
    [
        pytest.param(*case, id=case[0].__name__, marks=[] if case[0] in FEW else [pytest.mark.long])
        for case in CASES
    ],
)
def test_a_kind_that_breaks_a_promise_fails_the_check_of_that_promise(
    tmp_path: Path, kind: type[StepKind], check: str, sentence: str, others: set[str]
) -> None:
    """`others`: checks that can't hold either where that promise is broken."""
    failed, _ = outcomes(world_of(kind), tmp_path)
    with pytest.raises(pytest.fail.Exception, match=sentence):
        pytest.fail(failed[check])
    assert set(failed) == {check} | others


def test_a_kind_that_the_engine_refuses_is_judged_by_that_alone(tmp_path: Path) -> None:
    failed, skipped = outcomes(world_of(wrong.Coroutine), tmp_path)
    assert set(failed) | set(skipped) == set(CHECKS)
    assert set(skipped.values()) == {
        "the engine does not take the kind: see test_the_engine_takes_the_kind"
    }


def test_a_hook_that_ends_its_process_is_told_with_its_words(tmp_path: Path) -> None:
    failed, _ = outcomes(world_of(wrong.EndsItsProcess), tmp_path, (EFFECT,))
    assert "the process that called `run` ended with code 7: so long" in failed[EFFECT]


@pytest.mark.slow
def test_a_suite_picks_the_checks_up_in_two_lines(tmp_path: Path) -> None:
    """As a plugin's own suite, which knows nothing of the settings here."""
    (tmp_path / "test_it.py").write_text(
        "from tests.conformance.shelf_worlds import OrderWorld\n"
        "from wf_core.testing.conformance import Conformance\n"
        "class TestOrder(Conformance):\n"
        "    world_class = OrderWorld\n"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(CHECKS)} passed" in ran.stdout


def test_without_what_it_needs_the_kit_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text("raise ModuleNotFoundError(name='hypothesis')")
    ran = subprocess.run(
        [sys.executable, "-c", "import wf_core.testing.conformance"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "needs hypothesis: `pip install 'wf-core[testing]'`" in ran.stderr
