"""What befalls the API server and its lines: named troubles, each for a while."""

from collections.abc import Callable
from enum import StrEnum


class Kind(StrEnum):
    """Troubles of the Kubernetes worlds.

    Watches: `LAGS` tells everything at the end, `REORDERS` does so in another order across objects,
    `DOUBLES` tells things twice, `MISSES` loses them until the 410 at its end, `SILENT` sends
    nothing at all. At a moment: `COMPACTED` ends every watch by 410, `CUT` within a line.

    Reads: `LISTS_LATE` begins watches with what was there when it began, `LISTS_REFUSED` does not
    stream lists.

    Requests: `THROTTLES` says 429, `FAILS` says 500 whether or not it was done. `TOKEN_EXPIRED`
    makes credentials void.

    The leader: `PAUSED` stops its process, `FROZEN` its clock too, so that it believes that it
    leads; `CUT_OFF` loses what it sends to its Lease; `LEASE_DELETED` is what it says.

    People: `EDITED` changes a label, `HELD` adds a finalizer of theirs and takes it off in the end,
    `AGAIN` creates a workflow anew that is gone; one that is `APPLIED` was made by kubectl; `AGED`
    changes how long a workflow is kept once it is finished, to so many seconds.
    """

    LAGS = "WatchLags"
    REORDERS = "WatchReorders"
    DOUBLES = "WatchDoubles"
    MISSES = "WatchMisses"
    SILENT = "WatchSilent"
    COMPACTED = "Compacted"
    CUT = "WatchCut"
    LISTS_LATE = "ListsLate"
    LISTS_REFUSED = "ListsRefused"
    THROTTLES = "Throttles"
    FAILS = "Fails"
    TOKEN_EXPIRED = "TokenExpired"
    PAUSED = "LeaderPaused"
    FROZEN = "LeaderFrozen"
    CUT_OFF = "LeaderCutOff"
    LEASE_DELETED = "LeaseDeleted"
    EDITED = "Edited"
    HELD = "Held"
    AGAIN = "Again"
    APPLIED = "Applied"
    AGED = "Aged"


class Weather:
    """`now` gives the loop's seconds. Each trouble lasts until a time; what began it is the version
    then."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: dict[Kind, float] = {}
        self._since: dict[Kind, int] = {}
        self.token = 1

    def begins(self, kind: Kind, seconds: float, version: int) -> None:
        """It goes on for so long."""
        self._until[kind] = max(self._until.get(kind, 0.0), self._now() + seconds)
        self._since[kind] = version

    def on(self, kind: Kind) -> bool:
        """Whether it goes on."""
        return self._now() < self._until.get(kind, 0.0)

    def until(self, *kinds: Kind) -> float:
        """When the last of these ends; the past where none goes on."""
        return max(self._until.get(kind, 0.0) for kind in kinds)

    def since(self, kind: Kind) -> int:
        """The version at which it began."""
        return self._since[kind]

    def clears(self) -> None:
        """All of it is over."""
        self._until.clear()
