"""`wf crd`: the definition of the custom resource, for kubectl."""

import click

from wf_core.cli.verb import verb


@verb(
    "crd",
    examples="""
    wf crd | kubectl apply -f -
    wf crd > crd.yaml""",
)
def crd_command() -> None:
    """Print the definition of the Workflow resource.

    A cluster needs it once, before its first workflow. The chart brings it along.
    """
    from wf_core.codec import dump_plain
    from wf_k8s.crd import definition

    click.echo(dump_plain(definition()), nl=False)
