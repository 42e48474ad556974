"""Workflows, states and a command line for the tests of this folder."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
from msgspec.structs import replace

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli.app import run
from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import (
    DependOn,
    Key,
    Metadata,
    Parameters,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import StepState, Stored, Transition, WorkflowState, Writer
from wf_core.ports import Changes, Saved

T = TypeVar("T")
BORN = 1_000.0


def step(
    name: str,
    *after: str | DependOn,
    pivot: bool = False,
    undoable: bool = True,
    parameters: Parameters | None = None,
) -> StepSpec:
    """A step of the kind `random` that waits for `after`."""
    return StepSpec(
        name,
        StepTemplate("random", parameters or {}),
        tuple(each if isinstance(each, DependOn) else DependOn(each) for each in after),
        pivot,
        RollbackMode.REQUIRED if undoable else RollbackMode.NONE,
    )


def workflow(*steps: StepSpec, name: str = "order", **spec: Any) -> Workflow:
    return Workflow(Metadata(name), WorkflowSpec(steps or (step("one"),), **spec))


def stored(made: Workflow, *states: StepState, **head: Any) -> Stored:
    """What a store would give back; steps without a state are fresh."""
    missing = len(made.spec.steps) - len(states)
    return Stored(
        made,
        WorkflowState(**{"created_at": BORN, **head}),
        (*states, *(StepState() for _ in range(missing))),
    )


@attrs.frozen
class Result:
    """What a command gave: the exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@attrs.frozen
class Shell:
    """Runs `wf` in this process against a store of the test's own, in a folder of its own."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @classmethod
    def made(
        cls,
        folder: Path,
        capture: pytest.CaptureFixture[str],
        environment: pytest.MonkeyPatch,
    ) -> "Shell":
        """One whose environment names that store, and nothing else."""
        made = cls(folder, capture)
        for name in ("WF_CONFIG", "WF_NAMESPACE", "WF_DEBUG"):
            environment.delenv(name, raising=False)
        environment.setenv("WF_STORE", made.url)
        SqliteStore.open(made.folder / "wf.db").halt()  # reading makes none
        return made

    @property
    def url(self) -> str:
        return f"sqlite:{self.folder / 'wf.db'}"

    def wf(self, *arguments: str) -> Result:
        code = run(list(arguments))
        written = self.capture.readouterr()
        return Result(code, written.out, written.err)

    def file(self, name: str, text: str) -> str:
        """Write a document; its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def keep(
        self,
        made: Workflow,
        states: Sequence[StepState] = (),
        history: Iterable[Transition] = (),
        **head: Any,
    ) -> None:
        """Store a workflow in a given state, as an engine that is gone would have left it."""
        asyncio.run(self._keep(made, states, tuple(history), head))

    async def _keep(
        self,
        made: Workflow,
        states: Sequence[StepState],
        history: tuple[Transition, ...],
        head: dict[str, Any],
    ) -> None:
        store = SqliteStore.open(self.folder / "wf.db")
        try:
            fresh = await store.create(made, BORN)
            key = Key(made.metadata.namespace, made.metadata.name)
            owner = await store.claim(key)
            changes = Changes(
                fresh.workflow.metadata.uid,
                0,
                0,
                replace(fresh.head, revision=1, owner=owner, writer=Writer(owner.epoch, 1), **head),
                dict(enumerate(states)),
                history=history,
            )
            assert await store.save(key, changes) is Saved.SAVED
            await store.release(key)
        finally:
            await store.close()

    def load(self, name: str = "order") -> Stored:
        return self.on_store(lambda store: store.load(Key("default", name)))

    def on_store(self, work: Callable[[SqliteStore], Awaitable[T]]) -> T:
        """Do something to the store itself."""

        async def done() -> T:
            store = SqliteStore.open(self.folder / "wf.db")
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(done())


RUNNING = StepState(phase=Phase.RUNNING, attempt=1, reached={Phase.RUNNING: BORN})
DONE = StepState(
    phase=Phase.SUCCESS, attempt=1, reached={Phase.RUNNING: BORN, Phase.SUCCESS: BORN + 2}
)
