"""One sentence for everything that waits (design 4)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from wf_core.model.outcomes import Progressing
from wf_core.model.phases import OnFailure, PermitClass, Phase, RequestType
from wf_core.model.spec import Callback, DependOn
from wf_core.model.state import MESSAGE, Resource
from wf_core.saga.explain import NoPermits, Reason, blocked_of, explain
from wf_core.testing.saga_driver import Drive, done, fatal, going, retryable, step, workflow


def told(saga: Drive) -> dict[str | None, tuple[Reason, str]]:
    found = explain(saga.saved, saga.kinds, saga.now)
    return {each.step: (each.reason, each.sentence) for each in found}


def test_a_condition_names_the_step_and_its_phase() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")))
    assert told(saga)["b"] == (
        Reason.CONDITION,
        "waits for 'a' to reach Success; it is Running",
    )


def test_a_status_names_what_it_shows() -> None:
    saga = Drive(workflow(step("a"), step("b", DependOn("a", resource_status="ready"))))
    saga.report("a", done("booting"))
    assert told(saga)["b"] == (
        Reason.STATUS,
        "waits for the resource of 'a' to show status 'ready'; it shows 'booting'",
    )


def test_a_permit_names_its_kind() -> None:
    saga = Drive(workflow(step("a"), step("b")), limits={"plain": 1})
    assert told(saga)["b"] == (Reason.PERMIT, "waits for a permit of kind 'plain' to run")


def test_a_call_in_flight_names_its_attempt() -> None:
    saga = Drive(workflow(step("a")))
    assert told(saga)["a"] == (
        Reason.CALL,
        "attempt 1 of its run is in flight, or waits for a permit of kind 'plain'",
    )


def test_a_back_off_says_until_when_and_why() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", retryable("oops"))
    reason, sentence = told(saga)["a"]
    assert reason is Reason.BACKOFF
    assert sentence.startswith("attempt 2 of its run begins in 6")
    assert sentence.endswith(" s; last error: oops")


def test_a_retry_whose_time_has_come_may_wait_for_a_permit() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", retryable("oops"))
    saga.permits.limits = {"plain": 0}
    saga.wait(100)
    assert told(saga)["a"] == (
        Reason.CALL,
        "attempt 2 of its run is in flight, or waits for a permit of kind 'plain'; "
        "last error: oops",
    )


def test_explaining_takes_no_permits() -> None:
    assert not NoPermits().take("plain", PermitClass.RUN, 0.0, opens=True)


def test_progress_says_since_when() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", going())
    saga.now += 5
    assert told(saga)["a"] == (
        Reason.IN_PROGRESS,
        "its run, begun 5 s ago, is in progress outside; 'plain' is asked about it",
    )


def test_progress_says_what_the_kind_says_of_it() -> None:
    saga = Drive(workflow(step("a")))
    seen = Resource(status="Pulling", attributes={MESSAGE: "the image is being fetched"})
    saga.report("a", Progressing(None, seen))
    _, sentence = told(saga)["a"]
    assert sentence.endswith("is asked about it; Pulling: the image is being fetched")


def test_a_person_is_told_which_requests_help() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), on_failure=OnFailure.PAUSE))
    saga.report("a", fatal("no"))
    assert told(saga)["a"] == (
        Reason.PERSON,
        "waits for a person (Paused): no; what helps: RetryRun, MarkSucceeded, Cancel",
    )
    assert [(b.step, b.blocked.reason) for b in blocked_of(saga.saved)] == [("a", "Paused")]


def test_a_stuck_hook_has_no_request_that_helps() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=1.0)))
    saga.wait(20)
    reason, sentence = told(saga)["a"]
    assert reason is Reason.PERSON
    assert sentence.endswith("once the process that runs it has ended")


def test_suspension_is_told_for_the_workflow_and_its_steps() -> None:
    saga = Drive(workflow(step("a"), step("b"), step("c", "b")))
    saga.report("a", retryable())
    saga.ask(RequestType.SUSPEND)
    saga.report("b")
    saga.wait(100)
    found = told(saga)
    assert found[None] == (Reason.SUSPENDED, "suspended; a Continue request lets it go on")
    for name in "ac":
        assert found[name] == (Reason.SUSPENDED, "waits for the suspended workflow to continue")


def test_admission_names_the_queue() -> None:
    saga = Drive(workflow(step("a"), queue="q"), admitted=False)
    assert told(saga) == {None: (Reason.ADMISSION, "waits for a slot in queue 'q' to begin")}


def test_a_workflow_that_wants_to_go_on_waits_for_a_slot() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), on_failure=OnFailure.PAUSE))
    saga.report("a", fatal())
    saga.ask(RequestType.MARK_SUCCEEDED, "a")
    assert told(saga) == {
        None: (Reason.ADMISSION, "waits for a slot in queue 'default' to go on"),
        "b": (Reason.ADMISSION, "waits for the workflow to get a slot again"),
    }


def test_an_undo_waits_for_its_dependents() -> None:
    steps = [step("a"), *[step(f"b{k}", "a") for k in range(5)]]
    saga = Drive(workflow(*steps))
    saga.report("a")
    saga.report("b0", fatal())
    found = told(saga)
    assert found["a"] == (Reason.DEPENDENTS, "is undone after 'b0', 'b1', 'b2' and 2 more")
    assert found["b1"] == (
        Reason.CALL,
        "its run was asked to stop; it is undone once that has ended",
    )
    assert found["b0"][1].startswith("attempt 1 of its rollback is in flight")
    for k in range(1, 5):
        saga.report(f"b{k}")
    for k in range(1, 5):
        saga.report(f"b{k}")
    assert told(saga)["a"] == (Reason.DEPENDENTS, "is undone after 'b0'")


def test_an_undo_waits_for_a_permit() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.report("a")
    saga.permits.limits = {"plain": 0}
    saga.report("b", fatal())
    assert told(saga) == {
        "a": (Reason.PERMIT, "waits for a permit of kind 'plain' to rollback"),
        "b": (Reason.PERMIT, "waits for a permit of kind 'plain' to rollback"),
    }


def test_a_failed_workflow_says_what_was_kept() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")))
    saga.report("a")
    saga.report("b", fatal())
    saga.report("b", fatal("stuck"))
    found = told(saga)
    assert found["b"][1] == (
        "waits for a person (RollbackFailed): stuck; "
        "what helps: RetryRollback, SkipRollback, MarkRolledBack"
    )
    assert found["a"] == (Reason.DEPENDENTS, "is undone after 'b'")


def test_a_pivot_without_an_outcome_holds_up_the_turn() -> None:
    steps = (step("p", pivot=True), step("z", DependOn("p", Phase.RUNNING)))
    saga = Drive(workflow(*steps))
    saga.report("z", fatal("no"))
    found = told(saga)
    assert found[None] == (
        Reason.PIVOT,
        "turns back (step 'z' failed: no) unless its pivot 'p' succeeds, "
        "which has not said how it ended",
    )
    assert "z" not in found


def test_a_step_that_could_not_begin_says_nothing_while_the_pivot_is_awaited() -> None:
    bad = step("z", DependOn("p", Phase.RUNNING), parameters={"bad": 1})
    saga = Drive(workflow(step("p", pivot=True), bad))
    assert set(told(saga)) == {None, "p"}
    saga.crash()
    assert set(told(saga)) == {None, "p"}
    assert "z" not in saga.called()


def test_callbacks_that_are_left_are_told_at_the_end() -> None:
    saga = Drive(workflow(step("a"), callback=Callback("http://x")))
    saga.go()
    assert told(saga) == {None: (Reason.CALLBACK, "3 callbacks have not been delivered yet")}
    narrow = Drive(workflow(step("a"), callback=Callback("http://x", events=("step.Success",))))
    narrow.go()
    assert told(narrow)[None][1] == "1 callback has not been delivered yet"


def test_what_is_done_waits_for_nothing() -> None:
    saga = Drive(workflow(step("a")))
    saga.go()
    assert told(saga) == {}
    assert blocked_of(saga.saved) == []
