"""Every write that the API server accepted, in order and whole: read from etcd itself, beside the
API server, so that neither its restarts nor its caches leave anything out."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import attrs


@attrs.frozen
class Write:
    """`number` counts all writes of the cluster. `at`, in seconds of the monotonic clock, is when
    we were told: never before it was stored. `value` is None where the object was deleted."""

    number: int
    at: float
    key: str
    value: bytes | None


@asynccontextmanager
async def accepted(url: str, prefix: str, tell: Callable[[Write], None]) -> AsyncIterator[None]:
    """While this lasts `tell` gets each write of a key that begins with `prefix`. `url`: etcd's."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        answer = await session.post(f"{url}/v3/watch", data=json.dumps(_request(prefix)))
        answer.raise_for_status()
        following = asyncio.ensure_future(_follow(answer.content, tell))
        try:
            yield
            if following.done():
                following.result()  # it ends by itself for a fault alone
        finally:
            following.cancel()
            await asyncio.wait((following,))
            answer.close()


def _request(prefix: str) -> dict[str, object]:
    start = prefix.encode()
    end = start[:-1] + bytes([start[-1] + 1])
    return {
        "create_request": {
            "key": base64.b64encode(start).decode(),
            "range_end": base64.b64encode(end).decode(),
            "start_revision": 1,
            "fragment": True,
        }
    }


async def _follow(stream: aiohttp.StreamReader, tell: Callable[[Write], None]) -> None:
    rest = b""
    async for piece in stream.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        now = time.monotonic()
        for line in lines:
            for event in json.loads(line)["result"].get("events", ()):
                entry = event["kv"]
                gone = event.get("type") == "DELETE"
                tell(
                    Write(
                        int(entry["mod_revision"]),
                        now,
                        base64.b64decode(entry["key"]).decode(),
                        None if gone else base64.b64decode(entry["value"]),
                    )
                )
    raise EOFError("etcd ended the watch")
