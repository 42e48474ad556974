"""One connection: to exactly the address that was judged, and bounded in every wait."""

import errno
import os
import selectors
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Self

from wf_core.adapters.tenant_threads import addresses
from wf_core.addresses import AddressRefused, Allowed, judged
from wf_core.certificates import not_accepted
from wf_http.patience import Patience
from wf_http.problems import Unsent, Unusable

ALLOW = "WF_HTTP_ALLOW"
"""The operator's variable: hosts, `*.example.com`, addresses and networks, with commas between."""

_PIECE = 64 * 1024


class Connection:
    """An open connection, with TLS where `context` is given. Made by `connect`."""

    def __init__(self, of: socket.socket, patience: Patience) -> None:
        self._socket = of
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Speak TLS from here on, with a server that can prove to be `name`."""
        wrapped = context.wrap_socket(
            self._socket, server_hostname=name, do_handshake_on_connect=False
        )
        self._socket = wrapped
        while True:
            try:
                return wrapped.do_handshake()
            except ssl.SSLWantReadError:
                self._patience.for_socket(wrapped, selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._patience.for_socket(wrapped, selectors.EVENT_WRITE)

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._patience.for_socket(self._socket, selectors.EVENT_WRITE)
            except ssl.SSLWantReadError:
                self._patience.for_socket(self._socket, selectors.EVENT_READ)

    def receive(self) -> bytes:
        """What comes next; empty at the end. Raises OSError."""
        while True:
            self._patience.left()  # a server that always has more must not keep us from looking
            try:
                return self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._patience.for_socket(self._socket, selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._patience.for_socket(self._socket, selectors.EVENT_WRITE)


def connect(
    host: str,
    port: int,
    tls: tuple[ssl.SSLContext, str] | None,
    allowed: Allowed,
    patience: Patience,
    namespace: str,
) -> Connection:
    """Look `host` up, judge what it has, connect. `tls`: the context, and the server's name.
    `namespace`: whose threads look it up.

    Raises Unusable where it may not be called, Unsent where no connection comes about, and what
    `patience` raises.
    """
    try:
        permitted = judged(host, _look_up(host, patience, namespace), allowed)
    except AddressRefused as refused:
        raise Unusable(f"{refused}; the operator can allow it: {ALLOW}={host}") from None
    connection = Connection(_reach(permitted, port, patience), patience)
    if tls is not None:
        try:
            connection.secure(*tls)
        except OSError as error:
            connection.__exit__()
            raise Unsent(f"no TLS with {host}: {_reason(error)}") from None
        except BaseException:
            connection.__exit__()
            raise
    return connection


def _look_up(host: str, patience: Patience, namespace: str) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        return patience.for_work(namespace, lambda: addresses(host))
    except (OSError, UnicodeError) as error:
        raise Unsent(f"the name {host} can't be looked up: {_reason(error)}") from None


def _reach(found: Sequence[str], port: int, patience: Patience) -> socket.socket:
    """The first of the addresses that answers."""
    failed: list[str] = []
    for address in found:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            failed.append(f"{address}: {_reason(error)}")
            continue
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _finish(opened, address, port, patience)
            return opened
        except OSError as error:
            opened.close()
            failed.append(f"{address}: {_reason(error)}")
        except BaseException:
            opened.close()
            raise
    raise Unsent(f"no connection to port {port} of {'; '.join(failed)}")


def _finish(opened: socket.socket, address: str, port: int, patience: Patience) -> None:
    code = opened.connect_ex((address, port))
    if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
        patience.for_socket(opened, selectors.EVENT_WRITE)
        code = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _reason(error: Exception) -> str:
    told = not_accepted(error) or getattr(error, "strerror", None)
    return told or str(error) or type(error).__name__
