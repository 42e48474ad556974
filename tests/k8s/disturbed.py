"""A store behind the fault proxy, beside one that is not."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.cluster.connection import Cluster
from tests.cluster.proxy import Proxy, disturbing
from tests.k8s.store_fixtures import Stores

from wf_k8s.store.store import K8sStore

Test = Callable[[Proxy, K8sStore, K8sStore], Awaitable[None]]


def play(stores: Stores, cluster: Cluster, test: Test, *, timeout: float = 5.0) -> None:
    """`test(proxy, store behind it, store without it)`."""

    async def main() -> None:
        async with disturbing(cluster.url, cluster.ca) as proxy:
            store = stores.open(stores.through(proxy.port), timeout=timeout)
            plain = stores.open()
            try:
                await test(proxy, store, plain)
            finally:
                await store.close()
                await plain.close()

    asyncio.run(main())
