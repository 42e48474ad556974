"""What is known of objects from the watch and from answers, in whatever order they come."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from wf_core.model.spec import Key
from wf_core.testing.virtual_time import run
from wf_k8s.client.follow import Follow
from wf_k8s.store import followed, mirror
from wf_k8s.store.followed import Followed
from wf_k8s.store.mirror import Mirror

LISTED = {"k8s.io/initial-events-end": "true"}


def thing(version: int, uid: str = "u1", name: str = "order", namespace: str = "a") -> bytes:
    """A workflow, of which others than workflows need the metadata alone."""
    named = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    step = {"name": "s", "stepTemplate": {"type": "random"}}
    made = {"creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    return json.dumps({"metadata": {**named, **made}, "spec": {"steps": [step]}}).encode()


class Watched:
    """A session whose watches tell what it is handed."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.session = self

    def chance(self, low: float, high: float) -> float:
        return (low + high) / 2

    async def pause(self, _failures: int, _at_least: float | None = None) -> None:
        await asyncio.sleep(1.0)

    async def collections(self) -> dict[str | None, str]:
        return {None: "/apis/x"}

    @asynccontextmanager
    async def stream(
        self,
        _path: str,
        _params: Mapping[str, str],
        *,
        silence: float,  # noqa: ARG002
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield await self._lines.get()

        yield pieces()

    async def tell(self, kind: str, body: bytes) -> None:
        """An event, taken before this returns."""
        event = {"type": kind, "object": json.loads(body)}
        self._lines.put_nowait(json.dumps(event).encode() + b"\n")
        await asyncio.sleep(0.1)

    async def tell_that_all_was_listed(self, version: int) -> None:
        meta = {"resourceVersion": str(version), "annotations": LISTED}
        await self.tell("BOOKMARK", json.dumps({"metadata": meta}).encode())

    async def list_anew(self) -> None:
        """The watch is refused for its age."""
        status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
        await self.tell("ERROR", json.dumps(status).encode())
        await asyncio.sleep(2.0)


class MirrorKnows:
    """The mirror of workflows."""

    def __init__(self, watched: Watched) -> None:
        follow = Follow(cast(Any, watched), "/apis/x")
        self.left = list[tuple[str, str]]()
        self._mirror = Mirror({None: follow}, {}, lambda _: None, self._leave, lambda _: None)
        self.accepted = self._mirror.accepted
        self._starting = asyncio.ensure_future(self._mirror.start())

    def _leave(self, key: Key, uid: str) -> None:
        self.left.append((key.name, uid))

    def names(self) -> set[str]:
        return {key.name for key in self._mirror.entries}

    def kept(self) -> set[str]:
        """Of which the bytes are there."""
        return {key.name for key, each in self._mirror.entries.items() if each.raw is not None}

    async def close(self) -> None:
        await self._mirror.close()
        await self._starting


class FollowedKnows:
    """Schedules, and tasks."""

    def __init__(self, watched: Watched) -> None:
        self._followed = Followed(cast(Any, watched), "schedules", lambda _: None)
        self.accepted = self._followed.accepted
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for _ in self._followed.changes(90.0):
            pass

    def names(self) -> set[str]:
        names = ("order", "other")
        return {name for name in names if Key("a", name) in vars(self._followed)["_held"]}

    def kept(self) -> set[str]:
        """Of which the bytes are there."""
        held = vars(self._followed)["_held"]
        return {key.name for key, each in held.items() if each.raw is not None}

    async def close(self) -> None:
        self._followed.close()
        await self._reading


Knows = type[MirrorKnows] | type[FollowedKnows]


@asynccontextmanager
async def knowing(knows: Knows) -> AsyncIterator[tuple[Watched, MirrorKnows | FollowedKnows]]:
    """One that has listed everything as of version 5: nothing."""
    watched = Watched()
    known = knows(watched)
    await watched.tell_that_all_was_listed(5)
    yield watched, known
    await known.close()


both = pytest.mark.parametrize("knows", [MirrorKnows, FollowedKnows])


@both
def test_an_answer_from_before_a_deletion_brings_nothing_back(knows: Knows) -> None:
    async def main() -> None:
        async with knowing(knows) as (watched, known):
            await watched.tell("ADDED", thing(6))
            await watched.tell("DELETED", thing(9))
            known.accepted(thing(7))
            assert known.names() == set()
            known.accepted(thing(11, "u2"))
            assert known.names() == {"order"}

    run(main())


@both
def test_an_answer_is_believed_before_the_watch_tells_of_it(knows: Knows) -> None:
    async def main() -> None:
        async with knowing(knows) as (watched, known):
            known.accepted(thing(6))
            assert known.names() == {"order"}
            await watched.tell("ADDED", thing(6))
            await watched.tell("DELETED", thing(7))
            assert known.names() == set()

    run(main())


@both
def test_a_list_takes_away_what_is_older_than_itself_and_leaves_what_is_younger(
    knows: Knows,
) -> None:
    async def main() -> None:
        async with knowing(knows) as (watched, known):
            await watched.tell("ADDED", thing(6))
            await watched.list_anew()
            known.accepted(thing(7))  # it was deleted as 8, while nobody watched
            known.accepted(thing(12, "u2", "other"))
            await watched.tell_that_all_was_listed(10)
            assert known.names() == {"other"}

    run(main())


def test_of_every_object_that_is_gone_its_uid_is_told_once() -> None:
    """Whether the watch tells of the deletion, of another object of its name, or of all but it."""

    async def main() -> None:
        async with knowing(MirrorKnows) as (watched, known):
            assert isinstance(known, MirrorKnows)
            await watched.tell("ADDED", thing(6))
            await watched.tell("DELETED", thing(7))
            await watched.tell("ADDED", thing(8, "u2"))
            await watched.tell("ADDED", thing(9, "u3"))
            assert known.left == [("order", "u1"), ("order", "u2")]
            await watched.list_anew()
            await watched.tell_that_all_was_listed(12)
            assert known.left == [("order", "u1"), ("order", "u2"), ("order", "u3")]

    run(main())


@both
def test_what_finds_no_room_is_known_and_read_when_it_is_needed(
    knows: Knows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mirror, followed):
        monkeypatch.setattr(module, "BYTES", 3 * len(thing(6)) + 60)

    async def main() -> None:
        async with knowing(knows) as (watched, known):
            await watched.tell("ADDED", thing(6, "q", "quiet", "b"))
            for n in range(4):
                await watched.tell("ADDED", thing(7 + n, f"u{n}", f"w{n}"))
            assert known.kept() == {"quiet", "w2", "w3"}
            await watched.tell("MODIFIED", thing(20, "u0", "w0"))
            await watched.tell("DELETED", thing(21, "u3", "w3"))
            assert known.kept() == {"quiet", "w0"}
            await watched.tell("ADDED", thing(22, "u9", "w9"))
            assert known.kept() == {"quiet", "w0", "w9"}

    run(main())
