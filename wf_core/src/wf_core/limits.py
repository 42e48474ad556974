"""Who may call a hook now: slots and tokens, overall and by kind (semantics E1, E2). Pure.

A refused holder waits in line. Slots that become free are put aside for those who wait before
anybody new can take them, so nobody is overtaken; `ready` says for whom, and the holder's next turn
either takes what was put aside or lets it go (`settle`).

How the engine uses it: `take` within a turn, `settle(holder)` right after the turn, then `ready`;
`ready` again at `next_token_at`.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping

import attrs

from wf_core.errors import EngineError
from wf_core.model.phases import PermitClass
from wf_core.ranking import Ranking

_ROLLBACK = PermitClass.ROLLBACK
_CLASSES = tuple(PermitClass)


def _line(cls: PermitClass, opens: bool) -> int:
    """The number of a line: by class, and what opens an attempt apart from what does not."""
    return 2 * cls + opens


@attrs.frozen
class KindLimits:
    """The limits of one kind: calls a second, calls at once, open attempts. None is no limit."""

    qps: float | None = None
    concurrency: int | None = None
    max_active: int | None = None


def reserve(limit: int) -> int:
    """How much of a limit is kept for rollbacks (semantics E2)."""
    return max(1, limit // 10) if limit >= 2 else 0


def pool_size(concurrency: int) -> int:
    """How many threads serve `concurrency` hook calls at once."""
    return concurrency + reserve(concurrency)


class _Slots:
    """A limit on what goes on at once. Runs and watches leave the reserve alone."""

    __slots__ = ("limit", "ordinary", "ordinary_limit", "total")

    def __init__(self, limit: int | None) -> None:
        self.limit = math.inf if limit is None else limit
        self.ordinary_limit = math.inf if limit is None else limit - reserve(limit)
        self.total = self.ordinary = 0

    def room(self, cls: PermitClass) -> bool:
        if self.total >= self.limit:
            return False
        return cls is _ROLLBACK or self.ordinary < self.ordinary_limit

    def add(self, cls: PermitClass) -> None:
        self.total += 1
        if cls is not _ROLLBACK:
            self.ordinary += 1

    def remove(self, cls: PermitClass) -> None:
        self.total -= 1
        if cls is not _ROLLBACK:
            self.ordinary -= 1

    def short(self, what: str) -> str:
        """What is used up: `3 of 3 calls are running`, and what is kept back where that is why."""
        if self.total >= self.limit:
            return f"{self.total} of {self.limit} {what} are running"
        kept = f"{self.limit - self.ordinary_limit:g} kept for rollbacks"
        return f"{self.ordinary} of {self.ordinary_limit} {what} are running, {kept}"


class _Waiter:
    """One holder's wish for one sort of permit. `called`: its permit is put aside."""

    __slots__ = ("called", "cls", "holder", "kind", "line", "listed", "opens", "seq")

    def __init__(self, holder: str, kind: "_Kind", cls: PermitClass, opens: bool, seq: int) -> None:
        self.holder = holder
        self.kind = kind
        self.cls = cls
        self.opens = opens
        self.seq = seq
        self.line = _line(cls, opens)
        self.called = self.listed = False


