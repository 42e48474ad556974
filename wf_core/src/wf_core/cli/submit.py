"""`wf submit`: store workflows and schedules for an engine that serves."""

from collections.abc import Mapping, Sequence

import click

from wf_core.cli import documents
from wf_core.cli.files import refuse_above_ceilings
from wf_core.cli.output import Format, output_option, show
from wf_core.cli.schedules import create_schedules, schedules_of
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store, now
from wf_core.cli.verb import verb
from wf_core.folders import here
from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import Json, Workflow
from wf_core.ports import Store


@verb(
    "submit",
    examples="""
    wf submit order.yaml
    wf submit nightly.yaml
    wf submit order.yaml --param customer=ada --name order-17 -o name""",
)
@documents.files_argument
@documents.param_option
@documents.name_option
@documents.replace_option
@output_option()
@click.pass_obj
def submit_command(
    settings: Settings,
    files: Sequence[str],
    params: Mapping[str, Json],
    new_name: str | None,
    replace: bool,
    output: Format,
) -> None:
    """Store workflows and schedules for `wf serve` to run.

    It runs workflows by their queues and priorities, and starts what schedules are due. With
    --replace the document of a schedule is put in the place of the stored one.
    """
    found = documents.read_each(files, params, new_name, settings, documents.read_any)
    schedules = [each for each in found if isinstance(each, CronWorkflow)]
    workflows = [each for each in found if isinstance(each, Workflow)]
    for each in found:
        refuse_above_ceilings(each, settings)

    async def create(store: Store) -> None:
        if schedules:
            folder = here() if store.keeps_folders else None
            kept = schedules_of(store, settings)
            await create_schedules(kept, schedules, folder, replacing=replace)
        await documents.create_all(store, workflows, replacing=replace, now=now())

    ask_store(settings, create, create=True)

    def table() -> None:
        for each in found:
            key = key_of(each)
            shows = f"cron get {key}" if isinstance(each, CronWorkflow) else f"watch {key}"
            click.echo(f"submitted {key}; {wf('serve')} runs it, {wf(shows)} shows it")
            for fault in documents.lacking_here(each):
                click.echo(f"wf: note: {key} can't run from here: {fault}", err=True)

    show(
        output,
        lambda: {"items": [_item(each) for each in found]},
        lambda: [str(key_of(each)) for each in found],
        table,
    )


def _item(document: documents.Document) -> dict[str, str]:
    key = key_of(document)
    return {"name": key.name, "namespace": key.namespace, "kind": type(document).__name__}
