"""Calls through the chain of plugins, and outcomes (semantics B6, B10)."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wf_core.hookspecs import hookimpl
from wf_core.kinds import (
    Answer,
    CannotLook,
    Fatal,
    InProgress,
    Retryable,
    StepCall,
    StepKind,
    Success,
    Throttled,
)
from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook
from wf_core.model.state import Resource
from wf_core.plugins import Registry
from wf_core.testing.calls import call_for


class Doing(StepKind):
    """Answers as it is told, whatever hook is called."""

    name = "doing"

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        return self._do()  # type: ignore[no-any-return]

    def rollback(self, call: StepCall) -> Answer:  # noqa: ARG002
        return self._do()  # type: ignore[no-any-return]

    def sync(self, call: StepCall) -> Answer:  # noqa: ARG002
        return self._do()  # type: ignore[no-any-return]


def raising(error: BaseException) -> Callable[[], Any]:
    def do() -> Any:
        raise error

    return do


def perform(do: Callable[[], Any], *plugins: object, hook: Hook = Hook.RUN) -> Outcome:
    kind = Doing(do)
    registry = Registry.of([kind, *plugins])
    assert not registry.problems
    return registry.perform(call_for(kind, hook=hook))


def failure(do: Callable[[], Any], *plugins: object) -> Failure:
    outcome = perform(do, *plugins)
    assert isinstance(outcome, Failure)
    return outcome


@pytest.mark.parametrize("hook", list(Hook))
def test_b10_none_is_success_and_no_second_plugin_is_called(hook: Hook) -> None:
    class Later:
        """An implementation that pluggy would call next if it saw the kind's None."""

        @hookimpl(trylast=True)
        def wf_step_run(self) -> Answer:
            raise AssertionError("called after the kind")

        wf_step_rollback = wf_step_sync = wf_step_run

    assert perform(lambda: None, hook=hook) == Succeeded()


def test_what_a_hook_gives_back_becomes_the_outcome() -> None:
    resource = Resource(status="ready", id="7")
    assert perform(lambda: Success(resource, {"a": [1, {"b": None}]})) == Succeeded(
        resource, {"a": [1, {"b": None}]}
    )
    assert perform(lambda: InProgress(2, resource)) == Progressing(2.0, resource, None)


def test_what_a_hook_changes_afterwards_changes_nothing() -> None:
    kept = {"list": [1]}
    outcome = perform(lambda: Success(attributes=kept))
    kept["list"].append(2)
    assert outcome == Succeeded(attributes={"list": [1]})


@pytest.mark.parametrize(
    ("error", "severity", "message"),
    [
        (Retryable("again"), Severity.RETRYABLE, "again"),
        (Fatal("never"), Severity.FATAL, "never"),
        (CannotLook("dark"), Severity.CANNOT_LOOK, "dark"),
        (Retryable(), Severity.RETRYABLE, "Retryable"),
    ],
)
def test_b6_exceptions_of_ours_say_how_a_failure_is_answered(
    error: Exception, severity: Severity, message: str
) -> None:
    assert failure(raising(error)) == Failure(severity, message)


@pytest.mark.parametrize(
    ("after", "waits"), [(0, 1.0), (-5.0, 1.0), (7.5, 7.5), (math.nan, 1.0), ("soon", 1.0)]
)
def test_b6_throttled_waits_a_second_at_least(after: Any, waits: float) -> None:
    outcome = failure(raising(Throttled("busy", after=after)))
    assert outcome == Failure(Severity.THROTTLED, "busy", after=waits)


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(2), RecursionError("deep")])
def test_b6_any_other_exception_is_retryable_and_shows_where(error: BaseException) -> None:
    outcome = failure(raising(error))
    assert outcome.severity is Severity.RETRYABLE
    assert outcome.message.startswith(type(error).__name__)
    assert outcome.trace is not None
    assert "raise error" in outcome.trace
    assert "pluggy" not in outcome.trace


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("done", "run gave back a str; it may give back None, Success(...) or InProgress(...)"),
        (Success(resource={"id": 1}), "a dict as resource"),  # type: ignore[arg-type]
        (Success(Resource(id=5)), "a int as the resource's id; it takes text"),  # type: ignore[arg-type]
        (Success(attributes=[1]), "a list as attributes"),  # type: ignore[arg-type]
        (Success(attributes={"a": {1: 2}}), "the key 1 in attributes.a; keys are text"),
        (Success(attributes={"a": [object()]}), "a object at attributes.a[0], which JSON"),
        (Success(attributes={"a": math.inf}), "inf at attributes.a"),
        (InProgress(poll_after=-1), "poll_after=-1"),
        (InProgress(poll_after="9"), "poll_after='9'"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_answer_is_fatal_and_names_the_distribution(answer: object, said: str) -> None:
    outcome = failure(lambda: answer)
    assert outcome.severity is Severity.FATAL
    assert said in outcome.message
    assert __name__.partition(".")[0] in outcome.message


def test_attributes_in_a_circle_are_fatal() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert "in a circle" in failure(lambda: Success(attributes=circle)).message


def test_a_coroutine_that_a_hook_gives_back_is_fatal() -> None:
    async def later() -> None: ...

    coroutine = later()
    outcome = failure(lambda: coroutine)
    coroutine.close()
    assert "gave back a coroutine" in outcome.message


class Wrapping:
    """A wrapper around every call, which keeps what passed through it."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @hookimpl(wrapper=True)
    def wf_step_run(self, call: StepCall) -> Iterator[None]:
        self.seen.append(call.step)
        try:
            answer = yield
        except Exception as error:
            self.seen.append(error)
            raise
        self.seen.append(answer)
        return answer


def test_a_wrapper_sees_the_call_and_the_answer_and_the_error() -> None:
    wrapping = Wrapping()
    perform(lambda: None, wrapping)
    assert wrapping.seen == ["step1", Success()]
    error = Fatal("no")
    failure(raising(error), wrapping)
    assert wrapping.seen[-1] is error


def test_a_wrapper_that_forgets_the_answer_is_told_so() -> None:
    class Forgetting:
        @hookimpl(wrapper=True)
        def wf_step_run(self) -> Iterator[None]:
            yield

    outcome = failure(lambda: None, Forgetting())
    assert outcome.severity is Severity.FATAL
    assert "a wrapper must return what its `yield` gave it" in outcome.message


def test_a_plugin_may_answer_in_the_place_of_a_kind() -> None:
    class Mocking:
        @hookimpl
        def wf_step_run(self, call: StepCall) -> Answer:
            return Success(attributes={"mocked": call.step})

    outcome = perform(raising(AssertionError("called")), Mocking())
    assert outcome == Succeeded(attributes={"mocked": "step1"})


def test_a_kind_without_sync_says_so() -> None:
    class Blind(StepKind):
        name = "blind"

        def run(self, call: StepCall) -> Answer: ...
        def rollback(self, call: StepCall) -> Answer: ...

    kind = Blind()
    registry = Registry.of([kind])
    assert not registry.kind("blind").has_sync
    outcome = registry.perform(call_for(kind, hook=Hook.SYNC))
    assert isinstance(outcome, Failure)
    assert "the kind 'blind' has no `sync`" in outcome.message
    assert Registry.of([Doing(lambda: None)]).kind("doing").has_sync


def test_a_kind_that_is_not_there_is_an_outcome_too() -> None:
    outcome = Registry.of([]).perform(call_for(Doing(lambda: None)))
    assert isinstance(outcome, Failure)
    assert "'doing'" in outcome.message
