"""What one kind has, and who waits for it (semantics E1, E2, E6)."""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable

import attrs

from wf_core.limits.slots import ROLLBACK, Slots, change, reserve
from wf_core.model.phases import PermitClass
from wf_core.shares import THREE_FIFTHS

CLASSES = tuple(PermitClass)


def line_of(cls: PermitClass, opens: bool) -> int:
    """The number of a line: by class, and what opens an attempt apart from what does not."""
    return 2 * cls + opens


@attrs.frozen
class KindLimits:
    """The limits of one kind: calls a second, calls at once, open attempts. None is no limit."""

    qps: float | None = None
    concurrency: int | None = None
    max_active: int | None = None


class Waiter:
    """One holder's wish for one sort of permit. `called`: its permit is put aside."""

    __slots__ = ("called", "cls", "holder", "kind", "line", "listed", "opens", "seq", "tenant")

    def __init__(
        self, holder: str, tenant: str, kind: "Kind", cls: PermitClass, opens: bool, seq: int
    ) -> None:
        self.holder = holder
        self.tenant = tenant
        self.kind = kind
        self.cls = cls
        self.opens = opens
        self.seq = seq
        self.line = line_of(cls, opens)
        self.called = self.listed = False


Order = tuple[PermitClass, int, int]
"""Who comes first among kinds: by class, by when its tenant was served last, by when it came."""


Line = OrderedDict[str, OrderedDict[str, Waiter]]
"""Those who wait for one thing: tenants in turns, of each its holders in the order they came."""


class Kind:
    """One kind's slots, open attempts, token and lines."""

    __slots__ = (
        "claimed", "lines", "max_open", "name", "open", "opened", "period", "shared", "slots",
        "token_at",
    )  # fmt: skip

    def __init__(self, name: str, limits: KindLimits, shared: bool) -> None:
        self.name = name
        self.slots = Slots(limits.concurrency, shared)
        self.open = 0
        self.opened: Counter[str] = Counter()
        self.max_open = limits.max_active
        self.shared = shared and limits.max_active is not None
        self.period = None if limits.qps is None else 1 / limits.qps
        self.token_at = -math.inf
        self.claimed = False
        # What opens an attempt waits apart from what does not: a look must not stand behind
        # attempts that wait for the very one it could end.
        self.lines: tuple[Line, ...] = tuple(OrderedDict() for _ in range(2 * len(CLASSES)))

    def free_to_open(self, cls: PermitClass) -> float:
        """Attempts are not told apart by class: the reserve is what no run or watch may fill."""
        if self.max_open is None:
            return math.inf
        return self.max_open - self.open - (0 if cls is ROLLBACK else reserve(self.max_open))

    def may_open(self, cls: PermitClass, tenant: str) -> bool:
        free = self.free_to_open(cls)
        if free <= 0 or not self.shared or self.max_open is None:
            return free > 0
        kept = 0 if cls is ROLLBACK else reserve(self.max_open)
        return THREE_FIFTHS.needs(self.opened[tenant], self.max_open - kept) <= free

    def count_open(self, tenant: str, by: int) -> None:
        """One attempt more, or one less, is open."""
        self.open += by
        if self.shared:
            change(self.opened, tenant, by)

    def room(self, cls: PermitClass, tenant: str, opens: bool) -> bool:
        """Whether everything but a token is there."""
        return self.slots.room(cls, tenant) and (not opens or self.may_open(cls, tenant))

    def has_token(self, now: float) -> bool:
        return not self.claimed and now >= self.token_at

    def spend(self, now: float) -> None:
        """Take the bucket's one token: the next comes a period later, no rounding sooner."""
        self.claimed = False
        if self.period is not None:
            self.token_at = now + self.period
            if self.token_at - now < self.period:
                self.token_at = math.nextafter(self.token_at, math.inf)

    def best(
        self, order: "Callable[[Waiter], Order]", fits: Callable[[PermitClass, str], bool]
    ) -> Waiter | None:
        """Who comes first of those that `fits` lets pass and that need nothing else but a token.

        Of a line each tenant's first is asked, until one has room: whoever has none holds
        something, so they are fewer than the limits.
        """
        for cls in CLASSES:
            found = None
            for opens in (False, True):
                line = self.lines[line_of(cls, opens)]
                for tenant, holders in line.items():
                    if self.room(cls, tenant, opens) and fits(cls, tenant):
                        head = next(iter(holders.values()))
                        if found is None or order(head) < order(found):
                            found = head
                        break
            if found is not None:
                return found
        return None

    def join(self, waiter: Waiter) -> None:
        """Let it wait, behind those of its tenant."""
        line = self.lines[waiter.line]
        line.setdefault(waiter.tenant, OrderedDict())[waiter.holder] = waiter

    def part(self, waiter: Waiter) -> None:
        """Let it wait no longer."""
        line = self.lines[waiter.line]
        holders = line[waiter.tenant]
        del holders[waiter.holder]
        if not holders:
            del line[waiter.tenant]

    def rollback_waits(self) -> bool:
        """Whether a rollback waits that time or a slot will serve."""
        opening = self.lines[line_of(ROLLBACK, True)]
        return bool(self.lines[line_of(ROLLBACK, False)]) or any(
            self.may_open(ROLLBACK, tenant) for tenant in opening
        )
