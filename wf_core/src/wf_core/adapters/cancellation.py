"""How a hook is asked to stop."""

import threading

_making = threading.Lock()


class Cancellation:
    """Implements `kinds.Cancelled`. Few hooks wait on it: its event is made when one does."""

    __slots__ = ("_event", "_set")

    def __init__(self) -> None:
        self._set = False
        self._event: threading.Event | None = None

    def is_set(self) -> bool:
        """Whether the hook was asked to stop."""
        return self._set

    def set(self) -> None:
        """Ask the hook to stop. Idempotent."""
        # Flag before event: who makes an event looks at the flag afterwards, so none is missed.
        self._set = True
        if self._event is not None:
            self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until asked to stop, or `timeout` seconds; gives `is_set()`."""
        if self._set:
            return True
        if self._event is None:
            with _making:
                if self._event is None:
                    self._event = threading.Event()
        # Again: it may have been asked between the look above and the event.
        return self.is_set() or self._event.wait(timeout)
