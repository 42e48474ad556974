"""Connections of every driver: those that will do, and those that are refused with a sentence."""

import importlib
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.barrier.addresses import connect
from tests.barrier.bank import KIND, Bank, run_of, undo_of
from tests.barrier.servers import Server

from wf_core.barrier import CREATE_TABLE, barrier, create_table
from wf_core.barrier.driver import written
from wf_core.kinds import Fatal, InProgress, Retryable, Success
from wf_core.model.phases import Hook
from wf_core.testing.calls import call_for

Open = Callable[..., sqlite3.Connection]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the file of this test, in which there is a table."""
    connections: list[sqlite3.Connection] = []

    def open_(**options: Any) -> sqlite3.Connection:
        connections.append(sqlite3.connect(tmp_path / "bank.db", **options))
        return connections[-1]

    create_table(open_())
    yield open_
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("paramstyle", "statement", "values"),
    [
        ("qmark", "SET x = ?, y = ? WHERE x = ?", (1, 2, 1)),
        ("format", "SET x = %s, y = %s WHERE x = %s", (1, 2, 1)),
        ("numeric", "SET x = :1, y = :2 WHERE x = :3", (1, 2, 1)),
        ("named", "SET x = :x, y = :why WHERE x = :x", {"x": 1, "why": 2}),
        ("pyformat", "SET x = %(x)s, y = %(why)s WHERE x = %(x)s", {"x": 1, "why": 2}),
    ],
)
def test_statements_are_written_in_each_style_of_pep_249(
    paramstyle: str, statement: str, values: Mapping[str, object] | tuple[object, ...]
) -> None:
    said = written("SET x = :x, y = :why WHERE x = :x", {"x": 1, "why": 2}, paramstyle)
    assert said == (statement, values)


def test_a_style_that_pep_249_does_not_know_is_named() -> None:
    with pytest.raises(Fatal, match="paramstyle 'dollar' is none of PEP 249's"):
        written("SET x = :x", {"x": 1}, "dollar")


@pytest.mark.parametrize("paramstyle", ["qmark", "named", "numeric"])
def test_a_driver_may_have_any_style(
    opened: Open, monkeypatch: pytest.MonkeyPatch, paramstyle: str
) -> None:
    monkeypatch.setattr(sqlite3, "paramstyle", paramstyle)
    if paramstyle == "numeric" and sys.version_info >= (3, 12):
        pytest.skip("sqlite3 warns of numbers with a sequence from Python 3.12 on")
    once_and_again(opened())


def once_and_again(connection: Any) -> None:
    """A run that answers, and its duplicate that answers the same."""
    said = Success(attributes={"is": "paid"})
    with barrier(run_of("u1"), connection) as passage:
        assert passage.first
        passage.answer = said
    with barrier(run_of("u1"), connection) as again:
        assert (again.first, again.answer) == (False, said)


class Account(sqlite3.Connection):
    """A connection of a class of one's own."""


@pytest.mark.parametrize("isolation_level", ["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"])
def test_sqlite_in_each_of_its_older_modes(opened: Open, isolation_level: str) -> None:
    once_and_again(opened(isolation_level=isolation_level))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has autocommit from 3.12 on")
def test_sqlite_in_the_mode_of_pep_249(opened: Open) -> None:
    once_and_again(opened(autocommit=False))


def test_a_class_of_one_s_own_is_its_driver_s(opened: Open) -> None:
    once_and_again(opened(factory=Account))


def test_rows_may_be_of_any_class(opened: Open) -> None:
    connection = opened()
    connection.row_factory = sqlite3.Row
    once_and_again(connection)


def test_rows_may_be_dicts(server: Server) -> None:
    with Bank(server.address) as bank:
        bank.open()
        if server.address.startswith("postgres"):
            bank.connection.row_factory = importlib.import_module("psycopg.rows").dict_row
        else:
            bank.connection.cursorclass = importlib.import_module("pymysql.cursors").DictCursor
        once_and_again(bank.connection)


def test_a_server_s_connection_with_autocommit_is_refused(server: Server) -> None:
    connection = connect(server.address)
    if server.address.startswith("postgres"):
        connection.autocommit = True
    else:
        connection.autocommit(True)
    with pytest.raises(Fatal, match="commits every statement by itself"):
        barrier(run_of("u1"), connection).__enter__()
    connection.close()


def test_sqlite_with_autocommit_is_refused(opened: Open) -> None:
    with pytest.raises(Fatal, match="open it without autocommit"):
        barrier(run_of("u1"), opened(isolation_level=None)).__enter__()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has autocommit from 3.12 on")
def test_sqlite_with_the_newer_autocommit_is_refused(opened: Open) -> None:
    with pytest.raises(Fatal, match="open it without autocommit"):
        barrier(run_of("u1"), opened(autocommit=True)).__enter__()


def test_a_transaction_begun_by_hand_will_do(opened: Open) -> None:
    connection = opened(isolation_level=None)
    connection.execute("BEGIN")
    with barrier(run_of("u1"), connection) as passage:
        assert passage.first
    connection.execute("BEGIN")
    with barrier(run_of("u1"), connection) as again:
        assert not again.first


class Wrapped:
    """What a pool or a framework puts around a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.cursor, self.commit = connection.cursor, connection.commit
        self.rollback = connection.rollback


def test_what_wraps_a_connection_is_refused_by_name(opened: Open) -> None:
    with pytest.raises(Fatal, match="Wrapped is no connection of a DB-API"):
        barrier(run_of("u1"), Wrapped(opened())).__enter__()


def test_a_missing_table_is_named_and_the_run_tried_again(bank: Bank) -> None:
    cursor = bank.connection.cursor()
    cursor.execute("DROP TABLE wf_barrier")
    bank.connection.commit()
    with pytest.raises(Retryable, match=r"(?s)wf_barrier.*create_table\(connection\)` makes it"):
        bank.hook(run_of("u1"))
    cursor.execute(CREATE_TABLE)
    bank.connection.commit()
    assert bank.hook(run_of("u1")) is not None


def test_a_busy_database_is_tried_again(opened: Open) -> None:
    opened(isolation_level=None).execute("BEGIN IMMEDIATE")
    with pytest.raises(Retryable, match="database is locked"):
        barrier(run_of("u1"), opened(timeout=0.0)).__enter__()


def test_a_connection_that_was_closed_is_tried_again_with_another(bank: Bank) -> None:
    connection = connect(bank.address)
    connection.close()
    with pytest.raises(Retryable):
        barrier(run_of("u1"), connection).__enter__()


def test_a_look_has_no_barrier(opened: Open) -> None:
    with pytest.raises(Fatal, match="sync only looks"):
        barrier(call_for(KIND, hook=Hook.SYNC), opened()).__enter__()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (InProgress(), "keeps a Success or None, not InProgress"),
        (Success(attributes={"all": "x" * 60_000}), "60025 bytes; the barrier keeps 60000"),
        (Success(attributes={"it": {1, 2}.__iter__}), "is not JSON"),
    ],
)
def test_an_answer_that_can_not_be_kept_undoes_the_body(
    opened: Open, answer: Any, said: str
) -> None:
    connection = opened()
    with pytest.raises(Fatal, match=said), barrier(run_of("u1"), connection) as passage:
        passage.answer = answer
    with barrier(undo_of("u1"), connection) as undo:
        assert not undo.first
