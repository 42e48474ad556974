"""Lets workflows go whose whole namespace is being deleted (`onNamespaceDeletion: Orphan`).

No pod can start there any more, so an undo that needs one would hold up the namespace until a
person comes. What is done is written down where people see it: their `deletionPolicy` becomes
Orphan, and the engine acts on that.
"""

import asyncio
import logging
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import DeletionPolicy
from wf_core.ports import Row, Store
from wf_k8s.client.errors import RefusedError
from wf_k8s.store.objects import Objects
from wf_k8s.store.pointers import add, test

log = logging.getLogger("wf.controller")
PERIOD = 5.0
"""Seconds between two looks. A namespace that begins to go tells nobody who may not watch it."""
ALL = 2**31

_encode = msgspec.json.Encoder().encode


class OnNamespaceDeletion(StrEnum):
    """What becomes of the workflows of a namespace that is being deleted."""

    BLOCK = "Block"
    ORPHAN = "Orphan"


class Orphaning:
    """Looks at the workflows of a store that follows the API server: where none is being deleted,
    nothing is sent."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects
        self._done: set[str] = set()  # uids

    async def run(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("workflows of namespaces that go: %s", error)
            except Exception:
                log.exception("workflows of namespaces that go: a fault of the controller")
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Once. Raises StoreUnavailable."""
        going = [row for row in (await self._store.list(limit=ALL)).rows if row.deleting]
        self._done &= {row.uid for row in going}
        left = [row for row in going if row.uid not in self._done]
        for namespace in dict.fromkeys(row.key.namespace for row in left):
            if await self._objects.terminating(namespace):
                await self._let_go([row for row in left if row.key.namespace == namespace])

    async def _let_go(self, rows: Sequence[Row]) -> None:
        for row in rows:
            body = _encode(
                [
                    test("/metadata/uid", row.uid),
                    add("/spec/deletionPolicy", DeletionPolicy.ORPHAN),
                ]
            )
            try:
                await self._objects.patch(row.key, body)
            except RefusedError as error:
                if error.code not in (404, 422):  # gone meanwhile, or another of the same name
                    raise
            else:
                log.warning("%s: goes without an undo: its namespace is being deleted", row.key)
            self._done.add(row.uid)
