"""Hooks that can't work are refused at registration, or said to be dead, by name."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import PluginInfo, Registry, Status


class Lamp(StepKind):
    """A kind of its own."""

    name = "lamp"

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        return None

    def rollback(self, call: StepCall) -> Answer:  # noqa: ARG002
        return None


def only(plugin: object) -> PluginInfo:
    """The plugin loaded next to a sound one, which must not suffer."""
    registry = Registry.of([plugin, Lamp()])
    assert "lamp" in registry.kinds
    info = registry.plugins[0]
    assert (info.problem is None) == (not registry.problems)
    return info


def module(**names: Any) -> ModuleType:
    made = ModuleType("faulty_plugin")
    vars(made).update(names)
    return made


def test_b10_an_async_hook_is_refused_with_a_sentence() -> None:
    @hookimpl
    async def wf_step_run(call: StepCall) -> Answer:  # noqa: ARG001
        return None

    info = only(module(wf_step_run=wf_step_run))
    assert info.status is Status.FAILED
    assert info.problem == (
        "faulty_plugin: the hook 'wf_step_run' is `async def`, and wrappers can't see through "
        "a coroutine: make it `def`"
    )


def test_a_hook_of_another_version_is_refused_with_what_it_asks_for() -> None:
    @hookimpl
    def wf_step_sync(call: StepCall, colour: str) -> Answer:  # noqa: ARG001
        return None

    info = only(module(wf_step_sync=wf_step_sync))
    assert info.status is Status.FAILED
    assert info.problem is not None
    assert "'wf_step_sync' asks for colour, and this version of wf gives call" in info.problem


def test_a_misspelt_hook_is_named_with_the_nearest_and_the_rest_is_loaded() -> None:
    @hookimpl
    def wf_step_succeded(event: object) -> None: ...

    info = only(module(wf_step_succeded=wf_step_succeded))
    assert info.status is Status.LOADED
    assert info.problem is not None
    assert "no hook 'wf_step_succeded'" in info.problem
    assert "did you mean 'wf_step_succeeded'?" in info.problem


def test_a_hook_marked_optional_may_be_of_a_later_version() -> None:
    @hookimpl(optionalhook=True)
    def wf_step_paused(event: object) -> None: ...

    assert only(module(wf_step_paused=wf_step_paused)).problem is None


def test_a_hook_without_its_mark_is_said_to_be_dead() -> None:
    def wf_workflow_failed(event: object) -> None: ...

    info = only(module(wf_workflow_failed=wf_workflow_failed))
    assert info.problem is not None
    assert "'wf_workflow_failed' lacks its `@hookimpl`" in info.problem


def test_hooks_that_are_called_one_by_one_can_not_be_wrapped() -> None:
    @hookimpl(wrapper=True)
    def wf_open_store(url: str) -> Iterator[None]:  # noqa: ARG001
        yield

    info = only(module(wf_open_store=wf_open_store))
    assert info.status is Status.FAILED
    assert info.problem is not None
    assert "'wf_open_store' can't be wrapped" in info.problem


def test_a_wrapper_without_yield_is_refused() -> None:
    @hookimpl(wrapper=True)
    def wf_step_rollback(call: StepCall) -> Answer:  # noqa: ARG001
        return None

    info = only(module(wf_step_rollback=wf_step_rollback))
    assert info.status is Status.FAILED
    assert "has no `yield`" in str(info.problem)


def test_a_class_is_no_plugin() -> None:
    class Plugin:
        @hookimpl
        def wf_step_kinds(self) -> Iterable[StepKind]:
            return ()

    info = only(Plugin)
    assert info.status is Status.FAILED
    assert "names a class" in str(info.problem)


def test_all_flaws_are_said_at_once() -> None:
    @hookimpl
    async def wf_step_run(call: StepCall) -> Answer:  # noqa: ARG001
        return None

    @hookimpl
    def wf_step_started(occasion: object) -> None: ...

    info = only(module(wf_step_run=wf_step_run, wf_step_started=wf_step_started))
    assert "wf_step_run" in str(info.problem)
    assert "wf_step_started" in str(info.problem)


def test_names_that_raise_when_read_are_a_problem_of_that_plugin() -> None:
    class Nasty:
        @property
        def wf_step_run(self) -> object:
            raise LookupError("not today")

    info = only(Nasty())
    assert info.status is Status.FAILED
    assert "LookupError: not today" in str(info.problem)


class Bringing:
    """A plugin that brings whatever it is given as kinds."""

    def __init__(self, *kinds: Any) -> None:
        self._kinds = kinds

    @hookimpl
    def wf_step_kinds(self) -> Iterable[StepKind]:
        return self._kinds


class NoAttrs(Lamp):
    name = "no-attrs"
    Parameters = dict


class Nameless(Lamp):
    name = ""


class AsyncLamp(Lamp):
    name = "async"

    async def run(self, call: StepCall) -> Answer:  # type: ignore[override]  # noqa: ARG002
        return None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Lamp, "brings the class Lamp as a kind: give an instance, Lamp()"),
        ("lamp", "a kind derives from wf_core.kinds.StepKind"),
        (Nameless(), "brings the kind Nameless without a name"),
        (NoAttrs(), "'no-attrs', whose Parameters are no attrs class"),
        (AsyncLamp(), "'async', whose `run` is `async def`"),
    ],
)
def test_what_can_not_serve_as_a_kind_is_said(kind: object, said: str) -> None:
    info = only(Bringing(kind))
    assert said in str(info.problem)
    assert info.kinds == ()


def test_kinds_that_can_not_be_told_are_a_problem_of_that_plugin() -> None:
    class Failing:
        @hookimpl
        def wf_step_kinds(self) -> Iterable[StepKind]:
            raise OSError("no network")

    assert "wf_step_kinds failed: OSError: no network" in str(only(Failing()).problem)


def test_one_plugin_that_brings_a_kind_twice_is_told_so() -> None:
    registry = Registry.of([Bringing(Lamp(), Lamp())])
    assert "lamp" not in registry.kinds
    assert "brought more than once" in registry.problems[0]


class Compiled(Lamp):
    """A kind whose parameters hold what no document can write."""

    @attrs.frozen
    class Parameters:
        words: tuple[re.Pattern[str], ...] = (re.compile("a"),)


class Unmakeable(Lamp):
    """A kind one of whose defaults can't be made."""

    @attrs.frozen
    class Parameters:
        size: dict[str, int] = attrs.field(factory=lambda: {"a": int(1 / 0)})


