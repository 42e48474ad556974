"""`wf folder`: where the relative paths of a workflow begin."""

import os
from pathlib import Path

import click
from msgspec.structs import replace

from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store
from wf_core.cli.verb import verb
from wf_core.errors import AuthorError, OperatorError
from wf_core.folders import here, unusable
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Folder, Writer
from wf_core.ports import Changes, Saved, Store

_CHANGED_MEANWHILE = "workflow '{key}' changed at the same moment, and nothing was set; try again"


@verb(
    "folder",
    examples="""
    wf folder order-17
    wf folder order-17 ~/orders""",
)
@click.argument("name")
@click.argument(
    "path",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.pass_obj
def folder_command(settings: Settings, name: str, path: Path | None) -> None:
    """Show or set the folder that a workflow works in.

    `wf run` and `wf submit` save the folder they are called in, and commands run there, wherever
    the engine is. Where that folder is gone, or another account's, its steps wait: PATH gives
    them another, which is then this account's. No engine may run NAME meanwhile.
    """

    async def show_or_set(store: Store) -> str:
        stored = await store.load(settings.key(name))
        key = key_of(stored.workflow)
        if not store.keeps_folders:
            raise OperatorError(
                f"workflow '{key}' is in a cluster, where its pods say which folder they work in; "
                "no folder of this machine means anything there"
            )
        if path is None:
            return _shown(stored.head.folder, key)
        folder = Folder(str(path.absolute()), os.getuid())
        if stored.head.phase is Phase.ROLL_BACKED:
            raise AuthorError(f"workflow '{key}' was rolled back: no command of it runs")
        owner = await store.claim(key)  # an engine that runs it would not see what is set
        try:
            head = (await store.load(key)).head
            changed = replace(
                head,
                revision=head.revision + 1,
                owner=owner,
                writer=Writer(owner.epoch, 1),
                folder=folder,
            )
            uid = stored.workflow.metadata.uid
            base = (head.owner.epoch, head.revision)
            if await store.save(key, Changes(uid, *base, changed, {})) is not Saved.SAVED:
                raise OperatorError(_CHANGED_MEANWHILE.format(key=key))
        finally:
            await store.release(key)
        return f"{key}: its folder is {folder.path}; {wf(f'resume {key}')} goes on with it"

    click.echo(ask_store(settings, show_or_set))


def _shown(folder: Folder | None, key: Key) -> str:
    if folder is None:
        return f"none was saved: its commands run where the engine is, here {here().path}"
    why = unusable(folder, key)
    return folder.path if why is None else f"{folder.path}\n{why}"
