"""`wf logs`: what hooks wrote, and what plugins know of attempts that write elsewhere."""

import asyncio
import json
from collections.abc import Sequence

import click

from wf_core.cli.attempt_logs import Followed, queries, read_all
from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.interrupts import Interrupted, Interrupts
from wf_core.cli.output import Format, output_option
from wf_core.cli.settings import Settings, wf
from wf_core.cli.stores import opened
from wf_core.cli.text import inert, zoned
from wf_core.cli.verb import verb
from wf_core.cli.watch import changes, rests
from wf_core.errors import AuthorError, OperatorError, StoreUnavailable
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_core.ports import Store

LAST_LINES = 10.0
"""Seconds in which what ended attempts wrote last is awaited, once the workflow rests."""


@verb(
    "logs",
    examples="""
    wf logs order-17
    wf logs order-17 payment
    wf logs -f order-17""",
)
@click.argument("name")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the workflow rests.")
@output_option(Format.TABLE, Format.JSON)
@click.pass_obj
def logs_command(
    settings: Settings, name: str, step: str | None, follow: bool, output: Format
) -> None:
    """Show what the hooks of a workflow, and its pods, wrote.

    With STEP only those of one step. `-o json` prints an object a line.
    """
    leave(asyncio.run(_logs(settings, settings.key(name), step, follow, output)))


async def _logs(
    settings: Settings, key: Key, step: str | None, follow: bool, output: Format
) -> ExitCode:
    async with opened(settings) as store:
        stored = await store.load(key)
        if step is not None and all(spec.name != step for spec in stored.workflow.spec.steps):
            lists = wf(f"get {key}")
            raise AuthorError(f"workflow '{key}' has no step '{step}'; {lists} lists them")
        if not follow:
            kept, elsewhere = await _kept(store, key, step)
            found: list[LogLine] = []
            try:
                await read_all(queries(settings, stored, step, follow=False), found.append)
            finally:  # what is known is shown, whatever else can't be read
                _print(sorted([*kept, *found], key=lambda each: each.at), step, output)
            if elsewhere is not None and not found:
                raise elsewhere
            return ExitCode.SUCCESS
        interrupts = Interrupts(lambda: None)
        with interrupts.caught():
            try:
                await interrupts.guard(_follow(settings, store, key, step, output))
            except Interrupted:
                return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS


async def _follow(
    settings: Settings, store: Store, key: Key, step: str | None, output: Format
) -> None:
    shown = 0
    elsewhere: OperatorError | None = None
    followed = Followed(lambda line: _print([line], step, output))
    try:
        async for stored in changes(store, key):
            written, elsewhere = await _kept(store, key, step)
            _print(written[shown:], step, output)
            shown = len(written)
            followed.take(queries(settings, stored, step, follow=True))
            if rests(stored):
                break
    finally:
        await followed.end(LAST_LINES)
    if elsewhere is not None and not followed.any:
        raise elsewhere


async def _kept(
    store: Store, key: Key, step: str | None
) -> tuple[Sequence[LogLine], OperatorError | None]:
    """The lines that the store has; and why it has none, where hooks write elsewhere."""
    try:
        return await store.logs(key, step), None
    except StoreUnavailable:
        raise
    except OperatorError as error:
        return (), error


def _print(written: Sequence[LogLine], step: str | None, output: Format) -> None:
    """One step's lines as they are, but for what would steer the terminal; those of several with
    the step before each line."""
    for each in written:
        if output is Format.JSON:
            click.echo(json.dumps(_plain(each), ensure_ascii=False))
            continue
        for line in each.text.split("\n"):
            shown = inert(line)
            click.echo(shown if step is not None else f"{each.step} | {shown}")


def _plain(each: LogLine) -> dict[str, object]:
    return {
        "at": zoned(each.at),
        "step": each.step,
        "hook": each.hook.value,
        "attempt": each.attempt,
        "stream": each.stream,
        "text": each.text,
    }
