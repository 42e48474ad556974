"""What a process is told to call, and what it says of the call."""

from pathlib import Path

import msgspec

from wf_core.model.outcomes import Severity
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource


class Known(msgspec.Struct, frozen=True):
    """What the engine would have saved of a step: the hook's `call.previous`."""

    outcome: Ended = Ended.NONE
    resource: Resource | None = None
    attributes: dict[str, Json] = {}


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One call in a process of its own.

    `die_at` is the number of the boundary that it is killed at, 0 for none. `stop_after` are the
    seconds until `call.cancelled` is set, None for never. It is killed after `patience` seconds.
    `said` is the file it writes to.
    """

    kind: str
    env: dict[str, str]
    said: str
    folder: str
    store: str
    namespace: str
    uid: str
    hook: Hook
    purpose: Purpose
    attempt: int
    run_attempt: int
    interruptions: int
    epoch: int
    known: Known
    parameters: dict[str, Json]
    signals: dict[str, Json]
    die_at: int
    stop_after: float | None
    patience: float


class Checkpointed(msgspec.Struct, frozen=True, tag=True):
    """`call.checkpoint(...)`: from here on this is saved. `problem`: why it can't be."""

    resource: Resource | None
    attributes: dict[str, Json] | None
    problem: str | None = None


class Died(msgspec.Struct, frozen=True, tag=True):
    """It is killed now, as ordered: `where`, in words that go on after "killed"."""

    where: str


class Succeeded(msgspec.Struct, frozen=True, tag=True):
    """The hook is done. `problem` says why what it gave can't be kept."""

    boundaries: int
    resource: Resource | None
    attributes: dict[str, Json] | None
    problem: str | None = None


class Progressing(msgspec.Struct, frozen=True, tag=True):
    """The hook left something going."""

    boundaries: int
    resource: Resource | None
    attributes: dict[str, Json] | None
    poll_after: float | None
    problem: str | None = None


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The hook raised, or its parameters could not be decoded. `expected` is False for an exception
    that is none of `wf_core.kinds`."""

    boundaries: int
    severity: Severity
    message: str
    expected: bool = True


Answered = Succeeded | Progressing | Failed
Said = Checkpointed | Died | Answered

_decoder = msgspec.json.Decoder(Said)


def said_in(file: Path) -> list[Said]:
    """What a process wrote; a last line that was cut off by its death is none."""
    lines = file.read_bytes().split(b"\n")
    return [_decoder.decode(line) for line in lines[:-1]]
