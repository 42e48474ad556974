"""What a user writes. Field names on the wire are camelCase; defaults are the seed's.

These are msgspec structs rather than attrs classes: the same frozen value is decoded from
stored bytes on the hot path with its wire names (docs/decisions/0001).
"""

from typing import Any

import msgspec

from wf_core.model.phases import (
    DeletionPolicy,
    OnFailure,
    Phase,
    RollbackMode,
    RollbackPolicy,
)

API_VERSION = "workflow.example.com/v1alpha1"
KIND = "Workflow"

Json = Any  # a JSON value: mypy has no useful recursive type for what users put in parameters
Parameters = dict[str, Json]


class Wire(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """Base of every value that is stored or shown: frozen, camelCase, defaults left out.

    Values hold only what JSON can say, which is never a circle: the collector may pass them by.
    """


DEFAULT_MAX_PERIOD = 3600.0


class RetryPolicy(Wire, frozen=True):
    """How often and when a failed attempt is tried again.

    Limits count retries after the first attempt: 0 is none, -1 no limit. Periods are seconds;
    the n-th retry waits `period * factor ** (n - 1)` and up to a tenth more, never more than
    `max_period_seconds`.
    """

    run_retry_limit: int = 3
    run_retry_period_seconds: float = 60.0
    rollback_retry_limit: int = 3
    rollback_retry_period_seconds: float = 60.0
    factor: float = 1.0
    max_period_seconds: float = DEFAULT_MAX_PERIOD


class StepTemplate(Wire, frozen=True):
    """What a step does: its kind and how to call it. Times are seconds."""

    type: str
    parameters: Parameters = {}
    retry_policy: RetryPolicy = RetryPolicy()
    rollback_policy: RollbackPolicy | None = None
    sync_period_seconds: float = 0.0
    timeout_seconds: float | None = None
    rollback_timeout_seconds: float | None = None


class DependOn(Wire, frozen=True):
    """A condition on another step: the phase it must have reached, the status of its resource."""

    name: str
    phase: Phase = Phase.SUCCESS
    resource_status: str | None = None


class StepSpec(Wire, frozen=True):
    """One step of the graph."""

    name: str
    step_template: StepTemplate
    depend_ons: tuple[DependOn, ...] = ()
    pivot: bool = False
    rollback: RollbackMode = RollbackMode.REQUIRED


class Callback(Wire, frozen=True):
    """Where transitions are reported. `events` narrows them: names such as `workflow.Success`."""

    url: str = ""
    ignore_not_found: bool = True
    events: tuple[str, ...] | None = None


class TimeToLive(Wire, frozen=True):
    """Seconds after its end for which a workflow is kept, by how it ended. None: as the queue or
    the engine says."""

    success: float | None = None
    roll_backed: float | None = None
    failed: float | None = None


NO_TTL = TimeToLive()
"""What is said where nothing is."""


class WorkflowSpec(Wire, frozen=True):
    """The `spec` of a Workflow document."""

    steps: tuple[StepSpec, ...]
    queue: str = "default"
    priority: int = 0
    suspend: bool = False
    parameters: Parameters = {}
    callback: Callback | None = None
    rollback_policy: RollbackPolicy = RollbackPolicy.PRESERVE_ON_FAILURE
    on_failure: OnFailure = OnFailure.ROLLBACK
    deletion_policy: DeletionPolicy = DeletionPolicy.ROLLBACK_UNFINISHED
    active_deadline_seconds: float | None = None
    ttl_seconds_after_finished: TimeToLive = NO_TTL


class Metadata(Wire, frozen=True):
    """Name and labels. `uid` is given by the store when the workflow is created."""

    name: str
    namespace: str = "default"
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Workflow(Wire, frozen=True):
    """A whole document, `apiVersion` and `kind` implied."""

    metadata: Metadata
    spec: WorkflowSpec


class Key(msgspec.Struct, frozen=True, order=True):
    """How a store finds a workflow."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return self.name if self.namespace == "default" else f"{self.namespace}/{self.name}"
