"""The installed plugins, looked for once."""

from functools import cache
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wf_core.plugins import Registry


@cache
def installed() -> "Registry":
    """What is installed, once."""
    from wf_core.plugins import load

    return load()


def warn_of_problems() -> None:
    """Name every plugin that could not be loaded, before work begins."""
    for problem in installed().problems:
        click.echo(f"wf: warning: {problem}", err=True)
