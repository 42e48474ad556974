"""Every command of `wf`, as its own help says."""

from collections.abc import Iterator, Mapping

import click
from docs.reference.distributions import OURS

from wf_core.cli.app import COMMANDS, cli
from wf_core.plugins import Registry, load

WIDTH = 88  # columns of a page of help


def page() -> str:
    """Our own commands in the order of a workflow's life, then those that our plugins add."""
    root = _context(cli, "wf", None)
    parts = ["# The command line", "", *_help(cli, root)]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts += _command("##", name, command, root)
    parts += [
        "## Commands of plugins",
        "",
        "They are there once the distribution is installed.",
        "",
    ]
    for distribution, added in _of_plugins(load()).items():
        for name, command in added.items():
            parts += _command("###", name, command, root, f"From `{distribution}`.")
    return "\n".join(parts)


def _of_plugins(registry: Registry) -> Mapping[str, Mapping[str, click.Command]]:
    """What each distribution of this project adds, asked one by one."""
    added: dict[str, Mapping[str, click.Command]] = {}
    for impl in registry.manager.hook.wf_cli_commands.get_hookimpls():
        distribution = registry.names[impl.plugin_name].partition(" ")[0]
        if distribution in OURS:
            alone = click.Group()
            impl.function(alone)
            added[distribution] = alone.commands
    return dict(sorted(added.items()))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command,
        parent,
        name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


def _command(
    level: str, name: str, command: click.Command, outer: click.Context, note: str = ""
) -> Iterator[str]:
    context = _context(command, name, outer)
    yield from (f"{level} {context.command_path}", "")
    if note:
        yield from (note, "")
    yield from _help(command, context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            inner = command.get_command(context, below)
            assert inner is not None
            yield from _command("###", below, inner, context)


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
