"""What is left of a hook whose process, or whose database, is killed in the middle of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.barrier.addresses import connect
from tests.barrier.bank import Bank, add, run_of, undo_of
from tests.barrier.half_done import SAID
from tests.barrier.servers import Server

from wf_core.barrier import barrier
from wf_core.kinds import Fatal, Retryable, Success

AGAIN = Success(attributes={"by": "run"})


@contextmanager
def killed(bank: Bank, when: str) -> Iterator[None]:
    """A process that began the run of u1 and was killed before its commit, or after."""
    command = [sys.executable, "-m", "tests.barrier.half_done", bank.address, when]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.kill()
        yield


def test_killed_before_its_commit_nothing_happened_and_it_runs_again(bank: Bank) -> None:
    with killed(bank, "before"):
        assert bank.hook(run_of("u1")) == AGAIN
    assert bank.balance() == 90


def test_killed_before_its_commit_there_is_nothing_to_undo(bank: Bank) -> None:
    with killed(bank, "before"):
        assert bank.hook(undo_of("u1")) is None
    assert bank.balance() == 100


def test_killed_after_its_commit_it_answers_what_it_did(bank: Bank) -> None:
    with killed(bank, "after"):
        assert bank.hook(run_of("u1")) == SAID
    assert bank.balance() == 90


def test_killed_after_its_commit_it_is_undone_once(bank: Bank) -> None:
    with killed(bank, "after"):
        for _ in range(2):
            assert bank.hook(undo_of("u1")) == Success(attributes={"by": "rollback"})
        with pytest.raises(Fatal):
            bank.hook(run_of("u1"))
    assert bank.balance() == 100


def act_and_crash(connection: Any, server: Server) -> None:
    add(connection, "ann", -10)
    server.crash()


def test_a_server_that_is_killed_before_the_commit_has_done_nothing(server: Server) -> None:
    with Bank(server.address) as bank:
        bank.open(ann=100)
    connection = connect(server.address)
    with pytest.raises(Retryable), barrier(run_of("u1"), connection):
        act_and_crash(connection, server)
    with Bank(server.address) as bank:
        assert bank.balance() == 100
        assert bank.hook(run_of("u1")) == AGAIN
        assert bank.balance() == 90


def test_a_server_that_is_killed_after_the_commit_knows_what_was_done(server: Server) -> None:
    with Bank(server.address) as bank:
        bank.open(ann=100)
        assert bank.hook(run_of("u1")) == AGAIN
    server.crash()
    with Bank(server.address) as bank:
        assert bank.hook(run_of("u1")) == AGAIN
        assert bank.balance() == 90
