"""What a plugin author writes: a `StepKind`, the `StepCall` it is given, and what it may answer.

A hook returns `None` or `Success` when done, `InProgress` when the work goes on without a thread,
or raises `Retryable`, `Throttled`, `Fatal` (or, in `sync`, `CannotLook`). Any other exception
counts as retryable and its traceback is shown.
"""

import abc
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import attrs

from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource


class Retryable(Exception):  # noqa: N818  (an outcome, not an error of the engine)
    """The attempt failed and may be tried again: counted against the retry limit."""


class Throttled(Retryable):
    """Too busy right now: tried again after `after` seconds (at least 1), not counted."""

    def __init__(self, message: str = "throttled", after: float = 1.0) -> None:
        super().__init__(message)
        self.after = after


class Fatal(Exception):  # noqa: N818
    """The attempt failed for good: no retry helps."""


class CannotLook(Exception):  # noqa: N818
    """`sync` could not find out: the look is repeated, and the attempt has not failed."""


@attrs.frozen
class Success:
    """The hook is done. `resource` and `attributes` replace what was known when given."""

    resource: Resource | None = None
    attributes: Mapping[str, Json] | None = None


@attrs.frozen
class InProgress:
    """The work goes on outside.

    `poll_after` seconds until `sync` looks; by default 10 s, backing off to 60 s.
    `waits_for_person`: nothing but a person's answer ends it, so the workflow need not hold a slot
    for it meanwhile (semantics A5). Send the answer as a `Signal`: it wakes the step.
    """

    poll_after: float | None = None
    resource: Resource | None = None
    attributes: Mapping[str, Json] | None = None
    waits_for_person: bool = False


Answer = Success | InProgress | None


@attrs.frozen
class Previous:
    """What an earlier attempt of this step left: its outcome, and what was last saved."""

    outcome: Ended = Ended.NONE
    resource: Resource | None = None
    attributes: Mapping[str, Json] = {}


class Cancelled(Protocol):
    """Set when the hook is asked to stop; like `threading.Event`."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


@attrs.frozen(kw_only=True, eq=False)
class StepCall:
    """The one argument of a hook.

    `key` is the idempotency key: the same through crashes, retries and fail-over. A rollback also
    gets `run_key`, the key its run was called under. `deadline` is epoch seconds or None. `epoch`
    grows with every new owner: pass it on where the outside world can refuse an older one.
    `signals` holds what people sent by
    name (`Signal` requests). `checkpoint(resource, attributes)` returns once saved. `folder` is a
    place of this step's own on
    this machine that lasts as long as the workflow. `workflow_folder` is where the workflow was
    submitted from, and where its relative paths begin; None in a cluster, and for a workflow from
    before that was saved: then it is the engine's. `store` is the address of the store that holds
    the workflow (`k8s:...` in a cluster). `run_attempt` counts the attempts to run that were begun:
    an undo finds under these numbers what may be left of them. `annotations` are the workflow's.
    `uid` is the workflow's for ever, from which its keys come: name by it what must be found again.
    `object_uid` is that of the object that is stored now; it differs from `uid` in a cluster, for
    an object that was restored from a backup, and is what an `ownerReference` must name.
    """

    workflow: str
    namespace: str
    uid: str
    step: str
    kind: str
    hook: Hook
    purpose: Purpose
    attempt: int
    interruptions: int
    key: str
    run_key: str
    epoch: int
    parameters: Any  # an instance of the kind's own parameter class
    workflow_parameters: Mapping[str, Json]
    previous: Previous
    signals: Mapping[str, Json] = {}
    store: str = ""
    workflow_folder: Path | None = None
    run_attempt: int = 1
    annotations: Mapping[str, str] = {}
    deadline: float | None
    cancelled: Cancelled
    ancestors: Callable[[], tuple[Mapping[str, Json], Mapping[str, Resource]]]
    save_checkpoint: Callable[[Resource | None, Mapping[str, Json] | None], None]
    write_log: Callable[[str, str], None]
    make_folder: Callable[[], Path]
    send_wake: Callable[[], None]
    find_trace: Callable[[], Mapping[str, str]] = dict
    object_uid: str = attrs.field(default=attrs.Factory(lambda call: call.uid, takes_self=True))

    @property
    def attempt_key(self) -> str:
        """The key of this attempt alone: `key/attempt`."""
        return f"{self.key}/{self.attempt}"

    @property
    def attributes(self) -> Mapping[str, Json]:
        """Attributes of all ancestors, in topological order, later wins."""
        return self.ancestors()[0]

    @property
    def resources(self) -> Mapping[str, Resource]:
        """Resources of all ancestors, by step name."""
        return self.ancestors()[1]

    @property
    def trace(self) -> Mapping[str, str]:
        """The W3C trace context (`traceparent`, `tracestate`) for what the hook calls; empty where
        nobody traces. Ask in the thread of the hook."""
        return self.find_trace()

    @property
    def folder(self) -> Path:
        """A folder of this step's own, made when first asked for."""
        return self.make_folder()

    @property
    def logger(self) -> logging.Logger:
        """A logger named after the kind."""
        return logging.getLogger(f"wf.kind.{self.kind}")

    def log(self, text: str, stream: str = "log") -> None:
        """Add `text` to what `wf logs` shows for this step."""
        self.write_log(text, stream)

    def wake(self) -> None:
        """Have what this call leaves in progress looked at now: a hint that is never saved (B8).

        May be kept and called later, from any thread; without effect once nothing is in progress.
        """
        self.send_wake()

    def checkpoint(
        self, resource: Resource | None = None, attributes: Mapping[str, Json] | None = None
    ) -> None:
        """Save what was just made, in the middle of a hook; returns once on disk (semantics B4)."""
        self.save_checkpoint(resource, attributes)


@attrs.frozen
class NoParameters:
    """The parameter class of a kind that takes none."""


class StepKind(abc.ABC):
    """A kind of step. Give `name`, `Parameters` (an attrs class), `run` and `rollback`.

    Define `sync(self, call)` where the kind answers `InProgress` or can watch what it made.
    `reissue = False` says that an interrupted run must not be called again but undone (B3).
    `needs_folder = True` says that its hooks use `call.workflow_folder`: where that is gone, or
    another account's, the step is blocked instead of called.
    Contract (B2): a new attempt, and an undo, first end what an earlier attempt left going; undoing
    a run that never took effect succeeds.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    Parameters: ClassVar[type] = NoParameters
    reissue: ClassVar[bool] = True
    needs_folder: ClassVar[bool] = False

    @abc.abstractmethod
    def run(self, call: StepCall) -> Answer:
        """Do it."""

    @abc.abstractmethod
    def rollback(self, call: StepCall) -> Answer:
        """Undo it."""

    def faults(self, parameters: Any, *, undoable: bool) -> Iterable[str]:
        """Faults in decoded `parameters` that types can't express, as `key: sentence`."""
        return ()

    def advice(self, parameters: Any, *, undoable: bool) -> Iterable[str]:
        """What is no fault of decoded `parameters`, but most likely not what the author means."""
        return ()

    def lacks(self, parameters: Any, *, namespace: str) -> Iterable[str]:
        """What this process's own environment and files lack for decoded `parameters`, a sentence
        each: no run can do without it. Asked before a workflow begins; nothing else is asked, no
        network above all."""
        return ()
