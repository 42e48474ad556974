"""Who is called back: a real HTTP server that writes down what comes, and is unkind at times."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
from tests.campaign.listening import listening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@attrs.frozen
class Delivery:
    """A callback that came, whatever it was answered."""

    uid: str
    seq: int
    event: str
    step: str | None


class Receiver:
    """Of a hundred callbacks `busy` and `broken` are refused, and `silent` are taken while the
    connection breaks off before the answer: whoever sent them can't know."""

    def __init__(self, chance: random.Random, busy: int = 1, broken: int = 2, silent: int = 2):
        answers: dict[bytes, int] = {OK: 100 - busy - broken - silent}
        answers |= {BUSY: busy, BROKEN: broken, b"": silent}
        self._answers = [answer for answer, share in answers.items() for _ in range(share)]
        self._chance = chance
        self.came: list[Delivery] = []
        self.refused = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = (
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                body = json.loads(await reader.readexactly(next(lengths)))
                answer = self._chance.choice(self._answers)
                if answer in (BUSY, BROKEN):
                    self.refused += 1
                else:
                    uid, _, seq = body["eventId"].rpartition("/")
                    self.came.append(Delivery(uid, int(seq), body["type"], body["step"]))
                if not answer:
                    return
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # a controller was killed in the midst of it
        finally:
            writer.close()


@asynccontextmanager
async def receiving(chance: random.Random) -> AsyncIterator[Receiver]:
    """A receiver at a free port of this machine."""
    receiver = Receiver(chance)
    async with listening(receiver.serve) as address:
        receiver.url = f"{address}/called"
        yield receiver
