"""`wf config show`: the configuration that holds."""

import click

from wf_core.cli.output import Format, output_option, print_document
from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings
from wf_core.cli.verb import verb
from wf_core.config import to_document


@click.group("config")
def config_command() -> None:
    """Look at the engine's configuration."""


@verb(
    "show",
    examples="""
    wf config show
    wf config show --config wf.yaml -o json""",
)
@output_option(Format.YAML, Format.JSON, default=Format.YAML)
@click.pass_obj
def show_command(settings: Settings, output: Format) -> None:
    """Show every setting that holds.

    What --config leaves out has its default.
    """
    print_document(output, to_document(configuration(settings)))


config_command.add_command(show_command)
