"""Watching a collection in which nothing happens, and one that the API server does not give."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest

from wf_core.errors import StoreUnavailable
from wf_core.testing.virtual_time import run
from wf_k8s.client.errors import NoAnswerError, RefusedError, SilentError
from wf_k8s.client.follow import Change, Follow, Opened, Restarted, Synced, Trouble
from wf_k8s.client.session import Session
from wf_k8s.store.followed import Followed
from wf_k8s.store.mirror import Mirror
from wf_k8s.telemetry.health import Health
from wf_k8s.telemetry.metrics import Metrics

LISTED = (
    b'{"type":"BOOKMARK","object":{"kind":"Workflow","apiVersion":"a/v1","metadata":'
    b'{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}}}}\n'
)
MISSING = RefusedError(404, "", "the server could not find the requested resource", what="list")


class Quiet:
    """A session whose watches end as `ends` says, each after an hour; the first one lists."""

    def __init__(self, *ends: Exception) -> None:
        self._ends = list(ends)

    def chance(self, low: float, high: float) -> float:
        return (low + high) / 2

    async def pause(self, _failures: int, at_least: float | None = None) -> None:
        await asyncio.sleep(max(1.0, at_least or 0.0))

    @asynccontextmanager
    async def stream(
        self, _path: str, params: Mapping[str, str], *, silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        assert silence
        listing = "sendInitialEvents" in params

        async def pieces() -> AsyncIterator[bytes]:
            if listing:
                yield LISTED
            await asyncio.sleep(3600)
            raise self._ends.pop(0) if self._ends else SilentError("watch", "nothing came")

        yield pieces()


def changes(seconds: float, *ends: Exception) -> list[Change]:
    """What following tells within that time."""

    async def main() -> list[Change]:
        told: list[Change] = []
        follow = Follow(cast(Session, Quiet(*ends)), "/apis/x")
        try:
            async with asyncio.timeout(seconds):
                async with aclosing(follow.changes()) as changes:
                    async for change in changes:
                        told.append(change)
        except TimeoutError:
            pass
        return told

    return run(main())


def test_a_watch_in_which_nothing_happens_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        told = changes(5 * 3600)
    assert [type(each) for each in told] == [Restarted, Opened, Synced, *[Opened] * 4]
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_another_end_of_a_watch_is_told() -> None:
    (trouble,) = [
        each for each in changes(5000, NoAnswerError("w", "broke")) if type(each) is Trouble
    ]
    assert "broke" in str(trouble.error)


class Told:
    """Follows nothing: what it tells is handed in."""

    take: Callable[[Change], None]
    broke: Callable[[StoreUnavailable], None]

    async def supervise(
        self, take: Callable[[Change], None], broke: Callable[[StoreUnavailable], None]
    ) -> None:
        self.take, self.broke = take, broke
        await asyncio.Event().wait()


async def ready(health: Health) -> str:
    page = await health.pages()["/readyz"]()
    return page.body.decode().strip()


def test_readyz_fails_until_the_first_list_came_and_while_a_definition_is_missing() -> None:
    async def main() -> None:
        told = Told()
        follows: dict[str | None, Any] = {None: told}
        mirror = Mirror(follows, {}, lambda _: None, lambda *_: None, lambda _: None)
        health = Health(Metrics())
        health.unready, health.lacking = "", lambda: mirror.lacking
        starting = asyncio.ensure_future(mirror.start())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert "are being read" in await ready(health)
        told.take(Trouble(MISSING))
        assert "could not find the requested resource" in await ready(health)
        with pytest.raises(RefusedError):
            await starting
        for change in (Restarted(), Opened()):
            told.take(change)
        assert "are being read" in await ready(health)
        told.take(Synced())
        assert await ready(health) == "ok"
        told.take(Trouble(NoAnswerError("watch", "broke")))
        assert await ready(health) == "ok"
        told.take(Trouble(MISSING))
        assert "could not find the requested resource" in await ready(health)
        told.take(Opened())
        assert await ready(health) == "ok"
        await mirror.close()

    run(main())


class Lacking(Quiet):
    """A session to an API server that does not know the kind, until it is defined."""

    defined = False

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], *, silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        if not self.defined:
            raise MISSING
        async with super().stream(path, params, silence=silence) as pieces:
            yield pieces


class Collections:
    """The objects of one kind."""

    def __init__(self, session: Lacking) -> None:
        self.session = session

    async def collections(self) -> dict[str | None, str]:
        return {None: "/apis/x"}


def test_schedules_and_tasks_whose_definition_is_missing_are_lacking_while_followed() -> None:
    async def main() -> None:
        session = Lacking()
        followed = Followed(cast(Any, Collections(session)), "schedules", lambda _: None)
        assert followed.lacking == ""
        following = asyncio.ensure_future(anext(followed.changes(90.0)))
        await asyncio.sleep(10)
        assert "could not find the requested resource" in followed.lacking
        session.defined = True
        await asyncio.sleep(10)
        assert followed.lacking == ""
        followed.close()
        with pytest.raises(StopAsyncIteration):
            await following
        assert followed.lacking == ""

    run(main())
