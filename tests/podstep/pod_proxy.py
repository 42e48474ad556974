"""The disturbing proxy, for tests that have no loop of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import yaml
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Proxy, disturbing
from tests.patience import PATIENCE


@attrs.frozen
class Disturbed:
    """A proxy that runs in a thread, and the kubeconfig that reaches it."""

    proxy: Proxy
    kubeconfig: Path
    loop: asyncio.AbstractEventLoop

    def cut(self) -> None:
        """Cut all connections."""
        asyncio.run_coroutine_threadsafe(self.proxy.close(), self.loop).result(10)

    def on_pods(self) -> list[str]:
        """Method and path of every request on pods; `watch` for one that is a watch."""
        found = []
        for line in self.proxy.seen:
            method, target, _ = line.split()
            path, _, query = target.partition("?")
            if "/pods" in path:
                found.append(f"{'WATCH' if 'watch=1' in query else method} {path}")
        return found


@contextmanager
def disturbed(cluster: Cluster, folder: Path) -> Iterator[Disturbed]:
    """A proxy before the cluster."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy")
    thread.start()
    context = disturbing(cluster.url, cluster.ca)
    try:
        proxy = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(10)
        yield Disturbed(proxy, _through(cluster.kubeconfig, proxy.port, folder), loop)
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def _through(kubeconfig: Path, port: int, folder: Path) -> Path:
    view = yaml.safe_load(kubeconfig.read_text())
    for each in view["clusters"]:
        each["cluster"] = {"server": f"http://127.0.0.1:{port}"}
    file = folder / "proxied.kubeconfig"
    file.write_text(yaml.safe_dump(view))
    return file
