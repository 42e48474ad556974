"""`wf callbacks key`: the key with which a namespace's callbacks are signed."""

import click

from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings
from wf_core.cli.verb import verb


@click.group("callbacks")
def callbacks_command() -> None:
    """What receivers of callbacks need."""


@verb(
    "key",
    examples="""
    wf callbacks key shop --config wf.yaml""",
)
@click.argument("of", metavar="NAMESPACE")
@click.pass_obj
def key_command(settings: Settings, of: str) -> None:
    """Show the key that signs the callbacks of NAMESPACE.

    It is secret, and for the receivers of that namespace alone. wf derives it from the master
    secret in callbacks.secretFile.
    """
    from wf_core.callbacks.http import masters
    from wf_core.errors import ConfigInvalid

    found = masters(configuration(settings))
    if not found:
        raise ConfigInvalid(
            "callbacks are not signed: the configuration has no callbacks.secretFile; name one, "
            "in a file that --config reads"
        )
    click.echo(found[0].shown_key(of))


callbacks_command.add_command(key_command)
