"""A pod as the API server shows it, as far as anything here looks at it."""

from datetime import datetime
from typing import Any

import msgspec

from wf_core.model.phases import Hook
from wf_k8s.releasing import POD_FINALIZER
from wf_podstep import names


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Meta(_Wire, frozen=True):
    """`metadata`, without annotations: they hold the whole input."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = "0"
    labels: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] = []
    owner_references: list[Any] = []


class Terminated(_Wire, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class Waiting(_Wire, frozen=True):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class State(_Wire, frozen=True):
    """One of the three; Kubernetes means `waiting` by none of them."""

    waiting: Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Wire, frozen=True):
    """What became of a container."""

    name: str
    image: str = ""
    state: State = State()


class Condition(_Wire, frozen=True):
    """A condition of the pod."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class Status(_Wire, frozen=True):
    """`status`."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Container(_Wire, frozen=True):
    """A container of the spec."""

    name: str
    image: str = ""


class Gate(_Wire, frozen=True):
    """What keeps schedulers from a pod until somebody takes it off."""

    name: str = ""


class Spec(_Wire, frozen=True):
    """`spec`. The first container is the one that counts."""

    containers: list[Container]
    node_name: str = ""
    scheduler_name: str = "default-scheduler"
    scheduling_gates: list[Gate] = []


class Pod(_Wire, frozen=True):
    """A pod."""

    metadata: Meta
    spec: Spec
    status: Status = Status()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name

    @property
    def version(self) -> int:
        """Grows with every change."""
        return int(self.metadata.resource_version)

    @property
    def uid(self) -> str:
        return self.metadata.uid

    @property
    def workflow_uid(self) -> str:
        return self.metadata.labels.get(names.UID, "")

    @property
    def step(self) -> str:
        return self.metadata.labels.get(names.STEP, "")

    @property
    def runs(self) -> bool:
        """Whether it is for a run; else for an undo."""
        return self.metadata.labels.get(names.HOOK) == Hook.RUN

    @property
    def attempt(self) -> int:
        """The attempt it is for; 0 where somebody changed the label."""
        text = self.metadata.labels.get(names.ATTEMPT, "")
        return int(text) if text.isdecimal() else 0

    @property
    def tombstone(self) -> bool:
        """Whether it only keeps its name from being used. The label alone does not say so: anyone
        can add it, but not the gate, which a pod can only be made with."""
        gated = any(gate.name == names.GATE for gate in self.spec.scheduling_gates)
        return gated and names.TOMBSTONE in self.metadata.labels

    @property
    def over(self) -> bool:
        """Whether all its containers have ended, for ever."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def deleting(self) -> bool:
        """Whether somebody asked for its deletion."""
        return self.metadata.deletion_timestamp is not None

    @property
    def held(self) -> bool:
        """Whether it stays, once deleted, until our finalizer is taken off."""
        return POD_FINALIZER in self.metadata.finalizers

    @property
    def lost(self) -> bool:
        """Whether it is being deleted and no node will tell how it ended: it is on none, or
        somebody deleted it by force."""
        if self.over or not self.deleting:
            return False
        return not self.spec.node_name or self.metadata.deletion_grace_period_seconds == 0

    def labelled_as(self, other: "Pod") -> bool:
        """Whether it has all labels by which `other` is ours."""
        labels = self.metadata.labels
        return all(labels.get(key) == value for key, value in names.ours(other.metadata.labels))

    @property
    def main(self) -> str:
        """The name of the container that counts."""
        return self.spec.containers[0].name

    def condition(self, type_: str) -> Condition | None:
        """A condition, if it is there."""
        return next((each for each in self.status.conditions if each.type == type_), None)


_decoder = msgspec.json.Decoder(Pod)


def read_pod(body: bytes) -> Pod:
    """A pod. Raises msgspec.ValidationError or DecodeError where it is none."""
    return _decoder.decode(body)
