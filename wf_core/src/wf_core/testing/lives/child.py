"""One call of a hook, in a process that does nothing else and is gone afterwards."""

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import msgspec

from wf_core.adapters.cancellation import Cancellation
from wf_core.kinds import Previous, StepKind
from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.model.outcomes import Succeeded as Success
from wf_core.model.spec import Json
from wf_core.model.state import Resource, StepState
from wf_core.plugins import ParametersInvalid, Registry
from wf_core.saga.sizes import too_large
from wf_core.testing.calls import RecordedCall, call_for
from wf_core.testing.lives.boundaries import Boundaries
from wf_core.testing.lives.orders import (
    Answered,
    Checkpointed,
    Died,
    Failed,
    Order,
    Progressing,
    Said,
    Succeeded,
)

STEP = "step1"
Say = Callable[[Said], None]


def kind_of(name: str) -> type[StepKind]:
    """The class that `module:qualified.name` stands for."""
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    assert isinstance(found, type)
    return found


def live(order: Order) -> None:
    """Call as ordered; what comes of it goes to the file `order.said`, line by line."""
    signal.setitimer(signal.ITIMER_REAL, order.patience)
    os.environ.clear()
    os.environ.update(order.env)
    file = os.open(order.said, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def say(said: Said) -> None:
        os.write(file, msgspec.json.encode(said) + b"\n")

    kind = kind_of(order.kind)()
    registry = Registry.of([kind])
    try:
        decoded = registry.kind(kind.name).decode(order.parameters)
    except ParametersInvalid as error:
        say(Failed(0, Severity.FATAL, str(error)))
        return
    package = type(kind).__module__.partition(".")[0]
    boundaries = Boundaries(package, order.die_at, lambda where: say(Died(where)))
    call = _call(order, kind, decoded, boundaries, say)
    with boundaries:
        outcome = registry.perform(call)
    boundaries.cross("after it had answered, before that was saved")
    say(_answered(outcome, boundaries.crossed))


def _call(
    order: Order, kind: StepKind, decoded: object, boundaries: Boundaries, say: Say
) -> RecordedCall:
    def checkpoint(resource: Resource | None, attributes: Mapping[str, Json] | None) -> None:
        boundaries.cross("before its checkpoint was saved")
        problem = too_large(StepState(), attributes, resource, 0)
        if problem is None:
            say(Checkpointed(resource, _copied(attributes)))
        else:
            say(Checkpointed(None, None, problem))
        boundaries.cross("after its checkpoint was saved")

    known = order.known
    cancelled = Cancellation()
    deadline = None
    if order.stop_after is not None:
        deadline = time.time() + order.stop_after
        if order.stop_after:
            timer = threading.Timer(order.stop_after, cancelled.set)
            timer.daemon = True
            timer.start()
        else:
            cancelled.set()
    call = call_for(
        kind,
        decoded,
        hook=order.hook,
        purpose=order.purpose,
        attempt=order.attempt,
        interruptions=order.interruptions,
        previous=Previous(known.outcome, known.resource, known.attributes),
        namespace=order.namespace,
        uid=order.uid,
        step=STEP,
        epoch=order.epoch,
        signals=order.signals,
        deadline=deadline,
        cancelled=cancelled,
        folder=Path(order.folder),
        store=order.store,
        run_attempt=order.run_attempt,
    )
    return attrs.evolve(call, save_checkpoint=checkpoint)


def _answered(outcome: Outcome, boundaries: int) -> Answered:
    if isinstance(outcome, Failure):
        return Failed(boundaries, outcome.severity, outcome.message, outcome.trace is None)
    problem = too_large(StepState(), outcome.attributes, outcome.resource, 0)
    resource = None if problem else outcome.resource
    attributes = None if problem else _copied(outcome.attributes)
    if isinstance(outcome, Success):
        return Succeeded(boundaries, resource, attributes, problem)
    return Progressing(boundaries, resource, attributes, outcome.poll_after, problem)


def _copied(attributes: Mapping[str, Json] | None) -> dict[str, Json] | None:
    return None if attributes is None else dict(attributes)
