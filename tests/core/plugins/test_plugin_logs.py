"""`wf_step_logs`: output that plugins keep elsewhere."""

from collections.abc import Iterable, Iterator

import attrs
import pytest

from wf_core.adapters.cancellation import Cancellation
from wf_core.errors import PluginError, StoreUnavailable
from wf_core.hookspecs import hookimpl
from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_core.plugins import Registry
from wf_core.ports import LogQuery

QUERY = LogQuery(
    store="memory:",
    key=Key("default", "order"),
    uid="u1",
    step="pay",
    kind="far",
    hook=Hook.RUN,
    attempt=1,
    follow=False,
    stopped=Cancellation(),
)


@attrs.frozen(eq=False)
class Knowing:
    """Knows the output of one kind."""

    kind: str
    error: Exception | None = None

    @hookimpl
    def wf_step_logs(self, query: LogQuery) -> Iterable[LogLine] | None:
        return self._lines(query) if query.kind == self.kind else None

    def _lines(self, query: LogQuery) -> Iterator[LogLine]:
        yield LogLine(query.step, query.hook, query.attempt, 1.0, f"of {self.kind}")
        if self.error is not None:
            raise self.error


def texts(*plugins: object) -> list[str]:
    """What is shown of QUERY."""
    return [line.text for line in Registry.of(plugins).step_logs(QUERY)]


def test_the_plugin_that_knows_the_kind_shows_its_output() -> None:
    assert texts(Knowing("near"), Knowing("far"), Knowing("other")) == ["of far"]
    assert texts(Knowing("near")) == []


def test_one_that_fails_is_named() -> None:
    with pytest.raises(PluginError, match=r"failed to show the log: ValueError: mine"):
        texts(Knowing("far", ValueError("mine")))


def test_an_error_of_ours_is_told_as_it_is() -> None:
    with pytest.raises(StoreUnavailable, match=r"^away$"):
        texts(Knowing("far", StoreUnavailable("away")))
