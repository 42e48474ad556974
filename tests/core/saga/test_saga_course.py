"""How a workflow goes forward, turns back and ends (semantics A1 to A3)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

import pytest

from wf_core.errors import EngineError
from wf_core.model.outcomes import Progressing, Succeeded
from wf_core.model.phases import Ended, Hook, Phase, RollbackMode, RollbackPolicy, Undo
from wf_core.model.spec import DependOn
from wf_core.model.state import MESSAGE, Resource
from wf_core.saga import table
from wf_core.saga.events import Admitted, Refused, Reported
from wf_core.testing.saga_driver import Drive, chain, done, fatal, retryable, step, workflow

P, R, S = Phase.PENDING, Phase.RUNNING, Phase.SUCCESS
RB, D, F = Phase.ROLLING_BACK, Phase.ROLL_BACKED, Phase.FAILED


def test_a1_a_move_that_the_table_does_not_list_is_refused() -> None:
    for check, moves in ((table.check_step, table.STEP), (table.check_workflow, table.WORKFLOW)):
        listed = {(m.before, m.after) for m in moves}
        for before in Phase:
            for after in Phase:
                if (before, after) in listed:
                    check(before, after)
                else:
                    with pytest.raises(EngineError, match=f"from {before} to {after}"):
                        check(before, after)


def test_a1_rollbacked_absorbs() -> None:
    assert not [m for m in (*table.STEP, *table.WORKFLOW) if m.before is D]


def test_a1_a_chain_runs_in_order_and_succeeds() -> None:
    saga = Drive(workflow(*chain(3)))
    saga.go()
    assert saga.phase is S
    assert saga.called(Hook.RUN) == ["s0", "s1", "s2"]
    moves = [(t.step, t.after) for t in saga.history]
    assert moves == [
        (None, R), ("s0", R), ("s0", S), ("s1", R), ("s1", S), ("s2", R), ("s2", S), (None, S),
    ]  # fmt: skip


def test_c8_history_has_what_the_kind_says_of_its_success_and_not_what_it_said_before() -> None:
    def said(message: str) -> Resource:
        return Resource("x", attributes={MESSAGE: message})

    saga = Drive(workflow(step("a"), step("b", "a")))
    for name, end in (("a", Succeeded(said("approved by ann"))), ("b", done())):
        saga.outcomes[name, Hook.RUN] = [Progressing(resource=said("waits"))]
        saga.outcomes[name, Hook.SYNC] = [end]
    saga.go()
    assert [t.reason for t in saga.history if t.after is S and t.step] == ["approved by ann", ""]


def test_a1_independent_branches_run_at_once() -> None:
    saga = Drive(workflow(step("a"), step("b"), step("c", "a", "b")))
    assert set(saga.flying) == {"a", "b"}


def test_a1_a_run_that_fails_for_good_leaves_its_step_in_running() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")))
    saga.report("a")
    saga.held["b"] = None
    saga.report("b", fatal("kaput"))
    assert saga.state("b").run_error == "kaput"
    b = [(t.before, t.after) for t in saga.history if t.step == "b"]
    assert b == [(P, R), (R, RB)]
    assert saga.failed == ["b"]


def test_a1_a_failed_step_is_undone_itself_then_what_it_depends_on() -> None:
    saga = Drive(workflow(*chain(3)))
    saga.outcomes["s2", Hook.RUN] = [fatal()]
    saga.go()
    assert saga.phase is D
    assert saga.called(Hook.ROLLBACK) == ["s2", "s1", "s0"]
    assert {saga.state(f"s{k}").undo for k in range(3)} == {Undo.CALLED}


def test_a1_a_step_that_never_ran_is_rolled_back_without_a_call() -> None:
    saga = Drive(workflow(*chain(3)))
    saga.outcomes["s0", Hook.RUN] = [fatal()]
    saga.go()
    assert saga.called(Hook.ROLLBACK) == ["s0"]
    assert saga.state("s2").undo is Undo.NEVER_RAN


def test_a1_undo_waits_for_calls_in_flight() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.report("a", fatal())
    assert saga.stops == ["b"]
    assert saga.phases["b"] is R
    saga.report("b", done("made"))
    assert saga.flying["b"].hook is Hook.ROLLBACK
    resource = saga.state("b").resource
    assert resource is not None
    assert resource.status == "made"
    assert saga.state("b").previous is Ended.SUCCEEDED


def test_a1_pending_that_can_never_start_is_failed() -> None:
    saga = Drive(workflow(step("a")), admitted=False)
    saga.turn(Refused("no plugin brings 'x'"))
    assert saga.phase is F
    assert saga.saga.head.error == "no plugin brings 'x'"
    assert saga.saga.rests
    saga.turn(Refused("again"))
    assert saga.saga.head.error == "no plugin brings 'x'"


def test_a2_dependents_hold_up_an_undo_whatever_phase_they_wait_for() -> None:
    saga = Drive(workflow(step("a"), step("b", DependOn("a", R))))
    assert set(saga.flying) == {"a", "b"}
    saga.report("a", fatal())
    assert "a" not in saga.flying
    saga.report("b", retryable())
    assert saga.flying["b"].hook is Hook.ROLLBACK
    saga.report("b")
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_a2_preserve_on_failure_keeps_the_scene() -> None:
    saga = Drive(workflow(*chain(3, rollback_retry_limit=0)))
    saga.outcomes["s2", Hook.RUN] = [fatal()]
    saga.outcomes["s1", Hook.ROLLBACK] = [retryable("stuck")]
    saga.go()
    assert saga.phase is F
    assert saga.phases == {"s0": S, "s1": F, "s2": D}
    assert saga.state("s1").undo is Undo.FAILED
    assert saga.state("s1").rollback_error == "stuck"


@pytest.mark.parametrize("own", [True, False])
def test_a2_always_goes_on_and_still_ends_failed(own: bool) -> None:
    template = {"rollback_policy": RollbackPolicy.ALWAYS} if own else {}
    spec = {} if own else {"rollback_policy": RollbackPolicy.ALWAYS}
    steps = [step("a"), step("b", "a", **template), step("c", "b")]
    saga = Drive(workflow(*steps, **spec))
    saga.outcomes["c", Hook.RUN] = [fatal()]
    saga.outcomes["b", Hook.ROLLBACK] = [fatal()]
    saga.go()
    assert saga.phase is F
    assert saga.phases == {"a": D, "b": F, "c": D}


def test_fault10_a_steps_own_policy_wins_over_the_workflows() -> None:
    preserve = step("b", "a", rollback_policy=RollbackPolicy.PRESERVE_ON_FAILURE)
    document = workflow(step("a"), preserve, rollback_policy=RollbackPolicy.ALWAYS)
    saga = Drive(document)
    saga.outcomes["b", Hook.RUN] = [fatal()]
    saga.outcomes["b", Hook.ROLLBACK] = [fatal()]
    saga.go()
    assert saga.phases == {"a": S, "b": F}


def test_a3_irreversible_steps_are_passed_over_and_said_to_be() -> None:
    saga = Drive(workflow(step("a", rollback=RollbackMode.NONE), step("b", "a")))
    saga.outcomes["b", Hook.RUN] = [fatal()]
    saga.go()
    assert saga.phase is D
    assert saga.state("a").undo is Undo.IRREVERSIBLE
    assert "a" not in saga.called(Hook.ROLLBACK)
    assert [c.type for c in saga.saga.head.conditions] == ["PartiallyReverted"]


def test_fault6_success_needs_every_step_of_the_spec() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.report("a")
    assert saga.phase is R
    saga.report("b")
    assert saga.phase is S


def test_fault12_a_late_success_does_not_overwrite_rolling_back() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    late = saga.reported("a")
    saga.report("b", fatal())
    saga.turn(late)
    assert saga.phases["a"] is RB
    assert saga.phase is RB


def test_a_stale_report_is_dropped() -> None:
    saga = Drive(workflow(step("a")))
    call = saga.flying["a"]
    saga.turn(Reported(call.step, call.call + 7, fatal()))
    saga.report("a")
    saves = saga.saves
    saga.turn(Reported(call.step, call.call, fatal()))
    assert saga.phase is S
    assert saga.saves == saves


def test_nothing_starts_before_admission() -> None:
    saga = Drive(workflow(step("a")), admitted=False)
    assert not saga.calls
    assert saga.saga.wants_slot
    saga.turn(Admitted())
    assert saga.flying
    saga.turn(Admitted())
    assert len(saga.calls) == 1
