"""What an engine that serves for months keeps of workflows that are gone, or left alone."""

import asyncio
import gc
import weakref
from collections.abc import Callable

from wf_core.engine.runner import Runner
from wf_core.errors import EngineError, StoreForeign, WfError, without_frames
from wf_core.model.spec import Key, StepTemplate
from wf_core.ports import Changes, Saved
from wf_core.testing.bench import Bench, Process, step, workflow
from wf_core.testing.scripted_hooks import Do, Script

WATCHED = StepTemplate("looked", sync_period_seconds=7.0)


def watched(process: Process, key: Key) -> Callable[[], Runner | None]:
    """The runner of a workflow, for as long as anybody holds it."""
    return weakref.ref(vars(process.engine)["_runners"][key])


async def let_go(process: Process, runner: Callable[[], Runner | None]) -> bool:
    """Whether nobody holds it a minute later but the bench, which records calls."""
    await asyncio.sleep(60)
    process.executor.calls.clear()
    gc.collect()
    return runner() is None


async def test_of_what_somebody_else_deletes_nothing_is_kept() -> None:
    bench = Bench()
    process = bench.process()
    serving = process.serve()
    key = await bench.create(workflow(step("a", template=WATCHED)))
    await bench.until(lambda: len(bench.calls) > 2)
    runner = watched(process, key)
    bench.vanish(key)
    assert await let_go(process, runner)
    assert not vars(process.engine)["_errors"]
    await process.stop()
    await serving


async def test_of_what_is_given_up_no_more_than_the_reason_is_kept() -> None:
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    serving = process.serve()

    async def save(_: Key, __: Changes) -> Saved:
        raise StoreForeign("it can't be read")

    key = await bench.create(workflow(step("a")))
    await bench.until(lambda: bool(bench.calls))
    runner = watched(process, key)
    vars(process.store)["save"] = save
    await bench.until(lambda: bool(vars(process.engine)["_errors"]))
    assert await let_go(process, runner)
    assert str(vars(process.engine)["_errors"][key]) == "it can't be read"
    await process.stop()
    await serving


def test_an_error_that_is_kept_holds_no_frame_of_its_causes() -> None:
    def fail(large: list[int]) -> WfError:
        try:
            try:
                raise KeyError(len(large))
            except KeyError:
                raise StoreForeign("it can't be read")  # noqa: B904  # so that it has a context
        except StoreForeign as error:
            try:
                raise EngineError("a fault") from error
            except EngineError as raised:
                return without_frames(raised)

    error = fail([1])
    cause = error.__cause__
    assert str(error) == "a fault"
    assert isinstance(cause, StoreForeign)
    assert (error.__traceback__, cause.__traceback__, cause.__context__) == (None, None, None)
