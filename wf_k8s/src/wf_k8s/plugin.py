"""What this distribution adds to `wf`. Nothing of Kubernetes is imported before it is asked for."""

from typing import TYPE_CHECKING

from wf_core.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from wf_core.ports import Store


@hookimpl
def wf_cli_commands(group: "click.Group") -> None:
    """Adds `wf crd` and `wf controller`."""
    from wf_k8s.cli.controller import controller_command
    from wf_k8s.cli.crd import crd_command

    group.add_command(crd_command)
    group.add_command(controller_command)


@hookimpl
def wf_open_store(url: str) -> "Store | None":
    """Opens `k8s:[CONTEXT][/NAMESPACE]`; other schemes are not ours."""
    if not url.startswith("k8s:"):
        return None
    from wf_k8s.store.opening import open_store

    return open_store(url)
