"""How a command of `wf` is declared: with examples, and with the options that all share."""

from collections.abc import Callable
from typing import Any

import click

from wf_core.cli.settings import shared_options


class Verb(click.Command):
    """A command that takes the shared options and shows examples in its help."""

    def __init__(self, *args: Any, examples: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples.strip().splitlines()
        self.params.extend(shared_options(outer=False))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, one a line, as they are typed."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"  {line.strip()}\n")


def verb(name: str, *, examples: str) -> Callable[[Callable[..., None]], Verb]:
    """Declare the command `wf NAME`; `examples` holds one a line."""
    return click.command(name, cls=Verb, examples=examples)
