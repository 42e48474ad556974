"""`wf prove`: every failure, every failure of an undo, every crash point of one's own saga."""

import sys
from collections.abc import Mapping
from typing import Any

import attrs
import click

from wf_core.cli.documents import param_option, read_workflow
from wf_core.cli.exits import ExitCode, leave
from wf_core.cli.files import file_argument
from wf_core.cli.output import Format, output_option, show
from wf_core.cli.settings import Settings
from wf_core.cli.verb import verb
from wf_core.model.phases import Phase
from wf_core.model.spec import Json
from wf_core.prove import Bound, Found, Report, examine


@verb(
    "prove",
    examples="""
    wf prove order.yaml
    wf prove order.yaml --crashes 2
    wf prove order.yaml -o json""",
)
@file_argument
@param_option
@click.option(
    "--crashes", default=1, show_default=True, type=click.IntRange(0, 3), help="Crashes in a story."
)
@click.option(
    "--max-states",
    default=200_000,
    show_default=True,
    type=click.IntRange(1),
    help="Stop after so many states, and say so.",
)
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@click.pass_obj
def prove_command(
    settings: Settings,
    file: str,
    params: Mapping[str, Json],
    crashes: int,
    max_states: int,
    output: Format,
) -> None:
    """Search where a saga can end, whatever fails.

    Every failure, every failure of an undo, every crash point is tried. Nothing is run: each call
    may succeed or fail for good, and the engine may crash at any point. Exits with 0 when every
    ending in which undos succeed is all or none, with 2 when a step that can't be undone stands
    before one that may fail.
    """
    workflow = read_workflow(file, params, settings)
    report = examine(workflow, Bound(crashes=crashes, states=max_states), _progress())
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    show(output, lambda: _document(report), lambda: (), lambda: _table(report))
    if not report.sound:
        leave(ExitCode.OPERATOR)
    if report.design_faults:
        leave(ExitCode.USAGE)


def _progress() -> Any:
    if not sys.stderr.isatty():
        return None

    def tell(found: Found) -> None:
        click.echo(f"\rsearching: {found.states:,} states", nl=False, err=True)

    return tell


def _document(report: Report) -> dict[str, Any]:
    return attrs.asdict(report)


def _table(report: Report) -> None:
    how = "all" if report.complete else "stopped early, so endings may be missing:"
    click.echo(f"searched {how} {report.states:,} states, {report.edges:,} events between them")
    for line in report.broken:
        click.echo(f"the engine broke a rule of its own: {line}")
    for phase in (Phase.SUCCESS, Phase.ROLL_BACKED, Phase.FAILED):
        endings = [each for each in report.endings if each.phase is phase]
        if not endings:
            continue
        click.echo(f"\nit can end {phase}:")
        for left, stuck, story in _kinds_of(endings):
            click.echo(f"  {_what(phase, left, stuck)}")
            click.echo(f"    for example: {'; '.join(story[2:]) or 'at once'}")
    if report.design_faults or report.findings:
        click.echo("")
    for line in report.design_faults:
        click.echo(f"design fault: {line}")
    for line in report.findings:
        click.echo(f"note: {line}")


def _kinds_of(endings: list[Any]) -> list[tuple[Any, Any, Any]]:
    """Endings that leave the same behind, once each, with their shortest story."""
    found: dict[tuple[Any, Any], Any] = {}
    for each in sorted(endings, key=lambda e: len(e.story)):
        found.setdefault((each.left, each.stuck), each.story)
    return [(left, stuck, story) for (left, stuck), story in found.items()]


def _what(phase: Phase, left: tuple[str, ...], stuck: tuple[str, ...]) -> str:
    if phase is Phase.SUCCESS:
        return "all of it has happened"
    if not left:
        return "none of it has happened"
    held = ", ".join(left)
    return f"stays behind: {held}" + (f" (the undo failed of: {', '.join(stuck)})" if stuck else "")
