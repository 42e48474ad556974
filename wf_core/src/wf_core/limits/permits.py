"""Who may call a hook now: slots and tokens, overall and by kind (semantics E1, E2, E6). Pure.

A refused holder waits in line. Slots that become free are put aside for those who wait before
anybody new can take them, so nobody is overtaken; `ready` says for whom, and the holder's next turn
either takes what was put aside or lets it go (`settle`).

Where permits are shared, holders belong to tenants, which are namespaces: within a class tenants
take turns, and none takes what must stay free for the next (E6). Where they are not, all holders
are of one tenant.

How the engine uses it: `take` within a turn, `settle(holder)` right after the turn, then `ready`;
`ready` again at `next_token_at`.
"""

import math
from collections import Counter
from collections.abc import Mapping

from wf_core.errors import EngineError
from wf_core.limits.kind import Kind, KindLimits, Order, Waiter, line_of
from wf_core.limits.slots import Slots, change, share_kept
from wf_core.model.phases import PermitClass
from wf_core.ranking import Ranking

ROLLBACK = PermitClass.ROLLBACK


class Limits:
    """Every permit of one engine. Operations cost O(log kinds), whoever waits; where tenants share
    them, O(kinds and limits)."""

    def __init__(
        self, concurrency: int, kinds: Mapping[str, KindLimits], *, shared: bool = False
    ) -> None:
        self._shared = shared
        self._slots = Slots(concurrency, shared)
        self._kinds = {name: Kind(name, limits, shared) for name, limits in kinds.items()}
        self._seq = 0
        # By class and tenant, of those who wait: how many, and when it was served last.
        self._wishes: Counter[tuple[PermitClass, str]] = Counter()
        self._served: dict[tuple[PermitClass, str], int] = {}
        self._now = -math.inf
        self._waiters: dict[str, dict[tuple[str, int], Waiter]] = {}
        self._called: dict[Waiter, None] = {}
        # Kinds whose first waiter needs an overall slot at most, and those that wait for a token.
        self._movable: Ranking[str, Order] = Ranking()
        self._clocked: Ranking[str, float] = Ranking()

    def take(
        self,
        holder: str,
        kind: str,
        cls: PermitClass,
        now: float,
        *,
        opens: bool = False,
        tenant: str = "",
    ) -> bool:
        """Take the permit of one call: an overall slot, a slot and a token of its kind and, with
        `opens`, one open attempt. All or none; a refused holder waits in line.

        `now` is epoch seconds and must not go back.
        """
        self._now = now
        wanted = self._kinds.get(kind) or self._add(kind)
        if self._waiters:
            self._call()
            waiter = self._waiters.get(holder, {}).get((kind, line_of(cls, opens)))
            if waiter is not None:
                return waiter.called and self._grant(waiter)
        room = self._room(cls, tenant) and wanted.room(cls, tenant, opens)
        if not (room and wanted.has_token(now)):
            self._wait(holder, tenant, wanted, cls, opens)
            return False
        self._occupy(wanted, cls, tenant, opens)
        wanted.spend(now)
        self._rank(wanted)
        return True

    def give(self, kind: str, cls: PermitClass, tenant: str = "") -> None:
        """The call ended. Raises EngineError where none was running."""
        given = self._kinds.get(kind)
        if given is None or given.slots.total < 1:
            raise EngineError(f"a permit of kind '{kind}' was given back that nobody holds")
        self._slots.change(cls, tenant, -1)
        given.slots.change(cls, tenant, -1)
        self._rank(given)

    def close(self, kind: str, tenant: str = "") -> None:
        """The attempt ended. Raises EngineError where none was open."""
        closed = self._kinds.get(kind)
        if closed is None or closed.open < 1:
            raise EngineError(f"an attempt of kind '{kind}' was closed that nobody opened")
        closed.count_open(tenant, -1)
        self._rank(closed)

    def reopen(self, kind: str, tenant: str = "") -> None:
        """An attempt was found open after a crash: it counts, even beyond the limit."""
        found = self._kinds.get(kind) or self._add(kind)
        found.count_open(tenant, 1)
        self._rank(found)

    def ready(self, now: float) -> list[str]:
        """The holders whose permits are put aside, in order and each once: let each have a turn.

        They are named again until they take, `settle` or are forgotten.
        """
        self._now = now
        self._call()
        for waiter in self._called:
            waiter.listed = True
        return list(dict.fromkeys(waiter.holder for waiter in self._called))

    def settle(self, holder: str) -> None:
        """The holder's turn is over: what `ready` promised it and it did not take is let go."""
        for waiter in list(self._waiters.get(holder, {}).values()):
            if waiter.called and waiter.listed:
                self._leave(waiter)

    def forget(self, holder: str) -> None:
        """The holder is gone: it waits for nothing. What it took is given back by `give`."""
        for waiter in list(self._waiters.get(holder, {}).values()):
            self._leave(waiter)

    def waiting(self) -> Mapping[str, int]:
        """How many holders wait for a permit, by kind."""
        return Counter(
            kind
            for waits in self._waiters.values()
            for kind in {kind for (kind, _), waiter in waits.items() if not waiter.called}
        )

    def next_token_at(self, now: float) -> float | None:
        """When the first waiter that lacks only a token gets one (epoch seconds), or None."""
        self._now = now
        self._call()
        times = [
            kind.token_at
            for kind in self._kinds.values()
            if kind.name in self._clocked and kind.best(self._order, self._room) is not None
        ]
        return min(times, default=None)

    def explain(self, kind: str, cls: PermitClass, now: float, tenant: str = "") -> str:
        """One phrase: what a call of this kind and class lacks, and who has it."""
        wanted = self._kinds.get(kind) or Kind(kind, KindLimits(), self._shared)
        if not self._slots.room(cls, tenant):
            users = ", ".join(
                f"{user.name} {user.slots.total}"
                for user in self._kinds.values()
                if user.slots.total
            )
            return f"a slot: {self._slots.short('hook calls', cls, tenant)} ({users})"
        if not wanted.slots.room(cls, tenant):
            return f"a slot of kind '{kind}': {wanted.slots.short('calls', cls, tenant)}"
        if wanted.claimed:
            return f"a token of kind '{kind}': the next is promised to another"
        if now < wanted.token_at:
            left = math.ceil((wanted.token_at - now) * 10) / 10
            return f"a token of kind '{kind}': the next comes in {left:g} s"
        if not self._room(cls, tenant):
            return "the only slot: a rollback waits for it"
        if not wanted.may_open(cls, tenant):
            most = f"{wanted.open} of {wanted.max_open} are open"
            if wanted.free_to_open(cls) > 0:
                own = wanted.opened[tenant]
                most = share_kept(tenant, own, wanted.free_to_open(cls), "are open")
            return f"an attempt of kind '{kind}' to end: {most}"
        return "nothing: a permit is free"

    def _add(self, kind: str) -> Kind:
        added = self._kinds[kind] = Kind(kind, KindLimits(), self._shared)
        return added

    def _room(self, cls: PermitClass, tenant: str) -> bool:
        """Whether an overall slot is there; the only one goes to rollbacks first."""
        if not self._slots.room(cls, tenant):
            return False
        if self._slots.limit > 1 or cls is ROLLBACK:
            return True
        return not any(kind.rollback_waits() for kind in self._kinds.values())

    def _wait(self, holder: str, tenant: str, kind: Kind, cls: PermitClass, opens: bool) -> None:
        self._seq += 1
        tenant = tenant if self._shared else ""
        waiter = Waiter(holder, tenant, kind, cls, opens, self._seq)
        self._waiters.setdefault(holder, {})[kind.name, waiter.line] = waiter
        # One that begins to wait comes behind those who wait: no turn is saved up.
        self._served.setdefault((cls, tenant), self._seq)
        self._wishes[cls, tenant] += 1
        kind.join(waiter)
        self._rank(kind)

    def _order(self, waiter: Waiter) -> Order:
        served = self._served[waiter.cls, waiter.tenant] if self._shared else 0
        return waiter.cls, served, waiter.seq

    def _next(self) -> Waiter | None:
        """Whose permit is put aside next, if anybody's."""
        if self._shared:
            kinds = [self._kinds[name] for name in self._movable]
            bests = [kind.best(self._order, self._room) for kind in kinds]
            return min((best for best in bests if best), key=self._order, default=None)
        # Where the first of all finds no room, those after it are of no better class.
        name = self._movable.first()
        return None if name is None else self._kinds[name].best(self._order, self._room)

    def _call(self) -> None:
        """Put permits aside for those who wait, as far as they go: by class, then tenants in
        turns, then in the order of asking."""
        while (name := self._clocked.first()) is not None and self._clocked.rank(name) <= self._now:
            self._rank(self._kinds[name])
        while (waiter := self._next()) is not None:
            kind = waiter.kind
            kind.part(waiter)
            waiter.called = True
            self._called[waiter] = None
            self._turn_over(waiter)
            self._occupy(kind, waiter.cls, waiter.tenant, waiter.opens)
            kind.claimed = kind.period is not None
            self._rank(kind)

    def _turn_over(self, waiter: Waiter) -> None:
        """Its tenant was served: others of the class and the line come before it is again."""
        self._seq += 1
        self._served[waiter.cls, waiter.tenant] = self._seq
        line = waiter.kind.lines[waiter.line]
        if waiter.tenant in line:
            line.move_to_end(waiter.tenant)

    def _grant(self, waiter: Waiter) -> bool:
        """Hand over what was put aside. The token counts from now, not from the promise."""
        self._unlist(waiter)
        waiter.kind.spend(self._now)
        self._rank(waiter.kind)
        return True

    def _leave(self, waiter: Waiter) -> None:
        self._unlist(waiter)
        kind = waiter.kind
        if waiter.called:
            kind.claimed = False
            self._slots.change(waiter.cls, waiter.tenant, -1)
            kind.slots.change(waiter.cls, waiter.tenant, -1)
            if waiter.opens:
                kind.count_open(waiter.tenant, -1)
        else:
            kind.part(waiter)
        self._rank(kind)

    def _unlist(self, waiter: Waiter) -> None:
        self._called.pop(waiter, None)
        wish = (waiter.cls, waiter.tenant)
        change(self._wishes, wish, -1)
        if wish not in self._wishes:
            del self._served[wish]
        own = self._waiters[waiter.holder]
        del own[waiter.kind.name, waiter.line]
        if not own:
            del self._waiters[waiter.holder]

    def _occupy(self, kind: Kind, cls: PermitClass, tenant: str, opens: bool) -> None:
        self._slots.change(cls, tenant, 1)
        kind.slots.change(cls, tenant, 1)
        if opens:
            kind.count_open(tenant, 1)

    def _rank(self, kind: Kind) -> None:
        """Put a kind where it belongs after a change."""
        best = kind.best(self._order, _anybody) if self._waiters else None
        if best is None or kind.claimed:
            self._movable.discard(kind.name)
            self._clocked.discard(kind.name)
        elif kind.token_at > self._now:
            self._movable.discard(kind.name)
            self._clocked.put(kind.name, kind.token_at)
        else:
            self._clocked.discard(kind.name)
            self._movable.put(kind.name, self._order(best))


def _anybody(_: PermitClass, __: str) -> bool:
    return True
