"""A sender with a configuration of the test's own, and what is sent by it."""

import asyncio
import contextlib
from typing import Any

from tests.core.callbacks.receiver import Behaviour, Receiver, receiving

from wf_core.adapters.clock import SystemClock
from wf_core.callbacks import HttpSender
from wf_core.config import CallbackConfig, Config
from wf_core.ports import Delivery, Receipt

BODY = {"namespace": "shop", "name": "example", "phase": "Success", "attributes": {"größe": 1}}


def sender(*, timeout: int = 240_000, idle: int = 60_000, **callbacks: Any) -> HttpSender:
    config = Config(
        rpc_timeout_mill_seconds=timeout,
        idle_timeout_mill_seconds=idle,
        callbacks=CallbackConfig(**callbacks),
    )
    return HttpSender(config, SystemClock())


def delivery(url: str, *, ignore_not_found: bool = True) -> Delivery:
    return Delivery(url, "uid-1/7", BODY, ignore_not_found)


def exchange(
    *behaviours: Behaviour, times: int = 1, ignore_not_found: bool = True, **options: Any
) -> tuple[list[Receipt], Receiver]:
    """Send `times` callbacks to a receiver of those behaviours."""

    async def main() -> tuple[list[Receipt], Receiver]:
        async with receiving(*behaviours) as receiver:
            under_test = sender(**options)
            what = delivery(receiver.url(), ignore_not_found=ignore_not_found)
            receipts = [await under_test.send(what) for _ in range(times)]
            await under_test.close()
            return receipts, receiver

    return asyncio.run(main())


def refused(url: str, **callbacks: Any) -> Receipt:
    async def main() -> Receipt:
        under_test = sender(**callbacks)
        receipt = await under_test.send(delivery(url))
        await under_test.close()
        return receipt

    return asyncio.run(main())


async def floods(_: Any, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
            await writer.drain()
