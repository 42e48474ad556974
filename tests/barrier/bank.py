"""A bank in a database: what hooks behind a barrier do there."""

from typing import Any, Self

from tests.barrier.addresses import connect

from wf_core.barrier import barrier, create_table
from wf_core.barrier.driver import driver_of
from wf_core.kinds import Answer, StepCall, StepKind, Success
from wf_core.model.phases import Hook
from wf_core.testing.calls import call_for


class Paying(StepKind):
    """Never called: the calls of the tests are of this kind."""

    name = "paying"

    def run(self, call: StepCall) -> Answer:
        raise NotImplementedError

    def rollback(self, call: StepCall) -> Answer:
        raise NotImplementedError


KIND = Paying()


def run_of(uid: str, step: str = "pay") -> StepCall:
    """A run."""
    return call_for(KIND, hook=Hook.RUN, uid=uid, step=step)


def undo_of(uid: str, step: str = "pay") -> StepCall:
    """Its undo."""
    return call_for(KIND, hook=Hook.ROLLBACK, uid=uid, step=step)


class Bank:
    """Accounts at an address of `addresses.connect`, over one connection. `open` makes them anew.

    A context manager that closes the connection.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection = connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def open(self, **balances: int) -> None:
        driver = driver_of(self.connection)
        for table in ("wf_barrier", "account"):
            driver.change(f"DROP TABLE IF EXISTS {table}")
        driver.change("CREATE TABLE account (name VARCHAR(64) PRIMARY KEY, balance INT NOT NULL)")
        for name, balance in balances.items():
            driver.change(
                "INSERT INTO account (name, balance) VALUES (:name, :balance)",
                name=name,
                balance=balance,
            )
        create_table(self.connection)

    def balance(self, name: str = "ann") -> int:
        row = driver_of(self.connection).read(
            "SELECT balance FROM account WHERE name = :name", name=name
        )
        self.connection.rollback()  # the next look must see what others did since
        assert row is not None
        return int(row[0])

    def hook(self, call: StepCall, amount: int = -10) -> Success | None:
        """What a kind would do behind the barrier: add `amount` to ann's account, or undo that."""
        with barrier(call, self.connection) as passage:
            if passage.first:
                back = call.hook is Hook.ROLLBACK
                add(self.connection, "ann", -amount if back else amount)
                passage.answer = Success(attributes={"by": str(call.hook)})
        return passage.answer


def add(connection: Any, name: str, amount: int) -> None:
    """Change a balance, in the transaction that is open."""
    changed = driver_of(connection).change(
        "UPDATE account SET balance = balance + :amount WHERE name = :name",
        amount=amount,
        name=name,
    )
    assert changed == 1
