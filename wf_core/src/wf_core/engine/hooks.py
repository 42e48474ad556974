"""From the machine's `Call` to the `StepCall` that a hook is given, and back to events."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote

from wf_core.engine.permits import WorkflowPermits
from wf_core.engine.services import Services
from wf_core.folders import make_private
from wf_core.kinds import Previous, StepCall
from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.model.phases import Hook, PermitClass, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import LogLine, Resource
from wf_core.ports import Open, Running
from wf_core.saga.calls import PERMIT_OF
from wf_core.saga.events import Call, Checkpointed, Event, Reported
from wf_core.saga.machine import Saga

_KEY_LENGTH = 32
MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes that one attempt's calls of a hook may add to the log."""


def idempotency_key(uid: str, step: str, hook: Hook) -> str:
    """`H(workflow uid, step, hook)`: the same through crashes and retries (invariant I7). `uid` is
    the one under which the first intent was saved."""
    return hashlib.sha256(f"{uid}/{step}/{hook}".encode()).hexdigest()[:_KEY_LENGTH]


class Hooks:
    """The calls of one workflow. `post` takes events on the loop's thread, `wake` the index of a
    step to look at, `log` output."""

    def __init__(
        self,
        services: Services,
        saga: Saga,
        permits: WorkflowPermits,
        epoch: int,
        post: Callable[[Event], None],
        wake: Callable[[int], None],
        log: Callable[[LogLine], None],
    ) -> None:
        self._services = services
        self._saga = saga
        self._permits = permits
        self._epoch = epoch
        self._post = post
        self._wake = wake
        self._log = log
        self._running: dict[int, tuple[Call, Running]] = {}
        self._handed_in: list[Callable[[bool], None]] = []
        self._in_turn: list[Callable[[bool], None]] = []
        self._abandoned = False
        self._outputs: dict[tuple[int, Hook], _Output] = {}

    @property
    def running(self) -> int:
        """How many calls have not reported."""
        return len(self._running)

    def permits(self) -> list[tuple[str, PermitClass]]:
        """Kind and class of every call that has not reported."""
        return [self._permit_of(call) for call, _ in self._running.values()]

    def start(self, call: Call) -> None:
        """Call a hook; its outcome comes back as an event."""
        report = partial(self._report, call)
        self._services.isolation.opened(self._open(call))
        running = self._services.executor.start(self._step_call(call), report)
        self._running[call.call] = (call, running)

    def stop(self, call: int) -> None:
        """Ask a hook to stop, if it still runs."""
        if call in self._running:
            self._running[call][1].cancel()

    def stop_all(self) -> None:
        """Ask every hook to stop."""
        for _, running in self._running.values():
            running.cancel()

    def write_off(self, call: int) -> None:
        """Give up the thread of a hook that does not stop."""
        if call in self._running:
            self._running[call][1].write_off()

    # Checkpoints (semantics B4)

    def turn(self) -> None:
        """A turn takes what was handed in so far; what comes later waits for the next one."""
        self._in_turn += self._handed_in
        self._handed_in = []

    def saved(self) -> None:
        """What the turn took is on disk: let the hooks that wait for it go on."""
        waiting, self._in_turn = self._in_turn, []
        for done in waiting:
            done(True)

    def lost(self) -> None:
        """Nothing is saved any more: hooks that wait, now or later, are told so."""
        self._abandoned = True
        self.turn()
        waiting, self._in_turn = self._in_turn, []
        for done in waiting:
            done(False)

    def _report(self, call: Call, outcome: Outcome) -> None:
        self._running.pop(call.call, None)
        self._services.isolation.closed(self._open(call))
        self._permits.ended(*self._permit_of(call))
        trace = getattr(outcome, "trace", None)
        if trace:
            self._output(call)(trace, "error")
        self._post(Reported(call.step, call.call, outcome))

    def _open(self, call: Call) -> Open:
        workflow = self._saga.workflow
        return Open(workflow.metadata.uid, workflow.spec.steps[call.step].name)

    def _permit_of(self, call: Call) -> tuple[str, PermitClass]:
        kind = self._saga.workflow.spec.steps[call.step].step_template.type
        return kind, PERMIT_OF[call.purpose]

    def _step_call(self, call: Call) -> StepCall:
        saga, services = self._saga, self._services
        workflow = saga.workflow
        metadata = workflow.metadata
        step = saga.steps[call.step]
        spec = workflow.spec.steps[call.step]
        uid = saga.key_uid
        run_key = idempotency_key(uid, spec.name, Hook.RUN)
        undoing = call.purpose is Purpose.ROLLBACK
        folder = saga.head.folder
        return StepCall(
            workflow=metadata.name,
            namespace=metadata.namespace,
            uid=uid,
            object_uid=metadata.uid,
            step=spec.name,
            kind=spec.step_template.type,
            hook=call.hook,
            purpose=call.purpose,
            attempt=call.attempt,
            interruptions=step.interruptions,
            key=idempotency_key(uid, spec.name, Hook.ROLLBACK) if undoing else run_key,
            run_key=run_key,
            epoch=self._epoch,
            parameters=call.parameters,
            workflow_parameters=workflow.spec.parameters,
            previous=Previous(step.previous, step.resource, step.attributes),
            signals=saga.head.signals,
            store=services.store_url,
            workflow_folder=None if folder is None else Path(folder.path),
            run_attempt=step.attempt,
            deadline=call.deadline,
            cancelled=services.executor.cancellation(),
            ancestors=partial(saga.upstream_values, call.step),
            save_checkpoint=partial(self._checkpoint, call),
            write_log=self._output(call),
            make_folder=partial(_folder, services.folder, uid, spec.name),
            send_wake=partial(services.executor.post, partial(self._wake, call.step)),
            annotations=metadata.annotations,
            find_trace=services.tracer(uid, metadata.annotations),
        )

    def _checkpoint(
        self, call: Call, resource: Resource | None, attributes: Mapping[str, Json] | None
    ) -> None:
        def question(done: Callable[[bool], None]) -> None:
            if self._abandoned or call.call not in self._running:
                done(False)
                return
            self._handed_in.append(done)
            self._post(Checkpointed(call.step, call.call, resource, attributes))

        self._services.executor.ask(question)

    def _output(self, call: Call) -> "_Output":
        """What takes the output of a call: one for all calls of an attempt."""
        of_attempt = self._outputs.get((call.step, call.hook))
        if of_attempt is None or of_attempt.attempt != call.attempt:
            of_attempt = _Output(call.attempt, partial(self._write_from_hook, call))
            self._outputs[call.step, call.hook] = of_attempt
        return of_attempt

    def _write_from_hook(self, call: Call, text: str, stream: str) -> None:
        self._services.executor.post(partial(self._write, call, text, stream))

    def _write(self, call: Call, text: str, stream: str) -> None:
        name = self._saga.workflow.spec.steps[call.step].name
        now = self._services.clock.now()
        self._log(LogLine(name, call.hook, call.attempt, now, text, stream))


