"""A process with the shim and all imports, which forks a child for each order it reads.

Run as `python -m tests.crash.fork_server`: an order is a line of JSON on standard input, its answer
(the child's exit code, negative for a signal) a line on standard output.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType

import attrs
from tests.crash.crash_site import Site
from tests.crash.file_calls import Mode, Shim
from tests.crash.noted_workflow import KEY, Noted, NotedStores, document
from tests.patience import PATIENCE

from wf_core import library
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreUnavailable, WfError
from wf_core.ports import Saved
from wf_core.testing.store_values import next_save, workflow

ROOT = Path(__file__).parents[2]
SAVES = 12


@attrs.frozen
class Order:
    """What a child does: `run` or `resume` the workflow, or `outlast` a full disk."""

    folder: str
    fails: bool
    mode: Mode
    n: int
    action: str = "run"
    pragmas: tuple[str, ...] = ()


class Server:
    """The process, from the side of the tests."""

    def __init__(self, library: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.fork_server"],
            cwd=ROOT,
            env={**os.environ, "LD_PRELOAD": str(library)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def perform(
        self,
        site: Site,
        mode: Mode = Mode.WATCH,
        n: int = 0,
        action: str = "run",
        pragmas: tuple[str, ...] = (),
    ) -> bool:
        """Have a child do it. True where it was killed as ordered, False where it ended."""
        order = Order(str(site.folder), site.fails, mode, n, action, pragmas)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(attrs.asdict(order)) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        if code == -signal.SIGKILL:
            return True
        said = site.said.read_text() if site.said.exists() else ""
        assert code == 0, f"exit code {code} of {order}: {said}"
        return False


def perform(order: Order, shim: Shim) -> str:
    """In the child; gives the phase that it ended in, or the error that a person would see."""
    site = Site(Path(order.folder), order.fails)
    plugins = [Noted(site.effects, shim.note), NotedStores(shim.note, order.pragmas)]
    url = f"sqlite:{site.store}"
    shim.arm(site.disk, site.records, order.mode, order.n)
    try:
        if order.action == "outlast":
            return asyncio.run(outlast(site.store, shim))
        if order.action == "resume":
            return library.resume(KEY.name, plugins=plugins, store=url).head.phase
        return library.run(document(fails=site.fails), plugins=plugins, store=url).head.phase
    except WfError as error:
        return f"{type(error).__name__}: {error}"


async def outlast(path: Path, shim: Shim) -> str:
    """A store that stays open while the disk is full: each save that fails is made again once
    there is room. Gives how many failed."""
    store = SqliteStore.open(path)
    stored = await store.create(workflow(KEY.name), 1.0)
    owner = await store.claim(KEY)
    failed = 0
    for _ in range(SAVES):
        changes = next_save(stored, owner)
        try:
            answer = await store.save(KEY, changes)
        except StoreUnavailable:
            failed += 1
            shim.release()
            answer = await store.save(KEY, changes)
        assert answer is Saved.SAVED
        stored = await store.load(KEY)
        assert stored.head.revision == changes.head.revision
    await store.close()
    return f"{failed} failed"


def _child(line: str, shim: Shim) -> int:
    signal.alarm(int(PATIENCE))
    values = json.loads(line)
    order = Order(**{**values, "mode": Mode(values["mode"]), "pragmas": tuple(values["pragmas"])})
    code = 0
    try:
        said = perform(order, shim)
    except BaseException:
        said, code = traceback.format_exc(), 1
    site = Site(Path(order.folder), order.fails)
    site.said.write_text(said)
    site.refused.write_text(str(shim.refused))
    return code


def main() -> None:
    """Serve until standard input ends."""
    shim = Shim()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os._exit(_child(line, shim))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
