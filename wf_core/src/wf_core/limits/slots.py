"""A limit on what goes on at once: what of it is kept for rollbacks, and what one namespace may
take of it (semantics E2, E6)."""

import math
from collections import Counter
from typing import TypeVar

from wf_core.model.phases import PermitClass
from wf_core.shares import THREE_FIFTHS

ROLLBACK = PermitClass.ROLLBACK
Held = TypeVar("Held")


def reserve(limit: int) -> int:
    """How much of a limit is kept for rollbacks (semantics E2)."""
    return max(1, limit // 10) if limit >= 2 else 0


def pool_size(concurrency: int) -> int:
    """How many threads serve `concurrency` hook calls at once."""
    return concurrency + reserve(concurrency)


class Slots:
    """A limit on what goes on at once. Runs and watches leave the reserve alone, and a tenant
    leaves room for the next one where there is more than one."""

    __slots__ = ("held", "limit", "ordinary", "ordinary_limit", "shared", "total")

    def __init__(self, limit: int | None, shared: bool) -> None:
        self.limit = math.inf if limit is None else limit
        self.ordinary_limit = math.inf if limit is None else limit - reserve(limit)
        self.shared = shared and limit is not None
        self.total = self.ordinary = 0
        self.held: Counter[tuple[PermitClass, str]] = Counter()

    def free(self, cls: PermitClass) -> float:
        """How many a class may still take."""
        free = self.limit - self.total
        return free if cls is ROLLBACK else min(free, self.ordinary_limit - self.ordinary)

    def room(self, cls: PermitClass, tenant: str) -> bool:
        free = self.free(cls)
        return free > 0 and (not self.shared or self._needs(cls, tenant) <= free)

    def _needs(self, cls: PermitClass, tenant: str) -> int:
        limit = self.limit if cls is ROLLBACK else self.ordinary_limit
        return THREE_FIFTHS.needs(self.held[cls, tenant], int(limit))

    def change(self, cls: PermitClass, tenant: str, by: int) -> None:
        """One more, or one less, goes on."""
        self.total += by
        if cls is not ROLLBACK:
            self.ordinary += by
        if self.shared:
            change(self.held, (cls, tenant), by)

    def short(self, what: str, cls: PermitClass, tenant: str) -> str:
        """What is used up: `3 of 3 calls are running`, and what is kept back where that is why."""
        if self.free(cls) > 0:
            return share_kept(tenant, self.held[cls, tenant], self.free(cls), f"{what} are running")
        if self.total >= self.limit:
            return f"{self.total} of {self.limit} {what} are running"
        kept = f"{self.limit - self.ordinary_limit:g} kept for rollbacks"
        return f"{self.ordinary} of {self.ordinary_limit} {what} are running, {kept}"


def change(held: Counter[Held], who: Held, by: int) -> None:
    held[who] += by
    if not held[who]:
        del held[who]


def share_kept(tenant: str, held: int, free: float, what: str) -> str:
    return f"{held} {what} for namespace '{tenant}', and the {free:g} left are kept for others"
