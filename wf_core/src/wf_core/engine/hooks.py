"""From the machine's `Call` to the `StepCall` that a hook is given, and back to events."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from wf_core.engine.services import Services
from wf_core.kinds import Previous, StepCall
from wf_core.model.outcomes import Outcome
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import LogLine, Resource
from wf_core.ports import Running
from wf_core.saga.events import Call, Checkpointed, Event, Reported
from wf_core.saga.machine import Saga

_KEY_LENGTH = 32


def idempotency_key(uid: str, step: str, hook: Hook) -> str:
    """`H(workflow uid, step, hook)`: the same through crashes, retries and fail-over (invariant I7)."""
    return hashlib.sha256(f"{uid}/{step}/{hook}".encode()).hexdigest()[:_KEY_LENGTH]


class Hooks:
    """The calls of one workflow. `post` takes events on the loop's thread, `log` takes output."""

    def __init__(
        self,
        services: Services,
        saga: Saga,
        epoch: int,
        post: Callable[[Event], None],
        log: Callable[[LogLine], None],
    ) -> None:
        self._services = services
        self._saga = saga
        self._epoch = epoch
        self._post = post
        self._log = log
        self._running: dict[int, Running] = {}
        self._on_saved: list[Callable[[], None]] = []

    @property
    def running(self) -> int:
        """How many calls have not reported."""
        return len(self._running)

    def start(self, call: Call) -> None:
        """Call a hook; its outcome comes back as an event."""
        report = partial(self._report, call)
        self._running[call.call] = self._services.executor.start(self._step_call(call), report)

    def stop(self, call: int) -> None:
        """Ask a hook to stop, if it still runs."""
        running = self._running.get(call)
        if running is not None:
            running.cancel()

    def stop_all(self) -> None:
        """Ask every hook to stop."""
        for running in self._running.values():
            running.cancel()

    def write_off(self, call: int) -> None:
        """Give up the thread of a hook that does not stop."""
        running = self._running.get(call)
        if running is not None:
            running.write_off()

    def saved(self) -> None:
        """Everything posted so far is on disk: let hooks that wait for a checkpoint go on."""
        waiting, self._on_saved = self._on_saved, []
        for done in waiting:
            done()

    def _report(self, call: Call, outcome: Outcome) -> None:
        self._running.pop(call.call, None)
        trace = getattr(outcome, "trace", None)
        if trace:
            self._write(call, trace, "error")
        self._post(Reported(call.step, call.call, outcome))

    def _step_call(self, call: Call) -> StepCall:
        saga, services = self._saga, self._services
        workflow = saga.workflow
        metadata = workflow.metadata
        step = saga.steps[call.step]
        spec = workflow.spec.steps[call.step]
        run_key = idempotency_key(metadata.uid, spec.name, Hook.RUN)
        undoing = call.purpose is Purpose.ROLLBACK
        return StepCall(
            workflow=metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            step=spec.name,
            kind=spec.step_template.type,
            hook=call.hook,
            purpose=call.purpose,
            attempt=call.attempt,
            interruptions=step.interruptions,
            key=idempotency_key(metadata.uid, spec.name, Hook.ROLLBACK) if undoing else run_key,
            run_key=run_key,
            epoch=self._epoch,
            parameters=call.parameters,
            workflow_parameters=workflow.spec.parameters,
            previous=Previous(step.previous, step.resource, step.attributes),
            signals=saga.head.signals,
            deadline=call.deadline,
            cancelled=services.executor.cancellation(),
            ancestors=partial(saga.upstream_values, call.step),
            save_checkpoint=partial(self._checkpoint, call),
            write_log=partial(self._write_from_hook, call),
            make_folder=partial(_folder, services.folder, metadata.uid, spec.name),
        )

    def _checkpoint(
        self, call: Call, resource: Resource | None, attributes: Mapping[str, Json] | None
    ) -> None:
        def question(done: Callable[[], None]) -> None:
            self._on_saved.append(done)
            self._post(Checkpointed(call.step, call.call, resource, attributes))

        self._services.executor.ask(question)

    def _write_from_hook(self, call: Call, text: str, stream: str) -> None:
        self._services.executor.post(partial(self._write, call, text, stream))

    def _write(self, call: Call, text: str, stream: str) -> None:
        name = self._saga.workflow.spec.steps[call.step].name
        now = self._services.clock.now()
        self._log(LogLine(name, call.hook, call.attempt, now, text, stream))


def _folder(root: Path, uid: str, step: str) -> Path:
    folder = root / uid / step
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
