"""An iterator that blocks, read on the loop."""

import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from wf_core.adapters.reading import read_in_thread


def nothing() -> None:
    """Nobody has to be stopped."""


async def test_all_is_given_in_order_and_then_it_ends() -> None:
    assert [each async for each in read_in_thread(lambda: range(5), nothing)] == [0, 1, 2, 3, 4]


async def test_what_it_raises_is_raised_after_what_it_gave() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("mine")

    taken = []
    reading = read_in_thread(failing, nothing)
    taken.append(await anext(reading))
    with pytest.raises(ValueError, match="mine"):
        await anext(reading)
    assert taken == [1]


async def test_it_is_told_when_nobody_listens_any_more() -> None:
    stopped, ended = threading.Event(), threading.Event()

    def endless() -> Iterator[int]:
        while not stopped.is_set():
            yield 1
        ended.set()

    async with aclosing(read_in_thread(endless, stopped.set)) as reading:
        async for _ in reading:
            break
    assert ended.wait(10)
