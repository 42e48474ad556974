"""What a controller is told when it starts."""

from pathlib import Path

import attrs

from wf_core.config import Config
from wf_k8s.leadership.leadership import Timing

LEASE = "wf-controller"


@attrs.frozen
class Options:
    """`config` says how it runs, and in `config.namespace` is the Lease. `namespace` is whose
    workflows it runs: None for all. `kubeconfig` and `context` None: the usual ones, or the pod's.
    """

    config: Config
    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    metrics_port: int = 8080
    timing: Timing = attrs.field(factory=Timing)

    @property
    def lease(self) -> str:
        """The Lease's name: controllers of different namespaces don't stand in each other's way."""
        return LEASE if self.namespace is None else f"{LEASE}.{self.namespace}"

    @property
    def address(self) -> str:
        """What follows `k8s:` in the store's address."""
        return f"{self.context or ''}/{self.namespace or '*'}"
