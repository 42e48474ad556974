"""C15: what is removed gives its disk back: the file, its log, and the folders of its steps."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from wf_core.adapters.sqlite import space
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.model.phases import Hook, Phase
from wf_core.model.state import LogLine, Stored
from wf_core.testing.store_values import key_of, next_save, saved, workflow

LARGE = 8 * 1024 * 1024


def in_store(path: Path, do: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def run() -> None:
        store = SqliteStore.open(path)
        try:
            await do(store)
        finally:
            await store.close()

    asyncio.run(run())


async def large(store: SqliteStore, name: str) -> Stored:
    """A workflow in Success whose steps said a lot and left files."""
    stored = await store.create(workflow(name), 1.0)
    key = key_of(stored)
    lines = [LogLine("step0", Hook.RUN, 1, 1.0, "x" * 64 * 1024) for _ in range(LARGE // 2**16)]
    await store.log(key, lines)
    owner = await store.claim(key)
    changes = next_save(stored, owner, phase=Phase.SUCCESS, reached={Phase.SUCCESS: 2.0})
    after = await saved(store, stored, changes)
    await store.release(key)
    folder = space.steps_folder(store.path) / stored.workflow.metadata.uid / "step0"
    folder.mkdir(parents=True)
    (folder / "command.lock").touch()
    return after


def used(path: Path) -> int:
    return sum(each.stat().st_size for each in path.parent.rglob("*") if each.is_file())


@pytest.mark.parametrize("how", ["delete", "expire"])
def test_c15_what_goes_gives_its_disk_back_while_others_stay(tmp_path: Path, how: str) -> None:
    path = tmp_path / "wf.db"

    async def fill_and_remove(store: SqliteStore) -> None:
        gone, kept = await large(store, "gone"), await store.create(workflow("kept"), 1.0)
        other = space.steps_folder(path) / kept.workflow.metadata.uid
        other.mkdir()
        assert used(path) > LARGE
        if how == "delete":
            await store.remove(key_of(gone))
        else:
            assert await store.expire(await store.load(key_of(gone)))
        assert used(path) < LARGE / 4  # also while the store is open: the log too
        assert list(space.steps_folder(path).iterdir()) == [other]
        assert await store.load(key_of(kept)) == kept

    in_store(path, fill_and_remove)


def test_c15_little_that_is_free_is_left_for_the_next_workflows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(space, "give_back", written.append)

    async def remove_one_of_three(store: SqliteStore) -> None:
        gone, *_ = [await large(store, name) for name in ("one", "two", "three")]
        await store.remove(key_of(gone))
        small = await store.create(workflow("small"), 1.0)
        await store.remove(key_of(small))

    in_store(tmp_path / "wf.db", remove_one_of_three)
    assert written == []


def test_c15_others_write_while_space_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "wf.db"

    async def both(store: SqliteStore) -> None:
        gone = await large(store, "gone")
        made = await asyncio.gather(
            store.remove(key_of(gone)),
            *(store.create(workflow(f"new{n}"), 1.0) for n in range(20)),
        )
        assert len(made) == 21
        assert len((await store.list()).rows) == 20

    in_store(path, both)


@pytest.mark.parametrize("uid", ["", ".", "..", "../other", "/etc"])
def test_c15_only_a_folder_of_a_workflow_is_removed(tmp_path: Path, uid: str) -> None:
    path = tmp_path / "wf.db"
    (space.steps_folder(path) / "kept").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    space.remove_steps(path, uid)
    assert (space.steps_folder(path) / "kept").is_dir()
    assert (tmp_path / "other").is_dir()


def test_c15_a_folder_that_can_not_be_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "wf.db"
    (space.steps_folder(path) / "u1").mkdir(parents=True)

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "not yours", str(folder))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with caplog.at_level(logging.WARNING):
        space.remove_steps(path, "u1")
    assert "u1 of a removed workflow stays" in caplog.text
