"""`wf submit`: store workflows for an engine that serves."""

from collections.abc import Mapping, Sequence

import click

from wf_core.cli import documents
from wf_core.cli.output import Format, output_option, show
from wf_core.cli.settings import Settings
from wf_core.cli.stores import ask_store, now
from wf_core.cli.verb import verb
from wf_core.model.spec import Json, Key
from wf_core.ports import Store


@verb(
    "submit",
    examples="""
    wf submit order.yaml
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
    """Store workflows for `wf serve` to run.

    It runs them by their queues and priorities.
    """
    workflows = documents.read_workflows(files, params, new_name, settings)

    async def create(store: Store) -> list[Key]:
        return await documents.create_all(store, workflows, replacing=replace, now=now())

    keys = ask_store(settings, create)

    def table() -> None:
        for key in keys:
            click.echo(f"submitted {key}; `wf serve` runs it, `wf watch {key}` shows it")

    show(
        output,
        lambda: {"items": [{"name": key.name, "namespace": key.namespace} for key in keys]},
        lambda: map(str, keys),
        table,
    )
