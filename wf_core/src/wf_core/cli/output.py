"""`-o table|json|yaml|name`: one answer in four shapes."""

import json
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import click

from wf_core.model.phases import Phase


class Format(StrEnum):
    """Shapes of an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


COLOURS: dict[str, str] = {
    Phase.PENDING: "bright_black",
    Phase.RUNNING: "blue",
    Phase.SUCCESS: "green",
    Phase.ROLLING_BACK: "yellow",
    Phase.ROLL_BACKED: "magenta",
    Phase.FAILED: "red",
}
"""The colour of a phase, by its word."""

Plain = dict[str, Any]  # a document of JSON values


def output_option(
    *shapes: Format, default: Format = Format.TABLE
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `-o`, given to the command as `output`; all shapes unless some are named."""
    words = [shape.value for shape in shapes or tuple(Format)]
    return click.option(
        "-o",
        "--output",
        type=click.Choice(words),
        default=default.value,
        show_default=True,
        callback=lambda _ctx, _parameter, value: Format(value),
        help="The shape of what is shown.",
    )


def show(
    output: Format,
    document: Callable[[], Plain],
    names: Callable[[], Iterable[str]],
    table: Callable[[], None],
) -> None:
    """Print the answer in the shape asked for; only that one is made."""
    if output is Format.TABLE:
        table()
    elif output is Format.NAME:
        for name in names():
            click.echo(name)
    else:
        print_document(output, document())


def print_document(output: Format, document: Plain) -> None:
    """Print a document as YAML or as JSON."""
    if output is Format.YAML:
        from wf_core.codec import dump_plain

        click.echo(dump_plain(document), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns under a head, as wide as they need to be: nothing is cut, so that it can be piped.

    A cell that is the word of a phase has its colour.
    """
    cells = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        parts = [
            _coloured(cell) + " " * (width - len(cell))
            for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(parts).rstrip())


def _coloured(cell: str) -> str:
    colour = COLOURS.get(cell)
    return click.style(cell, fg=colour) if colour else cell
