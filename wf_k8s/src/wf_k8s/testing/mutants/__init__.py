"""Deliberate faults of what speaks to Kubernetes, beside those of the core.

`python -m wf_k8s.testing.mutants` hunts all of them, each in the worlds of its own store.
"""

from wf_core.testing.mutants import AREAS as CORE
from wf_core.testing.mutants import Area
from wf_k8s.testing.mutants import following, saving
from wf_k8s.testing.simulation import KUBERNETES

KUBERNETES_AREAS = (
    Area("Kubernetes: saves", saving.MUTANTS, KUBERNETES),
    Area("Kubernetes: the watch, and who leads", following.MUTANTS, KUBERNETES),
)
AREAS = (*CORE, *KUBERNETES_AREAS)

__all__ = ["AREAS", "KUBERNETES_AREAS"]
