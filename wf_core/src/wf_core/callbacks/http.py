"""Sending one callback over HTTP, once. Repeats are the courier's."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wf_core.addresses import AddressRefused, Allowed
from wf_core.errors import ConfigInvalid
from wf_core.hosts import host_allowed
from wf_core.ports import Clock, Delivered, Delivery, Receipt

if TYPE_CHECKING:  # httpx takes longer to import than most commands take to run
    import httpx

    from wf_core.callbacks.signature import Master, Signer
    from wf_core.config import Config

MAX_ANSWER = 16 * 1024
"""Bytes of an answer that are read, so that the connection can be used again; nobody needs more."""

MOST_OPEN = 64
"""Connections that may be open: those in use, and above them those kept for another use. Every
port is a receiver of its own, so a workflow each would otherwise leave thousands idle."""

_ALLOW = "in callbacks.allowedHosts, or set callbacks.publicOnly: false"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class HttpSender:
    """Posts callbacks as JSON; the sender of `wf_core.ports.CallbackSender`.

    Raises `ConfigInvalid` at once where the secret's file is missing or unusable. One client serves
    all receivers; it is made when first needed and closed when nothing was sent for the idle time.
    """

    def __init__(self, config: "Config", clock: Clock, *, public_only: bool = False) -> None:
        """`clock`: what people's clocks say now, since receivers refuse what was signed long before
        or after theirs. `public_only`: whether addresses are judged where neither
        `callbacks.publicOnly` nor a list of hosts says so."""
        self._timeout = config.rpc_timeout_mill_seconds / 1000
        self._idle = config.idle_timeout_mill_seconds / 1000
        self._allowed = config.callbacks.allowed_hosts
        said = config.callbacks.public_only
        # Who lists hosts has judged them; a list beside `publicOnly: true` is judged all the same.
        usual = public_only and self._allowed is None
        self._public_only = usual if said is None else said
        self._clock = clock
        self._signer = _signer(config)
        self._client: httpx.AsyncClient | None = None
        self._sending = 0
        self._expiry: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, delivery: Delivery) -> Receipt:
        """One attempt, which takes no longer than the request timeout."""
        import httpx

        try:
            url = httpx.URL(delivery.url)
        except httpx.InvalidURL as error:
            return _refused(f"spec.callback.url is no address: {error}")
        if url.scheme not in ("http", "https") or not url.host:
            return _refused("spec.callback.url must begin with http:// or https:// and a host")
        host = url.raw_host.decode("ascii")
        if not host_allowed(host, self._allowed):
            return _refused(
                f"the host {host!r} may not be called;"
                " the operator can add it to callbacks.allowedHosts"
            )
        self._begin()
        try:
            return await self._post(self._open(), url, delivery)
        finally:
            self._end()

    async def close(self) -> None:
        """Close connections. The sender can be used again afterwards."""
        self._stop_timer()
        self._let_go()
        while self._closing:
            await asyncio.gather(*self._closing)

    async def _post(
        self, client: "httpx.AsyncClient", url: "httpx.URL", delivery: Delivery
    ) -> Receipt:
        import httpx

        from wf_core.callbacks.backend import TENANT
        from wf_core.callbacks.verdict import judge

        namespace = str(delivery.body["namespace"])
        TENANT.set(namespace)
        content = msgspec.json.encode(delivery.body)
        headers = {"content-type": "application/json", "user-agent": "wf", **delivery.trace}
        if self._signer is not None:
            now = self._clock.now()
            headers |= self._signer.headers(namespace, delivery.event_id, content, now)
        receipt = None
        try:
            async with (
                asyncio.timeout(self._timeout),
                client.stream("POST", url, content=content, headers=headers) as answer,
            ):
                receipt = judge(
                    answer.status_code,
                    answer.headers.get("retry-after"),
                    ignore_not_found=delivery.ignore_not_found,
                    now=self._clock.now(),
                )
                await _drain(answer)
        except TimeoutError:
            # The status is the answer: a body that never ends takes nothing back.
            return receipt or _repeat(f"no answer within {self._timeout:g} s")
        except AddressRefused as refused:
            return _repeat(f"{refused}; the operator can allow it: name the host {_ALLOW}")
        except (httpx.HTTPError, OSError) as error:
            return receipt or _repeat(_reason(error))
        return receipt

    def _open(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx

            from wf_core.callbacks.backend import client

            # No proxy where addresses are judged: what it connects to can't be judged here.
            self._client = client(
                Allowed() if self._public_only else None,
                httpx.Limits(max_keepalive_connections=MOST_OPEN, keepalive_expiry=self._idle),
                proxies=not self._public_only and _behind_proxy(),
            )
        return self._client

    def _begin(self) -> None:
        self._sending += 1
        self._stop_timer()

    def _end(self) -> None:
        self._sending -= 1
        if self._sending == 0:
            # The pool of httpx closes what is idle at the next request only; there may be none.
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(self._idle, self._let_go)

    def _stop_timer(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            task = asyncio.get_running_loop().create_task(client.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _signer(config: "Config") -> "Signer | None":
    found = masters(config)
    if not found:
        return None
    from wf_core.callbacks.signature import Signer

    return Signer(found)


def masters(config: "Config") -> "list[Master]":
    """The master secrets that the configuration names, the new one first. Raises ConfigInvalid."""
    said = config.callbacks
    if said.secret_file is None and said.old_secret_file is None:
        return []
    from wf_core.callbacks.signature import Master

    if said.secret_file is None:
        raise ConfigInvalid(
            "callbacks.oldSecretFile: is given without secretFile; name the new secret there"
        )
    named = [("callbacks.secretFile", said.secret_file)]
    if said.old_secret_file is not None:
        named.append(("callbacks.oldSecretFile", said.old_secret_file))
    return [Master.from_file(setting, Path(file)) for setting, file in named]


def _behind_proxy() -> bool:
    """Whether the surroundings name a proxy. Only then is anything taken from them."""
    return any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES)


async def _drain(answer: "httpx.Response") -> None:
    """Read what a well-behaved receiver says; what is longer costs it the connection."""
    size = 0
    async for chunk in answer.aiter_raw():
        size += len(chunk)
        if size > MAX_ANSWER:
            return


def _reason(error: Exception) -> str:
    from wf_core.certificates import not_accepted

    return not_accepted(error) or f"{type(error).__name__}: {error}".rstrip(": ")


def _refused(error: str) -> Receipt:
    return Receipt(Delivered.DROPPED, error)


def _repeat(error: str) -> Receipt:
    return Receipt(Delivered.RETRY, error)
