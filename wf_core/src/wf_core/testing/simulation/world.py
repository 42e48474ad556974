"""A world as a value: what is submitted, what hooks do, what goes wrong, what people do, and when.

A world is made from its seed alone (`worlds.generate`), is written as JSON, and is shrunk by taking
things out of it. Times are virtual seconds from the start of the play.
"""

from enum import StrEnum

import msgspec

from wf_core.model.phases import RequestType
from wf_core.model.spec import NO_TTL, Key, TimeToLive, Workflow


class _Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of everything here: frozen, written without its defaults."""


class Act(StrEnum):
    """What one call of a hook does. What `HANG` and `STUCK` do is told in `Behaviour`."""

    SUCCEED = "Succeed"
    CHECKPOINT = "Checkpoint"
    PROGRESS = "Progress"
    ASK = "Ask"
    RETRYABLE = "Retryable"
    THROTTLED = "Throttled"
    FATAL = "Fatal"
    CANNOT_LOOK = "CannotLook"
    ACT_THEN_RAISE = "ActThenRaise"
    ACT_LATE = "ActLate"
    TOO_LARGE = "TooLarge"
    HANG = "Hang"
    HANG_THEN_SUCCEED = "HangThenSucceed"
    STUCK = "Stuck"
    CRASH_BEFORE_ACT = "CrashBeforeAct"
    ACT_THEN_CRASH = "ActThenCrash"
    CRASH_THEN_ACT = "CrashThenAct"


class Behaviour(_Value, frozen=True):
    """One call: its act and how long it takes.

    `PROGRESS` leaves something going for `seconds`, and so does `ASK`, which waits for a person;
    `HANG` ends when it is asked to stop, with a failure or (`HANG_THEN_SUCCEED`) with a late
    success; `STUCK` does not listen and ends after `seconds`; `ACT_LATE` and `CRASH_THEN_ACT` take
    effect `seconds` after the call is over. What is left going asks to be looked at again after
    `again`, or after some seconds.
    """

    act: Act
    seconds: float = 0.0
    again: float | None = None


class Submission(_Value, frozen=True):
    """A workflow and when it is submitted."""

    at: float
    workflow: Workflow


class Point(StrEnum):
    """Where something can go wrong."""

    SAVE = "Save"
    READ = "Read"
    HOOK = "Hook"
    REPORT = "Report"


class Wrong(StrEnum):
    """What goes wrong there. All but the crashes belong to saves."""

    CRASH_BEFORE = "CrashBefore"
    CRASH_AFTER = "CrashAfter"
    REFUSED = "Refused"
    INVALID = "Invalid"
    UNKNOWN_SAVED = "UnknownSaved"
    UNKNOWN_NOT_SAVED = "UnknownNotSaved"
    UNAVAILABLE = "Unavailable"
    UNAVAILABLE_BUT_SAVED = "UnavailableButSaved"
    DOUBLED = "Doubled"
    DOUBLED_LATE = "DoubledLate"
    LATE = "Late"
    CRASH_THEN_SAVED = "CrashThenSaved"


class Fault(_Value, frozen=True):
    """Process number `process` (from 0, in the order of starts) meets `wrong` at its `n`-th
    `point` (from 1). `seconds` is how late what is late comes."""

    process: int
    point: Point
    n: int
    wrong: Wrong
    seconds: float = 0.0


class What(StrEnum):
    """What happens at a moment."""

    REQUEST = "Request"
    HELP = "Help"
    DELETE = "Delete"
    WAKE = "Wake"
    CRASH = "Crash"
    STOP = "Stop"
    TAKE_OVER = "TakeOver"
    CLOCK_JUMP = "ClockJump"
    STORE_AWAY = "StoreAway"
    RECEIVER_DOWN = "ReceiverDown"


class Happening(_Value, frozen=True):
    """Something happens at `at`.

    `REQUEST` asks `type` of `workflow` (and `step`); `HELP` answers something that is blocked, the
    `pick`-th way; `WAKE` hints at a step; `CRASH`, `STOP` and `TAKE_OVER` concern the oldest living
    process; the clock that later processes read jumps by `seconds`; the store, or the receivers of
    callbacks, are away for `seconds`.
    """

    at: float
    what: What
    workflow: str = ""
    step: str | None = None
    type: RequestType | None = None
    seconds: float = 0.0
    pick: int = 0


class Trouble(_Value, frozen=True):
    """Something befalls the storage at `at`, in the storage's own words: `what` goes on for
    `seconds`, or concerns `workflow`."""

    at: float
    what: str
    seconds: float = 0.0
    workflow: str = ""


class QueueSpec(_Value, frozen=True):
    """Limits of one queue."""

    weight: float = 1.0
    most: int | None = None


class KindSpec(_Value, frozen=True):
    """Limits of one kind."""

    qps: float | None = None
    concurrency: int | None = None
    max_active: int | None = None


class BoundsSpec(_Value, frozen=True):
    """What documents may ask: no retry sooner than `retry_period`. Process number `since` and later
    ones refuse a new document that asks for more than `timeout` and `retry_limit`; those that only
    adopt do so until the calm."""

    retry_period: float = 0.0
    timeout: float | None = None
    retry_limit: int | None = None
    since: int = 0


class Operator(_Value, frozen=True):
    """How the engines are run: `engines` processes, all of them serving, or each of them adopting
    what there is as `wf run` does (`serves` False). Process number k lacks the kinds
    `lacking[k]`. A dead process is followed by another after `restart` seconds. `ttl` is how long
    finished workflows are kept that do not say it themselves. With `forgets` nothing tells a
    process what was open when the one before it died. `share` is the slots of one namespace at
    most, `share_permits` whether namespaces share calls, `bounds` what documents may ask."""

    serves: bool = True
    engines: int = 1
    restart: float = 1.0
    fair: bool = False
    most: int = 100
    queues: dict[str, QueueSpec] = {}
    kinds: dict[str, KindSpec] = {}
    concurrency: int = 30
    grace: float = 10.0
    sync_timeout: float = 60.0
    save_seconds: float = 0.0
    lacking: dict[int, tuple[str, ...]] = {}
    give_up_after: float = 86400.0
    ttl: TimeToLive = NO_TTL
    forgets: bool = False
    share: int | None = None
    share_permits: bool = False
    bounds: BoundsSpec = BoundsSpec()


class World(_Value, frozen=True):
    """A whole world. `hooks` maps `workflow/step/hook` (`run`, `rollback`, `look`, `watch`) to what
    its calls do in order; later ones succeed. Nothing goes wrong any more after `calm_at`."""

    seed: int
    submissions: tuple[Submission, ...]
    hooks: dict[str, tuple[Behaviour, ...]] = {}
    faults: tuple[Fault, ...] = ()
    happenings: tuple[Happening, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    operator: Operator = Operator()
    calm_at: float = 300.0

    def key(self, name: str) -> Key:
        """Of the workflow of that name: names are unique in a world, whatever their namespaces."""
        found = (
            each.workflow.metadata.namespace
            for each in self.submissions
            if each.workflow.metadata.name == name
        )
        return Key(next(found, "default"), name)


def to_json(world: World) -> str:
    """The world as JSON, in one line."""
    return msgspec.json.encode(world).decode()


def from_json(text: str | bytes) -> World:
    """The world that `to_json` wrote. Raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(text, type=World)
