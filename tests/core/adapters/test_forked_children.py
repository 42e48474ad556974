"""C12: a process that a hook forks holds no lock of ours, and never becomes a second engine."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import PATIENCE

from wf_core.adapters.announcer import ThreadAnnouncer
from wf_core.adapters.open_record import FolderRecord
from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.adapters.threads import ThreadExecutor
from wf_core.kinds import Answer, Retryable, StepCall, StepKind
from wf_core.model.outcomes import Outcome, Succeeded
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.ports import Event
from wf_core.testing.calls import call_for

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Forking(StepKind):
    """For calls whose hooks are functions of the test."""

    name = "forking"

    def run(self, call: StepCall) -> Answer: ...
    def rollback(self, call: StepCall) -> Answer: ...


async def statuses_of_children(pool: ThreadExecutor) -> Outcome:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    pool.start(call_for(Forking()), future.set_result)
    return await asyncio.wait_for(future, PATIENCE)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def test_c12_a_child_that_comes_back_from_its_hook_ends_at_once() -> None:
    parent = os.getpid()

    def perform(_: StepCall) -> Outcome:
        child = os.fork()
        if child:
            return Succeeded(attributes={"code": exit_code(child)})
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    assert await statuses_of_children(pool) == Succeeded(attributes={"code": 0})
    assert os.getpid() == parent
    await pool.close()


async def test_c12_a_child_whose_hook_raises_ends_at_once_and_says_so() -> None:
    def perform(_: StepCall) -> Outcome:
        child = os.fork()
        if child:
            return Succeeded(attributes={"code": exit_code(child)})
        raise ValueError("in the child")

    pool = ThreadExecutor(perform, 1)
    assert await statuses_of_children(pool) == Succeeded(attributes={"code": 1})
    await pool.close()


async def test_c12_a_child_that_wants_something_saved_does_not_wait_for_ever() -> None:
    pool: ThreadExecutor

    def perform(_: StepCall) -> Outcome:
        child = os.fork()
        if child:
            return Succeeded(attributes={"code": exit_code(child)})
        try:
            pool.ask(lambda done: done(True))
        except Retryable:
            os._exit(7)
        os._exit(8)

    pool = ThreadExecutor(perform, 1)
    assert await statuses_of_children(pool) == Succeeded(attributes={"code": 7})
    await pool.close()


async def test_c12_a_child_of_an_observer_ends_at_once() -> None:
    codes: list[int] = []

    def notify(_: Event) -> None:
        child = os.fork()
        if child:
            codes.append(exit_code(child))

    announcer = ThreadAnnouncer(notify)
    announcer.announce(Event(Key("default", "order"), "u1", Phase.RUNNING, 1.0))
    await announcer.close()
    assert codes == [0]


KEEPER = """
import os, sys
from pathlib import Path
from wf_core.adapters.open_record import FolderRecord
from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.ports import Open

own = Ownership(Path(sys.argv[1]))
own.hold()
own.serve()
FolderRecord(Path(sys.argv[2]), "1.0").opened(Open("u1", "a"))
ready, say = os.pipe()
child = os.fork()
if not child:
    os.write(say, b"x")  # by now a child has closed what is not its own
    os.read(0, 1)  # lives until the test lets it end
    os._exit(0)
os.read(ready, 1)
print(own.id, child, flush=True)
os._exit(0)
"""


def test_c12_a_child_that_outlives_its_engine_keeps_no_claim(tmp_path: Path) -> None:
    """Neither that on workflows, nor that on serving, and its engine counts as dead."""
    database, folder = tmp_path / "wf.db", tmp_path / "wf.db.open"
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(database), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None
    owner, child = keeper.stdout.readline().split()
    try:
        assert keeper.wait(PATIENCE) == 0
        os.kill(int(child), 0)  # the child lives
        next_one = Ownership(database)
        assert next_one.live(owner) is None
        assert next_one.serve() is None
        assert FolderRecord(folder, "1.0").left().deaths == 1
        next_one.drop()
    finally:
        os.kill(int(child), signal.SIGKILL)
        for stream in (keeper.stdin, keeper.stdout):
            assert stream is not None
            stream.close()


def test_c12_the_engine_keeps_its_claim_when_its_child_ends(tmp_path: Path) -> None:
    own = Ownership(tmp_path / "wf.db")
    own.hold()
    child = os.fork()
    if not child:
        os._exit(0)
    assert exit_code(child) == 0
    assert Ownership(tmp_path / "wf.db").live(own.id) == f"process {os.getpid()} on this machine"
    own.drop()