class _Kind:
    """One kind's slots, open attempts, token and lines."""

    __slots__ = ("claimed", "lines", "max_open", "name", "open", "period", "slots", "token_at")

    def __init__(self, name: str, limits: KindLimits) -> None:
        self.name = name
        self.slots = _Slots(limits.concurrency)
        self.open = 0
        self.max_open = limits.max_active
        self.period = None if limits.qps is None else 1 / limits.qps
        self.token_at = -math.inf
        self.claimed = False
        # What opens an attempt waits apart from what does not: a look must not stand behind
        # attempts that wait for the very one it could end.
        self.lines: tuple[OrderedDict[str, _Waiter], ...] = tuple(
            OrderedDict() for _ in range(2 * len(_CLASSES))
        )

    def may_open(self, cls: PermitClass) -> bool:
        """Attempts are not told apart by class: the reserve is what no run or watch may fill."""
        if self.max_open is None:
            return True
        return self.open < self.max_open - (0 if cls is _ROLLBACK else reserve(self.max_open))

    def room(self, cls: PermitClass, opens: bool) -> bool:
        """Whether everything but a token is there."""
        return self.slots.room(cls) and (not opens or self.may_open(cls))

    def has_token(self, now: float) -> bool:
        return not self.claimed and now >= self.token_at

    def spend(self, now: float) -> None:
        """Take the bucket's one token: the next comes a period later, no rounding sooner."""
        self.claimed = False
        if self.period is not None:
            self.token_at = now + self.period
            if self.token_at - now < self.period:
                self.token_at = math.nextafter(self.token_at, math.inf)

    def best(self) -> _Waiter | None:
        """Who comes first of those that would need nothing but a token and an overall slot."""
        for cls in _CLASSES:
            found = None
            for opens in (False, True):
                line = self.lines[_line(cls, opens)]
                if line and self.room(cls, opens):
                    head = next(iter(line.values()))
                    if found is None or head.seq < found.seq:
                        found = head
            if found is not None:
                return found
        return None

    def rollback_waits(self) -> bool:
        """Whether a rollback waits that time or a slot will serve."""
        with_attempt = self.lines[_line(_ROLLBACK, True)] and self.may_open(_ROLLBACK)
        return bool(self.lines[_line(_ROLLBACK, False)] or with_attempt)


