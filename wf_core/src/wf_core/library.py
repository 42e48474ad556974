"""wf as a library: a workflow run in ten lines, with or without a loop of one's own."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from wf_core.codec import read, with_parameters
from wf_core.config import Config
from wf_core.engine.local import open_engine, registry_of
from wf_core.folders import here
from wf_core.model.spec import Json, Key, Workflow
from wf_core.model.state import Stored


async def arun(
    workflow: Workflow | Path | str,
    *,
    parameters: Mapping[str, Json] | None = None,
    plugins: Iterable[object] | None = None,
    store: str = "memory:",
    config: Config | None = None,
) -> Stored:
    """Run a workflow (a `Workflow`, the path of a document, or its text) until it rests.

    `plugins` are step kinds or plugin modules; None takes what is installed. `store` is a store's
    address; with `sqlite:PATH` the run survives a crash: `aresume` goes on with it. Gives what is
    stored at the end: `result.head.phase`, and the steps in the document's order. Raises
    DocumentInvalid, WorkflowExists, StoreUnavailable.
    """
    registry = registry_of(plugins)
    if not isinstance(workflow, Workflow):
        text = workflow if isinstance(workflow, str) else workflow.read_text()
        source = "" if isinstance(workflow, str) else str(workflow)
        workflow = read(text, source, registry, parameters)
    elif parameters:
        workflow = with_parameters(workflow, dict(parameters))
    async with open_engine(store, config, registry) as engine:
        stored = await engine.create(workflow, here())
        metadata = stored.workflow.metadata
        key = Key(metadata.namespace, metadata.name)
        await engine.adopt(key)
        return await engine.wait(key)


def run(
    workflow: Workflow | Path | str,
    *,
    parameters: Mapping[str, Json] | None = None,
    plugins: Iterable[object] | None = None,
    store: str = "memory:",
    config: Config | None = None,
) -> Stored:
    """`arun` without a loop of one's own.

    >>> from wf_core import StepKind, Success, run
    >>> class Greet(StepKind):
    ...     name = "greet"
    ...     def run(self, call):
    ...         return Success(attributes={"said": f"hello from {call.step}"})
    ...     def rollback(self, call):
    ...         return None
    >>> document = '''
    ... apiVersion: workflow.example.com/v1alpha1
    ... kind: Workflow
    ... metadata: {name: greeting}
    ... spec:
    ...   steps:
    ...   - {name: first, stepTemplate: {type: greet}}
    ... '''
    >>> result = run(document, plugins=[Greet()])
    >>> result.head.phase, result.steps[0].attributes["said"]
    (<Phase.SUCCESS: 'Success'>, 'hello from first')
    """
    return asyncio.run(
        arun(workflow, parameters=parameters, plugins=plugins, store=store, config=config)
    )


async def aresume(
    name: str,
    *,
    namespace: str = "default",
    plugins: Iterable[object] | None = None,
    store: str,
    config: Config | None = None,
) -> Stored:
    """Go on with a stored workflow, after a crash or a pause, until it rests again."""
    registry = registry_of(plugins)
    async with open_engine(store, config, registry) as engine:
        key = Key(namespace, name)
        await engine.adopt(key)
        return await engine.wait(key)


def resume(
    name: str,
    *,
    namespace: str = "default",
    plugins: Iterable[object] | None = None,
    store: str,
    config: Config | None = None,
) -> Stored:
    """`aresume` without a loop of one's own."""
    return asyncio.run(
        aresume(name, namespace=namespace, plugins=plugins, store=store, config=config)
    )
