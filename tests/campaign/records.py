"""What there is to judge a campaign by: what was stored, what was called, what was delivered."""

from pathlib import Path

import attrs
import msgspec
from tests.campaign.receiver import Delivery
from tests.cluster.accepted import Write

from wf_core.model.phases import Phase, Undo

PREFIX = "/registry/workflow.example.com/workflows/"


class _Camel(msgspec.Struct, frozen=True, rename="camel", gc=False):
    pass


class Step(_Camel, frozen=True):
    """A step as stored."""

    phase: Phase = Phase.PENDING
    reached: dict[Phase, float] = {}
    attempt: int = 0
    rollback_attempt: int = 0
    interruptions: int = 0
    undo: Undo | None = None


class Entry(_Camel, frozen=True):
    """An entry of the outbox."""

    seq: int
    phase: Phase
    step: str | None = None

    @property
    def event(self) -> str:
        """How a callback names it."""
        return f"{'workflow' if self.step is None else 'step'}.{self.phase}"


class Writer(_Camel, frozen=True):
    """Who wrote the revision."""

    epoch: int = 0
    n: int = 0


class Answer(_Camel, frozen=True):
    """The answer to a request."""

    verdict: str
    id: str = ""


class Status(_Camel, frozen=True):
    """The status of a workflow."""

    phase: Phase = Phase.PENDING
    reached: dict[Phase, float] = {}
    revision: int = 0
    epoch: int = 0
    writer: Writer = Writer()
    steps: dict[str, Step] = {}
    outbox: tuple[Entry, ...] = ()
    outbox_seq: int = 0
    outbox_dropped: int = 0
    answers: tuple[Answer, ...] = ()


class _Metadata(_Camel, frozen=True):
    name: str
    uid: str
    finalizers: tuple[str, ...] = ()


class _Object(_Camel, frozen=True):
    metadata: _Metadata
    status: Status = Status()


_decode = msgspec.json.Decoder(_Object).decode


@attrs.frozen
class Version:
    """A workflow as one write left it. `number` orders all writes of the cluster; `at` is when it
    was seen, in seconds of the monotonic clock."""

    number: int
    at: float
    status: Status
    finalizers: tuple[str, ...]

    @property
    def rests(self) -> bool:
        """Whether nothing more is to come: finished, everything delivered, nothing guarded."""
        phase = self.status.phase
        done = phase in (Phase.SUCCESS, Phase.ROLL_BACKED) and not self.finalizers
        return (done or phase is Phase.FAILED) and not self.status.outbox

    def __str__(self) -> str:
        status = self.status
        return (
            f"{status.phase} at revision {status.revision} of epoch {status.epoch}, with "
            f"{', '.join(f'{name} {step.phase}' for name, step in status.steps.items())}; "
            f"to deliver: {[each.seq for each in status.outbox]}; finalizers: {self.finalizers}"
        )


@attrs.define
class Life:
    """One workflow, from its creation on."""

    name: str
    uid: str
    versions: list[Version] = attrs.field(factory=list)
    gone_at: int | None = None

    @property
    def last(self) -> Version:
        """As it was seen last."""
        return self.versions[-1]

    @property
    def over(self) -> bool:
        """Whether it is gone, or nothing more is to come."""
        return self.gone_at is not None or self.last.rests

    @property
    def never_ran(self) -> bool:
        """Whether no step of it was ever meant to run."""
        return not any(step.attempt for step in self.last.status.steps.values())

    def entries(self) -> dict[int, Entry]:
        """Everything that was ever in the outbox, by number."""
        return {entry.seq: entry for version in self.versions for entry in version.status.outbox}


class Stored:
    """All workflows by name, as the writes are told."""

    def __init__(self) -> None:
        self.lives: dict[str, Life] = {}
        self.writes = 0

    def tell(self, write: Write) -> None:
        """Take one write."""
        self.writes += 1
        name = write.key.rpartition("/")[2]
        if write.value is None:
            self.lives[name].gone_at = write.number
            return
        found = _decode(write.value)
        life = self.lives.setdefault(name, Life(name, found.metadata.uid))
        assert life.uid == found.metadata.uid, f"{name} was made twice"
        life.versions.append(
            Version(write.number, write.at, found.status, found.metadata.finalizers)
        )


class Line(_Camel, frozen=True):
    """What a call of a step wrote when it began, and when it ended."""

    at: float
    pid: int
    uid: str
    step: str
    hook: str
    attempt: int
    interruptions: int
    epoch: int
    key: str
    what: str

    @property
    def begins(self) -> bool:
        """Whether a call began."""
        return self.what == "begin"

    @property
    def call(self) -> tuple[str, str, str, int, int, int]:
        """What tells the call from all others."""
        return (self.uid, self.step, self.hook, self.epoch, self.attempt, self.interruptions)

    def __str__(self) -> str:
        return (
            f"{self.hook} of {self.step} (epoch {self.epoch}, attempt {self.attempt}, "
            f"interrupted {self.interruptions} times)"
        )


_line = msgspec.json.Decoder(Line).decode


def lines(file: Path) -> list[Line]:
    """What calls wrote, in order."""
    return [_line(line) for line in file.read_bytes().splitlines()]


@attrs.frozen
class Records:
    """Everything. `calls` and `deliveries` are in order, by uid."""

    lives: dict[str, Life]
    calls: dict[str, list[Line]]
    deliveries: dict[str, list[Delivery]]
