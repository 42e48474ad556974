"""Observers, stores and commands: each implementation is called by itself."""

import logging

import click
import pytest

from wf_core import hookspecs
from wf_core.errors import KindUnavailable, PluginError, StoreUnavailable
from wf_core.hookspecs import hookimpl
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.plugins import Registry
from wf_core.ports import Event


def event(phase: Phase, step: str | None = None, *, failed: bool = False) -> Event:
    return Event(Key("default", "w"), "uid", phase, 1.0, step, failed=failed)


TOLD = [
    ("wf_workflow_started", event(Phase.RUNNING)),
    ("wf_workflow_succeeded", event(Phase.SUCCESS)),
    ("wf_workflow_rolling_back", event(Phase.ROLLING_BACK)),
    ("wf_workflow_rolled_back", event(Phase.ROLL_BACKED)),
    ("wf_workflow_failed", event(Phase.FAILED)),
    ("wf_step_started", event(Phase.RUNNING, "s")),
    ("wf_step_succeeded", event(Phase.SUCCESS, "s")),
    ("wf_step_failed", event(Phase.RUNNING, "s", failed=True)),
    ("wf_step_rolled_back", event(Phase.ROLL_BACKED, "s")),
    ("wf_step_rollback_failed", event(Phase.FAILED, "s")),
]


def observer(hook: str, seen: list[str], error: BaseException | None = None) -> object:
    """A plugin that implements one observer."""

    class Observing:
        pass

    def observe(self: object, event: Event) -> None:  # noqa: ARG001
        seen.append(hook)
        if error is not None:
            raise error

    setattr(Observing, hook, hookimpl(observe))
    return Observing()


@pytest.mark.parametrize(("hook", "what"), TOLD)
def test_each_observer_is_told_of_its_own_event_alone(hook: str, what: Event) -> None:
    seen: list[str] = []
    registry = Registry.of([observer(each, seen) for each, _ in TOLD])
    assert not registry.problems
    registry.notify(what)
    assert seen == [hook]


@pytest.mark.parametrize("what", [event(Phase.ROLLING_BACK, "s"), event(Phase.PENDING)])
def test_what_no_hook_tells_of_is_told_to_nobody(what: Event) -> None:
    seen: list[str] = []
    Registry.of([observer(each, seen) for each, _ in TOLD]).notify(what)
    assert seen == []


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(1)])
def test_an_observer_that_raises_is_logged_by_name_and_stops_no_other(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    hook = "wf_step_started"
    registry = Registry.of([observer(hook, seen, each) for each in (None, error, None)])
    with caplog.at_level(logging.ERROR):
        registry.notify(event(Phase.RUNNING, "s"))
    assert len(seen) == 3
    (record,) = caplog.records
    assert record.getMessage() == f"{registry.plugins[1].distribution}: wf_step_started failed"
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_every_hook_is_documented_and_tested() -> None:
    """Each hook has a docstring, and stands in a test of this folder."""
    from pathlib import Path

    tests = "".join(each.read_text() for each in Path(__file__).parent.glob("test_*.py"))
    for name in hookspecs.SPECIFIED:
        assert getattr(hookspecs, name).__doc__, name
        assert name in tests, name
    named = {name for name in vars(hookspecs) if name.startswith("wf_")}
    assert named == hookspecs.SPECIFIED


class Opening:
    """A plugin that opens the stores of one scheme."""

    def __init__(self, scheme: str, answer: object) -> None:
        self._scheme, self._answer = scheme, answer

    @hookimpl
    def wf_open_store(self, url: str) -> object:
        if not url.startswith(f"{self._scheme}:"):
            return None
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_the_plugin_that_knows_the_scheme_opens_the_store() -> None:
    here, there = object(), object()
    registry = Registry.of([Opening("here", here), Opening("there", there)])
    assert registry.open_store("here:x") is here
    assert registry.open_store("there:x") is there


def test_a_scheme_that_nobody_knows_is_the_operators_to_mend() -> None:
    with pytest.raises(StoreUnavailable, match=r"'k8s:'.*sqlite:PATH.*install the plugin"):
        Registry.of([]).open_store("k8s:context/namespace")


def test_a_store_that_fails_by_a_bug_names_its_distribution() -> None:
    registry = Registry.of([Opening("here", TypeError("bug"))])
    name = registry.plugins[0].distribution
    with pytest.raises(PluginError, match=f"{name} failed to open the store: TypeError: bug"):
        registry.open_store("here:")


def test_a_store_that_can_not_be_opened_says_so_in_its_own_words() -> None:
    error = StoreUnavailable("the disk is full")
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        Registry.of([Opening("here", error)]).open_store("here:")


def test_subcommands_are_added_whatever_another_plugin_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Adding:
        @hookimpl
        def wf_cli_commands(self, group: click.Group) -> None:
            group.add_command(click.Command("extra"))

    class Failing:
        @hookimpl
        def wf_cli_commands(self) -> None:
            raise ValueError("boom")

    group = click.Group()
    with caplog.at_level(logging.ERROR):
        Registry.of([Failing(), Adding(), Failing()]).add_cli_commands(group)
    assert list(group.commands) == ["extra"]
    assert [each.getMessage().partition(": ")[2] for each in caplog.records] == [
        "wf_cli_commands failed"
    ] * 2


def test_an_unknown_kind_suggests_the_nearest() -> None:
    from wf_core.kinds import Answer, StepCall, StepKind

    class Lamp(StepKind):
        name = "lamp"

        def run(self, call: StepCall) -> Answer: ...
        def rollback(self, call: StepCall) -> Answer: ...

    registry = Registry.of([Lamp()])
    with pytest.raises(KindUnavailable, match=r"the kind 'lmap'; did you mean 'lamp'\?"):
        registry.kind("lmap")
    with pytest.raises(KindUnavailable, match=r"'torch'; `wf plugins` shows"):
        registry.kind("torch")
