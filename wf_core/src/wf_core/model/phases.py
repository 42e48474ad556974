"""The words of the machine; the phases are spelt as in the API this project starts from."""

from enum import IntEnum, StrEnum


class Phase(StrEnum):
    """Where a workflow or a step is. The moves between them are in `wf_core.saga.table`."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESS = "Success"
    ROLLING_BACK = "RollingBack"
    ROLL_BACKED = "RollBacked"
    FAILED = "Failed"


FINISHED = frozenset({Phase.SUCCESS, Phase.ROLL_BACKED, Phase.FAILED})
"""Phases in which a workflow rests until a person, a watch or a deletion moves it."""


class Ran(StrEnum):
    """How a step came to Success."""

    CALLED = "Called"
    MARKED = "Marked"


class Undo(StrEnum):
    """How a step was undone (semantics A3)."""

    CALLED = "Called"
    NEVER_RAN = "NeverRan"
    IRREVERSIBLE = "Irreversible"
    MARKED = "Marked"
    SKIPPED = "Skipped"
    FAILED = "Failed"


class Hook(StrEnum):
    """The three methods of a step kind."""

    RUN = "run"
    ROLLBACK = "rollback"
    SYNC = "sync"


class Purpose(StrEnum):
    """What a call is for (semantics B1): `sync` looks at a run, an undo, or a finished step."""

    RUN = "Run"
    ROLLBACK = "Rollback"
    WATCH = "Watch"


class Ended(StrEnum):
    """What an earlier attempt left behind (semantics B2)."""

    NONE = "None"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    IN_PROGRESS = "InProgress"
    UNKNOWN = "Unknown"
    TIMED_OUT = "TimedOut"


class PermitClass(IntEnum):
    """Who goes first when permits are short (semantics E2); lower is more urgent."""

    ROLLBACK = 0
    RUN = 1
    WATCH = 2


class RollbackPolicy(StrEnum):
    """What a failed undo means for the steps it depends on."""

    PRESERVE_ON_FAILURE = "PreserveOnFailure"
    ALWAYS = "Always"


class OnFailure(StrEnum):
    """What a run that failed for good does to the workflow."""

    ROLLBACK = "Rollback"
    PAUSE = "Pause"


class DeletionPolicy(StrEnum):
    """What deleting a workflow undoes before it goes."""

    ROLLBACK_UNFINISHED = "RollbackUnfinished"
    ROLLBACK = "Rollback"
    ORPHAN = "Orphan"


class RollbackMode(StrEnum):
    """Whether a step can be undone at all."""

    REQUIRED = "Required"
    NONE = "None"


class BlockReason(StrEnum):
    """Why something waits for a person (semantics A5)."""

    PAUSED = "Paused"
    HOOK_STUCK = "HookStuck"
    KIND_UNAVAILABLE = "KindUnavailable"
    FOLDER_UNAVAILABLE = "FolderUnavailable"
    ROLLBACK_FAILED = "RollbackFailed"
    COMMITTED_FAILURE = "CommittedFailure"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    INTERNAL_ERROR = "InternalError"


class RequestType(StrEnum):
    """What a person can ask (semantics D)."""

    CANCEL = "Cancel"
    SUSPEND = "Suspend"
    CONTINUE = "Continue"
    ROLLBACK = "Rollback"
    RETRY_RUN = "RetryRun"
    MARK_SUCCEEDED = "MarkSucceeded"
    RETRY_ROLLBACK = "RetryRollback"
    SKIP_ROLLBACK = "SkipRollback"
    MARK_ROLLED_BACK = "MarkRolledBack"
    SIGNAL = "Signal"


class Verdict(StrEnum):
    """The answer to a request."""

    APPLIED = "Applied"
    REFUSED = "Refused"
    NO_EFFECT = "NoEffect"
