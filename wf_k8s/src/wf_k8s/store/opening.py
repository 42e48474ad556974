"""`k8s:[CONTEXT][/NAMESPACE]` to a store. Nothing is read or sent before the first question."""

import os

from wf_core.adapters.clock import SystemClock
from wf_core.engine.local import state_folder
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session
from wf_k8s.store.owners import MachineOwners, Owners
from wf_k8s.store.store import K8sStore

SCHEME = "k8s"


def open_store(url: str) -> K8sStore | None:
    """The store of a `k8s:` address, for the verbs of `wf`; None for another scheme."""
    scheme, _, rest = url.partition(":")
    if scheme != SCHEME:
        return None
    return store_of(Session(Access(rest)), MachineOwners(state_folder(os.environ)))


def store_of(session: Session, owners: Owners) -> K8sStore:
    """A store on a session, with this machine's clock."""
    return K8sStore(session, owners, SystemClock().now)
