"""Ownership between real processes (semantics C5, C6)."""

import asyncio
import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wf_core.adapters import own_files
from wf_core.adapters.sqlite import ownership
from wf_core.adapters.sqlite.ownership import SERVING, Ownership
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreServed, StoreUnavailable, WorkflowOwned
from wf_core.model.spec import Key
from wf_core.testing.store_values import key_of, workflow

KEY = Key("default", "order")
OWNER = """
import asyncio, subprocess, sys
from pathlib import Path
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.testing.store_values import key_of, next_save, saved, workflow

async def main():
    store = SqliteStore.open(Path(sys.argv[1]))
    stored = await store.create(workflow(), 1.0)
    await saved(store, stored, next_save(stored, await store.claim(key_of(stored))))
    child = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


@pytest.fixture
def owner(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the workflow, and has a child that outlives it."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()
    os.kill(child, signal.SIGKILL)


def claim(path: Path) -> int:
    """The epoch that a claim from this process gives."""

    async def main() -> int:
        store = SqliteStore.open(path)
        try:
            return (await store.claim(KEY)).epoch
        finally:
            await store.close()

    return asyncio.run(main())


def test_c6_live_owner_is_named_with_what_to_do(path: Path, owner: subprocess.Popen[str]) -> None:
    with pytest.raises(WorkflowOwned) as caught:
        claim(path)
    assert str(caught.value) == (
        f"workflow 'order' is being run by process {owner.pid} on this machine; "
        "stop it first, or watch it with `wf watch order`"
    )


def test_c6_killed_owner_is_replaced_at_once_though_its_child_lives(
    path: Path, owner: subprocess.Popen[str]
) -> None:
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert claim(path) == 2
    assert not list(path.with_name("wf.db.owners").iterdir())


def test_lock_files_of_the_dead_are_swept(path: Path) -> None:
    ours = Ownership(path)
    ours.folder.mkdir()
    (ours.folder / "dead.lock").write_text("1")
    living = Ownership(path)
    living.hold()
    ours.hold()
    assert {file.stem for file in ours.folder.iterdir()} == {ours.id, living.id}
    assert living.live(ours.id)
    assert living.live("dead") is None
    ours.drop()
    assert living.live(ours.id) is None
    living.drop()


def test_lock_taken_away_before_it_was_held_is_made_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may sweep the file between our making it and our locking it."""
    import fcntl

    ours, other = Ownership(path), Ownership(path)
    flock = fcntl.flock
    swept: list[str] = []

    def sweep_first(file: int, operation: int) -> None:
        if not swept and operation == fcntl.LOCK_EX:
            swept.append(ours.id)
            monkeypatch.setattr(fcntl, "flock", flock)
            assert other.live(ours.id) is None
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    ours.hold()
    assert swept
    assert other.live(ours.id)
    ours.drop()


def grants(_file: int, _operation: int) -> None:
    """A file system that grants every lock."""


def refuses(_file: int, _operation: int) -> None:
    """A file system that has no locks."""
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


@pytest.mark.parametrize("flock", [grants, refuses])
def test_c6_where_locks_keep_nobody_out_no_workflow_is_run(
    path: Path, monkeypatch: pytest.MonkeyPatch, flock: Callable[[int, int], None]
) -> None:
    """Two would run it at once, each taking the other for dead."""

    async def main() -> None:
        store = SqliteStore.open(path)
        try:
            key = key_of(await store.create(workflow(), 1.0))
            for taken in (store.claim(key), store.claim(key), store.admit_alone()):
                with pytest.raises(StoreUnavailable, match=r"without locks .* on a local disk"):
                    await taken
        finally:
            await store.close()

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", flock)
        asyncio.run(main())
    assert not own_files._open


SERVER = """
import asyncio, sys
from pathlib import Path
from wf_core.adapters.sqlite.store import SqliteStore

async def main():
    store = SqliteStore.open(Path(sys.argv[1]))
    await store.admit_alone()
    await store.admit_alone()
    print("serves", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def test_who_serves_a_file_is_told_to_those_that_ask(path: Path) -> None:
    async def served_by() -> str | None:
        store = SqliteStore.open(path)
        try:
            return await store.served_by()
        finally:
            await store.close()

    assert asyncio.run(served_by()) is None
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serves\n"
        assert asyncio.run(served_by()) == f"process {process.pid} on this machine"
    finally:
        process.kill()
        process.communicate()
    assert asyncio.run(served_by()) is None


def test_e3_one_that_only_asks_who_serves_keeps_nobody_from_serving(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Ownership(path)
    ours.folder.mkdir()
    asking = os.open(ours.folder / SERVING, os.O_CREAT | os.O_RDWR)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(ownership, "sleep", lambda _: fcntl.flock(asking, fcntl.LOCK_UN))
    assert ours.serve() is None
    ours.drop()
    os.close(asking)


def test_e3_a_second_process_that_would_serve_a_file_is_told_who_does(path: Path) -> None:
    async def serves() -> None:
        store = SqliteStore.open(path)
        try:
            await store.admit_alone()
        finally:
            await store.close()

    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serves\n"
        with pytest.raises(StoreServed, match=f"process {process.pid} on this machine"):
            asyncio.run(serves())
    finally:
        process.kill()
        process.communicate()
    asyncio.run(serves())
