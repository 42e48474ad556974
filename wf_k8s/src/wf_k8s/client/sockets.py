"""The sockets of one connector, so that none outlives it.

A TLS connection that is given up in the middle of an answer says goodbye and waits for the peer to
do the same. The connector no longer knows of it then, and a loop that ends first leaves it open.
"""

import asyncio
import contextlib
import socket
from typing import Any
from weakref import WeakSet

ROUNDS = 100
"""Rounds of the loop that the transports of cut sockets may take to notice; three or four do."""


class Sockets:
    """Makes sockets and remembers those that are open."""

    def __init__(self) -> None:
        self._open: WeakSet[socket.socket] = WeakSet()

    def make(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for an entry of `getaddrinfo`: what `aiohttp.TCPConnector(socket_factory=)`
        calls."""
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._open.add(made)
        return made

    @property
    def open(self) -> list[socket.socket]:
        """Those that are not closed."""
        return [each for each in self._open if each.fileno() != -1]

    async def cut(self) -> None:
        """Cut every connection that is still there, and let its transport close."""
        for each in self.open:
            with contextlib.suppress(OSError):  # it is not connected
                each.shutdown(socket.SHUT_RDWR)
        for _ in range(ROUNDS):
            if not self.open:
                return
            await asyncio.sleep(0)
