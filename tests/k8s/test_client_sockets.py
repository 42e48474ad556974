"""What a session leaves open when it ends."""

import asyncio
from urllib.parse import urlsplit

import yaml
from tests.k8s.store_fixtures import Stores

from wf_k8s.client.access import Access
from wf_k8s.client.session import Session

WATCH = {
    "watch": "1",
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
}


class Relay:
    """Passes bytes on as they are, TLS and all, until it is told to be silent."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.silent = False
        self._writers: list[asyncio.StreamWriter] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there, back = await asyncio.open_connection(*self._upstream)
        self._writers += [writer, back]
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            if not self.silent:
                writer.write(piece)

    def close(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()


def test_no_connection_outlives_its_session_though_the_peer_is_silent(stores: Stores) -> None:
    view = yaml.safe_load(stores.kubeconfig.read_text())
    place = view["clusters"][0]["cluster"]
    upstream = urlsplit(place["server"])

    async def main() -> None:
        relay = Relay(upstream.hostname or "", upstream.port or 0)
        server = await asyncio.start_server(relay.connected, "127.0.0.1", 0)
        place["server"] = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        file = stores.folder / "relayed.kubeconfig"
        file.write_text(yaml.safe_dump(view))
        session = Session(Access("", str(file)))
        async with session.stream("/api/v1/namespaces", WATCH, silence=5.0) as pieces:
            assert await anext(pieces)
            relay.silent = True  # it does not even say goodbye
        door = await session.door()
        assert len(door.sockets.open) == 1
        await session.close()
        assert door.sockets.open == []
        relay.close()
        server.close()

    asyncio.run(main())
