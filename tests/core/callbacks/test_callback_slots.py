"""Who may send: nobody's receivers hold up the callbacks of another namespace."""

import asyncio
from collections.abc import Awaitable

import pytest
from tests.core.callbacks.post import BUSY, OK, Post, entries, post_run

from wf_core.engine.callback_slots import HOST_SLOTS, SLOTS
from wf_core.ports import Delivery, Receipt


def test_f_one_namespace_whose_hosts_all_hang_does_not_hold_up_another() -> None:
    """A name that stands for any host makes ever so many hosts of one dead receiver."""

    async def hang() -> Receipt:
        await asyncio.sleep(5)
        return BUSY

    async def body(post: Post) -> None:
        for n in range(1000):
            post.offer(f"dead-{n}", entries(1), host=f"h{n}.dead.test", namespace="hostile")
        await asyncio.sleep(1)
        post.offer("alive", entries(1, 2, 3), host="alive.test", namespace="shop")
        await asyncio.sleep(60)

    def answer(delivery: Delivery) -> Receipt | Awaitable[Receipt]:
        return OK if "alive" in delivery.url else hang()

    post = post_run(answer, body)
    assert {when for when, uid, *_ in post.settled if uid == "alive"} == {1.0}
    assert post.order("alive") == [1, 2, 3]


def test_f_a_namespace_that_hangs_at_a_host_does_not_hold_up_another_at_the_same_host() -> None:
    """Receivers of many namespaces are often paths of one host."""

    async def hang() -> Receipt:
        await asyncio.sleep(5)
        return BUSY

    async def body(post: Post) -> None:
        for n in range(100):
            post.offer(f"dead-{n}", entries(1), namespace="hostile")
        await asyncio.sleep(1)
        post.offer("alive", entries(1), namespace="shop")
        await asyncio.sleep(1)
        assert post.order("alive") == [1]

    post_run(lambda each: OK if each.event_id.startswith("alive") else hang(), body)


def test_f_namespaces_whose_hosts_hang_one_after_another_leave_room_for_the_next() -> None:
    async def hang() -> Receipt:
        await asyncio.sleep(3600)
        return BUSY

    async def body(post: Post) -> None:
        for tenant in range(5):
            for n in range(100):
                host = f"h{n}.dead.test"
                post.offer(f"dead-{tenant}-{n}", entries(1), host=host, namespace=f"bad-{tenant}")
            await asyncio.sleep(1)
        post.offer("alive", entries(1), namespace="shop")
        await asyncio.sleep(1)
        assert post.order("alive") == [1]

    post_run(lambda each: OK if each.event_id.startswith("alive") else hang(), body)


@pytest.mark.parametrize(
    ("namespaces", "hosts", "most"),
    [(1, 1, HOST_SLOTS), (1, SLOTS, 20), (SLOTS, SLOTS, SLOTS)],
    ids=["one host", "one namespace", "many namespaces"],
)
def test_f_requests_at_once_are_bounded(namespaces: int, hosts: int, most: int) -> None:
    now, seen = 0, []

    async def slow() -> Receipt:
        nonlocal now
        now += 1
        seen.append(now)
        await asyncio.sleep(1)
        now -= 1
        return OK

    async def body(post: Post) -> None:
        for n in range(100):
            namespace, host = f"n{n % namespaces}", f"h{n % hosts}.test"
            post.offer(f"u-{n}", entries(1), host=host, namespace=namespace)
        await asyncio.sleep(100)

    post = post_run(lambda _: slow(), body)
    assert max(seen) == most
    assert len(post.settled) == 100


def test_f_callbacks_that_are_dropped_give_back_their_slots_and_their_places() -> None:
    """Dropped while they wait, while they are sent, and just as their turn comes."""

    async def hang() -> Receipt:
        await asyncio.sleep(3600)
        return BUSY

    async def body(post: Post) -> None:
        for n in range(100):
            post.offer(f"dead-{n}", entries(1), host=f"h{n % 40}.test")
        await asyncio.sleep(1)
        for n in range(100):
            post.courier.drop(f"dead-{n}")
            if n % 3 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(1)
        for n in range(100):
            post.offer(f"alive-{n}", entries(1), host=f"h{n % 40}.test")
        await asyncio.sleep(1)
        assert len(post.settled) == 100

    post_run(lambda each: OK if each.event_id.startswith("alive") else hang(), body)
