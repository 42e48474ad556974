"""`wf logs` also shows what plugins keep of attempts."""

from collections.abc import Iterable

import attrs
import pytest
from tests.core.cli.made import Shell, step, stored, workflow

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli import attempt_logs
from wf_core.cli.settings import Settings
from wf_core.errors import OperatorError, StoreUnavailable
from wf_core.hookspecs import hookimpl
from wf_core.model.phases import Hook, Phase
from wf_core.model.state import LogLine, StepState
from wf_core.plugins import Registry
from wf_core.ports import LogQuery


@attrs.define(eq=False)
class Elsewhere:
    """Keeps two lines of each attempt."""

    asked: list[LogQuery] = attrs.field(factory=list)
    unreadable: list[str] = attrs.field(factory=list)
    silent: bool = False

    @hookimpl
    def wf_step_logs(self, query: LogQuery) -> Iterable[LogLine] | None:
        self.asked.append(query)
        if query.step in self.unreadable:
            raise StoreUnavailable("the far side is away")
        if self.silent:
            return None
        at = 4e9 if query.step == "one" else 5e9
        return [
            LogLine(query.step, query.hook, query.attempt, at, f"{query.hook} {query.attempt}"),
            LogLine(query.step, query.hook, query.attempt, at + 1, "end"),
        ]


DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - {name: one, stepTemplate: {type: random, parameters: {sleepSeconds: 0}}}
  - name: two
    dependOns: [{name: one}]
    stepTemplate: {type: random, parameters: {sleepSeconds: 0}}
"""


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    plugin = Elsewhere()
    registry = Registry.of([plugin])
    monkeypatch.setattr(attempt_logs, "installed", lambda: registry)
    return plugin


@pytest.mark.parametrize("follow", [False, True])
def test_lines_of_plugins_stand_among_those_of_the_store(
    shell: Shell, elsewhere: Elsewhere, follow: bool
) -> None:
    shell.wf("run", shell.file("order.yaml", DOCUMENT))
    ours = [
        line
        for line in shell.wf("logs", "order", *(["-f"] if follow else [])).lines
        if line.endswith(("run 1", "end"))
    ]
    assert sorted(ours) == ["one | end", "one | run 1", "two | end", "two | run 1"]
    if not follow:
        assert ours == ["one | run 1", "one | end", "two | run 1", "two | end"]
    assert shell.wf("logs", "order", "two").lines[-2:] == ["run 1", "end"]
    assert {each.key.name for each in elsewhere.asked} == {"order"}


def test_what_can_be_read_is_shown_before_the_error(shell: Shell, elsewhere: Elsewhere) -> None:
    shell.wf("run", shell.file("order.yaml", DOCUMENT))
    elsewhere.unreadable.append("two")
    told = shell.wf("logs", "order")
    assert told.lines[-2:] == ["one | run 1", "one | end"]
    assert (told.code, "the far side is away" in told.err) == (1, True)


@pytest.mark.parametrize("follow", [False, True])
def test_a_store_without_lines_says_so_only_where_no_plugin_has_any(
    shell: Shell, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, follow: bool
) -> None:
    async def logs(*_: object) -> tuple[LogLine, ...]:
        raise OperatorError("the lines are in another place")

    shell.wf("run", shell.file("order.yaml", DOCUMENT))
    monkeypatch.setattr(SqliteStore, "logs", logs)
    command = ["logs", "order", *(["-f"] if follow else [])]
    told = shell.wf(*command)
    assert (told.code, len(told.lines), told.err) == (0, 4, "")
    elsewhere.silent = True
    told = shell.wf(*command)
    assert (told.code, told.lines) == (1, [])
    assert "the lines are in another place" in told.err


def asked(state: StepState, *, follow: bool) -> list[tuple[Hook, int, bool]]:
    """What is asked for of a step in that state."""
    found = attempt_logs.queries(
        Settings(store="memory:"), stored(workflow(step("one")), state), None, follow=follow
    )
    return [(each.hook, each.attempt, each.follow) for each in found]


def test_every_attempt_is_asked_for_and_the_last_is_followed_while_it_goes() -> None:
    running = StepState(phase=Phase.RUNNING, attempt=2)
    assert asked(running, follow=True) == [(Hook.RUN, 1, False), (Hook.RUN, 2, True)]
    assert asked(running, follow=False) == [(Hook.RUN, 1, False), (Hook.RUN, 2, False)]
    undone = StepState(phase=Phase.ROLLING_BACK, attempt=1, rollback_attempt=1)
    assert asked(undone, follow=True) == [(Hook.RUN, 1, False), (Hook.ROLLBACK, 1, True)]
    assert asked(StepState(), follow=True) == []


def test_of_many_attempts_the_last_are_asked_for() -> None:
    tried = StepState(phase=Phase.RUNNING, attempt=40)
    assert [each[1] for each in asked(tried, follow=False)] == [36, 37, 38, 39, 40]
