"""The configuration as values: what can be set, its default and its bounds.

Each field says in its metadata how it is called in a file (`wire`) and how its text is read
(`read`). Bounds are validators, so they hold for values made in code too.
"""

import functools
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import attrs

from wf_core.config import scalars

_Validator = Callable[[object, "attrs.Attribute[Any]", Any], None]


class Strategy(StrEnum):
    """Which waiting workflow starts next (semantics E3)."""

    FIFO = "FIFO"
    FAIR = "FAIR"


class ShareBy(StrEnum):
    """Between whom slots are shared (semantics E3)."""

    NAMESPACE = "namespace"
    QUEUE = "queue"


def _least(bound: float) -> _Validator:
    def check(_: object, __: "attrs.Attribute[Any]", value: float | None) -> None:
        if value is not None and not value >= bound:
            raise ValueError(f"is too small: the least is {bound:g}")

    return check


def _above(bound: float) -> _Validator:
    def check(_: object, __: "attrs.Attribute[Any]", value: float | None) -> None:
        if value is not None and not value > bound:
            raise ValueError(f"is too small: it must be more than {bound:g}")

    return check


def _field(
    wire: str,
    read: Callable[[str], object],
    default: Any = attrs.NOTHING,  # as in attrs.field: of the type of the field
    *,
    least: float | None = None,
    above: float | None = None,
) -> Any:
    validator = None
    if least is not None:
        validator = _least(least)
    if above is not None:
        validator = _above(above)
    return attrs.field(default=default, validator=validator, metadata={"wire": wire, "read": read})


@attrs.frozen
class Ttl:
    """Seconds after its end for which a workflow is kept, by how it ended. None says nothing."""

    success: float | None = _field("success", scalars.seconds, None, least=0)
    roll_backed: float | None = _field("rollBacked", scalars.seconds, None, least=0)
    failed: float | None = _field("failed", scalars.seconds, None, least=0)


@attrs.frozen
class QueueLimits:
    """One queue: its weight among FAIR queues, how many of its workflows run at once at most, how
    long finished ones are kept that do not say it themselves, and whose new workflows may name it
    (None is everybody's)."""

    weight: float = _field("weight", scalars.number, 1.0, above=0)
    max_running_count: int | None = _field("maxRunningCount", scalars.whole, None, least=0)
    ttl: Ttl = attrs.field(factory=Ttl, metadata={"wire": "ttlSecondsAfterFinished"})
    namespaces: tuple[str, ...] | None = attrs.field(default=None, metadata={"wire": "namespaces"})


@attrs.frozen
class NamespaceLimits:
    """One namespace: its weight among FAIR namespaces, how many of its workflows run at once at
    most. None is what holds for every namespace."""

    weight: float = _field("weight", scalars.number, 1.0, above=0)
    max_running_count: int | None = _field("maxRunningCount", scalars.whole, None, least=0)


@attrs.frozen
class QueueConfig:
    """How workflows are admitted. `max_running_count` is over all queues; 0 admits nothing."""

    strategy: Strategy = attrs.field(
        default=Strategy.FIFO,
        converter=Strategy,
        metadata={"wire": "strategy", "read": functools.partial(scalars.one_of, Strategy)},
    )
    max_running_count: int = _field("maxRunningCount", scalars.whole, 100, least=0)
    queues: Mapping[str, QueueLimits] = attrs.field(factory=dict, metadata={"wire": "queues"})
    share_by: ShareBy = attrs.field(
        default=ShareBy.NAMESPACE,
        converter=ShareBy,
        metadata={"wire": "shareBy", "read": functools.partial(scalars.one_of, ShareBy)},
    )
    max_running_count_per_namespace: int | None = _field(
        "maxRunningCountPerNamespace", scalars.whole, None, least=0
    )
    namespaces: Mapping[str, NamespaceLimits] = attrs.field(
        factory=dict, metadata={"wire": "namespaces"}
    )


