"""Calls of one step at the same time, each over a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from tests.barrier.addresses import connect
from tests.barrier.bank import Bank, add, run_of, undo_of
from tests.barrier.servers import Server
from tests.patience import PATIENCE

from wf_core.barrier import barrier
from wf_core.barrier.driver import driver_of
from wf_core.kinds import Fatal, Retryable, StepCall, Success
from wf_core.model.phases import Hook


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Slow:
    """A hook in a thread that stands still behind the barrier until it is let go."""

    def __init__(self, pool: ThreadPoolExecutor, bank: Bank, call: StepCall) -> None:
        self._inside, self._go = threading.Event(), threading.Event()
        self._ending: Exception | None = None
        self.done: Future[Success | None] = pool.submit(self._hook, bank.address, call)
        assert self._inside.wait(PATIENCE)

    def end(self, ending: Exception | None = None) -> None:
        """Let it go on to its end, which may be an exception."""
        self._ending = ending
        self._go.set()

    def _hook(self, address: str, call: StepCall) -> Success | None:
        connection = connect(address)
        try:
            with barrier(call, connection) as passage:
                if passage.first:
                    add(connection, "ann", -10 if call.hook is Hook.RUN else 10)
                    passage.answer = Success(attributes={"by": "the slow one"})
                self._inside.set()
                assert self._go.wait(PATIENCE)
                if self._ending is not None:
                    raise self._ending
            return passage.answer
        finally:
            connection.close()


def hook(address: str, call: StepCall) -> Success | None:
    """A hook that does its work at once, in a thread."""
    with Bank(address) as bank:
        return bank.hook(call)


def test_a_duplicate_waits_and_answers_what_the_first_one_did(
    bank: Bank, pool: ThreadPoolExecutor
) -> None:
    slow = Slow(pool, bank, run_of("u1"))
    second = pool.submit(hook, bank.address, run_of("u1"))
    slow.end()
    said = Success(attributes={"by": "the slow one"})
    assert (slow.done.result(PATIENCE), second.result(PATIENCE)) == (said, said)
    assert bank.balance() == 90


def test_a_duplicate_does_the_work_where_the_first_one_fails(
    bank: Bank, pool: ThreadPoolExecutor
) -> None:
    slow = Slow(pool, bank, run_of("u1"))
    second = pool.submit(hook, bank.address, run_of("u1"))
    slow.end(Retryable("no"))
    assert isinstance(slow.done.exception(PATIENCE), Retryable)
    assert second.result(PATIENCE) == Success(attributes={"by": "run"})
    assert bank.balance() == 90


def test_an_undo_waits_for_the_run_that_it_undoes(bank: Bank, pool: ThreadPoolExecutor) -> None:
    slow = Slow(pool, bank, run_of("u1"))
    undo = pool.submit(hook, bank.address, undo_of("u1"))
    slow.end()
    assert slow.done.result(PATIENCE) == Success(attributes={"by": "the slow one"})
    assert undo.result(PATIENCE) == Success(attributes={"by": "rollback"})
    assert bank.balance() == 100


def test_an_undo_bars_the_run_that_failed_meanwhile(bank: Bank, pool: ThreadPoolExecutor) -> None:
    slow = Slow(pool, bank, run_of("u1"))
    undo = pool.submit(hook, bank.address, undo_of("u1"))
    slow.end(Retryable("no"))
    assert undo.result(PATIENCE) is None
    with pytest.raises(Fatal, match="step 'pay' was undone already; this run comes too late"):
        bank.hook(run_of("u1"))
    assert bank.balance() == 100


def test_a_late_run_waits_for_the_undo_and_is_refused(bank: Bank, pool: ThreadPoolExecutor) -> None:
    slow = Slow(pool, bank, undo_of("u1"))
    late = pool.submit(hook, bank.address, run_of("u1"))
    slow.end()
    assert slow.done.result(PATIENCE) is None
    assert isinstance(late.exception(PATIENCE), Fatal)
    assert bank.balance() == 100


def until_it_ends(work: Callable[[], object]) -> object:
    """As the engine does: what may be tried again is."""
    for _ in range(200):
        try:
            return work()
        except Retryable:
            continue
        except Fatal as error:
            return error
    pytest.fail("it never ended")


def test_many_at_once_leave_what_some_order_of_them_leaves(
    bank: Bank, pool: ThreadPoolExecutor
) -> None:
    """Deadlocks are the database's to find, and ours to pass on as Retryable."""
    chance = Random(7)
    calls = [make(uid) for uid in "abcd" for make in (run_of, undo_of) for _ in range(6)]
    chance.shuffle(calls)

    def one(call: StepCall) -> tuple[StepCall, object]:
        with Bank(bank.address) as own:
            return call, until_it_ends(lambda: own.hook(call))

    ended = [each.result(PATIENCE) for each in [pool.submit(one, call) for call in calls]]
    assert bank.balance() == 100  # every step was undone, before its run or after
    for uid in "abcd":
        undos = {str(end) for call, end in ended if call.uid == uid and call.hook is Hook.ROLLBACK}
        assert len(undos) == 1, undos


def read_first(server: Server, connection: Any) -> None:
    """Begin a transaction that goes on seeing what is there now."""
    if server.address.startswith("postgres"):  # MariaDB's do so by default
        driver_of(connection).change("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    driver_of(connection).read("SELECT balance FROM account")


def test_a_transaction_that_sees_the_past_is_tried_again(server: Server) -> None:
    with Bank(server.address) as bank, Bank(server.address) as other:
        bank.open(ann=100)
        read_first(server, other.connection)
        bank.hook(run_of("u1"))
        with pytest.raises(Retryable):
            other.hook(run_of("u1"))
        assert other.hook(run_of("u1")) == Success(attributes={"by": "run"})
        assert bank.balance() == 90


def test_an_undo_that_sees_the_past_undoes_what_ran_since_or_is_tried_again(
    server: Server,
) -> None:
    with Bank(server.address) as bank, Bank(server.address) as other:
        bank.open(ann=100)
        read_first(server, other.connection)
        bank.hook(run_of("u1"))
        assert until_it_ends(lambda: other.hook(undo_of("u1"))) is not None
        assert bank.balance() == 100


def test_an_undo_that_sees_the_run_but_not_its_undo_is_tried_again(server: Server) -> None:
    with Bank(server.address) as bank, Bank(server.address) as other:
        bank.open(ann=100)
        bank.hook(run_of("u1"))
        read_first(server, other.connection)
        bank.hook(undo_of("u1"))
        with pytest.raises(Retryable):
            other.hook(undo_of("u1"))
        assert other.hook(undo_of("u1")) == Success(attributes={"by": "rollback"})
        assert bank.balance() == 100
