"""What happens in the store is looked at in order for each workflow, and nobody waits for another's
look (semantics E5)."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from wf_core.engine.follower import AGAIN, Follower
from wf_core.errors import StoreUnavailable
from wf_core.model.spec import Key
from wf_core.ports import Seen, Store

SLOW, MINE = Key("hostile", "slow"), Key("mine", "order")


class Told:
    """A store in which these things happen, one after another."""

    def __init__(self, *keys: Key) -> None:
        self._keys = keys

    async def position(self) -> int:
        return 0

    async def watch(self, since: int) -> AsyncIterator[Seen]:
        for position, key in enumerate(self._keys[since:], since + 1):
            yield Seen(key=key, uid=key.name, position=position)
            await asyncio.sleep(0)
        await asyncio.Event().wait()


class Looks:
    """Looks of a follower: what was looked at, by position. One at SLOW waits for `answered`."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.begun: list[tuple[Key, int | None]] = []
        self.open: list[Key] = []
        self.failing = 0

    async def look(self, key: Key, seen: Seen | None) -> None:
        assert key not in self.open
        self.begun.append((key, seen.position if seen is not None else None))
        self.open.append(key)
        try:
            if key == SLOW:
                await self.answered.wait()
            elif self.failing:
                self.failing -= 1
                raise StoreUnavailable("not now")
        finally:
            self.open.remove(key)


def following(looks: Looks, *keys: Key) -> Follower:
    return Follower(cast(Store, Told(*keys)), lambda *_: False, looks.look)


async def test_a_look_that_waits_for_the_store_holds_up_no_other_workflow() -> None:
    looks = Looks()
    follower = following(looks, SLOW, MINE, SLOW, MINE)
    await follower.start()
    await asyncio.sleep(1)
    assert looks.begun == [(SLOW, 1), (MINE, 2), (MINE, 4)]
    looks.answered.set()
    await asyncio.sleep(1)
    assert looks.begun[3:] == [(SLOW, 3)]
    await follower.stop()


@pytest.mark.parametrize("failures", [1, 3])
async def test_what_was_put_off_waits_for_no_other_look_either(failures: int) -> None:
    looks = Looks()
    looks.failing = failures
    follower = following(looks, MINE)
    await follower.start()
    await asyncio.sleep(0)
    follower.later(SLOW, "not now")
    await asyncio.sleep(AGAIN * (failures + 1))
    assert looks.begun.count((MINE, None)) == failures
    assert looks.open == [SLOW]
    await follower.stop()
    assert looks.open == []


async def test_of_what_happens_to_one_workflow_the_newest_is_enough() -> None:
    looks = Looks()
    follower = following(looks, SLOW, *(SLOW for _ in range(1000)))
    await follower.start()
    await asyncio.sleep(1)
    looks.answered.set()
    await asyncio.sleep(1)
    assert looks.begun == [(SLOW, 1), (SLOW, 1001)]
    await follower.stop()


async def test_e5_what_is_learned_at_once_is_not_looked_at_and_its_faults_are_its_own() -> None:
    looks = Looks()
    learned: list[Key] = []

    def learn(key: Key, _: Seen) -> bool:
        learned.append(key)
        if len(learned) == 1:
            raise RuntimeError("a fault")
        return len(learned) == 2

    follower = Follower(cast(Store, Told(MINE, MINE, MINE)), learn, looks.look)
    await follower.start()
    await asyncio.sleep(1)
    assert learned == [MINE] * 3
    assert looks.begun == [(MINE, 3)]
    await follower.stop()
