"""Writes the pages that are made from the code; `--check` only says which are stale."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click

from wf_core.cli.app import COMMANDS, cli
from wf_core.saga import table

WIDTH = 88  # columns of a page of help
HERE = Path(__file__).parent
NOTE = "<!-- Made from the code by `make docs`; edit that instead. -->\n"


def transitions() -> str:
    """The table of the machine, as lists and as diagrams."""
    return "\n".join(
        [
            "# Transitions",
            "",
            "All moves that there are. Anything not listed is impossible: the machine refuses it.",
            "",
            *_moves("A workflow", table.WORKFLOW),
            *_moves("A step", table.STEP),
            "A run that fails for good leaves its step in Running and moves only the workflow:",
            "it is the undo that moves steps to RollingBack. Only RollBacked absorbs.",
            "",
        ]
    )


def _moves(title: str, moves: Iterable[table.Move]) -> Iterator[str]:
    yield from (f"## {title}", "", "```mermaid", "stateDiagram-v2")
    yield from (f"  {move.before} --> {move.after}" for move in moves)
    yield from ("```", "", "| from | to | when |", "|---|---|---|")
    yield from (f"| {move.before} | {move.after} | {move.when} |" for move in moves)
    yield ""


def commands() -> str:
    """Every command of `wf`, as its own help says."""
    group = click.Context(
        cli,
        info_name="wf",
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    parts = ["# The command line", "", *_help(cli, group)]
    for name in COMMANDS:
        command = cli.get_command(group, name)
        assert command is not None
        context = click.Context(command, group, name, terminal_width=WIDTH, max_content_width=WIDTH)
        parts += [f"## wf {name}", "", *_help(command, context)]
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                sub = command.get_command(context, below)
                assert sub is not None
                inner = click.Context(
                    sub, context, below, terminal_width=WIDTH, max_content_width=WIDTH
                )
                parts += [f"### wf {name} {below}", "", *_help(sub, inner)]
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    shown = command.get_help(context)
    if command is cli:
        # The plugins that happen to be installed may add commands: those are not ours to list.
        ours = [f"  {name:16}" for name in COMMANDS]
        known = tuple(line.rstrip() + " " for line in ours)
        head, _, rest = shown.partition("Commands:\n")
        kept = [line for line in rest.splitlines() if line.startswith((*known, "     "))]
        shown = head + "Commands:\n" + "\n".join(kept)
    yield from ("```text", *(line.rstrip() for line in shown.splitlines()), "```", "")


PAGES: Mapping[str, Callable[[], str]] = {"transitions.md": transitions, "cli.md": commands}


def stale() -> dict[Path, str]:
    """The pages whose file is not what the code says, with what it should hold."""
    made = {HERE / name: NOTE + make() for name, make in PAGES.items()}
    return {
        path: text
        for path, text in made.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Writes what is stale, or with `--check` fails where something is."""
    check = arguments == ["--check"]
    pages = stale()
    for path, text in pages.items():
        if check:
            print(f"docs/{path.name} is stale; run `make docs`", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{path.name}")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
