"""`wf watch`: a workflow that another process runs, live."""

import asyncio
from collections.abc import AsyncIterator

import click

from wf_core.cli import outcome
from wf_core.cli.exits import ExitCode, leave, of_stored
from wf_core.cli.interrupts import Interrupted, Interrupts
from wf_core.cli.live import View, choose
from wf_core.cli.settings import Settings, key_of
from wf_core.cli.stores import now, opened
from wf_core.cli.verb import verb
from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store


@verb("watch", examples="wf watch order-17")
@click.argument("name")
@click.pass_obj
def watch_command(settings: Settings, name: str) -> None:
    """Show a workflow live, whichever process runs it.

    Goes on until it ends or waits for a person. The exit codes are those of `wf run`.
    """
    leave(asyncio.run(_watch(settings, settings.key(name))))


async def _watch(settings: Settings, key: Key) -> ExitCode:
    async with opened(settings) as store:
        latest = [await store.load(key)]
        view = choose(lambda: latest, now, several=False)
        interrupts = Interrupts(view.close)
        with interrupts.caught():
            try:
                async with view:
                    await interrupts.guard(_show(store, key, latest, view))
            except Interrupted:
                return ExitCode.INTERRUPTED
    for line in outcome.lines(latest[0]):
        click.echo(f"wf: {line}", err=True)
    return of_stored(latest[0])


async def _show(store: Store, key: Key, latest: list[Stored], view: View) -> None:
    """Show what was, then every change, until the workflow rests or is gone."""
    shown = 0
    async for stored in changes(store, key):
        latest[0] = stored
        history = await store.history(key)
        view.saw(key, history[shown:])
        shown = len(history)
        if rests(stored):
            return
    click.echo(f"wf: {key} was deleted", err=True)


async def changes(store: Store, key: Key) -> AsyncIterator[Stored]:
    """The workflow as it is, and again after each change; ends where it is gone."""
    follower = store.watch()
    try:
        stored = await store.load(key)
        key = key_of(stored.workflow)  # a store may take another namespace for the default one
        yield stored
        async for seen in follower:
            if seen.key == key:
                yield await store.load(key)
    except WorkflowNotFound:
        return


def rests(stored: Stored) -> bool:
    """Whether nothing more happens unless a person moves it, by what is stored."""
    head = stored.head
    if stored.asked or head.deletion_asked_at is not None:
        return False
    if head.phase in FINISHED:
        return True
    if head.phase is Phase.ROLLING_BACK:
        undoing = [step for step in stored.steps if step.phase is Phase.ROLLING_BACK]
        return bool(undoing) and all(step.blocked is not None for step in undoing)
    return (head.suspended or head.parked) and not any(s.in_progress for s in stored.steps)
