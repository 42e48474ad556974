"""Which slots were started, as somebody sees who looks all the time, and what must hold of that."""

import attrs


@attrs.define(eq=False)
class SlotsSeen:
    """`made` holds each run that was ever there by its slot (epoch seconds), told apart by what no
    two creations share. `lived` are the spans in which somebody was there to start one."""

    period: float
    made: dict[float, set[str]] = attrs.field(factory=dict)
    lived: list[tuple[float, float]] = attrs.field(factory=list)

    def saw(self, slot: float, mark: str) -> None:
        """A run of that slot is there."""
        self.made.setdefault(slot, set()).add(mark)

    def twice(self) -> dict[float, set[str]]:
        """The slots that more than one run was made for."""
        return {slot: marks for slot, marks in self.made.items() if len(marks) > 1}

    def left_out(self, margin: float) -> list[float]:
        """The slots without a run although somebody lived for `margin` seconds without a break
        between when it was due and when the next one was."""
        first, last = min(self.made), max(self.made)
        slots = [first + n * self.period for n in range(int((last - first) / self.period))]
        return [
            slot
            for slot in slots
            if slot not in self.made
            and any(
                min(end, slot + self.period) - max(begin, slot) >= margin
                for begin, end in self.lived
            )
        ]
