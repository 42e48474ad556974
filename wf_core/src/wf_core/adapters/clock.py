"""The clock of this machine."""

import time


class SystemClock:
    """Implements `ports.Clock`: wall time when it was made, plus monotonic time since.

    Setting the machine's clock moves nothing while the process lives (semantics H).
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Epoch seconds."""
        return self._offset + time.monotonic()


class WallClock:
    """Implements `ports.Clock` with the machine's own clock, set or not, asleep or not: what is due
    at a time of day is due when people's clocks say so."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()
