"""What a list shows of workflows."""

import attrs

from wf_core.model.phases import Phase
from wf_core.model.spec import NO_TTL, Key, TimeToLive
from wf_core.model.state import Owner


@attrs.frozen
class Row:
    """A workflow in a list: enough to show it and to decide on it without loading its steps.

    `asked`: a request waits for an answer. `reporting`: callbacks wait to be delivered. `ttl` is
    the document's `ttlSecondsAfterFinished`. `unreadable` says why what is stored can't be read:
    the rest is then what could be told of it, and no engine takes it up. `stuck` says why only a
    person can take it further; None where only loading it tells. `why` says what went wrong, ""
    where nothing did.
    """

    key: Key
    uid: str
    queue: str
    priority: int
    phase: Phase
    created_at: float
    done: int
    total: int
    owner: Owner
    deleting: bool = False
    suspended: bool = False
    parked: bool = False
    watched: bool = False
    asked: bool = False
    reporting: bool = False
    finished_at: float | None = None
    ttl: TimeToLive = NO_TTL
    unreadable: str = ""
    stuck: str | None = None
    why: str = ""

    @property
    def slotless(self) -> bool:
        """As `WorkflowState.slotless`."""
        return self.phase is Phase.ROLLING_BACK and self.parked


@attrs.frozen
class Page:
    """A page of a list; `after` asks for the next one and is None at the end."""

    rows: tuple[Row, ...]
    after: str | None = None
