"""The pool under load: nothing is lost, doubled or run where it must not."""

import asyncio
import random
import threading
from collections import Counter

import pytest

from wf_core.adapters.threads import ThreadExecutor
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.outcomes import Failure, Outcome, Succeeded
from wf_core.testing.calls import call_for


class Idle(StepKind):
    """A kind for calls whose hooks are functions of the test."""

    name = "idle"

    def run(self, call: StepCall) -> Answer: ...
    def rollback(self, call: StepCall) -> Answer: ...


async def test_ten_thousand_calls_each_report_once_and_never_more_run_than_threads() -> None:
    limit, calls = 8, 10_000
    guard = threading.Lock()
    now = most = 0

    def perform(what: StepCall) -> Outcome:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        with guard:
            now -= 1
        if what.attempt % 7 == 0:
            raise ValueError(what.attempt)
        return Succeeded(attributes={"n": what.attempt})

    pool = ThreadExecutor(perform, limit)
    template = [call_for(Idle(), attempt=n + 1) for n in range(calls)]
    reported: Counter[int] = Counter()
    right = 0
    done = asyncio.Event()

    def report(n: int, outcome: Outcome) -> None:
        nonlocal right
        reported[n] += 1
        expected = Succeeded(attributes={"n": n})
        right += isinstance(outcome, Failure) if n % 7 == 0 else outcome == expected
        if len(reported) == calls:
            done.set()

    for what in template:
        pool.start(what, lambda outcome, n=what.attempt: report(n, outcome))  # type: ignore[misc]
        if what.attempt % 500 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await done.wait()
    await pool.close()
    assert set(reported.values()) == {1}
    assert right == calls
    assert 1 <= most <= limit
    assert pool.threads == 0


@pytest.mark.parametrize("seed", range(5))
async def test_calls_that_are_cancelled_and_written_off_at_random_all_report_once(
    seed: int,
) -> None:
    chance = random.Random(seed)
    limit, calls = 6, 300

    def perform(what: StepCall) -> Outcome:
        if what.attempt % 3 == 0:
            what.cancelled.wait(0.02)
        elif what.attempt % 3 == 1:
            pool.ask(lambda done: done(True))
        return Succeeded()

    pool = ThreadExecutor(perform, limit)
    reported: Counter[int] = Counter()
    done = asyncio.Event()

    def report(n: int) -> None:
        reported[n] += 1
        if len(reported) == calls:
            done.set()

    running = []
    for n in range(calls):
        what = call_for(Idle(), attempt=n + 1, cancelled=pool.cancellation())
        running.append(pool.start(what, lambda _, n=n: report(n)))  # type: ignore[misc]
        for _ in range(chance.randrange(3)):
            some = running[chance.randrange(len(running))]
            if chance.random() < 0.3:
                some.write_off()
            else:
                some.cancel()
        if chance.random() < 0.2:
            await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await done.wait()
        while pool.threads > limit:  # those that came back go as soon as they are told
            await asyncio.sleep(0.001)
    assert set(reported.values()) == {1}
    assert pool.healthy
    await asyncio.wait_for(pool.close(), 10)
    assert pool.threads == 0


async def test_no_thread_is_left_after_closing() -> None:
    before = threading.active_count()
    for _ in range(20):
        pool = ThreadExecutor(lambda _: Succeeded(), 4)
        for _ in range(10):
            pool.start(call_for(Idle()), lambda _: None)
        await pool.close()
    async with asyncio.timeout(10):
        while threading.active_count() > before:
            await asyncio.sleep(0.001)
