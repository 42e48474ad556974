"""`with barrier(call, connection)`: who may pass, and one commit for the row and the effect."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from wf_core.adapters.clock import SystemClock
from wf_core.barrier.answers import decode, encode
from wf_core.barrier.driver import Connection, Driver, begin, driver_of, refuse_autocommit
from wf_core.barrier.table import State, Table
from wf_core.kinds import Fatal, Retryable, StepCall, Success
from wf_core.model.phases import Hook


@attrs.define
class Passage:
    """What the author finds behind `as`.

    `first`: this hook has not taken effect yet, so do it now. Where it has (a duplicate), or where
    there is nothing to undo since the run never took effect, it is False and nothing is to be done.
    `answer` is what the hook returns: set it where `first`; a duplicate finds it set.
    `ran` is, in an undo, what the run answered, also where a crash kept the engine from saving it.
    """

    first: bool
    answer: Success | None = None
    ran: Success | None = None


@contextmanager
def barrier(call: StepCall, connection: Connection) -> Iterator[Passage]:
    """One transaction on `connection` in which the hook of `call` takes effect at most once.

    The body is always entered, and asks `passage.first`. At its end the transaction is committed;
    an exception rolls it back and goes on. One barrier a call and database: what a second one did
    would be taken for a duplicate.

    Raises Retryable where the database failed the barrier (a deadlock, a lost connection, a commit
    whose outcome is unknown: the next attempt finds out); Fatal where a run comes after its undo,
    in a `sync`, for a connection with autocommit or of no DB-API driver, and for an answer that
    can't be kept.
    """
    if call.hook is Hook.SYNC:
        raise Fatal("a barrier is for run and rollback; sync only looks")
    driver = driver_of(connection)
    table = Table(driver, call, SystemClock().now())
    try:
        passage = _enter(driver, table)
        yield passage
        if passage.first:
            _keep(table, passage.answer)
    except BaseException as error:
        _roll_back(driver, error)
        raise
    _commit(driver)


def _enter(driver: Driver, table: Table) -> Passage:
    try:
        refuse_autocommit(driver.connection)
        begin(driver)
    except driver.error as error:
        raise Retryable(f"no transaction could be begun: {error}") from error
    return _run(table) if table.call.hook is Hook.RUN else _undo(table)


def _run(table: Table) -> Passage:
    # The row comes first: whoever calls at the same time waits for our commit.
    if table.insert(State.RAN):
        return Passage(first=True)
    entry = table.entry()
    if entry.state is not State.RAN:
        raise Fatal(f"step '{table.call.step}' was undone already; this run comes too late")
    return Passage(first=False, answer=decode(entry.run_answer))


def _undo(table: Table) -> Passage:
    # Not the update first: where it finds no row it locks the gap around, and undos of other steps
    # that do so too could not go on for each other.
    if table.insert(State.BARRED):
        return Passage(first=False)
    if table.move_to_undone():
        return Passage(first=True, ran=decode(table.entry().run_answer))
    entry = table.entry()
    if entry.state is State.RAN:
        raise Retryable("the transaction reads a state that has passed; the undo is tried again")
    return Passage(first=False, answer=decode(entry.undo_answer), ran=decode(entry.run_answer))


def _keep(table: Table, answer: object) -> None:
    if answer is None:
        return
    if not isinstance(answer, Success):
        raise Fatal(f"a barrier keeps a Success or None, not {type(answer).__name__}")
    if table.call.hook is Hook.RUN:
        table.keep_run_answer(encode(answer))
    else:
        table.keep_undo_answer(encode(answer))


def _roll_back(driver: Driver, because: BaseException) -> None:
    try:
        driver.connection.rollback()
    except driver.error as error:
        # What went wrong first says more; a connection that is lost is rolled back by its server.
        because.add_note(f"the transaction could not be rolled back: {error}")


def _commit(driver: Driver) -> None:
    try:
        driver.connection.commit()
    except driver.error as error:
        failure = Retryable(f"it is not known whether the commit took place: {error}")
        _roll_back(driver, failure)
        raise failure from error
