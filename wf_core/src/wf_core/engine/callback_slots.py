"""Who may send a callback now: slots that namespaces share (semantics F). For the loop's thread."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import attrs

from wf_core.ranking import Ranking
from wf_core.shares import THREE_FIFTHS, ByNeed

SLOTS = 32
HOST_SLOTS = 8
"""Requests at once: in all, and of one namespace to one host."""


@attrs.define(eq=False)
class _Host:
    """One receiver of one namespace: how many requests it has, and who waits, by arrival."""

    held: int = 0
    waiting: Ranking[int, int] = attrs.field(factory=Ranking)


@attrs.define(eq=False)
class _Tenant:
    """One namespace. `ready` ranks the hosts that could have another request."""

    held: int = 0
    hosts: dict[str, _Host] = attrs.field(factory=dict)
    ready: Ranking[str, int] = attrs.field(factory=Ranking)


class CallbackSlots:
    """Hands out the slots. The namespace that holds the least comes first, then the one that has
    waited longest, and each leaves room for the next, as with permits (semantics E6): receivers
    that hang, however many hosts they are, hold up their own namespace alone."""

    def __init__(self) -> None:
        self._held = 0
        self._arrived = 0
        self._tenants: dict[str, _Tenant] = {}
        self._turns: ByNeed[str, tuple[int, int]] = ByNeed(SLOTS)
        self._tickets: dict[int, asyncio.Future[None]] = {}

    @contextlib.asynccontextmanager
    async def slot(self, namespace: str, host: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        self._arrived += 1
        number, ticket = self._arrived, asyncio.get_running_loop().create_future()
        tenant = self._tenants.setdefault(namespace, _Tenant())
        of = tenant.hosts.setdefault(host, _Host())
        self._tickets[number] = ticket
        of.waiting.put(number, number)
        self._changed(namespace, host)
        try:
            await ticket
            yield
        finally:
            if self._tickets.pop(number, None) is not None:  # it was told to stop before its turn
                of.waiting.discard(number)
            else:
                self._hold(tenant, of, -1)
            self._changed(namespace, host)

    def _changed(self, namespace: str, host: str) -> None:
        """Rank a host and its namespace anew, and hand out what is free."""
        self._rank(namespace, host)
        while (next_ := self._turns.first(SLOTS - self._held)) is not None:
            tenant = self._tenants[next_]
            name = tenant.ready.first()
            assert name is not None, "a namespace without a host that is ready is not ranked"
            of = tenant.hosts[name]
            number = of.waiting.first()
            assert number is not None, "a host where nobody waits is not ready"
            of.waiting.discard(number)
            self._hold(tenant, of, 1)
            ticket = self._tickets.pop(number)
            if not ticket.done():  # else it was just told to stop, and gives the slot back
                ticket.set_result(None)
            self._rank(next_, name)

    def _hold(self, tenant: _Tenant, of: _Host, change: int) -> None:
        self._held += change
        tenant.held += change
        of.held += change

    def _rank(self, namespace: str, host: str) -> None:
        """Put both where they belong; forget what is empty."""
        tenant = self._tenants[namespace]
        of = tenant.hosts[host]
        number = of.waiting.first()
        if number is None or of.held >= HOST_SLOTS:
            tenant.ready.discard(host)
            if number is None and not of.held:
                del tenant.hosts[host]
        else:
            tenant.ready.put(host, number)
        first = tenant.ready.first()
        if first is None:
            self._turns.discard(namespace)
            if not tenant.hosts:
                del self._tenants[namespace]
        else:
            rank = (tenant.held, tenant.ready.rank(first))
            self._turns.put(namespace, THREE_FIFTHS.needs(tenant.held, SLOTS), rank)
