"""`wf_trace_context`: what goes on with requests, and that it costs nothing where nobody traces."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

import attrs
import pytest
from tests.core.callbacks.receiver import answers, receiving

from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepCall, StepKind, Success
from wf_core.library import arun
from wf_core.model.state import Stored
from wf_core.plugins import Registry

TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@attrs.frozen(eq=False)
class Traces:
    """Gives a trace, none, or an error."""

    found: Mapping[str, str] | None
    error: Exception | None = None

    @hookimpl
    def wf_trace_context(
        self, uid: str, annotations: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        if self.error is not None:
            raise self.error
        return self.found and {**self.found, "tracestate": f"u={uid},a={annotations.get('a')}"}


class Telling(StepKind):
    """Tells its trace."""

    name = "telling"

    def __init__(self) -> None:
        self.calls: list[StepCall] = []

    def run(self, call: StepCall) -> Success:
        self.calls.append(call)
        return Success(attributes={"trace": dict(call.trace)})

    def rollback(self, call: StepCall) -> None:
        """Nothing to undo."""


DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order, annotations: {a: b}}
spec:
  callback: {url: "%s", events: [workflow.Success]}
  steps:
  - {name: one, stepTemplate: {type: telling}}
"""


def test_the_first_that_traces_this_is_asked() -> None:
    registry = Registry.of([Traces({"traceparent": "late"}), Traces(TRACE), Traces(None)])
    assert not registry.problems
    found = registry.trace_context("u1", {"a": "b"})
    assert found == {**TRACE, "tracestate": "u=u1,a=b"}


def test_one_that_fails_is_named_and_the_next_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "wf.plugins")
    registry = Registry.of([Traces(TRACE), Traces(None, ValueError("mine"))])
    assert registry.trace_context("u1", {})["traceparent"] == TRACE["traceparent"]
    assert "wf_trace_context failed" in caplog.text
    assert Registry.of([Traces(None, ValueError("mine"))]).trace_context("u1", {}) == {}


async def ran(*plugins: object) -> tuple[Stored, dict[str, str]]:
    """The workflow at its end, and the headers of its callback."""
    async with receiving(answers(200)) as receiver:
        stored = await arun(DOCUMENT % receiver.url(), plugins=plugins)
    return stored, receiver.got[0].headers


def test_a_hook_and_a_callback_carry_the_trace() -> None:
    kind = Telling()
    stored, headers = asyncio.run(ran(kind, Traces(TRACE)))
    uid = stored.workflow.metadata.uid
    expected = {**TRACE, "tracestate": f"u={uid},a=b"}
    assert stored.steps[0].attributes["trace"] == expected
    assert kind.calls[0].annotations == {"a": "b"}
    assert {name: headers[name] for name in expected} == expected


def test_where_nobody_traces_nobody_is_asked() -> None:
    kind = Telling()
    stored, headers = asyncio.run(ran(kind))
    assert stored.steps[0].attributes["trace"] == {}
    assert not isinstance(kind.calls[0].find_trace, partial)
    assert "traceparent" not in headers
