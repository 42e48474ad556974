"""What the entry point `wf.plugins` names: spans around every call, and trace context for what goes
on from there.

Whatever is wrong with tracing, hooks are called as without it. The SDK is imported at the first
call, and only where the variables of OpenTelemetry ask for traces.
"""

import logging
import os
import threading
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, TypeVar

from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, StepCall
from wf_core.ports import Event
from wf_otel.settings import Settings

if TYPE_CHECKING:
    from wf_otel.tracing import Tracing

T = TypeVar("T")
Around = Generator[None, Answer, Answer]

log = logging.getLogger("wf.otel")


def open_by_variables(settings: Settings) -> "Tracing":
    """What the variables ask for."""
    from wf_otel.setup import open_tracing

    return open_tracing(settings.exporter)


class Off:
    """The plugin where nothing is traced: it has no hook, and costs nothing."""


class Otel:
    """The plugin where there is tracing. `open_tracing` is called once, at the first need."""

    def __init__(self, settings: Settings, open_tracing: "Callable[[Settings], Tracing]") -> None:
        self._settings = settings
        self._open = open_tracing
        self._lock = threading.Lock()
        self._opened = False
        self._tracing: Tracing | None = None
        self._complained = False

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_run(self, call: StepCall) -> Around:
        """A span around a run."""
        return (yield from self._around(call))

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_rollback(self, call: StepCall) -> Around:
        """A span around an undo."""
        return (yield from self._around(call))

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_sync(self, call: StepCall) -> Around:
        """A span around a look, where those are wanted."""
        if not self._settings.looks:
            return (yield)
        return (yield from self._around(call))

    @hookimpl
    def wf_trace_context(
        self, uid: str, annotations: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """That of the call under way, else of the workflow. On the engine's loop this is quick, but
        for the very first time, when the SDK is imported: some 0.3 s, once a process."""
        return self._do(lambda tracing: tracing.headers(uid, annotations))

    @hookimpl
    def wf_workflow_succeeded(self, event: Event) -> None:
        """The span of the workflow."""
        self._do(lambda tracing: tracing.workflow(event))

    @hookimpl
    def wf_workflow_rolled_back(self, event: Event) -> None:
        """The span of the workflow."""
        self._do(lambda tracing: tracing.workflow(event))

    @hookimpl
    def wf_workflow_failed(self, event: Event) -> None:
        """The span of the workflow."""
        self._do(lambda tracing: tracing.workflow(event))

    def _around(self, call: StepCall) -> Around:
        opened = self._do(lambda tracing: tracing.begin(call))
        if opened is None:
            return (yield)
        try:
            answer = yield
        except BaseException as error:
            failure = error
            self._do(lambda tracing: tracing.fail(opened, failure))
            raise
        self._do(lambda tracing: tracing.end(opened, answer))
        return answer

    def _do(self, work: "Callable[[Tracing], T]") -> T | None:
        """Have it done. A fault of it is logged, once, and is nobody else's."""
        try:
            tracing = self._found()
            return None if tracing is None else work(tracing)
        except Exception:
            if not self._complained:
                self._complained = True
                log.exception("tracing failed; workflows go on without, and this is said once")
            return None

    def _found(self) -> "Tracing | None":
        if not self._opened:
            with self._lock:
                if not self._opened:
                    self._opened = True
                    self._tracing = self._open(self._settings)
        return self._tracing


def plugin_of(settings: Settings) -> Otel | Off:
    """The plugin that the variables ask for."""
    return Otel(settings, open_by_variables) if settings.exporter else Off()


PLUGIN = plugin_of(Settings.of(os.environ))
