"""What processes in virtual time have open, for those that come after they died."""

from wf_core.adapters.open_record import Died, Kept, add_death
from wf_core.ports import LeftOpen, Open


class MemoryRecord:
    """Implements `ports.OpenRecord` for one process; `kept` is what all of them share."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._known = LeftOpen()
        self._open: dict[Open, bool] = {}
        self._after = 0
        self._ended = False

    def left(self) -> LeftOpen:
        """As `OpenRecord.left`."""
        self._known = self._kept.left()
        return self._known

    def opened(self, what: Open) -> None:
        """As `OpenRecord.opened`."""
        self._open[what] = False

    def closed(self, what: Open) -> None:
        """As `OpenRecord.closed`."""
        self._open.pop(what, None)

    def outlived(self, what: Open) -> None:
        """As `OpenRecord.outlived`."""
        self._open[what] = True

    def follows(self, deaths: int) -> None:
        """As `OpenRecord.follows`."""
        self._after = deaths

    def told(self, workflow: str) -> None:
        """As `OpenRecord.told`."""
        self._kept.open.pop(workflow, None)

    def lift(self, workflow: str) -> None:
        """As `OpenRecord.lift`."""
        self._kept.taking_up.pop(workflow, None)

    def calm(self) -> None:
        """As `OpenRecord.calm`."""
        known, self._known = self._known, LeftOpen()
        self._kept.calm_of(known)

    def close(self) -> None:
        """As `OpenRecord.close`."""
        self._ended = True

    def died(self) -> None:
        """Its process is dead."""
        if not self._ended:
            self._ended = True
            add_death(self._kept, Died(self._open, self._after))
