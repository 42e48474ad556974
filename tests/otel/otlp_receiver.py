"""A receiver of OTLP over HTTP on a real socket: keeps the spans that come in."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@attrs.define
class Receiver:
    """`url` is what OTEL_EXPORTER_OTLP_ENDPOINT is to be; `services` are the services' names."""

    url: str
    spans: list[Span] = attrs.field(factory=list)
    services: set[str] = attrs.field(factory=set)

    def named(self, name: str) -> list[Span]:
        """The spans of that name."""
        return [span for span in self.spans if span.name == name]

    def take(self, content: bytes) -> None:
        """What one request brought."""
        request = ExportTraceServiceRequest.FromString(content)
        for group in request.resource_spans:
            for attribute in group.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for scope in group.scope_spans:
                self.spans += scope.spans


@contextlib.contextmanager
def receiving(on_spans: Callable[[], None] = lambda: None) -> Iterator[Receiver]:
    """A receiver on a port of its own; it calls `on_spans` whenever spans have come."""
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.rfile.read(int(self.headers["content-length"])))
            on_spans()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
