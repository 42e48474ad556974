"""What is looked after side by side has its turns, and nobody waits for another's."""

import asyncio
import logging
from collections import Counter

from wf_core.engine.turns import AGAIN, TOGETHER, Turns
from wf_core.errors import StoreUnavailable
from wf_core.model.spec import Key
from wf_core.testing.virtual_time import VirtualClock

MINE = Key("mine", "nightly")


class Had:
    """The turns that were had. Those of the namespace `hostile` hang until `answered`."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.begun: list[Key] = []
        self.open: Counter[Key] = Counter()
        self.failing = 0
        loop = asyncio.get_running_loop()
        self.turns = Turns("schedule", VirtualClock(loop), self.turn, logging.getLogger("wf.test"))
        self.running = loop.create_task(self.turns.run())

    async def turn(self, key: Key) -> float | None:
        self.begun.append(key)
        self.open[key] += 1
        try:
            if key.namespace == "hostile":
                await self.answered.wait()
            elif self.failing:
                self.failing -= 1
                raise StoreUnavailable("not now")
            return None
        finally:
            self.open[key] -= 1

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait((self.running,))


async def test_turns_that_hang_hold_up_nobody_in_another_namespace() -> None:
    had = Had()
    for n in range(3 * TOGETHER):
        had.turns.soon(Key("hostile", f"s{n}"))
    await asyncio.sleep(1)
    had.turns.soon(MINE)
    await asyncio.sleep(1)
    assert had.begun.count(MINE) == 1
    assert had.open.total() == TOGETHER
    had.answered.set()
    await asyncio.sleep(1)
    assert len(had.begun) == 3 * TOGETHER + 1
    await had.stop()


async def test_what_happens_during_a_turn_leads_to_another_one_and_never_beside_it() -> None:
    had, key = Had(), Key("hostile", "s")
    had.turns.soon(key)
    await asyncio.sleep(1)
    had.turns.soon(key)
    had.turns.soon(key)
    await asyncio.sleep(1)
    assert had.open[key] == len(had.begun) == 1
    had.answered.set()
    await asyncio.sleep(1)
    assert had.begun == [key, key]
    await had.stop()


async def test_a_turn_that_fails_comes_again_by_itself() -> None:
    had = Had()
    had.failing = 2
    had.turns.soon(MINE)
    await asyncio.sleep(1)
    assert len(had.begun) == 1
    await asyncio.sleep(3 * AGAIN)
    assert len(had.begun) == 3
    await had.stop()


async def test_no_turn_is_left_open_by_one_who_stops() -> None:
    had = Had()
    had.turns.soon(Key("hostile", "s"))
    await asyncio.sleep(1)
    await had.stop()
    assert not had.open.total()
