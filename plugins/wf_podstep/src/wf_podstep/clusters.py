"""Which cluster the pods of a workflow run in: that of its store, else the current context's."""

import threading

from wf_podstep.background import Background
from wf_podstep.cluster import Cluster

SCHEME = "k8s:"


class Clusters:
    """The clusters that this process speaks to, opened at first use."""

    def __init__(self) -> None:
        self._background = Background()
        self._lock = threading.Lock()
        self._open: dict[str, Cluster] = {}

    def of(self, store: str) -> Cluster:
        """That of a store's address. Opens no connection yet."""
        in_cluster = store.startswith(SCHEME)
        address = store.removeprefix(SCHEME) if in_cluster else ""
        with self._lock:
            key = store if in_cluster else ""
            if key not in self._open:
                self._open[key] = Cluster(self._background, address, in_cluster=in_cluster)
            return self._open[key]

    @property
    def open(self) -> list[Cluster]:
        """Those in use."""
        with self._lock:
            return list(self._open.values())

    def close(self) -> None:
        """End all watches and connections."""
        self._background.close()
