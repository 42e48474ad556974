"""The workflows that are measured: chains, fan-outs, layers, failures; steps do nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from wf_core.config import Config
from wf_core.config.values import ControllerConfig
from wf_core.engine import Engine
from wf_core.engine.local import open_engine, registry_of
from wf_core.kinds import Fatal, StepCall, StepKind
from wf_core.model.spec import (
    DependOn,
    Key,
    Metadata,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import Stored

ROOM = 300
"""Hook calls at once: more than any workflow here wants, so that no limit binds."""


class Empty(StepKind):
    """Does nothing."""

    name = "empty"

    def run(self, call: StepCall) -> None:
        """Nothing."""

    def rollback(self, call: StepCall) -> None:
        """Nothing."""


class Failing(Empty):
    """Fails for good."""

    name = "failing"

    def run(self, call: StepCall) -> None:
        """Fail."""
        raise Fatal("as it was asked to")


def step(name: str, *after: str, kind: str = "empty") -> StepSpec:
    """A step that waits for the success of `after`."""
    return StepSpec(name, StepTemplate(kind), tuple(DependOn(each) for each in after))


def workflow(name: str, steps: list[StepSpec]) -> Workflow:
    """A document."""
    return Workflow(Metadata(name), WorkflowSpec(tuple(steps)))


def chain(name: str, length: int, fails: int | None = None) -> Workflow:
    """Each step waits for the one before it; the one with the number `fails` (from 1) fails."""
    return workflow(
        name,
        [
            step(
                f"s{n}",
                *([f"s{n - 1}"] if n > 1 else []),
                kind="failing" if n == fails else "empty",
            )
            for n in range(1, length + 1)
        ],
    )


def fan_out(name: str, leaves: int) -> Workflow:
    """One root, and so many steps that wait for it alone."""
    return workflow(name, [step("root"), *(step(f"leaf{n}", "root") for n in range(leaves))])


def layers(name: str, depth: int, width: int) -> Workflow:
    """`depth` layers; each step waits for all of the layer before it."""
    steps: list[StepSpec] = []
    before: list[str] = []
    for layer in range(depth):
        names = [f"s{layer}-{n}" for n in range(width)]
        steps += [step(name, *before) for name in names]
        before = names
    return workflow(name, steps)


@asynccontextmanager
async def opened(url: str, *plugins: object, concurrency: int = ROOM) -> AsyncIterator[Engine]:
    """An engine whose kinds are the ones above."""
    config = Config(controller_config=ControllerConfig(concurrency=concurrency))
    registry = registry_of([Empty(), Failing(), *plugins])
    async with open_engine(url, config, registry) as engine:
        yield engine


async def timed(engine: Engine, document: Workflow) -> tuple[float, Stored]:
    """Submit a workflow and run it to its end: the seconds that the running took, and its end.

    Submission is a write of its own, before the first of the N + 1, and is left out.
    """
    stored = await engine.create(document)
    metadata = stored.workflow.metadata
    key = Key(metadata.namespace, metadata.name)
    start = perf_counter()
    await engine.adopt(key)
    ended = await engine.wait(key)
    return perf_counter() - start, ended


def sqlite(folder: Path, name: str) -> str:
    """The address of a store in `folder`."""
    return f"sqlite:{folder / name}"
