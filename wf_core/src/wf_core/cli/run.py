"""`wf run` and `wf resume`: workflows run here and now, shown while they do."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wf_core.adapters.ending import hooks_end_it_with
from wf_core.adapters.hook_output import captured
from wf_core.cli import documents
from wf_core.cli.chaos import Options as ChaosOptions
from wf_core.cli.chaos import arguments, chaos_options, require_alone, run_chaos
from wf_core.cli.exits import ExitCode, leave, of_stored, worst
from wf_core.cli.interrupts import Interrupted, Interrupts
from wf_core.cli.live import Silent, View, choose
from wf_core.cli.outcome import lines
from wf_core.cli.output import Format, output_option, print_document
from wf_core.cli.registry import installed, warn_of_problems
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import all_rows, now
from wf_core.cli.verb import verb
from wf_core.config import Config, find, load
from wf_core.errors import StoreMissing, WorkflowNotFound, WorkflowOwned
from wf_core.folders import here
from wf_core.model.phases import FINISHED
from wf_core.model.spec import Json, Key, Workflow
from wf_core.model.state import Stored

if TYPE_CHECKING:
    from wf_core.engine.engine import Engine

Choose = Callable[["Engine"], Awaitable[Sequence[Key]]]


@verb(
    "run",
    examples="""
    wf run order.yaml
    wf run order.yaml --param customer=ada --name order-17
    wf run *.yaml --store sqlite:orders.db
    generate | wf run -
    wf run order.yaml --chaos 100 --check ./check.sh
    wf run order.yaml --chaos 100 --leaves stock""",
)
@documents.files_argument
@documents.param_option
@documents.name_option
@documents.replace_option
@output_option()
@click.pass_obj
@chaos_options
def run_command(
    settings: Settings,
    files: Sequence[str],
    params: Mapping[str, Json],
    new_name: str | None,
    replace: bool,
    output: Format,
    chaos: ChaosOptions,
) -> None:
    """Run workflows here and now, and show them live.

    All of FILE... run at once, until each has ended or waits for a person.

    With --chaos one FILE is run many times while the engine is killed and hooks fail. --check
    says whether the world is all or none after each, --leaves what must be as before after each
    that was undone: 0 it always was, 1 it was not.

    Exit codes: 0 Success, 3 RollBacked, 4 Failed (an undo is stuck), 5 paused or suspended,
    130 interrupted (`wf resume` goes on), 2 a fault in the document, 1 anything around it.
    """
    warn_of_problems()
    if chaos.runs is not None:
        require_alone(files, replace=replace)
    workflows = documents.read_each(files, params, new_name, settings, documents.read_workflow)
    if chaos.runs is not None:
        configuration(settings)  # a fault in it is said now, not by the first life
        file = _config_file(settings)
        command = arguments(files[0], params, new_name, file)
        leave(run_chaos(chaos, workflows[0], file, command, output))
        return

    documents.require_here(workflows)

    async def start(engine: "Engine") -> Sequence[Key]:
        return await _create(engine, workflows, replace)

    leave(asyncio.run(drive(settings, start, output)))


async def _create(engine: "Engine", workflows: Sequence[Workflow], replace: bool) -> Sequence[Key]:
    return await documents.create_all(engine.store, workflows, replacing=replace, now=now())


@verb(
    "resume",
    examples="""
    wf resume
    wf resume order-17""",
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@output_option()
@click.pass_obj
def resume_command(settings: Settings, names: Sequence[str], output: Format) -> None:
    """Go on with workflows after a crash or an interrupt.

    What was asked meanwhile is applied. Without NAME: everything unfinished in the
    store that no other process runs.
    """
    warn_of_problems()

    async def choose_keys(engine: "Engine") -> Sequence[Key]:
        if names:
            found = [await engine.store.load(settings.key(name)) for name in names]
            return [key_of(stored.workflow) for stored in found]
        unfinished = await _unfinished(engine, settings)
        if not unfinished and output is Format.TABLE:
            click.echo("nothing to resume: every workflow in the store has ended")
        return unfinished

    try:
        resumed = drive(settings, choose_keys, output, resuming=True, skip_owned=not names)
        leave(asyncio.run(resumed))
    except StoreMissing:
        if names or settings.store:
            raise
        click.echo("nothing to resume: nothing was run yet", err=output is not Format.TABLE)


async def _unfinished(engine: "Engine", settings: Settings) -> list[Key]:
    """What has not ended, is to be deleted, or has a request or callbacks that wait."""
    return [
        row.key
        for row in await all_rows(engine.store)
        if settings.namespace in (None, row.key.namespace)
        and (row.phase not in FINISHED or row.deleting or row.asked or row.reporting)
    ]


def configuration(settings: Settings) -> Config:
    """The configuration named on the command line, else the user's own, else the defaults.

    Raises ConfigInvalid.
    """
    file = _config_file(settings)
    return Config() if file is None else load(file)


def _config_file(settings: Settings) -> Path | None:
    return find(Path(settings.config) if settings.config else None, os.environ)


async def drive(
    settings: Settings,
    start: Choose,
    output: Format,
    *,
    resuming: bool = False,
    skip_owned: bool = False,
) -> ExitCode:
    """Run what `start` chooses until all of it rests, and show it; the worst exit code.

    Raises StoreMissing where there is no store and, `resuming`, none is to be made.
    """
    from wf_core.engine.local import open_engine

    config = configuration(settings)
    async with AsyncExitStack() as last:
        last.enter_context(hooks_end_it_with(ExitCode.OPERATOR))
        last.enter_context(captured())
        engine = await last.enter_async_context(
            open_engine(settings.store_url, config, installed(), create=not resuming)
        )
        keys = await start(engine)
        adopted: list[Key] = []
        view = _view(engine, adopted, output, several=len(keys) > 1)
        engine.subscribe(view.saw)
        interrupts = Interrupts(view.close)
        with interrupts.caught():
            try:
                async with view:
                    running = _run(engine, keys, adopted, resuming, skip_owned)
                    ended = await interrupts.guard(running)
            except Interrupted:
                await engine.stop()
                names = " ".join(map(str, keys))
                with contextlib.suppress(OSError):  # the terminal may be gone
                    click.echo(f"wf: stopped; {wf(f'resume {names}')} goes on", err=True)
                return ExitCode.INTERRUPTED
        _report(ended, output)
    return worst(of_stored(stored) for stored in ended)


async def _run(
    engine: "Engine", keys: Sequence[Key], adopted: list[Key], resuming: bool, skip_owned: bool
) -> list[Stored]:
    """Take every workflow, noting it in `adopted`, and wait until all rest."""
    for key in keys:
        try:
            await engine.adopt(key)
        except WorkflowOwned as owned:
            if not skip_owned:
                raise
            click.echo(f"wf: left alone: {owned}", err=True)
        else:
            adopted.append(key)
            if resuming:
                _tell_of_folder(engine, key)
    return await asyncio.gather(*(engine.wait(key) for key in adopted))


def _tell_of_folder(engine: "Engine", key: Key) -> None:
    """A workflow from before folders were saved runs its commands where it is gone on with."""
    stored = engine.view(key)
    if stored.head.folder is not None or not engine.store.keeps_folders:
        return
    kinds = {step.step_template.type: None for step in stored.workflow.spec.steps}
    known = engine.registry.kinds
    if any(kind in known and known[kind].needs_folder for kind in kinds):
        click.echo(
            f"wf: {key} was stored without the folder it was submitted from; its commands run in "
            f"{here().path}. {wf(f'folder {key} PATH')} sets another",
            err=True,
        )


def _view(engine: "Engine", adopted: Sequence[Key], output: Format, *, several: bool) -> View:
    if output is not Format.TABLE:
        return Silent(several=several)
    last: dict[Key, Stored] = {}

    def snapshots() -> Sequence[Stored]:
        for key in adopted:
            # One that was deleted, or lost to another engine, is drawn as it was last.
            with contextlib.suppress(WorkflowNotFound):
                last[key] = engine.view(key)
        return tuple(last.values())

    return choose(snapshots, now, several=several)


def _report(ended: Sequence[Stored], output: Format) -> None:
    """The end: documents where they were asked for, and what to know of whatever went badly."""
    if output is Format.NAME:
        for stored in ended:
            click.echo(key_of(stored.workflow))
    elif output is not Format.TABLE:
        from wf_core.codec import stored_document

        shown = [stored_document(stored) for stored in ended]
        print_document(output, shown[0] if len(shown) == 1 else {"items": shown})
    for stored in ended:
        for line in lines(stored):
            click.echo(f"wf: {line}", err=True)
