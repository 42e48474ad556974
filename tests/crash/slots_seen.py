"""Which slots were started, as somebody sees who looks all the time, and what must hold of that."""

import time

import attrs
from tests.patience import PATIENCE


@attrs.define(eq=False)
class SlotsSeen:
    """`made` holds each run that was ever there by its slot (epoch seconds), told apart by what no
    two creations share. `lives` counts those who were there to start one."""

    period: float
    made: dict[float, set[str]] = attrs.field(factory=dict)
    lives: int = 0

    def saw(self, slot: float, mark: str) -> None:
        """A run of that slot is there."""
        self.made.setdefault(slot, set()).add(mark)

    def next_due(self) -> float:
        """The slot that comes next."""
        return (time.time() // self.period + 1) * self.period

    def await_what_is_due(self) -> None:
        """Wait for a run of the slot that was due last. A later one will do: whoever is slow starts
        the latest slot only, and counts those before it as missed."""
        owed = self.next_due() - self.period
        until = time.monotonic() + PATIENCE
        while not any(slot >= owed for slot in list(self.made)):
            assert time.monotonic() < until, f"nobody started the slot {owed:.0f}, nor a later one"
            time.sleep(0.005)

    def twice(self) -> dict[float, set[str]]:
        """The slots that more than one run was made for."""
        return {slot: marks for slot, marks in self.made.items() if len(marks) > 1}

    def left_out(self, created_at: float, decided: float) -> list[float]:
        """The slots that no run was made for. The schedule was created at `created_at` and has
        decided every slot up to `decided`: as many as these it counts as missed."""
        first = (created_at // self.period + 1) * self.period
        slots = [first + n * self.period for n in range(int((decided - first) / self.period) + 1)]
        return [slot for slot in slots if slot not in self.made]
