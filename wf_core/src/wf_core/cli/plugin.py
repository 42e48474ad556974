"""`wf plugin new`: the first minute of writing a plugin."""

import shlex
from pathlib import Path

import click

from wf_core.cli.registry import installed
from wf_core.cli.scaffold.names import BadName, Names, names
from wf_core.cli.scaffold.writing import write
from wf_core.cli.verb import verb
from wf_core.errors import OperatorError


@click.group("plugin", epilog="`wf plugins` lists those that are installed.")
def plugin_command() -> None:
    """Write a plugin of your own."""


@verb(
    "new",
    examples="""
    wf plugin new wf-folder
    wf plugin new acme-steps --kind volume --directory plugins/acme-steps""",
)
@click.argument("name", metavar="NAME")
@click.option("--kind", metavar="KIND", help="What documents say; NAME without `wf-` if not given.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write it to; ./NAME if not given.",
)
def new_command(name: str, kind: str | None, directory: Path | None) -> None:
    """Write a distribution with a kind of step.

    It is complete: a small kind that works, its tests, among them those of the promises that every
    kind makes, an example, and what it takes to install and publish it. Make it yours from there.
    """
    try:
        found = names(name, kind)
    except BadName as error:
        raise click.UsageError(str(error)) from error
    _require_free(found)
    folder = directory or Path(found.distribution)
    try:
        write(found, folder)
    except FileExistsError as error:
        raise click.UsageError(
            f"{error}: nothing was written; name another folder with --directory"
        ) from error
    except OSError as error:
        raise OperatorError(f"{folder} can't be written: {error.strerror or error}") from error
    click.echo(_next_steps(found, folder))


def _require_free(found: Names) -> None:
    """Raise click.UsageError where a plugin that is installed brings such a kind."""
    other = installed().kinds.get(found.kind)
    if other is not None and other.distribution != found.distribution:
        raise click.UsageError(
            f"{other.identity} brings a kind '{found.kind}' already, and documents could use "
            "neither; give another name with --kind"
        )


def _next_steps(found: Names, folder: Path) -> str:
    return f"""\
{folder} has the kind '{found.kind}', its tests and an example. Next:
  cd {shlex.quote(str(folder))}
  python3 -m venv .venv
  .venv/bin/pip install -e '.[test]'
  .venv/bin/pytest
  .venv/bin/wf run example.yaml
Then make src/{found.package}/kind.py yours; README.md says how."""


plugin_command.add_command(new_command)
