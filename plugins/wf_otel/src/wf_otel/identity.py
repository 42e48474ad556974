"""Which trace a workflow belongs to: a function of its uid, so that every process that ever runs
it, before a crash and after, gives its spans to the same one."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATOR = TraceContextTextMapPropagator()
HEADERS = ("traceparent", "tracestate")
"""The annotations of a workflow that name the span it was started from, as the W3C headers do."""


@attrs.frozen
class Identity:
    """The trace of a workflow, the span of the workflow itself, and that span's parent."""

    trace_id: int
    span_id: int
    parent: SpanContext | None

    @classmethod
    def of(cls, uid: str, annotations: Mapping[str, str]) -> "Identity":
        """The trace that the annotations name is gone on with, else one is derived."""
        carrier = {name: annotations[name] for name in HEADERS if name in annotations}
        found = get_current_span(PROPAGATOR.extract(carrier, Context())).get_span_context()
        parent = found if found.is_valid else None
        trace_id = parent.trace_id if parent is not None else _number(f"trace/{uid}", 16)
        return cls(trace_id, _number(f"workflow/{uid}", 8), parent)

    def context(self, *, sampled: bool) -> Context:
        """The context in which the workflow's calls are spans."""
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        state = self.parent.trace_state if self.parent is not None else TraceState()
        span = SpanContext(self.trace_id, self.span_id, True, flags, state)
        return set_span_in_context(NonRecordingSpan(span), Context())

    def parent_context(self) -> Context:
        """The context in which the workflow itself is a span."""
        if self.parent is None:
            return Context()
        return set_span_in_context(NonRecordingSpan(self.parent), Context())


class Ids(IdGenerator):
    """Ids by chance, but for those that are given."""

    def __init__(self) -> None:
        self._chance = RandomIdGenerator()
        self._given = threading.local()

    @contextmanager
    def giving(self, identity: Identity) -> Iterator[None]:
        """The span that is started inside, in this thread, is the workflow's own."""
        self._given.identity = identity
        try:
            yield
        finally:
            self._given.identity = None

    def generate_trace_id(self) -> int:
        """As `IdGenerator.generate_trace_id`."""
        given: Identity | None = getattr(self._given, "identity", None)
        return self._chance.generate_trace_id() if given is None else given.trace_id

    def generate_span_id(self) -> int:
        """As `IdGenerator.generate_span_id`."""
        given: Identity | None = getattr(self._given, "identity", None)
        return self._chance.generate_span_id() if given is None else given.span_id


def _number(text: str, size: int) -> int:
    """A number of `size` bytes that is not 0: that would be no id."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1