class _Output:
    """Output of one attempt's calls of a hook, up to `MOST_OUTPUT`: it is cut where it comes from,
    before anybody keeps it. For the threads of hooks."""

    def __init__(self, attempt: int, write: Callable[[str, str], None]) -> None:
        self.attempt = attempt
        self._write = write
        self._left = MOST_OUTPUT

    def __call__(self, text: str, stream: str) -> None:
        if self._left < 0:
            return
        size = len(text.encode(errors="replace")) if len(text) <= self._left else len(text)
        if size <= self._left:
            self._left -= size
            self._write(text, stream)
            return
        kept = text[: self._left].encode(errors="replace")[: self._left].decode(errors="ignore")
        self._left = -1
        if kept:
            self._write(kept, stream)
        self._write(f"... cut: of one attempt's output {MOST_OUTPUT:,} bytes are kept ...", "log")


def _folder(root: Path, uid: str, step: str) -> Path:
    folder = root / quote(uid, safe="") / step  # a uid that somebody wrote leads nowhere else
    make_private(folder)
    return folder


def cut_off(event: Event) -> bool:
    """Whether a report may only say that a hook was stopped with the engine: the attempt is then
    interrupted, as by a crash, and called again under its number. Throttled is never counted."""
    return (
        isinstance(event, Reported)
        and isinstance(event.outcome, Failure)
        and event.outcome.severity is not Severity.THROTTLED
    )
