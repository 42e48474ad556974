"""`wf completion`: the script that makes a shell complete `wf`."""

import click
from click.shell_completion import get_completion_class

from wf_core.cli.verb import verb

SHELLS = ("bash", "zsh", "fish")


@verb(
    "completion",
    examples="""
    eval "$(wf completion bash)"
    wf completion fish > ~/.config/fish/completions/wf.fish""",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands and options of `wf`.
    """
    made = get_completion_class(shell)
    assert made is not None
    root = ctx.find_root()
    click.echo(made(root.command, {}, "wf", "_WF_COMPLETE").source())
