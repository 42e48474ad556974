"""Spans of workflows that run in this process, by the SDK's exporter into memory."""

import logging
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler
from opentelemetry.trace import StatusCode

from wf_core.kinds import Answer, Fatal, InProgress, Retryable, StepCall, StepKind, Success
from wf_core.library import run
from wf_core.model.phases import Phase
from wf_core.model.state import Stored
from wf_otel.identity import Identity, Ids
from wf_otel.plugin import Off, Otel, plugin_of
from wf_otel.settings import Settings
from wf_otel.tracing import Tracing

INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order, annotations: {%s}}
spec:
  steps:
  - {name: reserve, stepTemplate: {type: scripted}}
  - name: pay
    dependOns: [{name: reserve}]
    stepTemplate: {type: scripted, retryPolicy: {runRetryLimit: 1, runRetryPeriodSeconds: 0}}
"""


@attrs.define(eq=False)
class Scripted(StepKind):
    """Answers as it is told, by the call's step and hook; remembers each call's trace."""

    name = "scripted"
    script: Mapping[str, Answer | Exception]
    traces: dict[str, Mapping[str, str]] = attrs.field(factory=dict)

    def run(self, call: StepCall) -> Answer:
        return self._answer(call)

    def rollback(self, call: StepCall) -> Answer:
        return self._answer(call)

    def sync(self, call: StepCall) -> Answer:
        return self._answer(call)

    def _answer(self, call: StepCall) -> Answer:
        name = f"{call.hook} {call.step}"
        self.traces[name] = call.trace
        answer = self.script.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """A tracing plugin whose spans are kept; `ran` runs the workflow with it."""

    def __init__(self, sampler: Sampler = DEFAULT_ON, *, looks: bool = False) -> None:
        self.exporter = InMemorySpanExporter()
        ids = Ids()
        provider = TracerProvider(sampler, id_generator=ids, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        tracing = Tracing(provider, ids)
        self.plugin = Otel(Settings("memory", looks), lambda _: tracing)
        self.kind = Scripted({})

    def ran(self, script: Mapping[str, Answer | Exception] = {}, annotations: str = "") -> Stored:
        self.kind = Scripted(script)
        return run(DOCUMENT % annotations, plugins=[self.kind, self.plugin])

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The last span of each name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_each_call_is_a_span_of_the_workflow_s() -> None:
    bench = Bench()
    stored = bench.ran()
    uid = stored.workflow.metadata.uid
    assert stored.head.phase is Phase.SUCCESS
    assert bench.names == ["run reserve", "run pay", "workflow order"]
    whole = bench.spans["workflow order"]
    for name in ("run reserve", "run pay"):
        span = bench.spans[name]
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == ids(whole)
        assert ids(span)[0] == ids(whole)[0]
        assert whole.start_time is not None
        assert span.start_time is not None
        assert whole.start_time <= span.start_time
    assert attributes(bench.spans["run pay"]) == {
        "wf.workflow": "order",
        "wf.namespace": "default",
        "wf.uid": uid,
        "wf.step": "pay",
        "wf.kind": "scripted",
        "wf.hook": "run",
        "wf.purpose": "Run",
        "wf.attempt": 1,
        "wf.interruptions": 0,
        "wf.epoch": 1,
        "wf.outcome": "Success",
    }
    assert attributes(whole)["wf.outcome"] == "Success"
    assert whole.parent is None


def test_errors_are_recorded_and_the_undo_is_traced() -> None:
    bench = Bench()
    stored = bench.ran({"run pay": Retryable("no money")})
    assert stored.head.phase is Phase.ROLL_BACKED
    assert bench.names == [
        "run reserve",
        "run pay",
        "run pay",
        "rollback pay",
        "rollback reserve",
        "workflow order",
    ]
    failed = bench.spans["run pay"]
    assert attributes(failed)["wf.attempt"] == 2
    assert attributes(failed)["wf.outcome"] == "Retryable"
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == "Retryable: no money"
    assert [event.name for event in failed.events] == ["exception"]
    assert attributes(bench.spans["workflow order"])["wf.outcome"] == "RollBacked"
    assert bench.spans["workflow order"].status.status_code is StatusCode.UNSET


def test_an_undo_that_fails_makes_the_workflow_s_span_an_error() -> None:
    bench = Bench()
    stored = bench.ran({"run pay": Fatal("no"), "rollback pay": Fatal("stuck")})
    assert stored.head.phase is Phase.FAILED
    assert bench.spans["workflow order"].status.status_code is StatusCode.ERROR


def test_looks_are_spans_where_that_is_asked_for() -> None:
    going: dict[str, Answer | Exception] = {"run pay": InProgress(0.0), "sync pay": Success()}
    for looks, expected in ((False, []), (True, ["sync pay"])):
        bench = Bench(looks=looks)
        bench.ran(going)
        assert [name for name in bench.names if name.startswith("sync")] == expected
        assert attributes(bench.spans["run pay"])["wf.outcome"] == "InProgress"


def test_what_a_hook_sends_on_names_its_own_span() -> None:
    bench = Bench()
    bench.ran({"run pay": InProgress(0.0)})
    for name in ("run reserve", "run pay"):
        trace, span = ids(bench.spans[name])
        expected = {"traceparent": f"00-{trace:032x}-{span:016x}-01"}
        assert bench.kind.traces[name] == expected
    trace, root = ids(bench.spans["workflow order"])
    looked = {"traceparent": f"00-{trace:032x}-{root:016x}-01"}
    assert bench.kind.traces["sync pay"] == looked, "a look without a span names the workflow's"


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_traceparent_of_the_workflow_is_gone_on_with(flags: str) -> None:
    bench = Bench()
    annotations = f'traceparent: "{INCOMING}-{flags}", tracestate: "a=b"'
    bench.ran(annotations=annotations)
    headers = bench.kind.traces["run pay"]
    assert headers["traceparent"].startswith(INCOMING[:36])
    assert headers["traceparent"].endswith(flags)
    assert headers["tracestate"] == "a=b"
    if flags == "00":
        assert bench.names == [], "whoever began the trace does not want it"
        return
    whole = bench.spans["workflow order"]
    assert whole.parent is not None
    assert f"{whole.parent.span_id:016x}" == INCOMING[-16:]
    assert f"{ids(whole)[0]:032x}" == INCOMING[3:35]


def test_an_annotation_that_makes_no_sense_is_no_parent() -> None:
    bench = Bench()
    bench.ran(annotations="traceparent: nonsense")
    assert bench.spans["workflow order"].parent is None


def test_what_is_not_sampled_is_not_exported_and_says_so_downstream() -> None:
    bench = Bench(ALWAYS_OFF)
    bench.ran()
    assert bench.names == []
    assert bench.kind.traces["run pay"]["traceparent"].endswith("-00")


def test_the_trace_follows_from_the_uid_alone() -> None:
    assert Identity.of("u1", {}) == Identity.of("u1", {"other": "x"})
    assert Identity.of("u1", {}).trace_id != Identity.of("u2", {}).trace_id
    assert Identity.of("u1", {}).span_id.bit_length() <= 64


def test_tracing_that_fails_disturbs_nobody_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(_: Settings) -> Tracing:
        raise RuntimeError("no exporter")

    caplog.set_level(logging.ERROR, "wf.otel")
    plugin = Otel(Settings("memory", True), fails)
    script = {"run pay": InProgress(0.0)}
    stored = run(DOCUMENT % "", plugins=[Scripted(script), plugin])
    assert stored.head.phase is Phase.SUCCESS
    assert caplog.text.count("tracing failed") == 1


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("env", "exporter"),
    [
        ({}, ""),
        (ENDPOINT, "otlp_proto_http"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}, "otlp_proto_http"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "otlp_proto_grpc"),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, ""),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp_proto_http"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
    ],
)
def test_the_standard_variables_decide(env: dict[str, str], exporter: str) -> None:
    assert Settings.of(env).exporter == exporter


def test_where_nothing_is_traced_there_is_no_hook() -> None:
    assert isinstance(plugin_of(Settings.of({})), Off)
    assert not [name for name in dir(Off) if name.startswith("wf_")]
    assert Settings.of({"WF_OTEL_LOOKS": "true"}).looks
