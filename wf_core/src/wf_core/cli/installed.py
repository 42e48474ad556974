"""`wf kinds`, `wf plugins`, `wf schema`: what is installed, and what a document may say."""

from typing import Any

import click

from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.output import Format, output_option, print_document, print_table, show
from wf_core.cli.registry import installed
from wf_core.cli.verb import verb
from wf_core.model.schedule import CRON_KIND, CronWorkflow
from wf_core.model.spec import KIND, Workflow
from wf_core.model.task import TASK_KIND, Task
from wf_core.plugins import LoadedKind, PluginInfo


@click.group(
    "kinds",
    invoke_without_command=True,
    epilog="`wf kinds show NAME` shows the parameters of one.",
)
@output_option()
@click.pass_context
def kinds_command(ctx: click.Context, output: Format) -> None:
    """List the installed kinds of step."""
    if ctx.invoked_subcommand is not None:
        return
    kinds = [kind for _, kind in sorted(installed().kinds.items())]

    def table() -> None:
        print_table(
            ("KIND", "FROM", "DESCRIPTION"),
            [(kind.name, kind.identity, kind.description) for kind in kinds],
        )
        for problem in installed().problems:
            click.echo(f"wf: warning: {problem}", err=True)

    show(
        output,
        lambda: {"items": [_kind(kind) for kind in kinds]},
        lambda: [kind.name for kind in kinds],
        table,
    )


def _kind(kind: LoadedKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "description": kind.description,
        "distribution": kind.distribution,
        "version": kind.version,
        "sync": kind.has_sync,
        "reissue": kind.reissue,
    }


@verb(
    "show",
    examples="""
    wf kinds show command
    wf kinds show command -o json""",
)
@click.argument("kind", metavar="NAME")
@output_option()
def show_command(kind: str, output: Format) -> None:
    """Show the parameters of a kind.

    Their names, types, defaults and meaning.
    """
    found = installed().kind(kind)
    show(
        output,
        lambda: {**_kind(found), "parameters": found.schema()},
        lambda: [field.name for field in found.fields()],
        lambda: _print_kind(found),
    )


def _print_kind(kind: LoadedKind) -> None:
    click.echo(f"{kind.name} ({kind.identity})")
    if kind.description:
        click.echo(kind.description)
    click.echo(
        "It can look at what it made (sync)."
        if kind.has_sync
        else "It has no sync: it can't look at what it made."
    )
    if not kind.reissue:
        click.echo("A run that was interrupted is undone, not called again.")
    fields = kind.fields()
    if not fields:
        click.echo("It takes no parameters.")
        return
    click.echo()
    # How references enter is a column only where it is not everywhere as text.
    said = any(field.references for field in fields)
    print_table(
        ("PARAMETER", "TYPE", "DEFAULT", *(["REFERENCES"] if said else []), "DESCRIPTION"),
        [
            (
                field.name,
                field.type,
                "(required)" if field.required else field.default,
                *([field.references or "text"] if said else []),
                field.description,
            )
            for field in fields
        ],
    )


kinds_command.add_command(show_command)


@verb(
    "plugins",
    examples="""
    wf plugins
    wf plugins --check""",
)
@output_option()
@click.option("--check", is_flag=True, help="Fail where anything is wrong with any of them.")
def plugins_command(output: Format, check: bool) -> None:
    """List the plugins, and what is wrong with any.

    With --check the exit code is 1 where one can't be loaded, is of another version, or brings
    a kind that another one brings too: for images, before they are put to work.
    """
    plugins = installed().plugins

    def table() -> None:
        print_table(
            ("PLUGIN", "DISTRIBUTION", "VERSION", "STATUS", "KINDS"),
            [(p.name, p.distribution, p.version, p.status, ", ".join(p.kinds)) for p in plugins],
        )
        for problem in installed().problems:
            click.echo(f"wf: warning: {problem}", err=True)

    show(
        output,
        lambda: {"items": [_plugin(plugin) for plugin in plugins]},
        lambda: [plugin.name for plugin in plugins],
        table,
    )
    if check and installed().problems:
        leave(ExitCode.OPERATOR)


def _plugin(plugin: PluginInfo) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "module": plugin.module,
        "status": str(plugin.status),
        "kinds": list(plugin.kinds),
        "problem": plugin.problem,
    }


@verb(
    "schema",
    examples="""
    wf schema > workflow.schema.json
    wf schema --kind Task
    wf schema --kind CronWorkflow > cronworkflow.schema.json""",
)
@click.option(
    "--kind",
    type=click.Choice([KIND, TASK_KIND, CRON_KIND], case_sensitive=False),
    default=KIND,
    show_default=True,
    help="The kind of document.",
)
@output_option(Format.JSON, Format.YAML, default=Format.JSON)
def schema_command(kind: str, output: Format) -> None:
    """Print the JSON Schema of a document.

    It holds the parameters of every installed kind. Editors that know YAML complete
    and check documents with it.
    """
    from wf_core.codec import DocumentKind, schema

    documents: dict[str, DocumentKind] = {KIND: Workflow, TASK_KIND: Task, CRON_KIND: CronWorkflow}
    print_document(output, schema(installed(), documents[kind]))
