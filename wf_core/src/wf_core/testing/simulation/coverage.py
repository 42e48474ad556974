"""How often each thing occurred: a simulation that never did it proves nothing of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from wf_core.model.phases import RequestType, Verdict
from wf_core.saga.table import STEP, WORKFLOW
from wf_core.testing.simulation.world import Act, Point, What, Wrong

_NO_EFFECT = (
    RequestType.CANCEL,
    RequestType.SUSPEND,
    RequestType.CONTINUE,
    RequestType.SIGNAL,
    RequestType.SKIP_ROLLBACK,
)
_HOOKS: Mapping[str, Iterable[Act]] = {
    "run": [act for act in Act if act is not Act.CANNOT_LOOK],
    "rollback": [act for act in Act if act is not Act.CANNOT_LOOK],
    "look": (
        Act.SUCCEED,
        Act.RETRYABLE,
        Act.THROTTLED,
        Act.FATAL,
        Act.CANNOT_LOOK,
        Act.HANG,
        Act.STUCK,
    ),
    "watch": (Act.SUCCEED, Act.RETRYABLE, Act.FATAL, Act.CANNOT_LOOK, Act.HANG, Act.STUCK),
}
_OTHERS = (
    "callback Delivered",
    "callback Retry",
    "callback Dropped",
    "callback AnswerLost",
    "save Lost to another owner",
    "save Late",
    "late run refused outside",
    "late effect outside",
    "call in a stale epoch",
    "recovery crashed",
    "process unhealthy",
    "interrupted again",
    "interrupted too often",
    "found to kill its process",
    "pivot committed",
    "deadline passed",
    "attempt timed out",
    "parked",
    "parked for a person",
    "undone without a slot",
    "workflow removed",
    "workflow orphaned",
    "over age Success",
    "over age RollBacked",
    "over age Failed",
    "FIFO admission",
    "FAIR admission",
    "kind unavailable",
    "refused above a ceiling",
    "gone on above a ceiling",
    "condition on a status",
)


class Coverage:
    """Counts by name; those of several plays add up."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self.counts: Counter[str] = Counter(counts or {})

    def met(self, what: str) -> None:
        """It occurred."""
        self.counts[what] += 1

    def add(self, other: Mapping[str, int]) -> None:
        """Count what another play met."""
        self.counts.update(other)

    def missing(self, more: Sequence[str] = ()) -> list[str]:
        """What must occur, with `more`, and never did."""
        return [name for name in (*expected(), *more) if not self.counts[name]]

    def table(self, more: Sequence[str] = ()) -> str:
        """All counts, what must occur first."""
        names = dict.fromkeys((*expected(), *more, *sorted(self.counts)))
        width = max(map(len, names))
        return "\n".join(f"{name:<{width}}  {self.counts[name]:>9,}" for name in names)


def expected() -> list[str]:
    """Everything that must occur in a thousand seeds."""
    names = [move("workflow", m.before, m.after) for m in WORKFLOW]
    names += [move("step", m.before, m.after) for m in STEP]
    names += [f"request {type_} {Verdict.APPLIED}" for type_ in RequestType]
    names += [f"request {type_} {Verdict.REFUSED}" for type_ in RequestType]
    names += [f"request {type_} {Verdict.NO_EFFECT}" for type_ in _NO_EFFECT]
    names += [f"{hook} {act}" for hook, acts in _HOOKS.items() for act in acts]
    names += [f"fault {Point.SAVE} {wrong}" for wrong in Wrong]
    crashes = (Wrong.CRASH_BEFORE, Wrong.CRASH_AFTER)
    names += [f"fault {point} {w}" for point in Point if point is not Point.SAVE for w in crashes]
    names += [f"happening {what}" for what in What]
    return [*dict.fromkeys(names), *_OTHERS]


def move(what: str, before: str, after: str) -> str:
    """The name of a transition."""
    return f"{what} {before} -> {after}"
