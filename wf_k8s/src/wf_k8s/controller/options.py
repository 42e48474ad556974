"""What a controller is told when it starts."""

import hashlib
from pathlib import Path

import attrs

from wf_core.config import Config
from wf_k8s.controller.orphaning import OnNamespaceDeletion
from wf_k8s.leadership.leadership import Timing

LEASE = "wf-controller"


@attrs.frozen
class Options:
    """`config` says how it runs, and in `config.namespace` is the Lease. `namespaces` are those
    whose workflows it runs: none for all. `schedules`: whether it starts what is due; `tasks`:
    whether it runs tasks; `requesters_verified`: whether an admission policy writes who makes a
    request. `kubeconfig` and `context` None: the usual ones, or the pod's. `open_folder` outlives
    the process, so that the next one there knows what was open when it died. `lease` is
    the Lease's name: by default controllers of different namespaces don't stand in each other's
    way.
    """

    config: Config
    kubeconfig: Path | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    on_namespace_deletion: OnNamespaceDeletion = OnNamespaceDeletion.BLOCK
    schedules: bool = True
    tasks: bool = True
    requesters_verified: bool = False
    metrics_port: int = 8080
    open_folder: Path | None = None
    timing: Timing = attrs.field(factory=Timing)
    lease: str = attrs.field()

    @lease.default
    def _lease(self) -> str:
        names = sorted(set(self.namespaces))
        if len(names) > 1:
            # Together they may be longer than a name can be.
            names = [hashlib.sha256(",".join(names).encode()).hexdigest()[:10]]
        return ".".join((LEASE, *names))

    @property
    def address(self) -> str:
        """What follows `k8s:` in the store's address."""
        return f"{self.context or ''}/{','.join(self.namespaces) or '*'}"
