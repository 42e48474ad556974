"""The search itself: it finds what it should, and says so when it stops early."""

from collections.abc import Iterator

import pytest

from wf_core.model.phases import Phase, Ran, RollbackMode
from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.prove import EVERYTHING, Bound, Outcomes, examine, search
from wf_core.saga import course, ledger, run, undo


def chain(*names: str, irreversible: str = "") -> Workflow:
    """Steps that each depend on the one before."""
    steps = tuple(
        StepSpec(
            name,
            StepTemplate("any"),
            (DependOn(names[n - 1]),) if n else (),
            rollback=RollbackMode.NONE if name == irreversible else RollbackMode.REQUIRED,
        )
        for n, name in enumerate(names)
    )
    return Workflow(Metadata("w", uid="w"), WorkflowSpec(steps=steps))


def test_an_irreversible_step_before_one_that_may_fail_is_a_design_fault() -> None:
    report = examine(chain("reserve", "mail", "pay", irreversible="mail"), Bound())
    assert report.complete
    assert report.sound
    assert report.design_faults == (
        "'mail' can't be undone and stays when 'pay' fails after it: let it depend on what may "
        "fail, or make it, or a step before it, the pivot",
    )


def test_an_irreversible_step_at_the_end_is_none() -> None:
    report = examine(chain("reserve", "pay", "mail", irreversible="mail"), Bound())
    assert report.design_faults == ()


def test_an_undo_that_fails_is_named_with_what_it_blocks() -> None:
    report = examine(chain("a", "b", "c"), Bound(crashes=0))
    assert report.findings == (
        "an undo of 'a' that fails for good leaves it as it is",
        "an undo of 'b' that fails for good leaves it as it is and keeps 'a' from being undone",
        "an undo of 'c' that fails for good leaves it as it is and keeps 'a', 'b' from being "
        "undone",
    )


def test_the_shortest_story_of_an_ending_is_told() -> None:
    report = examine(chain("a", "b"), Bound(crashes=1))
    none = next(e for e in report.endings if e.phase is Phase.ROLL_BACKED and not e.left)
    assert none.story == (
        "submitted",
        "admitted",
        "run of 'a' fails for good",
        "rollback of 'a' succeeds",
    )


def test_a_search_that_stops_at_its_bound_says_so() -> None:
    assert not examine(chain("a", "b", "c"), Bound(states=5)).complete


def _mutants() -> Iterator[object]:
    def undo_without_order(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger.Ledger, "is_settled", lambda self, i: True)

    def success_though_a_step_failed(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            run, "fail", lambda book, i, message, now: run.succeed(book, i, Ran.CALLED, now)
        )

    def a_failed_undo_counts_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            undo, "give_up", lambda book, i, kind, message, now: undo.undone(book, i, kind, now)
        )

    def a_failure_never_turns_round(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(course, "turn_back", lambda book, now: False)

    yield from (
        undo_without_order,
        success_though_a_step_failed,
        a_failed_undo_counts_as_done,
        a_failure_never_turns_round,
    )


@pytest.mark.parametrize("mutate", list(_mutants()), ids=lambda f: f.__name__)
def test_a_machine_with_a_fault_is_caught(mutate, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    mutate(monkeypatch)
    assert search(chain("a", "b"), EVERYTHING, Bound(crashes=1, oddities=1)).violations


def test_without_oddities_nothing_is_tried_again() -> None:
    few = search(chain("a"), Outcomes(), Bound(crashes=0))
    many = search(chain("a"), EVERYTHING, Bound(crashes=0, oddities=1))
    assert few.states < many.states
