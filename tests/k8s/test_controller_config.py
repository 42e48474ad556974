"""What the configuration says of a cluster holds: rates, times, places."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from tests.core.callbacks.receiver import answers, receiving
from tests.core.callbacks.sending import delivery
from tests.k8s.store_fixtures import Stores

from wf_core.adapters.clock import SystemClock
from wf_core.config import CallbackConfig, Config
from wf_core.errors import StoreUnavailable
from wf_core.plugins import Registry
from wf_k8s.client.access import Access
from wf_k8s.client.pace import Throttle
from wf_k8s.client.session import Session
from wf_k8s.client.shared import session_of
from wf_k8s.controller import wiring
from wf_k8s.controller.options import Options
from wf_k8s.leadership.leadership import Leadership, Timing
from wf_k8s.leadership.lease import Lease

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def nobody(method: str, code: str, seconds: float) -> None:
    """Nobody wants to know of answers."""


def test_fault_16_rate_and_times_reach_the_client(tmp_path: Path) -> None:
    config = Config(throttle_qps=7, rpc_timeout_mill_seconds=300, idle_timeout_mill_seconds=400)
    options = Options(config, tmp_path / "kubeconfig", namespaces=("orders",))

    async def main() -> None:
        lease = wiring.lease_session(options, nobody)
        clock = SystemClock()
        leadership = Leadership(
            Lease(lease, config.namespace, options.lease),
            "me",
            Timing(),
            wall=clock.now,
            monotonic=asyncio.get_running_loop().time,
        )
        session = wiring.store(options, leadership, clock, nobody).objects.session
        assert (lease.timeout, session.timeout) == (0.3, 0.3)
        loop = asyncio.get_running_loop()
        await session.throttle.turn()
        first = loop.time()
        await session.throttle.turn()
        assert loop.time() - first > 0.1
        of_a_plugin = session_of(options.address)
        assert of_a_plugin is not session
        assert of_a_plugin.throttle is session.throttle, "one budget for all of a process"
        with pytest.raises(StoreUnavailable, match="does not lead"):
            await of_a_plugin.request("POST", "/api/v1/namespaces/orders/pods")
        assert wiring.access(options).idle == 0.4

    asyncio.run(main())


def test_throttle_qps_is_for_requests_of_all_kinds_together(stores: Stores) -> None:
    async def main() -> None:
        session = Session(Access("", str(stores.kubeconfig)), throttle=Throttle(5))
        paths = ["/version", "/api/v1/namespaces", "/apis"] * 5
        try:
            await session.request("GET", "/version")  # the way in is open
            await asyncio.sleep(1.1)
            began = time.monotonic()
            await asyncio.gather(*(session.request("GET", path) for path in paths))
            took = time.monotonic() - began
        finally:
            await session.close()
        assert took > 1.9  # five at once, then ten at five a second

    asyncio.run(main())


def test_a_connection_that_lies_idle_is_closed(tmp_path: Path) -> None:
    """Counted by a server that answers everything."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        file = tmp_path / "kubeconfig"
        document = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "current-context": "c",
        }
        file.write_text(json.dumps(document))
        session = Session(Access("", str(file), idle=0.3))
        try:
            for _ in range(3):
                await session.request("GET", "/version")
            assert connections == 1
            await asyncio.sleep(0.7)
            await session.request("GET", "/version")
            assert connections == 2
        finally:
            await session.close()
            server.close()

    asyncio.run(main())


def test_f_callbacks_are_signed_at_what_the_machines_clock_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller may stand by for weeks before it leads; a receiver refuses what is five minutes
    off."""
    (tmp_path / "secret").write_text("wfmaster_c2VjcmV0")
    callbacks = CallbackConfig(secret_file=str(tmp_path / "secret"), public_only=False)
    options = Options(Config(callbacks=callbacks), tmp_path / "kubeconfig", namespaces=("orders",))
    real = time.time

    async def main() -> list[int]:
        clock = SystemClock()
        leadership = Leadership(
            Lease(wiring.lease_session(options, nobody), "orders", options.lease),
            "me",
            Timing(),
            wall=clock.now,
            monotonic=asyncio.get_running_loop().time,
        )
        store = wiring.store(options, leadership, clock, nobody)
        sender = wiring.engine(options, store, Registry.of([]), clock, None)._sender
        monkeypatch.setattr(time, "time", lambda: real() + 3600)
        async with receiving(answers(200)) as receiver:
            await sender.send(delivery(receiver.url()))
            await sender.close()
            return [int(each.headers["webhook-timestamp"]) for each in receiver.got]

    before = real()
    (signed,) = asyncio.run(main())
    assert signed - before >= 3599
