"""The kind `transfer`: moves money between two accounts of a bank behind the barrier."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import attrs
from tests.barrier.addresses import connect

from wf_core.barrier import barrier
from wf_core.barrier.driver import driver_of
from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, StepCall, StepKind, Success


@attrs.frozen(kw_only=True)
class Transfer:
    """Parameters. `careless` leaves the barrier out."""

    bank: str
    giver: str
    taker: str
    amount: int
    careless: bool = False


class Transferring(StepKind):
    """The undo moves the money back."""

    name: ClassVar[str] = "transfer"
    Parameters: ClassVar[type] = Transfer

    def run(self, call: StepCall) -> Answer:
        """Answers with what the giver has left."""
        return perform(call, call.parameters.amount)

    def rollback(self, call: StepCall) -> Answer:
        """Answers nothing."""
        return perform(call, -call.parameters.amount)


def perform(call: StepCall, amount: int) -> Success | None:
    transfer: Transfer = call.parameters
    with closing(connect(transfer.bank)) as connection:
        if transfer.careless:
            answer = move(connection, transfer, amount)
            connection.commit()
            return answer
        with barrier(call, connection) as passage:
            if passage.first:
                passage.answer = move(connection, transfer, amount)
        return passage.answer


def move(connection: Any, transfer: Transfer, amount: int) -> Success:
    driver = driver_of(connection)
    add = "UPDATE account SET balance = balance + :amount WHERE name = :name"
    driver.change(add, amount=-amount, name=transfer.giver)
    driver.change(add, amount=amount, name=transfer.taker)
    left = driver.read("SELECT balance FROM account WHERE name = :name", name=transfer.giver)
    assert left is not None
    return Success(attributes={f"leftOf{transfer.giver}": left[0]})


@hookimpl
def wf_step_kinds() -> list[StepKind]:
    """The kind."""
    return [Transferring()]


def installed(folder: Path) -> dict[str, str]:
    """The environment of a process that finds this kind as an installed plugin. Its metadata are
    written below `folder`."""
    metadata = folder / "wf_transfer-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: wf-transfer\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[wf.plugins]\ntransfer = {__name__}\n")
    root = Path(__file__).parents[2]
    return {"PYTHONPATH": f"{folder}{os.pathsep}{root}"}