class Limits:
    """Every permit of one engine. Operations cost O(log kinds), whoever waits."""

    def __init__(self, concurrency: int, kinds: Mapping[str, KindLimits]) -> None:
        self._slots = _Slots(concurrency)
        self._kinds = {name: _Kind(name, limits) for name, limits in kinds.items()}
        self._seq = 0
        self._now = -math.inf
        self._waiters: dict[str, dict[tuple[str, int], _Waiter]] = {}
        self._called: dict[_Waiter, None] = {}
        # Kinds whose first waiter needs an overall slot at most, and those that wait for a token.
        self._movable: Ranking[str, tuple[PermitClass, int]] = Ranking()
        self._clocked: Ranking[str, float] = Ranking()

    def take(
        self, holder: str, kind: str, cls: PermitClass, now: float, *, opens: bool = False
    ) -> bool:
        """Take the permit of one call: an overall slot, a slot and a token of its kind and, with
        `opens`, one open attempt. All or none; a refused holder waits in line.

        `now` is epoch seconds and must not go back.
        """
        self._now = now
        wanted = self._kinds.get(kind) or self._add(kind)
        if self._waiters:
            self._call()
            waiter = self._waiters.get(holder, {}).get((kind, _line(cls, opens)))
            if waiter is not None:
                return waiter.called and self._grant(waiter)
        if not (self._room(cls) and wanted.room(cls, opens) and wanted.has_token(now)):
            self._wait(holder, wanted, cls, opens)
            return False
        self._occupy(wanted, cls, opens)
        wanted.spend(now)
        self._rank(wanted)
        return True

    def give(self, kind: str, cls: PermitClass) -> None:
        """The call ended. Raises EngineError where none was running."""
        given = self._kinds.get(kind)
        if given is None or given.slots.total < 1:
            raise EngineError(f"a permit of kind '{kind}' was given back that nobody holds")
        self._slots.remove(cls)
        given.slots.remove(cls)
        self._rank(given)

    def close(self, kind: str) -> None:
        """The attempt ended. Raises EngineError where none was open."""
        closed = self._kinds.get(kind)
        if closed is None or closed.open < 1:
            raise EngineError(f"an attempt of kind '{kind}' was closed that nobody opened")
        closed.open -= 1
        self._rank(closed)

    def reopen(self, kind: str) -> None:
        """An attempt was found open after a crash: it counts, even beyond the limit."""
        found = self._kinds.get(kind) or self._add(kind)
        found.open += 1
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

    def next_token_at(self, now: float) -> float | None:
        """When the first waiter that lacks only a token gets one (epoch seconds), or None."""
        self._now = now
        self._call()
        times = [
            kind.token_at
            for kind in self._kinds.values()
            if kind.name in self._clocked
            and (best := kind.best()) is not None
            and self._room(best.cls)
        ]
        return min(times, default=None)

    def explain(self, kind: str, cls: PermitClass, now: float) -> str:
        """One phrase: what a call of this kind and class lacks, and who has it."""
        wanted = self._kinds.get(kind) or _Kind(kind, KindLimits())
        if not self._slots.room(cls):
            users = ", ".join(
                f"{user.name} {user.slots.total}"
                for user in self._kinds.values()
                if user.slots.total
            )
            return f"a slot: {self._slots.short('hook calls')} ({users})"
        if not wanted.slots.room(cls):
            return f"a slot of kind '{kind}': {wanted.slots.short('calls')}"
        if wanted.claimed:
            return f"a token of kind '{kind}': the next is promised to another"
        if now < wanted.token_at:
            left = math.ceil((wanted.token_at - now) * 10) / 10
            return f"a token of kind '{kind}': the next comes in {left:g} s"
        if not self._room(cls):
            return "the only slot: a rollback waits for it"
        if not wanted.may_open(cls):
            most = f"{wanted.open} of {wanted.max_open}"
            return f"an attempt of kind '{kind}' to end: {most} are open"
        return "nothing: a permit is free"

    def _add(self, kind: str) -> _Kind:
        added = self._kinds[kind] = _Kind(kind, KindLimits())
        return added

    def _room(self, cls: PermitClass) -> bool:
        """Whether an overall slot is there; the only one goes to rollbacks first."""
        if not self._slots.room(cls):
            return False
        if self._slots.limit > 1 or cls is _ROLLBACK:
            return True
        return not any(kind.rollback_waits() for kind in self._kinds.values())

    def _wait(self, holder: str, kind: _Kind, cls: PermitClass, opens: bool) -> None:
        self._seq += 1
        waiter = _Waiter(holder, kind, cls, opens, self._seq)
        self._waiters.setdefault(holder, {})[kind.name, waiter.line] = waiter
        kind.lines[waiter.line][holder] = waiter
        self._rank(kind)

    def _call(self) -> None:
        """Put permits aside for those who wait, as far as they go, in the order of classes."""
        while (name := self._clocked.first()) is not None and self._clocked.rank(name) <= self._now:
            self._rank(self._kinds[name])
        while (name := self._movable.first()) is not None:
            kind = self._kinds[name]
            waiter = kind.best()
            # Where this class finds no room, those after it are of no better class.
            if waiter is None or not self._room(waiter.cls):
                return
            del kind.lines[waiter.line][waiter.holder]
            waiter.called = True
            self._called[waiter] = None
            self._occupy(kind, waiter.cls, waiter.opens)
            kind.claimed = kind.period is not None
            self._rank(kind)

    def _grant(self, waiter: _Waiter) -> bool:
        """Hand over what was put aside. The token counts from now, not from the promise."""
        self._unlist(waiter)
        waiter.kind.spend(self._now)
        self._rank(waiter.kind)
        return True

    def _leave(self, waiter: _Waiter) -> None:
        self._unlist(waiter)
        kind = waiter.kind
        if waiter.called:
            kind.claimed = False
            self._slots.remove(waiter.cls)
            kind.slots.remove(waiter.cls)
            kind.open -= waiter.opens
        else:
            del kind.lines[waiter.line][waiter.holder]
        self._rank(kind)

    def _unlist(self, waiter: _Waiter) -> None:
        self._called.pop(waiter, None)
        own = self._waiters[waiter.holder]
        del own[waiter.kind.name, waiter.line]
        if not own:
            del self._waiters[waiter.holder]

    def _occupy(self, kind: _Kind, cls: PermitClass, opens: bool) -> None:
        self._slots.add(cls)
        kind.slots.add(cls)
        kind.open += opens

    def _rank(self, kind: _Kind) -> None:
        """Put a kind where it belongs after a change."""
        best = kind.best() if self._waiters else None
        if best is None or kind.claimed:
            self._movable.discard(kind.name)
            self._clocked.discard(kind.name)
        elif kind.token_at > self._now:
            self._movable.discard(kind.name)
            self._clocked.put(kind.name, kind.token_at)
        else:
            self._clocked.discard(kind.name)
            self._movable.put(kind.name, (best.cls, best.seq))
