"""A folder with one store and one file of effects, and what must hold of them after a crash."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import attrs
from tests.crash.file_calls import recorded
from tests.crash.noted_workflow import KEY, STEPS, Noted, document

from wf_core import library
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import Phase, Undo
from wf_core.model.state import Stored, Transition
from wf_core.saga.table import check_step, check_workflow


@attrs.frozen
class Site:
    """`disk` is what the shim watches; the store makes a folder of its own in it."""

    folder: Path
    fails: bool

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def store(self) -> Path:
        return self.disk / "state" / "wf.db"

    @property
    def effects(self) -> Path:
        return self.folder / "effects"

    @property
    def records(self) -> Path:
        return self.folder / "records"

    @property
    def said(self) -> Path:
        return self.folder / "said"

    @property
    def refused(self) -> Path:
        return self.folder / "refused"

    @property
    def ends_in(self) -> Phase:
        return Phase.ROLL_BACKED if self.fails else Phase.SUCCESS

    def prepare(self) -> None:
        self.disk.mkdir(parents=True)

    def happened(self) -> list[str]:
        """Every effect so far, as "run a" or "undo a"."""
        return self.effects.read_text().splitlines() if self.effects.exists() else []

    def acknowledged(self) -> int:
        """The last revision that the watched process was told is saved; -1 for none."""
        notes = recorded(self.records) if self.records.exists() else []
        return max(
            (int(note.path.split()[1]) for note in notes if note.path.startswith("acknowledged")),
            default=-1,
        )

    def saved(self) -> Stored | None:
        """What is stored, looked at in a copy; None where the workflow is not there."""
        if not self.store.exists():
            return None
        aside = self.folder / "aside"
        shutil.copytree(self.store.parent, aside)
        try:
            return _looked_at(aside / self.store.name)[0]
        finally:
            shutil.rmtree(aside)

    def bring_to_its_end(self, stored: Stored | None) -> Stored:
        """In this process; what was never stored is run anew."""
        url, plugins = f"sqlite:{self.store}", [Noted(self.effects)]
        if stored is None:
            return library.run(document(fails=self.fails), plugins=plugins, store=url)
        return library.resume(KEY.name, plugins=plugins, store=url)


def _looked_at(path: Path) -> tuple[Stored | None, tuple[Transition, ...]]:
    async def read() -> tuple[Stored | None, tuple[Transition, ...]]:
        store = SqliteStore.open(path)
        try:
            return await store.load(KEY), await store.history(KEY)
        except WorkflowNotFound:
            return None, ()
        finally:
            await store.close()

    found = asyncio.run(read())
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
    return found


def goes_on_well(site: Site, crashes: int = 1) -> None:
    """After some crashes: what is stored fits what happened, and going on ends with all or none."""
    stored, before = site.saved(), site.happened()
    assert (stored.head.revision if stored else -1) >= site.acknowledged(), "a save is lost"
    _was_meant(stored, before)
    end = site.bring_to_its_end(stored)
    assert end.head.phase is site.ends_in
    after = site.happened()
    assert after[: len(before)] == before
    _not_again(stored, before, after)
    _all_or_none(site, after, crashes)
    found, history = _looked_at(site.store)
    assert found is not None
    assert found.head.phase is site.ends_in
    _consistent(found, history)


def _was_meant(stored: Stored | None, happened: list[str]) -> None:
    """I6: nothing happens without a saved intent."""
    for line in happened:
        hook, step = line.split()
        assert stored is not None, f"{line}: of a workflow that is not stored"
        state = stored.steps[STEPS.index(step)]
        begun = state.attempt if hook == "run" else state.rollback_attempt
        assert begun, f"{line}: without a saved intent"


def _not_again(stored: Stored | None, before: list[str], after: list[str]) -> None:
    """I6: what was saved as done is not done again."""
    for name, state in zip(STEPS, stored.steps if stored else (), strict=False):
        if Phase.SUCCESS in state.reached:
            assert after.count(f"run {name}") == before.count(f"run {name}") > 0
        if state.undo is Undo.CALLED:
            assert after.count(f"undo {name}") == before.count(f"undo {name}") > 0


def _all_or_none(site: Site, happened: list[str], crashes: int) -> None:
    """Each once, and once more for a crash that left it open; undone in the other order."""
    runs = [f"run {step}" for step in STEPS]
    undos = [f"undo {step}" for step in reversed(STEPS)]
    once = [line for i, line in enumerate(happened) if line not in happened[:i]]
    assert once == (runs + undos if site.fails else runs)
    at = [once.index(line) for line in happened]
    assert at == sorted(at), "something was done again after what follows it"
    assert len(happened) <= len(once) + crashes


def _consistent(stored: Stored, history: tuple[Transition, ...]) -> None:
    """I8: each line goes on where the one before ended, along the table, to the stored phase."""
    at: dict[str | None, Phase] = {}
    for move in history:
        assert move.before is at.get(move.step, Phase.PENDING)
        check = check_workflow if move.step is None else check_step
        check(move.before, move.after)
        at[move.step] = move.after
    assert at[None] is stored.head.phase
    assert [at[name] for name in STEPS] == [state.phase for state in stored.steps]
    revisions = [move.revision for move in history]
    assert revisions == sorted(revisions)
