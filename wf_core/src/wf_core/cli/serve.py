"""`wf serve`: an engine that runs whatever is submitted."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from wf_core.adapters.hook_output import captured
from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.interrupts import Interrupted, Interrupts
from wf_core.cli.live import Lines
from wf_core.cli.registry import installed, warn_of_problems
from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings, wf
from wf_core.cli.verb import verb
from wf_core.errors import OperatorError

if TYPE_CHECKING:
    from wf_core.engine.engine import Engine

HEALTH = 1.0  # seconds between two looks at the threads


@verb(
    "serve",
    examples="""
    wf serve
    wf serve --store sqlite:orders.db --config wf.yaml""",
)
@click.pass_obj
def serve_command(settings: Settings) -> None:
    """Run what is submitted, and what schedules are due.

    Several workflows run at once; what was left unfinished goes on. The configuration says how
    many and which next: FIFO, or FAIR between queues. Ends at ctrl-C, or with exit code 0 at
    SIGTERM and SIGHUP; what is not finished then goes on with the next `wf serve`.

    One process serves an SQLite store: a second one names the first, and exits with 1.
    `wf run` and `wf resume` go on beside it.
    """
    warn_of_problems()
    with captured():
        code = asyncio.run(_serve(settings))
    leave(code)


async def _serve(settings: Settings) -> ExitCode:
    from wf_core.adapters.clock import WallClock
    from wf_core.adapters.watchdog import Watchdog
    from wf_core.engine.local import open_engine
    from wf_core.engine.scheduling import scheduler_beside

    config = configuration(settings)
    view = Lines(several=True)
    async with open_engine(settings.store_url, config, installed()) as engine:
        await engine.store.admit_alone()  # before it says that it serves, and before any schedule
        engine.subscribe(view.saw)
        interrupts = Interrupts(view.close)
        with interrupts.caught(), Watchdog():
            queue = config.controller_config.queue
            click.echo(
                f"wf: serving {settings.store_url}, {queue.strategy}, "
                f"at most {queue.max_running_count} at once",
                err=True,
            )
            try:
                scheduler = scheduler_beside(engine, WallClock())
                async with _beside(scheduler.run() if scheduler is not None else None):
                    await interrupts.guard(_until_stuck(engine))
            except Interrupted:
                await engine.stop()
                with contextlib.suppress(OSError):  # the terminal may be gone
                    click.echo(f"wf: stopped; {wf('serve')} goes on", err=True)
                # Whoever supervises a service ends it like this; it is no failure.
                clean = interrupts.first is not signal.SIGINT
                return ExitCode.SUCCESS if clean else ExitCode.INTERRUPTED
    return ExitCode.SUCCESS


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None] | None) -> AsyncIterator[None]:
    """Let `work` go on meanwhile."""
    if work is None:
        yield
        return
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until_stuck(engine: "Engine") -> None:
    """Serve until the engine stops, or so many hooks hang that only a new process helps (B7)."""
    serving = asyncio.ensure_future(engine.serve())
    while not serving.done():
        await asyncio.wait((serving,), timeout=HEALTH)
        if not engine.healthy:
            raise OperatorError(
                "half of the threads hang in hooks that do not stop; start `wf serve` again, and "
                "see `wf list` and `wf explain` for the steps that are stuck"
            )
    await serving
