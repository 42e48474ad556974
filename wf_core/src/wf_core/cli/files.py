"""`wf validate`, `wf plan`, `wf graph`: what a file says, before anything runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import click

from wf_core.cli.documents import (
    Document,
    files_argument,
    param_option,
    read_any,
    read_workflow,
    workflow_of,
)
from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.output import Format, output_option, show
from wf_core.cli.registry import installed
from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings, key_of
from wf_core.cli.text import plural
from wf_core.cli.verb import verb
from wf_core.codec import advice, ceiling_faults, floor_advice, lacking
from wf_core.config import ControllerConfig
from wf_core.errors import DocumentInvalid
from wf_core.model.spec import Json
from wf_core.saga.plan import Plan, plan

file_argument = click.argument("file", metavar="FILE")


@verb(
    "validate",
    examples="""
    wf validate order.yaml
    wf validate *.yaml
    generate | wf validate -""",
)
@files_argument
@param_option
@output_option()
@click.pass_obj
def validate_command(
    settings: Settings, files: Sequence[str], params: Mapping[str, Json], output: Format
) -> None:
    """Check documents without running anything. All faults are shown; FILE may be `-`."""
    controller = configuration(settings).controller_config
    found = [(file, _checked(file, params, settings, controller)) for file in files]

    def table() -> None:
        for file, checked in found:
            if isinstance(checked, DocumentInvalid):
                click.echo("\n".join(f"{file}: {fault}" for fault in checked.faults), err=True)
                continue
            workflow = workflow_of(checked)
            click.echo(f"{file}: valid, {plural(len(workflow.spec.steps), 'step')}")
            for sentence in (
                *advice(workflow, installed()),
                *floor_advice(workflow, controller.floors),
            ):
                click.echo(f"{file}: note: {sentence}")
            for fault in lacking(workflow, installed()):
                click.echo(f"{file}: note: it can't run here: {fault}")

    show(
        output,
        lambda: {"items": [_verdict(file, checked) for file, checked in found]},
        lambda: [file for file, checked in found if not isinstance(checked, DocumentInvalid)],
        table,
    )
    if any(isinstance(checked, DocumentInvalid) for _, checked in found):
        leave(ExitCode.USAGE)


def refuse_above_ceilings(document: Document, settings: Settings) -> None:
    """Raise DocumentInvalid where a new document asks for more than the operator allows."""
    faults = ceiling_faults(workflow_of(document), configuration(settings).controller_config)
    if faults:
        raise DocumentInvalid(faults, str(key_of(document)))


def _checked(
    file: str, params: Mapping[str, Json], settings: Settings, controller: ControllerConfig
) -> Document | DocumentInvalid:
    try:
        document = read_any(file, params, settings)
    except DocumentInvalid as error:
        return error
    faults = ceiling_faults(workflow_of(document), controller)
    return DocumentInvalid(faults, file) if faults else document


def _verdict(file: str, checked: Document | DocumentInvalid) -> dict[str, Any]:
    faults = checked.faults if isinstance(checked, DocumentInvalid) else ()
    return {"file": file, "valid": not faults, "faults": [attrs.asdict(f) for f in faults]}


@verb(
    "plan",
    examples="""
    wf plan order.yaml
    wf plan order.yaml -o json""",
)
@file_argument
@param_option
@output_option()
@click.pass_obj
def plan_command(settings: Settings, file: str, params: Mapping[str, Json], output: Format) -> None:
    """Show the order of running and of undoing.

    Also what can't be undone, and from where there is no way back. Nothing runs.
    """
    workflow = read_workflow(file, params, settings)
    planned = plan(workflow.spec.steps)

    def document() -> dict[str, Any]:
        return {
            "run": [list(layer) for layer in planned.run],
            "undo": [list(layer) for layer in planned.undo],
            "pivot": planned.pivot,
            "pastPivot": list(planned.past_pivot),
            "irreversible": list(planned.irreversible),
        }

    show(
        output,
        document,
        lambda: [name for layer in planned.run for name in layer],
        lambda: _print_plan(planned),
    )


def _print_plan(planned: Plan) -> None:
    click.echo("Runs, each line once the steps it waits for are done:")
    for n, layer in enumerate(planned.run, 1):
        click.echo(f"  {n}. " + ", ".join(_marked(name, planned) for name in layer))
    if planned.undo:
        click.echo("Is undone, should a step fail; what never ran is passed over:")
        for n, layer in enumerate(planned.undo, 1):
            click.echo(f"  {n}. " + ", ".join(layer))
    if planned.irreversible:
        click.echo(f"Can't be undone, and is passed over: {', '.join(planned.irreversible)}")
    if planned.pivot is not None:
        past = ", ".join(planned.past_pivot) or "nothing"
        click.echo(f"Pivot: once {planned.pivot} has succeeded nothing is undone; past it: {past}")


def _marked(name: str, planned: Plan) -> str:
    return f"{name} (pivot)" if name == planned.pivot else name


@verb(
    "graph",
    examples="""
    wf graph order.yaml
    wf graph order.yaml --format dot | dot -Tsvg > order.svg""",
)
@file_argument
@click.option(
    "--format",
    "language",
    type=click.Choice(["mermaid", "dot"]),
    default="mermaid",
    show_default=True,
    help="The language of the graph.",
)
@click.pass_obj
def graph_command(settings: Settings, file: str, language: str) -> None:
    """Draw steps and conditions as Mermaid or DOT."""
    from wf_core.cli.graph import dot, mermaid

    workflow = read_workflow(file, {}, settings)
    click.echo((mermaid if language == "mermaid" else dot)(workflow), nl=False)
