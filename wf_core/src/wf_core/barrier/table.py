"""The table, and the moves of a row in it.

A step has one row, whose key follows from its run's: the hash is of one case and width, so that no
collation takes two steps for one. The names beside it are for people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import attrs

from wf_core.barrier.driver import Connection, Driver, driver_of
from wf_core.kinds import Retryable, StepCall

CREATE_TABLE = """\
CREATE TABLE IF NOT EXISTS wf_barrier (
  run_key VARCHAR(64) NOT NULL PRIMARY KEY,
  workflow VARCHAR(600) NOT NULL,
  step VARCHAR(300) NOT NULL,
  state VARCHAR(16) NOT NULL,
  run_answer TEXT,
  undo_answer TEXT,
  changed_at BIGINT NOT NULL
)"""
"""What makes the table, for migrations of one's own. `changed_at` is in epoch seconds."""


class State(StrEnum):
    """What took effect: the run, then its undo; or the undo before any run, which bars the run."""

    RAN = "ran"
    UNDONE = "undone"
    BARRED = "barred"


@attrs.frozen
class Entry:
    """A row. An answer is JSON, or None where the hook gave none."""

    state: State
    run_answer: str | None
    undo_answer: str | None


@attrs.frozen
class Table:
    """The row of one step. Raises Retryable where the database does not do what it is told."""

    driver: Driver
    call: StepCall
    now: float

    def insert(self, state: State) -> bool:
        """Add the row; False where it is there. Waits for whoever is adding it."""
        with self._asked():
            # A failed statement ends the transaction in some databases, but for a savepoint.
            self.driver.change("SAVEPOINT wf_barrier")
            try:
                self.driver.change(
                    "INSERT INTO wf_barrier (run_key, workflow, step, state, changed_at)"
                    " VALUES (:run_key, :workflow, :step, :state, :changed_at)",
                    run_key=self.call.run_key,
                    workflow=f"{self.call.namespace}/{self.call.workflow}"[:600],
                    step=self.call.step[:300],
                    state=state.value,
                    changed_at=int(self.now),
                )
            except self.driver.integrity_error:
                self.driver.change("ROLLBACK TO SAVEPOINT wf_barrier")
                return False
            self.driver.change("RELEASE SAVEPOINT wf_barrier")
            return True

    def move_to_undone(self) -> bool:
        """Take what ran as undone; False where nothing ran that is not undone yet."""
        with self._asked():
            moved = self.driver.change(
                "UPDATE wf_barrier SET state = :undone, changed_at = :changed_at"
                " WHERE run_key = :run_key AND state = :ran",
                undone=State.UNDONE.value,
                changed_at=int(self.now),
                run_key=self.call.run_key,
                ran=State.RAN.value,
            )
            return moved == 1

    def entry(self) -> Entry:
        """The row, which must be there."""
        with self._asked():
            found = self.driver.read(
                "SELECT state, run_answer, undo_answer FROM wf_barrier WHERE run_key = :run_key",
                run_key=self.call.run_key,
            )
        if found is None:
            raise Retryable(
                "the transaction reads what was there before the barrier's row was written by "
                "another; open the barrier before anything else in it"
            )
        return Entry(State(found[0]), *found[1:])

    def keep_run_answer(self, answer: str) -> None:
        """Put down what the run answers."""
        self._keep("UPDATE wf_barrier SET run_answer = :answer WHERE run_key = :run_key", answer)

    def keep_undo_answer(self, answer: str) -> None:
        """Put down what the undo answers."""
        self._keep("UPDATE wf_barrier SET undo_answer = :answer WHERE run_key = :run_key", answer)

    def _keep(self, statement: str, answer: str) -> None:
        with self._asked():
            self.driver.change(statement, answer=answer, run_key=self.call.run_key)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """What goes wrong here is tried again: a deadlock, a lost connection, a missing table."""
        try:
            yield
        except self.driver.error as error:
            raise Retryable(
                f"the barrier's table could not be used: {type(error).__name__}: {error} "
                "(`wf_core.barrier.create_table(connection)` makes it where it is missing)"
            ) from error


def create_table(connection: Connection) -> None:
    """Make the table where it is missing, and commit. Raises what the driver raises."""
    driver_of(connection).change(CREATE_TABLE)
    connection.commit()


def prune(connection: Connection, before: float) -> int:
    """Forget what was last changed before a time (epoch seconds), and commit; gives how many rows.

    A step whose row is gone is taken for one that never ran: its undo would do nothing. Take a time
    before which no workflow began that may still be undone.
    """
    removed = driver_of(connection).change(
        "DELETE FROM wf_barrier WHERE changed_at < :before", before=int(before)
    )
    connection.commit()
    return removed
