"""`wf crd`: the definitions of the custom resources, for kubectl."""

import click

from wf_core.cli.verb import verb


@verb(
    "crd",
    examples="""
    wf crd | kubectl apply --server-side -f -
    wf crd > crd.yaml""",
)
def crd_command() -> None:
    """Print the definitions of Workflow, CronWorkflow and Task.

    A cluster needs them once, before its first workflow. The chart brings them along.
    """
    from wf_core.codec import dump_plain
    from wf_k8s.crd import definitions

    click.echo("---\n".join(map(dump_plain, definitions())), nl=False)
