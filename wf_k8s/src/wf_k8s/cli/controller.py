"""`wf controller`: runs the workflows of a cluster."""

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wf_core.cli.exits import leave, of_error
from wf_core.cli.settings import Settings
from wf_core.cli.verb import verb
from wf_core.errors import WfError

if TYPE_CHECKING:
    from wf_k8s.controller.options import Options

log = logging.getLogger("wf.controller")


@verb(
    "controller",
    examples="""
    wf controller --config wf.yaml
    wf controller --config wf.yaml --kubeconfig ~/.kube/config --namespace orders
    wf controller --config wf.yaml --namespace orders,billing --lease wf-shop
    wf controller --release-pods --namespace orders""",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="How the cluster is reached. Left out: $KUBECONFIG, ~/.kube/config, or the pod's own.",
)
@click.option("--context", help="The context of the kubeconfig. Left out: the current one.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where /metrics, /healthz and /readyz are; 0 takes a free one and logs it.",
)
@click.option(
    "--open-folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the calls that are open are noted, for the process that is started after this one "
    "died: a folder that outlives it, in a pod an emptyDir. Left out: nowhere.",
)
@click.option(
    "--lease-seconds",
    type=click.IntRange(min=3),
    default=15,
    show_default=True,
    help="How long after the last renewal another controller may take over.",
)
@click.option(
    "--lease",
    metavar="NAME",
    help="The Lease that says who leads. Left out: wf-controller, with the namespace behind it.",
)
@click.option(
    "--on-namespace-deletion",
    "on_namespace_deletion",
    type=click.Choice(("Block", "Orphan")),
    default="Block",
    show_default=True,
    help="What becomes of workflows whose namespace is deleted: they hold it up until they are "
    "undone, or go without an undo.",
)
@click.option(
    "--schedules/--no-schedules",
    default=True,
    show_default=True,
    help="Whether it starts what CronWorkflows are due.",
)
@click.option(
    "--tasks/--no-tasks",
    default=True,
    show_default=True,
    help="Whether it runs Tasks.",
)
@click.option(
    "--requesters-verified",
    is_flag=True,
    help="An admission policy writes who makes a request, as the chart's does: what people ask is "
    "shown under a name that the API server vouches for.",
)
@click.option(
    "--release-pods",
    is_flag=True,
    help="Only take the finalizer off all pods of steps, and end. For a cluster in which no "
    "controller will run again: outcomes that are not saved are lost with pods that are deleted.",
)
@click.pass_context
def controller_command(
    ctx: click.Context,
    kubeconfig: Path | None,
    context: str | None,
    metrics_port: int,
    open_folder: Path | None,
    lease_seconds: int,
    lease: str | None,
    on_namespace_deletion: str,
    schedules: bool,
    tasks: bool,
    requesters_verified: bool,
    release_pods: bool,
) -> None:
    """Run the workflows of a cluster.

    One controller at a time works; others stand by until it ends. The configuration's `namespace`
    is where its lease is. It runs the workflows of --namespace, which may be several with commas
    between them, or those of all. Logs are JSON. Ends at SIGTERM or ctrl-C; what is not finished
    goes on with the next one.
    """
    from wf_core.adapters.hook_output import captured
    from wf_core.cli.run import configuration
    from wf_k8s.controller.options import Options
    from wf_k8s.controller.orphaning import OnNamespaceDeletion
    from wf_k8s.leadership.leadership import Timing
    from wf_k8s.telemetry.logs import use_json

    settings: Settings = ctx.obj
    if kubeconfig is not None and not kubeconfig.exists():
        raise click.UsageError(f"there is no {kubeconfig}", ctx)
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)  # plugins are to speak to the same cluster
    options = Options(
        config=configuration(settings),
        kubeconfig=kubeconfig,
        context=context,
        namespaces=_namespaces(ctx, settings.namespace),
        on_namespace_deletion=OnNamespaceDeletion(on_namespace_deletion),
        schedules=schedules,
        tasks=tasks,
        requesters_verified=requesters_verified,
        metrics_port=metrics_port,
        open_folder=open_folder,
        timing=Timing(lease_seconds, lease_seconds * 2 / 3, min(1.0, lease_seconds / 5)),
        **({} if lease is None else {"lease": lease}),
    )
    if release_pods:
        try:
            count = asyncio.run(_release(options))
        except WfError as error:
            click.echo(f"wf: {error}", err=True)
            leave(of_error(error))
        click.echo(f"{count} {'pod is' if count == 1 else 'pods are'} held no more")
        return
    _import_client()
    use_json(debug=log.isEnabledFor(logging.DEBUG))  # as --debug had it set
    try:
        with captured():
            asyncio.run(_control(options))
    except WfError as error:
        log.error("%s", error)
        leave(of_error(error))


async def _release(options: "Options") -> int:
    from wf_k8s.client.session import Session
    from wf_k8s.controller.wiring import access
    from wf_k8s.releasing import release_all

    session = Session(access(options))
    try:
        return await release_all(session, options.namespaces)
    finally:
        await session.close()


def _namespaces(ctx: click.Context, named: str | None) -> tuple[str, ...]:
    """The names of --namespace. A slip must not become all of the cluster."""
    if named is None:
        return ()
    names = tuple(each.strip() for each in named.split(","))
    if not all(names):
        raise click.UsageError(f"--namespace '{named}' has a name that is empty", ctx)
    return names


def _import_client() -> None:
    """Before there is a loop, which it would hold for a second."""
    import kubernetes.aio.client
    import kubernetes.aio.config  # noqa: F401


async def _control(options: "Options") -> None:
    from wf_core.cli.registry import installed
    from wf_k8s.controller.controller import Controller

    registry = installed()
    for problem in registry.problems:
        log.warning("%s", problem)
    await Controller(options, registry).run()
