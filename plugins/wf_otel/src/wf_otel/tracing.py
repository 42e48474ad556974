"""Spans of calls and of workflows."""

from collections.abc import Mapping
from typing import Any

import attrs
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Span, Status, StatusCode, get_current_span, set_span_in_context

from wf_core.kinds import CannotLook, Fatal, InProgress, Retryable, StepCall, Throttled
from wf_core.model.phases import Phase
from wf_core.ports import Event
from wf_otel.identity import PROPAGATOR, Identity, Ids

NAME = "wf"
_NANO = 1_000_000_000


@attrs.frozen
class Open:
    """The span of a call under way, and how to leave its context."""

    span: Span
    token: Any  # whatever the context's implementation gives


class Tracing:
    """Makes spans by `provider`, whose ids come from `ids`."""

    def __init__(self, provider: TracerProvider, ids: Ids) -> None:
        self._provider = provider
        self._ids = ids
        self._tracer = provider.get_tracer(NAME)

    def begin(self, call: StepCall) -> Open:
        """Begin the span of a call, and make it the current one of this thread."""
        context = self._context(call.uid, call.annotations)
        span = self._tracer.start_span(
            f"{call.hook} {call.step}", context=context, attributes=_attributes(call)
        )
        return Open(span, attach(set_span_in_context(span, context)))

    def end(self, opened: Open, answer: object) -> None:
        """End the span of a call that answered."""
        outcome = "InProgress" if isinstance(answer, InProgress) else "Success"
        opened.span.set_attribute("wf.outcome", outcome)
        self._close(opened)

    def fail(self, opened: Open, error: BaseException) -> None:
        """End the span of a call that raised."""
        span = opened.span
        span.set_attribute("wf.outcome", _outcome(error))
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self._close(opened)

    def workflow(self, event: Event) -> None:
        """The span of a workflow, once it has ended. One that ends again, since a person retried
        what failed, has it again, longer."""
        identity = Identity.of(event.uid, event.annotations)
        with self._ids.giving(identity):
            span = self._tracer.start_span(
                f"workflow {event.key.name}",
                context=identity.parent_context(),
                start_time=_nanoseconds(event.created_at),
                attributes={
                    "wf.workflow": event.key.name,
                    "wf.namespace": event.key.namespace,
                    "wf.uid": event.uid,
                    "wf.outcome": str(event.phase),
                },
            )
        if event.phase is Phase.FAILED:
            span.set_status(Status(StatusCode.ERROR, event.error or ""))
        span.end(_nanoseconds(event.at))

    def headers(self, uid: str, annotations: Mapping[str, str]) -> Mapping[str, str]:
        """The W3C headers of the call under way in this thread, else of the workflow."""
        current = get_current_span()
        context = None
        if not current.get_span_context().is_valid:
            context = self._context(uid, annotations)
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier, context)
        return carrier

    def _context(self, uid: str, annotations: Mapping[str, str]) -> Context:
        identity = Identity.of(uid, annotations)
        if identity.parent is not None:
            sampled = bool(identity.parent.trace_flags.sampled)
        else:
            # Every process decides alike: samplers go by the trace's id.
            found = self._provider.sampler.should_sample(None, identity.trace_id, NAME)
            sampled = found.decision is Decision.RECORD_AND_SAMPLE
        return identity.context(sampled=sampled)

    def _close(self, opened: Open) -> None:
        detach(opened.token)
        opened.span.end()


def _attributes(call: StepCall) -> dict[str, str | int]:
    return {
        "wf.workflow": call.workflow,
        "wf.namespace": call.namespace,
        "wf.uid": call.uid,
        "wf.step": call.step,
        "wf.kind": call.kind,
        "wf.hook": str(call.hook),
        "wf.purpose": str(call.purpose),
        "wf.attempt": call.attempt,
        "wf.interruptions": call.interruptions,
        "wf.epoch": call.epoch,
    }


def _outcome(error: BaseException) -> str:
    for kind in (Throttled, Retryable, Fatal, CannotLook):
        if isinstance(error, kind):
            return kind.__name__
    return Retryable.__name__


def _nanoseconds(at: float) -> int:
    return int(at * _NANO)