class Nested(Lamp):
    """A kind whose defaults can be saved, nested ones too."""

    @attrs.frozen
    class Inner:
        where: Path = Path("/srv")
        both: frozenset[int] = frozenset({1})

    @attrs.frozen(kw_only=True)
    class Parameters:
        inner: "Nested.Inner" = attrs.field(factory=lambda: Nested.Inner())
        many: dict[str, list[float | None]] = attrs.field(factory=lambda: {"a": [1.0, None]})
        text: str
        later: re.Pattern[str] = attrs.field(init=False, default=re.compile("no parameter"))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (
            Compiled,
            "whose parameter words has a default that JSON can't carry, a Pattern: it is saved for "
            "the undo. Let the default be what a document would write, and make the rest in the "
            "hook",
        ),
        (
            Unmakeable,
            "whose parameter size has a default that can't be made: ZeroDivisionError: "
            "division by zero",
        ),
    ],
)
def test_b5_a_kind_whose_defaults_cannot_be_saved_is_refused(kind: Any, problem: str) -> None:
    registry = Registry.of([kind()])
    assert registry.kinds == {}
    assert registry.problems[0].endswith(f"brings the kind 'lamp', {problem}")


def test_b5_a_kind_whose_nested_defaults_can_be_saved_is_taken() -> None:
    registry = Registry.of([Nested()])
    assert registry.problems == ()
