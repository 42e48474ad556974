"""`wf serve`: an engine that runs whatever is submitted."""

import asyncio
from typing import TYPE_CHECKING

import click

from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.interrupts import Interrupted, Interrupts
from wf_core.cli.live import Lines
from wf_core.cli.registry import installed, warn_of_problems
from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings
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
    """Run what is submitted, several workflows at once.

    What was left unfinished goes on. The configuration says how many at once and which
    next: FIFO, or FAIR between queues. Ends at ctrl-C or SIGTERM; what is not finished then goes on
    with the next `wf serve`.
    """
    warn_of_problems()
    leave(asyncio.run(_serve(settings)))


async def _serve(settings: Settings) -> ExitCode:
    from wf_core.engine.local import open_engine

    config = configuration(settings)
    view = Lines(several=True)
    async with open_engine(settings.store_url, config, installed()) as engine:
        engine.subscribe(view.saw)
        interrupts = Interrupts(view.close)
        with interrupts.caught():
            queue = config.controller_config.queue
            click.echo(
                f"wf: serving {settings.store_url}, {queue.strategy}, "
                f"at most {queue.max_running_count} at once",
                err=True,
            )
            try:
                await interrupts.guard(_until_stuck(engine))
            except Interrupted:
                await engine.stop()
                click.echo("wf: stopped; `wf serve` goes on", err=True)
                return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS


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
