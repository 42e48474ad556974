"""How many requests are under way together. What waits does not run into its time limit."""

import asyncio

from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, disturbing
from tests.k8s.store_fixtures import Stores

from wf_k8s.client.access import Access
from wf_k8s.client.session import AT_ONCE, Session

LONG = 60.0


def test_a_slow_api_server_is_not_asked_more_and_more_at_once(
    cluster: Cluster, stores: Stores
) -> None:
    async def main() -> None:
        async with disturbing(cluster.url, cluster.ca) as proxy:
            proxy.add(Fault("/version", delay=LONG, times=AT_ONCE))
            session = Session(Access("", str(stores.through(proxy.port))), timeout=LONG)
            asking = [
                asyncio.ensure_future(session.request("GET", "/version"))
                for _ in range(2 * AT_ONCE)
            ]
            while len(proxy.seen) < AT_ONCE:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert len(proxy.seen) == AT_ONCE
            slow, waiting = asking[:AT_ONCE], asking[AT_ONCE:]
            for each in slow:
                each.cancel()
            assert all(b"gitVersion" in answer for answer in await asyncio.gather(*waiting))
            await asyncio.gather(*slow, return_exceptions=True)
            await session.close()

    asyncio.run(main())
