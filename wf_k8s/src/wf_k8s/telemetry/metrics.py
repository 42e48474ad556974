"""The metrics by name: those that controllers have in common, and our own.

Counters and histograms are fed as things happen; gauges are set at each scrape (`census`).
"""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUICK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
HELD = (1, 2, 5, 10, 20, 60)
ADMISSION = "admission"
DEFAULT_QUEUE = "default"
OTHER = "other"
"""The label of every queue that no configuration names: authors name queues as they like, and each
series costs memory for as long as the process lives."""


class Metrics:
    """All metrics of one controller, in a registry of its own. `queues` are those that have series
    of their own."""

    def __init__(self, queues: Iterable[str] = ()) -> None:
        self._queues = {DEFAULT_QUEUE, *queues}
        # A series more for each counter and histogram, which nobody here reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        # The names that Kubernetes' own controllers use.
        self.requests = self._counter(
            "rest_client_requests", "Requests to the API server.", "code", "method"
        )
        self.request_seconds = self._histogram(
            "rest_client_request_duration_seconds", "How long they took.", QUICK, "method"
        )
        self.depth = self._gauge(
            "workqueue_depth", "Workflows that wait to be admitted, suspended ones apart.", "name"
        )
        self.adds = self._counter("workqueue_adds", "Workflows that were admitted.", "name")
        self.queued_seconds = self._histogram(
            "workqueue_queue_duration_seconds", "From creation to admission.", LONG, "name"
        )
        self.leads = self._gauge(
            "leader_election_master_status", "1 while this controller leads.", "name"
        )
        # Ours.
        self.workflows = self._gauge(
            "wf_workflows", "Workflows by phase and queue.", "phase", "queue"
        )
        self.wait_seconds = self._histogram(
            "wf_queue_wait_seconds", "From a workflow's creation to its start.", LONG, "queue"
        )
        self.finished = self._counter(
            "wf_workflows_finished", "Workflows that came to an end.", "phase", "queue"
        )
        self.workflow_seconds = self._histogram(
            "wf_workflow_duration_seconds",
            "From a workflow's start to its end.",
            LONG,
            *("phase", "queue"),
        )
        self.step_seconds = self._histogram(
            "wf_step_duration_seconds",
            "From the first intent of a run, or of an undo, until the step moves on.",
            LONG,
            "kind",
            "hook",
            "outcome",
        )
        self.undo_backlog = self._gauge(
            "wf_undo_backlog", "Workflows that are being undone or wait for it.", "queue"
        )
        self.stuck_undos = self._gauge(
            "wf_stuck_undos", "Workflows whose undo needs a person.", "queue"
        )
        self.callback_backlog = self._gauge(
            "wf_callback_backlog", "Callbacks that are not delivered yet.", "queue"
        )
        self.permit_waiters = self._gauge(
            "wf_permit_waiters", "Workflows that wait for a permit of a kind.", "kind"
        )
        self.memory_waiters = self._gauge(
            "wf_memory_waiters", "Workflows that wait for memory, of which others have too much."
        )
        self.left_alone = self._gauge(
            "wf_workflows_left_alone", "Workflows that no engine goes on with, by why.", "reason"
        )
        self.unread = self._gauge(
            "wf_objects_left_alone", "Schedules and tasks that can't be read.", "kind"
        )
        self.blocked = self._gauge(
            "wf_blocked_runs",
            "Workflows that run, of which a step needs a person, by why.",
            *("queue", "reason"),
        )
        self.loop_held_seconds = self._histogram(
            "wf_loop_held_seconds", "How long the loop was held, where that was over 1 s.", HELD
        )
        ProcessCollector(registry=self.registry)

    def queue(self, name: str) -> str:
        """The label of a queue."""
        return name if name in self._queues else OTHER

    def text(self) -> bytes:
        """As Prometheus reads them."""
        return generate_latest(self.registry)

    def answered(self, method: str, code: str, seconds: float) -> None:
        """The API server answered (`client.session.Observer`)."""
        self.requests.labels(code, method).inc()
        self.request_seconds.labels(method).observe(seconds)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)
