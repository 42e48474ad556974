"""The simulation on Kubernetes: the shipped store, leadership and tenure in random worlds, over an
API server in memory, at the seam where a `Session` sends.

    played = play(generate(123), KUBERNETES)

Beside what befalls every store, watches lag, reorder, double, miss and end by 410, requests are
refused and their answers lost, leaders are paused and fenced (`weather.Kind`).
"""

from wf_core.testing.simulation.storage import Setup
from wf_k8s.testing.simulation.storage import KubernetesStorage
from wf_k8s.testing.simulation.troubles import generate
from wf_k8s.testing.simulation.weather import Kind

KUBERNETES = Setup(
    "wf_k8s.testing.simulation",
    generate,
    KubernetesStorage,
    (*(f"trouble {kind}" for kind in Kind), "created again"),
)

__all__ = ["KUBERNETES", "generate"]
