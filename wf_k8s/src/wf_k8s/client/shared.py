"""One budget of requests for all that a process asks of an API server, plugins included.

Whoever serves the workflows of an address says how its API server is reached; a plugin that speaks
to the same server asks for a session here, so that it uses the same credentials and the same
budget, is counted in the same metrics, and falls silent when the process no longer leads.
"""

from collections.abc import Callable

from wf_k8s.client.access import Access
from wf_k8s.client.session import Session

_ways: dict[str, Callable[[], Session]] = {}


def share(address: str, way: Callable[[], Session]) -> None:
    """Have `session_of(address)` be made by `way` from now on. `address` is what follows `k8s:`."""
    _ways[address] = way


def session_of(address: str) -> Session:
    """A session of its own, on whichever loop first uses it: with what the process that serves
    `address` shares, else as the address and the usual kubeconfig say."""
    way = _ways.get(address)
    return way() if way is not None else Session(Access(address))
