"""The loop on which everything about time is tested is tested itself."""

import asyncio
import doctest
import gc
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.testing import virtual_time
from wf_core.testing.virtual_time import (
    DeadlockError,
    LivelockError,
    ThreadsRefusedError,
    VirtualClock,
    VirtualTimeError,
    VirtualTimeLoop,
    run,
)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_example_of_the_module_holds() -> None:
    assert doctest.testmod(virtual_time).failed == 0
    assert doctest.testmod(virtual_time).attempted > 0


def test_a_year_passes_at_once() -> None:
    async def nap() -> float:
        await asyncio.sleep(365 * 86400)
        return now()

    assert run(nap()) == 365 * 86400


def test_time_stands_still_while_something_is_ready() -> None:
    async def busy() -> list[float]:
        seen = []
        asyncio.get_running_loop().call_later(1, lambda: None)
        for _ in range(100):
            await asyncio.sleep(0)
            seen.append(now())
        return seen

    assert set(run(busy())) == {0.0}


@given(st.lists(st.floats(0, 1e12, allow_nan=False), max_size=30))
@settings(max_examples=100, deadline=None)
def test_timers_fire_in_order_and_at_exactly_their_time(delays: list[float]) -> None:
    """Also where `now + (when - now)` rounds to just before `when`."""
    fired: list[tuple[float, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def note(when: float) -> None:
            fired.append((when, loop.time()))

        for delay in delays:
            loop.call_at(delay, note, delay)
        await asyncio.sleep(1e12)
        await asyncio.sleep(0)

    run(main(), max_turns=1000)
    assert fired == [(delay, delay) for delay in sorted(delays)]


@given(st.lists(st.floats(0.001, 1e7), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_chain_of_sleeps_of_any_length_never_hangs(naps: list[float]) -> None:
    async def main() -> float:
        await asyncio.sleep(1e9)
        for nap in naps:
            await asyncio.sleep(nap)
        return now()

    assert run(main(), max_turns=1000) == pytest.approx(1e9 + sum(naps))


def test_a_timer_that_is_cancelled_does_not_move_time() -> None:
    async def main() -> float:
        asyncio.get_running_loop().call_later(50, lambda: None).cancel()
        await asyncio.sleep(1)
        return now()

    assert run(main()) == 1


def test_timeouts_are_virtual_too() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return now()

    assert run(main()) == 30


def test_a_deadlock_names_who_waits_and_where() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        other = asyncio.create_task(stuck(), name="the other")
        await asyncio.sleep(7)
        await other

    with pytest.raises(DeadlockError) as caught:
        run(main())
    text = str(caught.value)
    assert "at 7 s" in text
    assert "the other: " in text
    assert "stuck at " in text
    assert "main at " in text


def test_a_future_nobody_sets_is_a_deadlock_even_without_a_task() -> None:
    loop = VirtualTimeLoop()
    try:
        with pytest.raises(DeadlockError, match="a future that nobody will set"):
            loop.run_until_complete(loop.create_future())
    finally:
        loop.close()


def test_a_deadlock_lets_tasks_clean_up() -> None:
    cleaned = []

    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(now())

    with pytest.raises(DeadlockError):
        run(main())
    assert cleaned == [0.0]


def test_a_loop_without_end_is_found() -> None:
    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(LivelockError, match="main at"):
        run(main(), max_turns=100)


def test_many_turns_at_many_moments_are_no_loop_without_end() -> None:
    async def main() -> None:
        for _ in range(50):
            for _ in range(20):
                await asyncio.sleep(0)
            await asyncio.sleep(1)

    run(main(), max_turns=100)


def test_threads_are_refused() -> None:
    async def main() -> None:
        await asyncio.to_thread(time.sleep, 0)

    with pytest.raises(ThreadsRefusedError, match=r"sleep.* was handed to a thread"):
        run(main())


def test_another_thread_cannot_speak_to_the_loop() -> None:
    caught: list[BaseException] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def speak() -> None:
            try:
                loop.call_soon_threadsafe(lambda: None)
            except ThreadsRefusedError as error:
                caught.append(error)

        thread = threading.Thread(target=speak)
        thread.start()
        thread.join()

    run(main())
    assert len(caught) == 1


def test_the_own_thread_may_use_the_threadsafe_call() -> None:
    """Adapters that serve threads in production work in virtual time as long as none is used."""

    async def main() -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon_threadsafe(answer.set_result, "done")
        return await answer

    assert run(main()) == "done"


def test_the_exception_of_the_coroutine_is_raised() -> None:
    async def main() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(main())


def test_an_exception_in_a_task_that_nobody_awaits_is_raised() -> None:
    async def fails() -> None:
        raise ValueError("unseen")

    async def main() -> None:
        task = asyncio.create_task(fails())
        await asyncio.sleep(1)
        del task
        gc.collect()

    with pytest.raises(ValueError, match="unseen"):
        run(main())


def test_an_exception_in_a_callback_is_raised() -> None:
    def fails() -> None:
        raise ValueError("in a callback")

    async def main() -> None:
        asyncio.get_running_loop().call_later(1, fails)
        await asyncio.sleep(2)

    with pytest.raises(ValueError, match="in a callback"):
        run(main())


def test_a_complaint_without_an_exception_is_raised() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "odd"})

    with pytest.raises(VirtualTimeError, match="odd"):
        run(main())


def test_what_is_left_running_is_cancelled() -> None:
    ended: list[float] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            ended.append(now())

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(forever())
        await asyncio.sleep(3)
        return task

    assert run(main()).cancelled()
    assert ended == [3.0]


def test_the_clock_follows_the_loop() -> None:
    async def main() -> tuple[float, float]:
        clock = VirtualClock(asyncio.get_running_loop(), start=1000.0)
        before = clock.now()
        await asyncio.sleep(5)
        return before, clock.now()

    assert run(main()) == (1000.0, 1005.0)


def test_debug_mode_sees_no_slow_callbacks() -> None:
    loop = VirtualTimeLoop()
    loop.set_debug(True)
    try:
        loop.run_until_complete(asyncio.sleep(1000))
        assert loop.time() == 1000
    finally:
        loop.close()