@attrs.frozen
class Floors:
    """The least that a document can have; what it asks below that is raised (semantics E8)."""

    retry_period: float = _field("retryPeriod", scalars.seconds, 0.0, least=0)


@attrs.frozen
class Ceilings:
    """The most that a new document may ask; one that asks more is refused (semantics E9). None is
    no limit."""

    timeout: float | None = _field("timeout", scalars.seconds, None, above=0)
    retry_limit: int | None = _field("retryLimit", scalars.whole, None, least=0)


@attrs.frozen
class StepConfig:
    """The limits of one kind: calls a second, calls at once, attempts open at once. None is none.

    `sync_timeout` is the seconds that one look may take; None is the controller's.
    """

    kind: str = _field("kind", scalars.text)
    qps: float | None = _field("qps", scalars.number, None, above=0)
    concurrency: int | None = _field("concurrency", scalars.whole, None, least=1)
    max_active: int | None = _field("maxActive", scalars.whole, None, least=1)
    sync_timeout: float | None = _field("syncTimeout", scalars.seconds, None, above=0)


@attrs.frozen
class ControllerConfig:
    """The engine: seconds a look may take, hook calls at once, seconds a hook has to stop in,
    MiB for the workflows that are driven (None: any number), whether namespaces share permits, what
    documents may ask, how long finished workflows are kept where neither they nor their queue says
    it."""

    sync_timeout: float = _field("syncTimeout", scalars.seconds, 60.0, above=0)
    concurrency: int = _field("concurrency", scalars.whole, 30, least=1)
    grace: float = _field("grace", scalars.seconds, 10.0, least=0)
    workflow_memory: int | None = _field("workflowMemory", scalars.whole, None, least=1)
    queue: QueueConfig = attrs.field(factory=QueueConfig, metadata={"wire": "queue"})
    share_permits: bool = _field("sharePermits", scalars.truth, False)
    floors: Floors = attrs.field(factory=Floors, metadata={"wire": "floors"})
    ceilings: Ceilings = attrs.field(factory=Ceilings, metadata={"wire": "ceilings"})
    steps: tuple[StepConfig, ...] = attrs.field(factory=tuple, metadata={"wire": "steps"})
    ttl: Ttl = attrs.field(factory=Ttl, metadata={"wire": "ttlSecondsAfterFinished"})


@attrs.frozen
class CallbackConfig:
    """Callbacks: hosts that may be called (None is any), whether at public addresses alone (None
    leaves it to who runs the engine), the files of the master secrets, the new one and the one that
    is going, and the seconds after which an undelivered one is dropped, ordinarily and once
    deletion was asked."""

    allowed_hosts: tuple[str, ...] | None = attrs.field(
        default=None, metadata={"wire": "allowedHosts"}
    )
    secret_file: str | None = _field("secretFile", scalars.text, None)
    give_up_after: float = _field("giveUpAfter", scalars.seconds, 86400.0, least=0)
    give_up_after_deletion: float = _field("giveUpAfterDeletion", scalars.seconds, 600.0, least=0)
    public_only: bool | None = _field("publicOnly", scalars.truth, None)
    old_secret_file: str | None = _field("oldSecretFile", scalars.text, None)


@attrs.frozen
class Config:
    """Everything. `throttle_qps` limits requests a second to the API server, of any kind."""

    namespace: str = _field("namespace", scalars.text, "workflow-system")
    throttle_qps: float = _field("throttleQPS", scalars.number, 100.0, above=0)
    idle_timeout_mill_seconds: int = _field(
        "idleTimeoutMillSeconds", scalars.whole, 200_000, least=0
    )
    rpc_timeout_mill_seconds: int = _field("rpcTimeoutMillSeconds", scalars.whole, 5_000, least=1)
    controller_config: ControllerConfig = attrs.field(
        factory=ControllerConfig, metadata={"wire": "controllerConfig"}
    )
    callbacks: CallbackConfig = attrs.field(factory=CallbackConfig, metadata={"wire": "callbacks"})
