"""How long finished workflows are kept: `ttlSecondsAfterFinished`, decided without a clock.

For each outcome the workflow's own word counts, then its queue's, then the engine's; where none of
them says anything, age removes nothing.
"""

from typing import Protocol

from wf_core.config.values import ControllerConfig
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import TimeToLive
from wf_core.model.state import Stored


class Ages(Protocol):
    """Seconds by outcome; None says nothing."""

    @property
    def success(self) -> float | None: ...
    @property
    def roll_backed(self) -> float | None: ...
    @property
    def failed(self) -> float | None: ...


class Listed(Protocol):
    """What is read of a workflow in a list (`ports.Row`)."""

    @property
    def queue(self) -> str: ...
    @property
    def phase(self) -> Phase: ...
    @property
    def finished_at(self) -> float | None: ...
    @property
    def ttl(self) -> TimeToLive: ...
    @property
    def deleting(self) -> bool: ...
    @property
    def asked(self) -> bool: ...
    @property
    def reporting(self) -> bool: ...


class Retention:
    """The rule, as an engine is configured."""

    def __init__(self, config: ControllerConfig) -> None:
        self._everywhere = _by_phase(config.ttl)
        self._by_queue = {
            name: _by_phase(limits.ttl) for name, limits in config.queue.queues.items()
        }

    def due_at(
        self, phase: Phase, finished_at: float | None, queue: str, own: TimeToLive
    ) -> float | None:
        """When (epoch seconds) a workflow may go that came to `phase` at `finished_at`; None while
        it is unfinished, and where nobody says."""
        if finished_at is None or phase not in FINISHED:
            return None
        for ages in (_by_phase(own), self._by_queue.get(queue, {}), self._everywhere):
            seconds = ages.get(phase)
            if seconds is not None:
                return finished_at + seconds
        return None

    def due_of(self, stored: Stored) -> float | None:
        """As `due_at`, of a stored workflow."""
        head, spec = stored.head, stored.workflow.spec
        finished_at, own = head.reached.get(head.phase), spec.ttl_seconds_after_finished
        return self.due_at(head.phase, finished_at, spec.queue, own)

    def due_of_row(self, row: Listed) -> float | None:
        """As `due_at`, of a workflow in a list."""
        return self.due_at(row.phase, row.finished_at, row.queue, row.ttl)


def owed(*, deleting: bool, asked: bool, reporting: bool) -> str | None:
    """What a finished workflow has still to do, for which it stays however old it is; or None."""
    if deleting:
        return "its deletion was asked"
    if asked:
        return "a request waits for an answer"
    if reporting:
        return "callbacks are not delivered yet"
    return None


def owed_by(stored: Stored) -> str | None:
    """As `owed`, of a stored workflow."""
    return owed(
        deleting=stored.head.deletion_asked_at is not None,
        asked=bool(stored.asked),
        reporting=bool(stored.outbox),
    )


def owed_by_row(row: Listed) -> str | None:
    """As `owed`, of a workflow in a list."""
    return owed(deleting=row.deleting, asked=row.asked, reporting=row.reporting)


def _by_phase(ages: Ages) -> dict[Phase, float | None]:
    return {
        Phase.SUCCESS: ages.success,
        Phase.ROLL_BACKED: ages.roll_backed,
        Phase.FAILED: ages.failed,
    }
