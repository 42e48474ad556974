"""Becoming the leader, staying it, and giving it up.

Expiry is judged by how long the Lease was seen unchanged on our own monotonic clock, never by the
times written in it: clocks of machines differ.
"""

import asyncio
import logging
from collections.abc import Callable

import attrs

from wf_core.errors import StoreUnavailable
from wf_k8s.leadership.lease import Lease
from wf_k8s.leadership.record import Record, created, released, renewed, taken

log = logging.getLogger("wf.leader")


@attrs.frozen
class Timing:
    """Seconds. Others may take over `duration` after the last renewal; a leader that could not
    renew for `deadline` stops; it renews, and a candidate looks, every `period`.

    A candidate begins at most a `period` after the leader released the Lease.
    """

    duration: float = 15.0
    deadline: float = 10.0
    period: float = 1.0

    def __attrs_post_init__(self) -> None:
        if not self.duration > self.deadline > self.period > 0:
            raise ValueError("a lease needs duration > deadline > period > 0")


class Leadership:
    """One candidate. `identity` is new in every process; `wall` gives epoch seconds, and
    `monotonic` seconds that go on while the process is stopped."""

    def __init__(
        self,
        lease: Lease,
        identity: str,
        timing: Timing,
        *,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.identity = identity
        self.transitions = 0
        self.timing = timing
        self._lease = lease
        self._wall = wall
        self._monotonic = monotonic
        self._record: Record | None = None  # as we wrote it, while we lead
        self._seen: tuple[Record, float] | None = None  # another's, and since when unchanged
        self._renewed_at: float | None = None

    @property
    def leads(self) -> bool:
        """Whether it may write now: false as soon as the deadline is over, whoever noticed."""
        return self._renewed_at is not None and self.left > 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        if self._renewed_at is None:
            return 0.0
        return self._renewed_at + self.timing.deadline - self._monotonic()

    @property
    def until_expiry(self) -> float:
        """Seconds until others may take over."""
        return max(0.0, self.left + self.timing.duration - self.timing.deadline)

    async def acquire(self) -> None:
        """Wait until this is the leader. Trouble is logged, once for each kind, and repeated."""
        said = ""
        while True:
            try:
                if await self.attempt():
                    return
                said = ""
            except StoreUnavailable as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("no look at the lease: %s", error)
            await asyncio.sleep(self.timing.period)

    async def attempt(self) -> bool:
        """Take the Lease if that may be. Raises StoreUnavailable."""
        record = await self._lease.read()
        # Counted from before the write, as its answer may come late, and from after the look, which
        # may have taken longer than the deadline: the first one has to find the API server.
        began = self._monotonic()
        if record is None:
            document = created(self._lease.name, self.identity, self.timing.duration, self._wall())
            return self._won(await self._lease.create(document), began)
        if record.holder == self.identity:
            # The answer to our own write was lost: others may have counted since then.
            document = renewed(record, self._wall())
        elif record.holder and not self._expired(record):
            await self._lease.note(record)
            return False
        else:
            document = taken(record, self.identity, self.timing.duration, self._wall())
        return self._won(await self._lease.replace(document), began)

    def _won(self, record: Record | None, began: float) -> bool:
        if record is None:
            return False
        self._record, self._renewed_at, self._seen = record, began, None
        self.transitions = record.transitions
        log.info("leading as '%s' (transition %d)", self.identity, record.transitions)
        return True

    def _expired(self, record: Record) -> bool:
        """Whether its holder let it stand for longer than it said it would."""
        now = self._monotonic()
        if self._seen is None or self._seen[0] != record:
            if self._seen is None or self._seen[0].holder != record.holder:
                log.info("standing by: '%s' leads", record.holder)
            self._seen = (record, now)
            return False
        # Our own duration where it is longer: a mistyped one must not make two leaders.
        return now - self._seen[1] > max(record.duration, self.timing.duration)

    async def keep(self) -> str:
        """Renew until the leadership is lost; why it is."""
        why = "no renewal was tried"
        while True:
            await asyncio.sleep(min(self.timing.period, max(0.0, self.left)))
            if self.left <= 0:
                return f"not renewed for {self.timing.deadline:g} s: {why}"
            try:
                async with asyncio.timeout(self.left):
                    other = await self.renew()
            except TimeoutError:
                why = "no answer in time"
            except StoreUnavailable as error:
                why = str(error)
                log.warning("the lease was not renewed: %s", error)
            else:
                if other is not None:
                    return f"'{other}' holds the lease"

    async def renew(self) -> str | None:
        """Renew once; who else holds the Lease, if somebody does. Raises StoreUnavailable."""
        assert self._record is not None
        began = self._monotonic()
        record = await self._lease.replace(renewed(self._record, self._wall()))
        if record is None:
            return await self._look()
        self._record, self._renewed_at = record, began
        return None

    async def confirm(self) -> bool:
        """Whether nobody else has held the Lease since it was won, asked now. Raises
        StoreUnavailable."""
        for _ in range(2):  # the first may meet a renewal that is under way
            began = self._monotonic()
            if not self.leads or await self.renew() is not None:
                return False
            if self._renewed_at is not None and self._renewed_at >= began:
                return True
        return False

    async def _look(self) -> str | None:
        """Somebody wrote to it, or it was deleted: go on only where it is still ours."""
        record = await self._lease.read()
        if record is None:
            # It begins again at the old count, since our claims are above that.
            began = self._monotonic()
            document = created(
                self._lease.name,
                self.identity,
                self.timing.duration,
                self._wall(),
                self.transitions,
            )
            record = await self._lease.create(document)
            if record is not None:
                self._record, self._renewed_at = record, began
            return None
        if record.holder == self.identity:
            self._record = record  # and it is renewed with the next try
            return None
        self._renewed_at = None
        return record.holder or "nobody"

    async def release(self) -> None:
        """Give it up, so that another begins at once. Where that fails it expires by itself."""
        if self._record is None or not self.leads:
            return
        record, self._renewed_at = self._record, None
        try:
            async with asyncio.timeout(self.timing.deadline / 2):
                if await self._lease.replace(released(record, self._wall())) is None:
                    log.warning("the lease changed meanwhile and was not released")
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("the lease was not released and expires by itself: %s", error)
