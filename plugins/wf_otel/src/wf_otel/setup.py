"""The SDK, set up by the standard variables: sampler, limits and batches by the SDK itself."""

import atexit
import os
import threading
from importlib.metadata import entry_points

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from wf_otel.identity import Ids
from wf_otel.tracing import NAME, Tracing

GROUP = "opentelemetry_traces_exporter"
FLUSHING = 3.0
"""Seconds that the last spans have when the process ends: a collector that is away holds up
nobody."""


class NoExporterError(Exception):
    """The exporter that the variables name is not installed."""


def open_tracing(exporter: str) -> Tracing:
    """Tracing by the exporter of that name, in batches from a thread of its own; what is left is
    sent at exit. Raises NoExporterError."""
    ids = Ids()
    provider = TracerProvider(resource=_resource(), id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_exporter(exporter)))
    _flush_at_exit(provider)
    return Tracing(provider, ids)


def _resource() -> Resource:
    # What is given here would come before the variable.
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create({} if named else {"service.name": NAME})


def _exporter(name: str) -> SpanExporter:
    for found in entry_points(group=GROUP, name=name):
        made: SpanExporter = found.load()()
        return made
    raise NoExporterError(
        f"there is no exporter '{name}' of OpenTelemetry here; for OTLP over HTTP install "
        "wf-otel[otlp]"
    )


def _flush_at_exit(provider: TracerProvider) -> None:
    """The SDK's own way waits as long as the exporter does, and an interpreter that ends starts no
    thread: so one is waiting from the start."""
    ending, ended = threading.Event(), threading.Event()

    def end() -> None:
        ending.wait()
        provider.shutdown()
        ended.set()

    threading.Thread(target=end, name="wf-otel-end", daemon=True).start()

    def flush() -> None:
        ending.set()
        ended.wait(FLUSHING)

    atexit.register(flush)
