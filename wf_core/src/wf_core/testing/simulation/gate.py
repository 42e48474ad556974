"""A process that can be stopped as by SIGSTOP: between two steps of any of its tasks it stands
still, whatever time does."""

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wf_core.testing.simulation.process import Process


class Gated(Coroutine[Any, Any, Any]):
    """Runs `work`, but not while its process is paused."""

    def __init__(self, work: Coroutine[Any, Any, Any], process: "Process") -> None:
        self._work = work
        self._driver = _drive(work, process)
        self._began = False

    def send(self, value: Any) -> Any:
        """As `Coroutine.send`."""
        self._began = True
        return self._driver.send(value)

    def throw(self, *error: Any) -> Any:
        """As `Coroutine.throw`."""
        if not self._began:
            self._work.close()
        return self._driver.throw(*error)

    def close(self) -> None:
        """As `Coroutine.close`."""
        self._driver.close()
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._driver


def _drive(work: Coroutine[Any, Any, Any], process: "Process") -> Generator[Any, Any, Any]:
    value: Any = None
    error: BaseException | None = None
    while True:
        while process.paused is not None and process.alive:
            try:
                yield from process.until_resumed()
            except BaseException as thrown:
                error = thrown  # a timeout that passed meanwhile is felt afterwards
        try:
            waits = work.send(value) if error is None else work.throw(error)
        except StopIteration as end:
            return end.value
        value = error = None
        try:
            value = yield waits
        except BaseException as thrown:
            error = thrown
