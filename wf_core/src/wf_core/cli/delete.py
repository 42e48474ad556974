"""`wf delete`: a workflow goes, once what its policy undoes is undone."""

import asyncio
from collections.abc import Sequence

import click

from wf_core.cli.asking import PATIENCE
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store, now, runner_of
from wf_core.cli.verb import verb
from wf_core.cli.watch import changes
from wf_core.errors import WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import DeletionPolicy, Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store
from wf_core.saga.plan import effects_left


@verb(
    "delete",
    examples="""
    wf delete order-17
    wf delete --force order-17""",
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "--force",
    is_flag=True,
    help="Forget it as it is, undoing nothing: what it did stays and nobody knows of it any more.",
)
@click.pass_obj
def delete_command(settings: Settings, names: Sequence[str], force: bool) -> None:
    """Delete workflows.

    One that is unfinished is cancelled and undone before it goes. What else is undone is
    said by the document's deletionPolicy.
    """

    async def delete_all(store: Store) -> None:
        for name in names:
            click.echo(await delete_one(store, settings.key(name), force=force))

    ask_store(settings, delete_all)


async def delete_one(store: Store, key: Key, *, force: bool = False) -> str:
    """Delete a workflow, or ask for that; what became of it. Raises WorkflowNotFound."""
    stored = await store.load(key)
    key = key_of(stored.workflow)
    if force or stands_against(stored) is None:
        try:
            await store.remove(key)
        except WorkflowOwned:
            if force:
                raise
        else:
            return f"{key} is deleted"
    await store.delete(key, now())
    if stored.head.phase is Phase.FAILED and effects_left(stored):
        left = ", ".join(effects_left(stored))
        return (
            f"{key}: deletion is asked; it goes once what is left of {left} is undone or marked so "
            f"({wf(f'explain {key}')}), or as it is with --force"
        )
    why = stands_against(stored) or "an engine holds it"
    try:
        runner = await runner_of(store, key) or await store.served_by()
    except WorkflowNotFound:
        return f"{key} is deleted"
    if runner is None:
        does = wf(f"resume {key}")
        return f"{key}: deletion is requested ({why}); nothing is running it: {does} does it"
    if await _gone_soon(store, key):
        return f"{key} is deleted"
    return f"{key}: deletion is asked ({why}); it goes as soon as that is done"


async def _gone_soon(store: Store, key: Key) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            async for _ in changes(store, key):
                pass
    except TimeoutError:
        return False
    return True


def stands_against(stored: Stored) -> str | None:
    """What must be done before the workflow may be forgotten, or None."""
    head, policy = stored.head, stored.workflow.spec.deletion_policy
    if policy is DeletionPolicy.ORPHAN:
        return None
    if head.phase in (Phase.RUNNING, Phase.ROLLING_BACK) or (
        head.phase is Phase.SUCCESS and policy is DeletionPolicy.ROLLBACK and not head.committed
    ):
        return "what it did is undone first"
    if head.phase is Phase.FAILED and effects_left(stored):
        return "its undo is stuck"
    if stored.outbox:
        return "callbacks are not delivered yet"
    return None
